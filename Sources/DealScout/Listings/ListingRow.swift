import HTTPTypes
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookViews

/// A listing that was asked for, as HTTP tells it.
struct ListingRow: Sendable {
  /// The raw values are part of the HTTP API.
  enum State: String, Sendable {
    case active, ended
    /// eBay has none, and it was never seen here.
    case notFound = "not_found"
    /// Nobody could say.
    case failed
  }

  let id: EbayItemID
  let state: State
  /// Nil: eBay does not show it.
  let item: EbayItem?
  /// When eBay said so; nil: it did not.
  let seen: Timestamp?
  /// Why it could not be had; nil: eBay has answered.
  let failure: PurchaseProblem?
  /// Whether a call was made for it, or waited for.
  private let isBought: Bool
  private let isStale: Bool
  private let now: Timestamp

  init(
    _ id: EbayItemID, _ found: [EbayItemID: FoundListing], _ outcome: ResourceOutcome,
    now: Timestamp
  ) {
    self.id = id
    self.now = now
    isBought = outcome.source == .upstream
    isStale = outcome.source == .stale
    switch found[id] ?? .failed(outcome.problem ?? .unread) {
    case .shown(let item, let entry):
      self.item = item
      state = item.isGone(at: now) ? .ended : .active
      (seen, failure) = (entry.fetched, nil)
    case .ended(let entry): (item, state, seen, failure) = (nil, .ended, entry.fetched, nil)
    case .unknown(let entry): (item, state, seen, failure) = (nil, .notFound, entry.fetched, nil)
    case .failed(let problem): (item, state, seen, failure) = (nil, .failed, nil, problem)
    }
  }

  /// In seconds. By a clock that was set back it is 0.
  var age: Int64? { seen.map { max(0, now.milliseconds &- $0.milliseconds) / 1_000 } }

  /// RFC 9211.
  var cacheStatus: String {
    if isStale { return "tollbook; hit; detail=stale" }
    return isBought || failure != nil ? "tollbook; fwd=miss" : "tollbook; hit"
  }

  /// Why there is nothing to show; nil: there is.
  var problem: Problem? {
    switch (state, item) {
    case (.failed, _): return failure.map { Problem($0) }
    case (.ended, nil):
      var problem = Problem(
        .listingEnded, "the listing \(id) has ended: eBay has it no more\(asked)", field: "id")
      problem.reason = state.rawValue
      return problem
    case (.notFound, _):
      var problem = Problem(
        .notFound, "eBay has no listing \(id)\(asked), and none was seen here", field: "id")
      problem.reason = state.rawValue
      return problem
    case (.active, _), (.ended, _): return nil
    }
  }

  private var asked: String { seen.map { ", as it said at \($0)" } ?? "" }

  /// Amounts are decimal text in the listing's own currency, whatever that of the site is.
  func write(to json: inout JSONWriter) {
    json.field("item_id", id.description)
    json.field("state", state.rawValue)
    if let item { write(item, to: &json) }
    if let failure {
      json.object("error") { json in
        json.field("reason", failure.reason.rawValue)
        json.field("detail", failure.detail)
        json.field("retry_at", failure.retryAt)
      }
    }
    json.field("seen_at", seen)
    json.field("age_seconds", age)
    json.field("cache_hit", !isBought && !isStale && failure == nil)
    json.field("source", failure != nil ? nil : isBought ? "ebay" : isStale ? "stale" : "cache")
  }

  private func write(_ item: EbayItem, to json: inout JSONWriter) {
    let listing = item.listing
    json.field("title", listing.title)
    json.object("total") { json in
      let shipping: String? =
        switch listing.shipping {
        case .free:
          listing.currentPrice.flatMap { EbayMoney(minorUnits: 0, $0.currency) }?.plainText
        case .known(let cost):
          cost.currency == listing.currentPrice?.currency ? cost.plainText : nil
        case .unknown: nil
        }
      json.field("amount", listing.totalPrice?.plainText)
      json.field("price", listing.currentPrice?.plainText)
      json.field("shipping", shipping)
      json.field("currency", listing.currentPrice?.currency.code)
    }
    json.field("marketplace", listing.marketplace?.id)
    json.field("auction", listing.isAuction)
    json.field("condition", listing.condition)
    json.field("condition_id", listing.conditionId)
    json.field("condition_description", item.conditionDescription)
    json.field("category", listing.categories.first)
    json.field("brand", item.brand)
    json.field("mpn", item.mpn)
    json.field("gtin", item.gtin)
    json.field("epid", listing.epid)
    json.field("lot_size", item.lotSize)
    json.field("availability", item.availability?.rawValue)
    json.field("available", item.estimatedAvailableQuantity)
    json.field("sold", item.estimatedSoldQuantity)
    json.array("aspects", item.aspects) { json, aspect in
      json.object { json in
        json.field("name", aspect.name)
        json.field("value", aspect.value)
      }
    }
    json.field("url", listing.webURL)
    json.field("image", listing.imageURL)
    json.field("ends_at", item.endsAt)
  }
}

extension Problem.Kind {
  static let listingEnded = Problem.Kind(
    "listing-ended", .gone, "The listing has ended")
}
