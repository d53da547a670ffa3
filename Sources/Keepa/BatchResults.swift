import Algorithms
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookUpstreams
import TollbookViews

/// What a job has found of its list so far: a page of it, from the cache as it stands.
struct BatchResults {
  /// How far the job is with one product. The raw values are part of the HTTP API.
  enum Status: String {
    case waiting
    case found
    case notFound = "not_found"
    case failed
  }

  let id: JobID
  let job: Job
  let order: BatchOrder
  /// The places of the page.
  let range: Range<Int>
  /// The products of the page that the job has dealt with.
  private let reached: Set<KeepaASIN>

  init(_ id: JobID, _ job: Job, _ order: BatchOrder, after: Int, limit: Int) {
    self.id = id
    self.job = job
    self.order = order
    let count = order.places.count
    let start = min(after, count)
    range = start..<min(count, start + limit)
    // It deals with them in their order, each once.
    let done = order.products.asins.prefix(Int(clamping: job.progress.done))
    let page = Set(order.places[range].compactMap(\.asin))
    reached = Set(done.lazy.filter { page.contains($0) })
  }

  /// Where the next page begins; nil: this is the last.
  var next: Int? { range.upperBound < order.places.count ? range.upperBound : nil }

  /// The products of the page, each once.
  var asins: [KeepaASIN] { Array(order.places[range].compactMap(\.asin).uniqued()) }

  /// Those that a look at the cache has an answer for: whatever is there of what the job has dealt with, and of the rest
  /// what is fresh.
  func answered(by preview: DemandPreview) -> [KeepaASIN] {
    preview.fates.compactMap { row in
      guard let asin = KeepaUpstream.product(of: row.resource)?.asin,
        case .cached(let entry) = row.fate
      else { return nil }
      let isUsable =
        reached.contains(asin) || Usability(of: entry, at: preview.now, .windows) == .fresh
      return isUsable ? asin : nil
    }
  }

  func status(of asin: KeepaASIN, _ outcome: ProductOutcome?) -> Status {
    if let entry = outcome?.entry { return entry.isPresent ? .found : .notFound }
    return reached.contains(asin) || !job.state.isOpen ? .failed : .waiting
  }

  /// Why a product has no answer.
  func problem(of asin: KeepaASIN) -> (reason: String, detail: String) {
    if reached.contains(asin) {
      return ("not_cached", "it could not be bought, or is not in the cache any more")
    }
    let why = job.detail.isEmpty ? "" : ": \(job.detail)"
    return ("not_reached", "the job ended before its turn came\(why)")
  }

  func write(_ answer: ProductsAnswer, to json: inout JSONWriter) {
    json.object { json in
      json.field("job", id.description)
      json.field("state", job.state.rawValue)
      json.field("products", order.places.count)
      json.field("expected_end_at", job.expectation?.end)
      json.name("results")
      writeResults(answer, to: &json)
      json.field("next", next)
    }
  }

  private func writeResults(_ answer: ProductsAnswer, to json: inout JSONWriter) {
    let outcomes = answer.byASIN
    var writer = ProductResultWriter(domain: order.products.domain, now: answer.now)
    json.beginArray()
    for place in order.places[range] {
      switch place {
      case .invalid(let text):
        writer.status = Status.failed.rawValue
        writer.write(invalid: text, to: &json)
      case .asin(let asin):
        let outcome = outcomes[asin]
        let status = status(of: asin, outcome)
        writer.status = status.rawValue
        if let outcome, outcome.entry != nil {
          writer.write(outcome, isFirst: true, to: &json)
        } else if status == .waiting {
          writer.write(waiting: asin, to: &json)
        } else {
          let problem = problem(of: asin)
          writer.write(
            asin.description, failed: problem.reason, problem.detail, to: &json)
        }
      }
    }
    json.endArray()
  }

  /// The page as a table: what is waiting says so in the column of errors.
  func table(_ answer: ProductsAnswer) -> BatchCSV {
    let outcomes = answer.byASIN
    var errors: [KeepaASIN: String] = [:]
    for asin in asins {
      switch status(of: asin, outcomes[asin]) {
      case .waiting: errors[asin] = Status.waiting.rawValue
      case .failed: errors[asin] = problem(of: asin).reason
      case .found, .notFound: break
      }
    }
    return BatchCSV(Array(order.places[range]), order.products.domain, answer, errors: errors)
  }
}

extension BatchQuestion.Place {
  /// Nil: it is none.
  var asin: KeepaASIN? { if case .asin(let asin) = self { asin } else { nil } }
}

extension ProductsAnswer {
  fileprivate var byASIN: [KeepaASIN: ProductOutcome] {
    Dictionary(outcomes.map { ($0.asin, $0) }) { first, _ in first }
  }
}
