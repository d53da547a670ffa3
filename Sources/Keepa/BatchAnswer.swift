import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookUpstreams
import TollbookViews

/// Writes the answer to a batch: `{"results":[…],"stats":{…},"source":…,"cache_hit":…}`, one result for each place of
/// the list, in its order.
struct BatchAnswer {
  private let question: BatchQuestion
  private let answer: ProductsAnswer
  private var statistics = BatchStatistics()

  init(_ question: BatchQuestion, _ answer: ProductsAnswer) {
    self.question = question
    self.answer = answer
  }

  consuming func response() throws(Problem) -> Response {
    if let problem = answer.refusal { throw problem }
    var json = JSONWriter(capacity: 1_024 + question.places.count * 2_560)
    json.beginObject()
    writeResults(to: &json)
    statistics.write(to: &json, reading: answer.meter.reading)
    json.field("source", statistics.source)
    json.field("cache_hit", statistics.isCacheHit)
    json.endObject()
    var response = Response(json: json.bytes, position: answer.position)
    response.headers[.charge] = "\(statistics.tokens)"
    response.headers.tell(inDoubt: statistics.tokensInDoubt)
    response.headers.tell(refusals: answer.outcomes.lazy.compactMap(\.problem), at: answer.now)
    return response
  }

  private mutating func writeResults(to json: inout JSONWriter) {
    var writer = ProductResultWriter(domain: question.request.domain, now: answer.now)
    var indices: [KeepaASIN: Int] = [:]
    indices.reserveCapacity(answer.outcomes.count)
    for (index, outcome) in answer.outcomes.enumerated() { indices[outcome.asin] = index }
    var isSeen = [Bool](repeating: false, count: answer.outcomes.count)
    json.name("results")
    json.beginArray()
    for place in question.places {
      switch place {
      case .invalid(let text):
        statistics.countFailed()
        writer.write(invalid: text, to: &json)
      case .asin(let asin):
        guard let index = indices[asin] else {
          statistics.countFailed()
          writer.write(unanswered: asin, to: &json)
          continue
        }
        let outcome = answer.outcomes[index]
        statistics.count(outcome, isFirst: !isSeen[index])
        writer.write(outcome, isFirst: !isSeen[index], to: &json)
        isSeen[index] = true
      }
    }
    json.endArray()
  }
}
