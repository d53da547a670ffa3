/// A product whose price has fallen, as `/deal` shows it.
struct KeepaDeal: Sendable {
  let product: ProductProfile
  /// The Keepa minute of the copy.
  let lastUpdate: Int
  /// The Keepa minute at which the price that makes it a deal was set.
  let creation: Int

  /// The days of Keepa's date ranges 0 to 3.
  static let days = [1, 7, 31, 90]

  /// What one history did of late.
  struct Change: Sendable, Equatable {
    var current = -1
    var since = 0
    /// Current less than before is positive.
    var deltaLast = 0
    /// By date range.
    var averages = [-1, -1, -1, -1]
    var deltas = [0, 0, 0, 0]
    var percents = [0, 0, 0, 0]
  }

  /// Reads a history up to its end; nil if there never was anything.
  static func change(_ flat: [Int]?, _ type: HistoryType, at minute: Int) -> Change? {
    guard let flat else { return nil }
    let last = flat.count - type.stride
    var change = Change()
    change.current = ProductStats.value(flat, at: last, stride: type.stride)
    change.since = flat[last]
    if last >= type.stride, change.current >= 0 {
      let before = ProductStats.value(flat, at: last - type.stride, stride: type.stride)
      change.deltaLast = before < 0 ? 0 : before - change.current
    }
    for (index, days) in Self.days.enumerated() {
      let from = max(flat[0], minute - days * 1440)
      let average = ProductStats.summary(flat, stride: type.stride, from: from, to: minute).average
      change.averages[index] = average
      guard average > 0, change.current >= 0 else { continue }
      change.deltas[index] = average - change.current
      change.percents[index] = 100 * (average - change.current) / average
    }
    return change
  }

  /// The histories that deals are made of (fact sheet, section 2).
  private static func isDealType(_ type: HistoryType) -> Bool {
    switch type {
    case .listPrice, .countNew, .countUsed, .countRefurbished, .countCollectible,
      .extraInfoUpdates, .rating, .countReviews, .ebayNewShipping, .ebayUsedShipping, .tradeIn,
      .rent, .countNewFBA, .countNewFBM:
      false
    default: true
    }
  }

  /// Writes the object (fact sheet, section 6): by history, and by date range and history.
  func write(to json: inout JSONBytes) {
    let histories = ProductHistories(profile: product, lastUpdate: lastUpdate)
    let changes = HistoryType.allCases.map { type in
      Self.isDealType(type)
        ? Self.change(histories.history(type), type, at: lastUpdate) ?? Change() : Change()
    }
    json.object { json in
      json.member("asin", product.asin)
      Self.write("avg", changes.map(\.averages), to: &json)
      json.member("categories", [product.leafCategory])
      json.member("creationDate", creation)
      json.member("current", changes.map(\.current))
      json.member("currentSince", changes.map(\.since))
      Self.write("delta", changes.map(\.deltas), to: &json)
      json.member("deltaLast", changes.map(\.deltaLast))
      Self.write("deltaPercent", changes.map(\.percents), to: &json)
      json.member("image", Array("41\(product.asin.dropFirst(2))L.jpg".utf8).map(Int.init))
      json.member("lastUpdate", lastUpdate)
      json.member("lightningEnd", 0)
      json.member("parentAsin", product.parentASIN)
      json.member("rootCat", product.rootCategory)
      json.member("title", product.title)
      json.member("warehouseCondition", 0)
    }
  }

  /// Writes an array of date ranges of arrays of histories.
  private static func write(_ name: String, _ byType: [[Int]], to json: inout JSONBytes) {
    json.key(name)
    json.array { json in
      for range in days.indices { json.ints(byType.map { $0[range] }) }
    }
  }
}
