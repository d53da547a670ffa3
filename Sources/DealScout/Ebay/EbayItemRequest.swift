/// A question for the details of items.
package enum EbayItemRequest: Hashable, Sendable {
  /// `item/{item_id}`.
  case item(EbayItemID)
  /// `get_items`, which has a quota of its own: 1 to ``mostItems`` ids, each once.
  case items([EbayItemID])
  /// `get_item_by_legacy_id`: the number in the address of a listing's page and, of a group, that of the variation.
  case legacy(String, variation: String?)

  package static let path = "/buy/browse/v1/item/"
  package static let mostItems = 20

  /// - Throws: there is none, too many, or one twice.
  package static func checked(items ids: [EbayItemID]) throws(EbayRequestFault) -> Self {
    guard !ids.isEmpty else { throw EbayRequestFault(.empty, of: "item_ids") }
    guard ids.count <= mostItems else {
      throw EbayRequestFault(.tooMany(ids.count, most: mostItems), of: "item_ids")
    }
    var seen: Set<EbayItemID> = []
    for id in ids where !seen.insert(id).inserted {
      throw EbayRequestFault(.repeated(id.description), of: "item_ids")
    }
    return .items(ids)
  }

  /// - Throws: a number that is none.
  package static func checked(
    legacy id: String, variation: String? = nil
  ) throws(EbayRequestFault) -> Self {
    for (text, field) in [(id, "legacy_item_id"), (variation, "legacy_variation_id")] {
      guard let text, !EbayText.isDigits(text, 1...20) else { continue }
      throw EbayRequestFault(.form(text, expected: "a number of digits"), of: field)
    }
    return .legacy(id, variation: variation)
  }

  /// The path with its query, percent-encoded, without a host.
  package var pathAndQuery: String {
    switch self {
    case .item(let id): return Self.path + id.pathStep
    case .items(let ids):
      let list = ids.map(\.description).joined(separator: ",")
      return "\(Self.path)?\(EbayText.form([("item_ids", list)]))"
    case .legacy(let id, let variation):
      var items = [(name: "legacy_item_id", value: id)]
      if let variation { items.append(("legacy_variation_id", variation)) }
      return "\(Self.path)get_item_by_legacy_id?\(EbayText.form(items))"
    }
  }
}
