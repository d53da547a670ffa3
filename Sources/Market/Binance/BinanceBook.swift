import JSONText

/// What is offered for a symbol (rest-api.md, depth): the best prices first.
package struct BinanceBook: Hashable, Sendable {
  /// A price and how much is offered at it.
  package struct Level: Hashable, Sendable {
    package let price: BinanceDecimal
    package let quantity: BinanceDecimal
  }

  /// The most levels of a side that the exchange answers.
  package static let mostLevels = 5_000

  package let lastUpdateId: Int64
  /// Prices falling.
  package let bids: [Level]
  /// Prices rising; all above the bids.
  package let asks: [Level]

  package init(_ bytes: [UInt8]) throws(BinanceReadingError) {
    let reader = BinanceAnswerReader(what: "depth")
    let root = try reader.root(bytes, depth: 8, values: 64 + 2 * (Self.mostLevels + 1) * 4)
    let members = try reader.members(root, ["lastUpdateId", "bids", "asks"])
    lastUpdateId = try members.integer("lastUpdateId", 0...Int64.max)
    bids = try Self.side(try members["bids"], "bids") { $0.price.isLess(than: $1.price) }
    asks = try Self.side(try members["asks"], "asks") { $1.price.isLess(than: $0.price) }
    if let bid = bids.first, let ask = asks.first, !bid.price.isLess(than: ask.price) {
      throw reader.fault(.breaks("does not begin above the best bid"), "asks")
    }
  }

  /// - Parameter follows: whether a level may stand behind another one.
  private static func side(
    _ value: JSONValue, _ name: String, _ follows: (_ next: Level, _ last: Level) -> Bool
  ) throws(BinanceReadingError) -> [Level] {
    var reader = BinanceAnswerReader(what: "depth.\(name)")
    var levels: [Level] = []
    for (index, row) in try reader.elements(value).enumerated() {
      reader.row = index
      guard index < mostLevels else {
        throw reader.fault(.count(index + 1, expected: "at most \(mostLevels)"))
      }
      let members = Array(try reader.elements(row))
      guard members.count == 2 else {
        throw reader.fault(.count(members.count, expected: "2 members"))
      }
      let level = Level(
        price: try reader.positive(members[0], "price"),
        quantity: try reader.positive(members[1], "quantity"))
      if let last = levels.last, !follows(level, last) {
        throw reader.fault(.breaks("is not behind the row before"), "price")
      }
      levels.append(level)
    }
    return levels
  }
}
