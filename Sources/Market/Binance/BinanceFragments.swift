import JSONText

/// Answers about symbols, taken apart: what the exchange said of each, byte for byte.
package enum BinanceFragments {
  /// What was said of one symbol.
  package struct Fragment: Hashable, Sendable {
    package let symbol: String
    /// Its object as it was sent.
    package let bytes: [UInt8]
  }

  /// The most objects in an array.
  package static let mostSymbols = 20_000

  /// Takes the answer of `ticker/24hr`, `ticker/price`, `ticker/bookTicker`, `ticker` or `ticker/tradingDay` apart,
  /// in its order. Numbers are checked; every symbol stands there once; none stands there that was not asked for, and
  /// none is missing that was, unless the request leaves out symbols by their status.
  ///
  /// - Parameter request: what was asked. One about one symbol is answered by an object, all others by an array.
  package static func split(
    _ bytes: [UInt8], answering request: BinanceRequest
  ) throws(BinanceReadingError) -> [Fragment] {
    let what = request.endpoint.name
    var reader = BinanceAnswerReader(what: what)
    guard request.endpoint.takesSymbols, request.endpoint != .exchangeInfo else {
      throw reader.fault(.breaks("is not about symbols"))
    }
    let root = try reader.root(bytes, depth: 4, values: 1 + mostSymbols * 64)
    if case .one(let asked) = request.symbols {
      let fragment = try fragment(root, request.endpoint, reader)
      guard fragment.symbol == asked else {
        throw reader.fault(.unasked(fragment.symbol), "symbol")
      }
      return [fragment]
    }
    let asked = request.symbols == .none ? nil : Set(request.symbols.names)
    var seen: Set<String> = []
    var fragments: [Fragment] = []
    for (index, element) in try reader.elements(root).enumerated() {
      reader.row = index
      let fragment = try fragment(element, request.endpoint, reader)
      if let asked, !asked.contains(fragment.symbol) {
        throw reader.fault(.unasked(fragment.symbol), "symbol")
      }
      guard seen.insert(fragment.symbol).inserted else {
        throw reader.fault(.repeated(fragment.symbol), "symbol")
      }
      fragments.append(fragment)
    }
    reader.row = nil
    let absent = request.symbols.names.first { !seen.contains($0) }
    if let absent, !request.filtersStatus { throw reader.fault(.absent(absent)) }
    return fragments
  }

  private static func fragment(
    _ value: JSONValue, _ endpoint: BinanceEndpoint, _ reader: BinanceAnswerReader
  ) throws(BinanceReadingError) -> Fragment {
    let symbol: String
    switch endpoint {
    case .tickerPrice:
      let members = try reader.members(value, ["symbol", "price"])
      symbol = try members.text("symbol", most: 64)
      _ = try members.notNegative("price")
    case .bookTicker:
      let numbers = ["bidPrice", "bidQty", "askPrice", "askQty"]
      let members = try reader.members(value, ["symbol"] + numbers)
      symbol = try members.text("symbol", most: 64)
      for name in numbers { _ = try members.notNegative(name) }
    default:
      symbol = try BinanceTicker(value, of: reader.what, row: reader.row).symbol
    }
    return Fragment(symbol: symbol, bytes: Array(value.bytes))
  }
}
