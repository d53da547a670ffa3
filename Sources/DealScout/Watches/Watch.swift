import JSONText
import TollbookEvents

/// A listing that an account watches. Nothing of what eBay says of it is kept but prices.
struct Watch: Hashable, Sendable {
  let id: EbayItemID
  let created: Timestamp
  /// The mark: told of when the item alone costs less; nil: told of each time that it costs less than before.
  var below: EbayMoney?
  /// The price that was told last, of the item alone, since what shipping costs is not always told. Before anything was told
  /// the one that was seen first, or nil if there is a mark.
  var told: EbayMoney?
  /// Whether it was told that it has ended.
  var isEndTold = false

  init(_ id: EbayItemID, created: Timestamp, below: EbayMoney? = nil, told: EbayMoney? = nil) {
    self.id = id
    self.created = created
    self.below = below
    self.told = told
  }

  // MARK: As it is kept

  func keep(in json: inout JSONWriter) {
    json.field("id", id.description)
    json.field("created_at_ms", created.milliseconds)
    for (name, money) in [("below", below), ("told", told)] {
      guard let money else { continue }
      json.object(name) { json in
        json.field("units", money.minorUnits)
        json.field("currency", money.currency.code)
      }
    }
    if isEndTold { json.field("end_told", true) }
  }

  /// Nil: it cannot be read.
  init?(kept row: JSONValue) {
    guard let id = row["id"]?.string.flatMap({ EbayItemID($0) }),
      let created = row["created_at_ms"]?.int64
    else { return nil }
    func money(_ name: String) -> EbayMoney? {
      guard let units = row[name]?["units"]?.int64,
        let currency = row[name]?["currency"]?.string.flatMap({ EbayCurrency($0) })
      else { return nil }
      return EbayMoney(minorUnits: units, currency)
    }
    self.init(
      id, created: Timestamp(milliseconds: created), below: money("below"), told: money("told"))
    isEndTold = row["end_told"]?.bool ?? false
  }
}

/// What is known of a listing at an instant.
struct ListingLook: Hashable, Sendable {
  enum State: Hashable, Sendable {
    /// What it costs, of the item alone; nil: nobody says.
    case shown(EbayMoney?)
    case ended
  }

  var state: State
  /// Empty: eBay shows it no more.
  var title = ""
  var url: String?
  /// When eBay said so.
  var at: Timestamp

  var price: EbayMoney? {
    guard case .shown(let price) = state else { return nil }
    return price
  }
}
