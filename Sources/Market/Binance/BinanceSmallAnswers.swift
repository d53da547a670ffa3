import JSONText

/// The answer of `time`.
package struct BinanceServerTime: Hashable, Sendable {
  /// By the exchange's clock, in milliseconds.
  package let milliseconds: Int64

  package init(_ bytes: [UInt8]) throws(BinanceReadingError) {
    let reader = BinanceAnswerReader(what: "time")
    let root = try reader.root(bytes, depth: 4, values: 64)
    milliseconds = try reader.members(root, ["serverTime"]).time("serverTime")
  }
}

/// The answer of `avgPrice`: the mean price of some minutes.
package struct BinanceAveragePrice: Hashable, Sendable {
  package let minutes: Int64
  package let price: BinanceDecimal
  /// When the last trade was, in milliseconds; nil: it was not told, as before December 2023.
  package let closeTime: Int64?

  package init(_ bytes: [UInt8]) throws(BinanceReadingError) {
    let reader = BinanceAnswerReader(what: "avgPrice")
    let root = try reader.root(bytes, depth: 4, values: 64)
    let members = try reader.members(root, ["mins", "price", "closeTime"])
    minutes = try members.integer("mins", 0...100_000)
    price = try members.notNegative("price")
    closeTime = members.optional("closeTime") == nil ? nil : try members.time("closeTime")
  }
}
