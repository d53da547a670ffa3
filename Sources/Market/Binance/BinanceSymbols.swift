import JSONText

/// Of which symbols a request asks. The form of the answer follows from it: one object, or an array.
package enum BinanceSymbols: Hashable, Sendable {
  /// Of none, or of all that there are.
  case none
  case one(String)
  /// In the order in which they were named.
  case list([String])

  /// Those that are named.
  package var names: [String] {
    switch self {
    case .none: []
    case .one(let symbol): [symbol]
    case .list(let symbols): symbols
    }
  }

  /// Whether a text is written as a symbol: `^[A-Z0-9-_.]{1,20}$`.
  package static func isSymbol(_ text: String) -> Bool {
    let bytes = text.utf8
    return 1...20 ~= bytes.count && bytes.allSatisfy(isPlain)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// Reads the values of the parameters `symbol` and `symbols`; nil: it was not given.
  init(symbol: String?, symbols: String?) throws(BinanceRequestFault) {
    if let symbol {
      guard symbols == nil else {
        throw BinanceRequestFault(.notTogether(with: "symbol"), of: .symbols)
      }
      self = .one(try Self.checked(symbol, of: .symbol))
    } else if let symbols {
      self = .list(try Self.list(symbols))
    } else {
      self = .none
    }
  }

  private static func checked(
    _ text: String, of parameter: BinanceParameter
  ) throws(BinanceRequestFault) -> String {
    guard isSymbol(text) else { throw BinanceRequestFault(.notASymbol(text), of: parameter) }
    return text
  }

  /// A JSON array of symbols, none twice.
  private static func list(_ text: String) throws(BinanceRequestFault) -> [String] {
    let document: JSONDocument
    do throws(JSONError) {
      document = try JSONDocument(
        Array(text.utf8), maximumDepth: 1, maximumValues: BinanceRequest.mostBytes)
    } catch { throw BinanceRequestFault(.notAList, of: .symbols) }
    guard let array = document.root.array else {
      throw BinanceRequestFault(.notAList, of: .symbols)
    }
    let count = array.count
    guard count > 0 else { throw BinanceRequestFault(.empty, of: .symbols) }
    guard count <= BinanceRequest.mostSymbols else {
      throw BinanceRequestFault(.tooManySymbols(count), of: .symbols)
    }
    var symbols: [String] = []
    var seen: Set<String> = []
    for element in array {
      guard let name = element.string else { throw BinanceRequestFault(.notAList, of: .symbols) }
      let symbol = try checked(name, of: .symbols)
      guard seen.insert(symbol).inserted else {
        throw BinanceRequestFault(.repeated(symbol), of: .symbols)
      }
      symbols.append(symbol)
    }
    return symbols
  }
}
