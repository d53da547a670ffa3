import HTTPTypes
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `GET /buyer/deals`: the listings of the account's searches with what they are worth; `GET /listings`: the same under
  /// its old name.
  func addDeals(_ scout: Scout, to router: Router<TollbookContext>) {
    let answer: Handler = { request, context in
      let query = QueryParameters(request)
      var question = try DealQuestion(query)
      let account = try account(query["account"], context)
      let isOn = try query.choice("preferences", of: ["on", "off"]) { text in
        ["on": true, "off": false][text]
      }
      if isOn ?? true {
        question.prefer(
          try PreferenceBook(gateway: gateway).preferences(of: account), query,
          judges: scout.judges)
      }
      return try await deals(question, of: account, scout)
    }
    router.route("/buyer/deals", query: QueryNames(DealQuestion.names), get: answer)
    router.route(
      "/listings", query: QueryNames(DealQuestion.names),
      get: { request, context in
        var response = try await answer(request, context)
        // RFC 9745: when it was deprecated, in seconds since 1970 UTC.
        response.headers[.deprecation] = "@1764288000"
        response.headers[.link] = "</buyer/deals>; rel=\"successor-version\""
        return response
      })
  }

  private func deals(
    _ question: DealQuestion, of account: String, _ scout: Scout
  ) async throws -> Response {
    try await scout.fill(gateway)
    let asksForScores = question.minimumScore != nil || question.confidence != nil
    guard scout.judges || !asksForScores else { throw Problem.notJudged("min_score") }
    let searches = try SearchBook(gateway: gateway).searches(of: account)
    let now = log.time.now()
    let content = await scout.board.content(of: scout.index, judges: scout.judges, now: now)
    let shown = scout.rows(of: searches, in: content)
    let (rows, next) = question.page(of: content, shownBy: shown)
    return .object(position: log.head, capacity: 1_024 * (rows.count + 1)) { json in
      json.array("deals", rows) { json, row in
        json.object { json in row.write(to: &json, at: now) }
      }
      json.field("next", next)
      json.array("preferences", question.preferred) { json, name in json.string(name) }
      json.field("judged", scout.judges)
      json.field("as_of", content.made)
    }
  }
}

extension Problem {
  /// A score is asked for where there are none.
  static func notJudged(_ field: String) -> Problem {
    Problem(
      .forbidden,
      "prices may not be judged by what eBay shows unless eBay has agreed in writing: then set"
        + " EBAY_MODELLING_CONSENT=yes", field: field)
  }
}

extension HTTPField.Name {
  fileprivate static let deprecation = Self("Deprecation") ?? .link
}

extension DealBoard.Row {
  /// Amounts are decimal text in the listing's currency; shares are percent.
  func write(to json: inout JSONWriter, at now: Timestamp) {
    func amount(_ units: Int64?) -> String? {
      units.flatMap { EbayMoney(minorUnits: $0, listing.currency) }?.plainText
    }
    json.field("item_id", listing.id.description)
    json.field("title", listing.title)
    json.object("total") { json in
      json.field("amount", amount(listing.total))
      json.field("price", amount(listing.price))
      json.field("shipping", amount(listing.shipping))
      json.field("currency", listing.currency.code)
    }
    json.field("marketplace", listing.marketplace.id)
    json.field("condition", listing.conditionGroup?.rawValue)
    json.field("fair", score.flatMap { amount($0.fair.minorUnits) })
    json.field("discount", score.map { Self.tenths($0.discount) })
    json.field("score", score.map { Self.tenths($0.tenths) })
    json.field("confidence", score?.confidence.rawValue)
    json.field("unscored", verdict?.refusal?.description)
    json.field("comparables", score.map { Int($0.kept) })
    json.array("flags", score?.flags ?? []) { json, flag in json.string(flag.rawValue) }
    json.array("penalties", score?.penalties ?? []) { json, penalty in
      json.object { json in
        json.field("reason", penalty.reason.rawValue)
        json.field("points", Self.tenths(penalty.tenths))
      }
    }
    json.field("earlier_price", amount(listing.earlierPrice))
    json.field("url", listing.webURL)
    json.field("image", listing.imageURL)
    json.field("ends_at", listing.endsAt)
    json.field("seen_at", listing.seen)
    json.field(
      "age_seconds", max(0, now.milliseconds - listing.seen.milliseconds) / 1_000)
  }

  /// Such as `18.5`.
  private static func tenths(_ count: Int64) -> Double { Double(count) / 10 }
}
