/// A question to the exchange, read from a query and checked as far as the exchange would check it, in one form however
/// its parameters were ordered and whether defaults were given or not.
package struct BinanceRequest: Hashable, Sendable {
  package static let mostParameters = 16
  package static let mostSymbols = 1_000
  /// Names and values together.
  package static let mostBytes = 8_192

  package let endpoint: BinanceEndpoint
  package let symbols: BinanceSymbols
  package let interval: BinanceInterval?
  /// How many rows are asked for: as given, or the endpoint's standard; nil where it takes no limit.
  package let limit: Int?
  /// Inclusive, in milliseconds. A value in microseconds, which the exchange takes too, is rounded: the start up and
  /// the end down.
  package let startTime: Int64?
  package let endTime: Int64?
  /// Of trades, the first that is wanted.
  package let fromId: Int64?
  /// On whose clocks candles and trading days begin.
  package let timeZone: BinanceTimeZone
  /// Of the rolling window, such as `4h`; nil: the standard of a day.
  package let windowSize: String?
  /// Whether the short form of a ticker is asked for.
  package let isMini: Bool
  /// Whether the exchange leaves symbols out of its answer without saying so: those of another status.
  package let filtersStatus: Bool
  /// Parameters that the endpoint does not know, sorted. They are passed on.
  package let unknown: [String]
  /// What is sent, decoded, sorted by name. What says the same as leaving it out is left out.
  package let query: [Item]

  /// A parameter as it is sent.
  package struct Item: Hashable, Sendable {
    package let name: String
    package let value: String
  }

  /// - Parameter items: the query in its order, names and values percent-decoded.
  /// - Throws: the parameter that is wrong, and why.
  package init(
    _ endpoint: BinanceEndpoint, _ items: [(name: String, value: String)]
  ) throws(BinanceRequestFault) {
    var given = try GivenParameters(endpoint, items)
    self.endpoint = endpoint
    symbols = try BinanceSymbols(symbol: given.value(.symbol), symbols: given.value(.symbols))
    if case .list(let names) = symbols { given.send(.symbols, Self.json(names.sorted())) }
    interval = try given.interval()
    limit = try given.limit()
    startTime = try given.time(.startTime, roundedUp: true)
    endTime = try given.time(.endTime, roundedUp: false)
    if let startTime, let endTime, endTime < startTime {
      throw BinanceRequestFault(.beforeStart, of: .endTime)
    }
    fromId = try given.wholeNumber(.fromId, 0...Int64.max)
    timeZone = try given.timeZone()
    windowSize = try given.windowSize()
    isMini = try given.word(.type, ["FULL", "MINI"], standard: "FULL") == "MINI"
    filtersStatus =
      try given.word(.symbolStatus, ["TRADING", "HALT", "BREAK"], standard: nil) != nil
    _ = try given.word(.showPermissionSets, ["true", "false"], standard: "true")
    try given.checkExchangeInfo()
    unknown = given.unknown
    query = given.sent
  }

  /// All that `exchangeInfo` says.
  static let allMarkets = BinanceRequest()

  private init() {
    endpoint = .exchangeInfo
    symbols = .none
    (interval, limit, startTime, endTime, fromId, windowSize) = (nil, nil, nil, nil, nil, nil)
    timeZone = .utc
    (isMini, filtersStatus) = (false, false)
    (unknown, query) = ([], [])
  }

  /// The same for a list of symbols, without a blank.
  private static func json(_ symbols: [String]) -> String {
    // Symbols hold nothing that JSON would escape.
    "[" + symbols.map { "\"\($0)\"" }.joined(separator: ",") + "]"
  }

  // MARK: - Texts

  /// The query as it is sent, percent-encoded, without a question mark; empty: there is none.
  package var queryText: String {
    query.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
  }

  /// The same for two requests that ask the same. May be as long as the request.
  package var cacheKey: String {
    query.isEmpty ? endpoint.name : "\(endpoint.name)?\(queryText)"
  }

  /// How many symbols it asks of; nil: all that there are, or an endpoint without symbols.
  package var symbolCount: Int? { symbols == .none ? nil : symbols.names.count }

  /// Letters, digits, `-._~` and the comma stay; all else is a `%` with two digits for each byte (RFC 3986, section 2).
  private static func encoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ","):
        bytes.append(byte)
      default:
        bytes.append(UInt8(ascii: "%"))
        bytes.append(digit(byte >> 4))
        bytes.append(digit(byte & 0x0F))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }
}
