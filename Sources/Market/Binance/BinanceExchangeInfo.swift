import JSONText

/// What `exchangeInfo` tells that is needed to ask well: the limits, and which symbols there are. Holds neither the
/// text nor its tree, but for each symbol four short texts and where its own text stands.
package struct BinanceExchangeInfo: Sendable {
  /// A market.
  package struct Symbol: Hashable, Sendable {
    package let name: String
    package let base: String
    package let quote: String
    /// Such as `TRADING`; the exchange adds words to these from time to time.
    package let status: String
    fileprivate let start: UInt32
    fileprivate let end: UInt32

    package var isTrading: Bool { status == "TRADING" }
  }

  /// The longest answer that is read, in bytes, and the most values in it. The full list had some megabytes.
  package static let mostBytes = 64 << 20
  package static let mostValues = 1 << 22
  package static let mostSymbols = 20_000

  /// When the exchange wrote it, by its clock.
  package let serverTime: Int64
  package let rateLimits: [BinanceRateLimit]
  /// How much request weight is allowed in a window; nil: it was not told.
  package let requestWeight: BinanceRateLimit?
  /// Sorted by name.
  package let symbols: [Symbol]
  /// Places in `symbols`, sorted by base and quote, those that trade first.
  private let byPair: [Int32]
  /// Where the value of the member `symbols` stands.
  private let place: Range<Int>
  private let length: Int

  /// Reads an answer. Of each symbol only its four members are looked at, and all of them must be there.
  ///
  /// - Throws: the member that is missing, repeated or of the wrong type.
  package init(_ bytes: [UInt8]) throws(BinanceReadingError) {
    let reader = BinanceAnswerReader(what: "exchangeInfo")
    guard bytes.count <= Self.mostBytes else {
      throw reader.fault(.count(bytes.count, expected: "at most \(Self.mostBytes) bytes"))
    }
    let root = try reader.root(bytes, depth: 16, values: Self.mostValues)
    let members = try reader.members(root, ["serverTime", "rateLimits", "symbols"])
    serverTime = try members.time("serverTime")
    rateLimits = try Self.limits(try members["rateLimits"])
    requestWeight = rateLimits.first { $0.type == "REQUEST_WEIGHT" }
    let list = try members["symbols"]
    place = list.range
    let symbols = try Self.symbols(list)
    self.symbols = symbols
    byPair = symbols.indices.map { Int32(truncatingIfNeeded: $0) }.sorted { left, right in
      let (one, two) = (symbols[Int(left)], symbols[Int(right)])
      if one.base != two.base { return one.base < two.base }
      if one.quote != two.quote { return one.quote < two.quote }
      if one.isTrading != two.isTrading { return one.isTrading }
      return left < right
    }
    length = bytes.count
  }

  private static func limits(
    _ value: JSONValue
  ) throws(BinanceReadingError) -> [BinanceRateLimit] {
    var reader = BinanceAnswerReader(what: "exchangeInfo.rateLimits")
    var limits: [BinanceRateLimit] = []
    for (index, element) in try reader.elements(value).enumerated() {
      reader.row = index
      guard index < 100 else { throw reader.fault(.count(index + 1, expected: "at most 100")) }
      let limit = try BinanceRateLimit(try reader.members(element, BinanceRateLimit.names))
      guard !limits.contains(where: { $0.type == limit.type && $0.window == limit.window }) else {
        throw reader.fault(.repeated(limit.type), "rateLimitType")
      }
      limits.append(limit)
    }
    return limits
  }

  private static func symbols(_ value: JSONValue) throws(BinanceReadingError) -> [Symbol] {
    var reader = BinanceAnswerReader(what: "exchangeInfo.symbols")
    var symbols: [Symbol] = []
    for (index, element) in try reader.elements(value).enumerated() {
      reader.row = index
      guard index < mostSymbols else {
        throw reader.fault(.count(index + 1, expected: "at most \(mostSymbols)"))
      }
      let members = try reader.members(element, ["symbol", "status", "baseAsset", "quoteAsset"])
      let range = element.range
      symbols.append(
        Symbol(
          name: try members.text("symbol", most: 64),
          base: try members.text("baseAsset", most: 64),
          quote: try members.text("quoteAsset", most: 64),
          status: try members.text("status", most: 64),
          start: UInt32(truncatingIfNeeded: range.lowerBound),
          end: UInt32(truncatingIfNeeded: range.upperBound)))
    }
    reader.row = nil
    symbols.sort { $0.name < $1.name }
    for (one, two) in zip(symbols, symbols.dropFirst()) where one.name == two.name {
      throw reader.fault(.repeated(one.name), "symbol")
    }
    return symbols
  }
}

// MARK: - Finding

extension BinanceExchangeInfo {
  /// A symbol by its name, as the exchange spells it.
  package func symbol(_ name: String) -> Symbol? {
    let index = symbols.firstSorted { $0.name < name }
    guard index < symbols.count, symbols[index].name == name else { return nil }
    return symbols[index]
  }

  /// The market of two assets, as the exchange spells them; of several, one that trades.
  package func symbol(base: String, quote: String) -> Symbol? {
    let index = byPair.firstSorted { place in
      let symbol = symbols[Int(place)]
      return symbol.base == base ? symbol.quote < quote : symbol.base < base
    }
    guard index < byPair.count else { return nil }
    let symbol = symbols[Int(byPair[index])]
    return symbol.base == base && symbol.quote == quote ? symbol : nil
  }

  /// The market that a person or a library means by `BTCUSDT`, `BTC/USDT`, `btc-usdt` or `btc_usdt`. A name is looked
  /// up as it is, and two assets by what the exchange says that they are: never by how a name ends. Nil: there is
  /// none.
  package func resolve(_ text: String) -> Symbol? {
    guard 1...129 ~= text.utf8.count else { return nil }
    if let symbol = symbol(text) { return symbol }
    let upper = Self.uppercased(text)
    if let symbol = symbol(upper) { return symbol }
    // An asset may hold a separator itself, so that each one is tried.
    for index in upper.indices where "/-_".contains(upper[index]) {
      let base = String(upper[..<index])
      let quote = String(upper[upper.index(after: index)...])
      if let symbol = symbol(base: base, quote: quote) { return symbol }
    }
    return nil
  }

  /// ASCII letters only: others have no case that an exchange would mean.
  private static func uppercased(_ text: String) -> String {
    String(decoding: text.utf8.map { 0x61...0x7A ~= $0 ? $0 - 0x20 : $0 }, as: UTF8.self)
  }

  /// The same answer with some symbols alone, byte for byte as it was sent but for the others.
  ///
  /// - Parameters:
  ///   - names: as the exchange spells them, in the order in which they are to stand.
  ///   - bytes: the answer that this was read from.
  /// - Returns: nil: one of them is not there, or the bytes are not those.
  package func excerpt(of names: [String], in bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count == length else { return nil }
    var excerpt = Array(bytes[..<place.lowerBound])
    excerpt.append(UInt8(ascii: "["))
    for (index, name) in names.enumerated() {
      guard let symbol = symbol(name) else { return nil }
      if index > 0 { excerpt.append(UInt8(ascii: ",")) }
      excerpt += bytes[Int(symbol.start)..<Int(symbol.end)]
    }
    excerpt.append(UInt8(ascii: "]"))
    return excerpt + bytes[place.upperBound...]
  }
}

extension Array {
  /// The first place whose element is not before what is sought, in an array that is sorted by that.
  fileprivate func firstSorted(_ isBefore: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
