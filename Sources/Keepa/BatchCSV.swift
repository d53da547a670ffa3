import Hummingbird
import SwiftProtobuf
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookViews

/// The answer to a batch as a table for a spreadsheet (RFC 4180): one line for each place of the list, in its order.
/// Prices are in whole units of the currency; what is not known is empty.
struct BatchCSV {
  /// The names of the columns. New ones come before the last four, which hold no comma.
  static let columns = [
    "asin", "domain", "source", "title", "brand", "currency", "buy_box", "new", "amazon", "used",
    "fba", "sales_rank", "offers_new", "monthly_sold", "rating", "review_count", "fetched_at",
    "expires_at", "tokens_in_doubt", "tokens", "error", "retry_at",
  ]

  private let places: [BatchQuestion.Place]
  private let domain: KeepaDomain
  private let answer: ProductsAnswer
  /// What is said of products that have no outcome.
  private let errors: [KeepaASIN: String]

  init(_ question: BatchQuestion, _ answer: ProductsAnswer) {
    self.init(question.places, question.request.domain, answer)
  }

  init(
    _ places: [BatchQuestion.Place], _ domain: KeepaDomain, _ answer: ProductsAnswer,
    errors: [KeepaASIN: String] = [:]
  ) {
    self.places = places
    self.domain = domain
    self.answer = answer
    self.errors = errors
  }

  func response() throws(Problem) -> Response {
    if let problem = answer.refusal { throw problem }
    let outcomes = Dictionary(answer.outcomes.map { ($0.asin, $0) }) { first, _ in first }
    var seen: Set<KeepaASIN> = []
    var text = Self.columns.joined(separator: ",") + "\r\n"
    for place in places {
      switch place {
      case .invalid(let given): text += line(given, ["error": "invalid_asin"])
      case .asin(let asin):
        text += line(
          asin.description,
          outcomes[asin].map { cells($0, isFirst: seen.insert(asin).inserted) }
            ?? errors[asin].map { ["error": $0] } ?? [:])
      }
    }
    let tokens = answer.outcomes.reduce(0) { $0 + $1.paid }
    var response = Response(
      status: .ok,
      headers: [
        .contentType: "text/csv;charset=utf-8", .position: "\(answer.position)",
        .charge: "\(tokens)",
      ], body: .init(byteBuffer: ByteBuffer(string: text)))
    response.headers.tell(inDoubt: answer.outcomes.reduce(0) { $0 + $1.inDoubt })
    response.headers.tell(refusals: answer.outcomes.lazy.compactMap(\.problem), at: answer.now)
    return response
  }

  private func line(_ asin: String, _ cells: [String: String]) -> String {
    var cells = cells
    cells["asin"] = asin
    cells["domain"] = "\(domain.rawValue)"
    return Self.columns.map { CSVCell.quoted(cells[$0] ?? "") }.joined(separator: ",") + "\r\n"
  }

  private func cells(_ outcome: ProductOutcome, isFirst: Bool) -> [String: String] {
    var cells = [
      "source": outcome.source.rawValue, "tokens": isFirst ? "\(outcome.paid)" : "0",
      "tokens_in_doubt": isFirst && outcome.inDoubt > 0 ? "\(outcome.inDoubt)" : "",
      "error": outcome.problem?.reason.rawValue ?? "",
      "retry_at": outcome.problem?.retryAt?.description ?? "",
    ]
    guard let entry = outcome.entry else { return cells }
    cells["fetched_at"] = entry.fetched.description
    cells["expires_at"] = entry.freshUntil.description
    guard entry.isPresent else {
      if outcome.problem == nil { cells["error"] = "not_found" }
      return cells
    }
    guard let summary = try? ProductSummary(serializedBytes: entry.summary) else { return cells }
    func price(_ statistic: Statistic) -> String {
      statistic.hasCurrent
        ? DiscoveryRequest.decimal(statistic.current, digits: domain.currencyDigits) : ""
    }
    func count(_ statistic: Statistic) -> String {
      statistic.hasCurrent ? "\(statistic.current)" : ""
    }
    cells["title"] = summary.title
    cells["brand"] = summary.brand
    cells["currency"] = domain.currency
    cells["buy_box"] = price(summary.buyBox)
    cells["new"] = price(summary.new)
    cells["amazon"] = price(summary.amazon)
    cells["used"] = price(summary.used)
    cells["fba"] = price(summary.fba)
    cells["sales_rank"] = count(summary.salesRank)
    cells["offers_new"] = count(summary.offersNew)
    cells["monthly_sold"] = summary.hasMonthlySold ? "\(summary.monthlySold)" : ""
    cells["rating"] = summary.hasRatingTenths ? "\(Double(summary.ratingTenths) / 10)" : ""
    cells["review_count"] = summary.hasReviewCount ? "\(summary.reviewCount)" : ""
    return cells
  }
}
