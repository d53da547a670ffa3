import Hummingbird
import JSONText
import TollbookEvents
import TollbookHTTP

/// What one of the calls about a market asks: in the members of a JSON object, or in the parameters of an address.
struct MarketQuestion: Sendable {
  /// What a call takes beside `symbol` and `wait_seconds`.
  struct Names: OptionSet, Sendable {
    let rawValue: Int
    static let timeframe = Names(rawValue: 1)
    static let limit = Names(rawValue: 2)
    static let window = Names(rawValue: 4)
    static let threshold = Names(rawValue: 8)
    static let includesOpen = Names(rawValue: 16)
    static let source = Names(rawValue: 32)

    /// As they stand in a request.
    var texts: [String] {
      let all: [(Names, String)] = [
        (.timeframe, "timeframe"), (.limit, "limit"), (.window, "window"),
        (.threshold, "threshold"), (.includesOpen, "include_open"), (.source, "source"),
      ]
      return ["symbol"] + all.compactMap { contains($0.0) ? $0.1 : nil } + ["wait_seconds"]
    }
  }

  /// Where deltas of volume come from.
  enum DeltaSource: String, CaseIterable, Sendable {
    /// What the exchange tells of each candle.
    case candles
    /// Each trade.
    case trades
  }

  /// The longest spelling of a symbol that is looked at, in bytes.
  static let longestSymbol = 64
  static let longestBody = 16_384
  /// The most candles of one question.
  static let mostCandles: Int64 = 5_000
  static let mostWindow: Int64 = 1_000

  /// As it was written.
  var symbol = ""
  var timeframe = BinanceInterval.fifteenMinutes
  /// Of candles that are closed.
  var limit = 500
  var window = 20
  var threshold = 2.0
  var includesOpen = false
  var source = DeltaSource.candles
  /// How long to wait for the exchange, in milliseconds.
  var wait: Int64 = 10_000

  /// Reads the members of a body.
  init(body request: Request, _ names: Names, longestWait: Int64) async throws {
    let fields = try await JSONFields(
      of: request, limit: Self.longestBody, names: names.texts, mostValues: 64)
    try read(names, longestWait) { (name) throws(Problem) in
      guard let value = fields.value(name) else { return nil }
      switch value.kind {
      case .string: return .text(value.string ?? "")
      case .number:
        let shown = String(decoding: value.bytes, as: UTF8.self)
        return .number(value.double ?? .nan, value.int64, shown)
      case .bool: return .flag(value.bool ?? false)
      case .object, .array, .null:
        throw Problem(
          .invalidField, "\(name) must be one value, not \(value.kind)", field: name)
      }
    }
  }

  /// Reads the parameters of an address.
  init(query request: Request, _ names: Names, longestWait: Int64) throws {
    let parameters = QueryParameters(request)
    try read(names, longestWait) { (name) throws(Problem) in
      guard let text = parameters[name] else { return nil }
      switch name {
      case "symbol", "timeframe", "source": return .text(text)
      case "include_open":
        guard let flag = Bool(text) else { throw parameters.invalid(name, text, "true or false") }
        return .flag(flag)
      default:
        guard let number = Double(text) else { throw parameters.invalid(name, text, "a number") }
        return .number(number, Int64(text), text)
      }
    }
  }

  private enum Value {
    case text(String)
    /// As it is, as a whole number if it is one, and as it was written.
    case number(Double, Int64?, String)
    case flag(Bool)
  }

  private mutating func read(
    _ names: Names, _ longestWait: Int64, _ value: (String) throws(Problem) -> Value?
  ) throws(Problem) {
    func wrong(_ name: String, _ shown: String, _ expected: String) -> Problem {
      Problem(
        .invalidField, "\(name) is \(shown.inOneLine(atMost: 100)); it must be \(expected)",
        field: name)
    }
    func text(_ name: String, _ expected: String) throws(Problem) -> String? {
      switch try value(name) {
      case nil: return nil
      case .text(let text): return text
      case .number(_, _, let shown): throw wrong(name, shown, expected)
      case .flag(let flag): throw wrong(name, "\(flag)", expected)
      }
    }
    func number(_ name: String, _ expected: String) throws(Problem) -> (Double, Int64?, String)? {
      switch try value(name) {
      case nil: return nil
      case .number(let number, let whole, let shown): return (number, whole, shown)
      case .text(let text): throw wrong(name, "“\(text)”", expected)
      case .flag(let flag): throw wrong(name, "\(flag)", expected)
      }
    }
    func whole(_ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64? {
      let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
      guard let (_, whole, shown) = try number(name, expected) else { return nil }
      guard let whole, range.contains(whole) else { throw wrong(name, shown, expected) }
      return whole
    }
    let spelling = "a market such as BTC/USDT, BTCUSDT or btc-usdt"
    symbol = try JSONFields.require(text("symbol", spelling), "symbol", spelling)
    guard (1...Self.longestSymbol).contains(symbol.utf8.count) else {
      throw wrong("symbol", "“\(symbol)”", "\(spelling), of up to \(Self.longestSymbol) bytes")
    }
    if names.contains(.timeframe) {
      let all = BinanceInterval.allCases.map(\.rawValue).joined(separator: ", ")
      if let text = try text("timeframe", "one of \(all)") {
        guard let known = BinanceInterval(rawValue: text) else {
          throw wrong("timeframe", "“\(text)”", "one of \(all)")
        }
        timeframe = known
      }
    }
    if names.contains(.limit) { limit = Int(try whole("limit", 1...Self.mostCandles) ?? 500) }
    if names.contains(.window) { window = Int(try whole("window", 2...Self.mostWindow) ?? 20) }
    if names.contains(.threshold) {
      let expected = "a number above 0 and up to 1000000"
      if let (number, _, shown) = try number("threshold", expected) {
        guard number > 0, number <= 1_000_000 else { throw wrong("threshold", shown, expected) }
        threshold = number
      }
    }
    if names.contains(.includesOpen) {
      switch try value("include_open") {
      case nil: break
      case .flag(let flag): includesOpen = flag
      case .text(let text): throw wrong("include_open", "“\(text)”", "true or false")
      case .number(_, _, let shown): throw wrong("include_open", shown, "true or false")
      }
    }
    if names.contains(.source) {
      let all = DeltaSource.allCases.map(\.rawValue).joined(separator: " or ")
      if let text = try text("source", all) {
        guard let known = DeltaSource(rawValue: text) else {
          throw wrong("source", "“\(text)”", all)
        }
        source = known
      }
    }
    if let seconds = try whole("wait_seconds", 0...longestWait / 1_000) { wait = seconds * 1_000 }
  }
}
