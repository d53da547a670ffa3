import JSONText

/// Answers `item/{item_id}`, `get_items` and `get_item_by_legacy_id`.
struct EbayItemWork: Sendable {
  let scene: EbayScene

  /// The most ids of `get_items`.
  static let mostItems = 20

  /// The listing of an id such as `v1|110000000001|0`.
  private func found(_ id: String) -> EbayScene.Found? {
    let parts = id.split(separator: "|", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "v1", EbayReadingText.isDigits(parts[1], 1...18),
      let legacy = Int64(parts[1]), let found = scene.found(legacy: legacy),
      found.offer.itemId == id
    else { return nil }
    return found
  }

  private func json(_ found: EbayScene.Found) -> [UInt8] {
    var json = JSONWriter(capacity: 4_096)
    EbaySummary(scene: scene, found: found).writeItem(to: &json)
    return json.bytes
  }

  /// One item.
  func item(_ id: String) throws(EbayRefusal) -> [UInt8] {
    guard let found = found(id) else { throw .noItem(id) }
    return json(found)
  }

  /// Up to twenty items; those that are not there are named in `warnings`.
  func items(_ parameters: [String: String]) throws(EbayRefusal) -> [UInt8] {
    let ids = (parameters["item_ids"] ?? "").split(separator: ",").map(String.init)
    guard !ids.isEmpty else {
      throw EbayRefusal(11500, "The call must have 'item_ids'.", "item_ids")
    }
    guard ids.count <= Self.mostItems else {
      throw EbayRefusal(
        11501, "The number of item ids must not exceed \(Self.mostItems).", "item_ids",
        String(ids.count))
    }
    let rows = ids.map { (id: $0, found: found($0)) }
    var json = JSONWriter(capacity: 4_096 * rows.count)
    json.object { json in
      json.array("items") { json in
        for row in rows {
          if let found = row.found {
            EbaySummary(scene: scene, found: found).writeItem(to: &json)
          }
        }
      }
      let missing = rows.filter { $0.found == nil }
      json.field("total", rows.count - missing.count)
      guard !missing.isEmpty else { return }
      json.array("warnings", missing) { json, row in
        EbayRefusal.noItem(row.id).notice.write(to: &json)
      }
    }
    return json.bytes
  }

  /// The item whose page has a number.
  func legacy(_ parameters: [String: String]) throws(EbayRefusal) -> [UInt8] {
    let text = parameters["legacy_item_id"] ?? ""
    guard EbayReadingText.isDigits(text, 1...18), let legacy = Int64(text) else {
      throw EbayRefusal(11002, "The legacy item id is not valid.", "legacy_item_id", text)
    }
    guard let found = scene.found(legacy: legacy) else { throw .noItem(text) }
    if found.offer.shape == .group {
      guard let variation = parameters["legacy_variation_id"] else {
        throw EbayRefusal(
          11006,
          "The legacy id is that of an item group. Use get_items_by_item_group.",
          "itemGroupHref",
          "\(scene.base)/buy/browse/v1/item/get_items_by_item_group?item_group_id=\(text)")
      }
      guard variation == String(found.offer.variation) else { throw .noItem(text) }
    }
    return json(found)
  }
}

/// Answers `item_sales/search` of the Marketplace Insights API: what was sold in the last 90 days.
struct EbaySalesWork: Sendable {
  let scene: EbayScene
  let question: EbayQuestion

  /// How far back sales are told, in milliseconds.
  private static let reach = 90 * EbaySlot.day

  private struct Sale {
    let found: EbayScene.Found
    let price: Int64
  }

  /// The body.
  func json() -> [UInt8] {
    let all = sales()
    let page = all.dropFirst(question.offset).prefix(question.limit)
    var json = JSONWriter(capacity: 1_024 + 700 * page.count)
    json.object { json in
      json.field("total", all.count)
      json.field("limit", question.limit)
      json.field("offset", question.offset)
      if !page.isEmpty {
        json.array("itemSales", page) { json, sale in write(sale, to: &json) }
      }
      if !question.warnings.isEmpty {
        json.array("warnings", question.warnings) { json, warning in warning.write(to: &json) }
      }
    }
    return json.bytes
  }

  /// Of what ended, most was sold. Newest first.
  private func sales() -> [Sale] {
    var all: [Sale] = []
    let times = scene.now - Self.reach..<scene.now + 1
    for (family, rest) in scene.families(question) {
      for offer in scene.market.ended(scene.site, family.index, within: times)
      where offer.sale == .auction ? offer.bids > 0 : offer.chance % 10 < 7 {
        guard question.sieve.grades?.contains(offer.grade.rawValue) ?? true,
          question.sieve.sold?.contains(offer.ends) ?? true,
          rest.isEmpty || EbayWording.meets(rest, offer.extraTokens)
        else { continue }
        let price = offer.current(at: offer.ends - 1)
        guard question.sieve.price?.contains(price) ?? true else { continue }
        all.append(Sale(found: .init(offer: offer, family: family), price: price))
      }
    }
    return all.sorted {
      ($0.found.offer.ends, $0.found.offer.legacy) > ($1.found.offer.ends, $1.found.offer.legacy)
    }
  }

  private func write(_ sale: Sale, to json: inout JSONWriter) {
    let (offer, family) = (sale.found.offer, sale.found.family)
    json.object { json in
      json.field("itemId", offer.itemId)
      json.field("title", offer.title(family))
      json.field("epid", family.epid)
      json.array("categories") { json in
        json.object { json in
          json.field("categoryId", family.category.id)
          json.field("categoryName", family.category.name)
        }
      }
      json.field("condition", offer.grade.label)
      json.field("conditionId", String(offer.grade.rawValue))
      json.array("buyingOptions", [offer.sale == .auction ? "AUCTION" : "FIXED_PRICE"])
      json.field("lastSoldDate", EbayReadingText.instant(offer.ends))
      json.object("lastSoldPrice") { json in
        json.field("value", offer.coin.text(hundredths: sale.price))
        json.field("currency", offer.coin.code)
      }
      json.field("totalSoldQuantity", offer.quantity)
      json.object("itemLocation") { $0.field("country", offer.country) }
    }
  }
}
