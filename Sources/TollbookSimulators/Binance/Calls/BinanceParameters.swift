/// The parameters of a call, with readers that refuse what the exchange refuses, and a count of what was read.
struct BinanceParameters: Sendable {
  /// One parameter, decoded.
  private struct Parameter: Sendable {
    let name: String
    let value: String
  }

  /// More parameters than any endpoint has.
  static let mostParameters = 32
  /// The longest list of symbols that is read, in bytes.
  static let longestList = 1 << 16

  private static let symbolPattern = "^[A-Z0-9-_.]{1,20}$"
  private static let listPattern =
    #"^\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\]$"#
  private static let numberPattern = "^[0-9]{1,20}$"

  private let parameters: [Parameter]
  private var read: Set<String> = []

  /// Splits a query as it stands in a URL. Names that are there twice are refused.
  init(query: String) throws(BinanceError) {
    var parameters: [Parameter] = []
    var names: Set<String> = []
    let parts = query.split(separator: "&")
    guard parts.count <= Self.mostParameters else {
      throw .tooManyParameters(expected: Self.mostParameters, received: parts.count)
    }
    for part in parts {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = QueryText.decoded(halves[0])
      guard names.insert(name).inserted else { throw .doubled(name) }
      parameters.append(
        Parameter(name: name, value: halves.count == 2 ? QueryText.decoded(halves[1]) : ""))
    }
    self.parameters = parameters
  }

  /// Refuses what was sent and not read.
  func finish() throws(BinanceError) {
    guard read.count == parameters.count else {
      throw .unread(read: read.count, sent: parameters.count)
    }
  }

  /// The value of a parameter; nil if it was not sent. An empty one is refused.
  mutating func text(_ name: String) throws(BinanceError) -> String? {
    guard let parameter = parameters.first(where: { $0.name == name }) else { return nil }
    read.insert(name)
    guard !parameter.value.isEmpty else { throw .empty(name) }
    return parameter.value
  }

  /// A symbol that must be there; whether it is known is not looked at.
  mutating func symbol() throws(BinanceError) -> String {
    guard let symbol = try optionalSymbol() else { throw .missing("symbol") }
    return symbol
  }

  private mutating func optionalSymbol() throws(BinanceError) -> String? {
    guard let symbol = try text("symbol") else { return nil }
    guard Self.isLegal(symbol) else {
      throw .illegalCharacters("symbol", pattern: Self.symbolPattern)
    }
    return symbol
  }

  private static func isLegal(_ symbol: String) -> Bool {
    (1...20).contains(symbol.utf8.count)
      && symbol.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// The symbols that `symbol` or `symbols` name, and whether it was one without a list; nil if neither was sent.
  mutating func symbols() throws(BinanceError) -> (names: [String], isOne: Bool)? {
    let one = try optionalSymbol()
    let list = try text("symbols")
    if one != nil, list != nil { throw .badCombination }
    if let one { return ([one], true) }
    guard let list else { return nil }
    let names = try Self.names(list, parameter: "symbols")
    guard !names.isEmpty else { throw .invalid("symbols") }
    guard Set(names).count == names.count else { throw .repeatedSymbol }
    return (names, false)
  }

  /// The names of a JSON array without blanks.
  private static func names(
    _ list: String, parameter: String
  ) throws(BinanceError) -> [String] {
    let refusal = BinanceError.illegalCharacters(parameter, pattern: listPattern)
    guard list.utf8.count <= longestList, list.hasPrefix("["), list.hasSuffix("]"),
      list.utf8.count >= 2
    else { throw refusal }
    let inner = list.dropFirst().dropLast()
    guard !inner.isEmpty else { return [] }
    var names: [String] = []
    for part in inner.split(separator: ",", omittingEmptySubsequences: false) {
      guard part.utf8.count >= 3, part.hasPrefix("\""), part.hasSuffix("\"") else { throw refusal }
      let name = String(part.dropFirst().dropLast())
      guard isLegal(name) else { throw refusal }
      names.append(name)
    }
    return names
  }

  /// One permission, or several in a JSON array; nil if none was sent.
  mutating func permissions() throws(BinanceError) -> [String]? {
    guard let text = try text("permissions") else { return nil }
    guard text.hasPrefix("[") else {
      guard Self.isLegal(text) else { throw .invalid("permissions") }
      return [text]
    }
    return try Self.names(text, parameter: "permissions")
  }

  /// A number without a sign. What is too large for any use is taken for the largest number of 18 digits.
  mutating func number(_ name: String) throws(BinanceError) -> Int64? {
    guard let text = try text(name) else { return nil }
    let isNumber =
      text.utf8.count <= 20
      && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isNumber else { throw .illegalCharacters(name, pattern: Self.numberPattern) }
    let most: Int64 = 999_999_999_999_999_999
    return min(most, Int64(text) ?? most)
  }

  /// How many rows are asked for. More than there can be is taken for the most; 0 is refused.
  mutating func limit(default usual: Int, most: Int) throws(BinanceError) -> Int {
    guard let number = try number("limit") else { return usual }
    guard number > 0 else { throw .invalid("limit") }
    return Int(min(Int64(most), number))
  }

  /// A time in milliseconds since 1970. A time of sixteen digits is one in microseconds.
  mutating func time(_ name: String) throws(BinanceError) -> Int64? {
    guard let number = try number(name) else { return nil }
    return number >= 1_000_000_000_000_000 ? number / 1_000 : number
  }

  /// The window of `startTime`, `endTime` and `limit`.
  mutating func window() throws(BinanceError) -> BinanceWindow {
    BinanceWindow(
      start: try time("startTime"), end: try time("endTime"),
      limit: try limit(default: 500, most: 1_000))
  }

  /// The length of a candle; its letters are told by their case.
  mutating func interval() throws(BinanceError) -> BinanceInterval {
    guard let text = try text("interval") else { throw .missing("interval") }
    guard let interval = BinanceInterval(rawValue: text) else { throw .badInterval }
    return interval
  }

  /// Milliseconds that a time zone is ahead of UTC: `-1:00`, `05:45`, `8`; from −12:00 to +14:00.
  mutating func zone() throws(BinanceError) -> Int64 {
    guard let text = try text("timeZone") else { return 0 }
    let isNegative = text.hasPrefix("-")
    let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
    let parts = digits.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part -> Int64? in
      let isNumber =
        (1...2).contains(part.utf8.count)
        && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      return isNumber ? Int64(part) : nil
    }
    let minutes = numbers.count == 2 ? numbers[1] : 0
    guard (1...2).contains(parts.count), numbers.count == parts.count, minutes < 60,
      numbers.count == 1 || parts[1].utf8.count == 2
    else { throw .invalid("timeZone") }
    let ahead = (isNegative ? -1 : 1) * (numbers[0] * 60 + minutes)
    guard (-720...840).contains(ahead) else { throw .invalid("timeZone") }
    return ahead * 60_000
  }

  /// Whether a ticker is asked for without its averages and its book.
  mutating func isMini() throws(BinanceError) -> Bool {
    switch try text("type") {
    case nil, "FULL": false
    case "MINI": true
    default: throw .badTickerType
    }
  }

  /// The status that symbols shall have; nil: any.
  mutating func status() throws(BinanceError) -> BinanceSymbol.Status? {
    guard let text = try text("symbolStatus") else { return nil }
    guard let status = BinanceSymbol.Status(rawValue: text) else { throw .badStatus }
    return status
  }

  /// A truth; true if it was not sent.
  mutating func flag(_ name: String) throws(BinanceError) -> Bool {
    switch try text(name) {
    case nil, "true": true
    case "false": false
    default: throw .invalid(name)
    }
  }

  /// The length of a rolling window in minutes: `1m` to `59m`, `1h` to `23h`, `1d` to `7d`; a day if it was not sent.
  mutating func windowMinutes() throws(BinanceError) -> Int64 {
    guard let text = try text("windowSize") else { return 1_440 }
    let digits = text.dropLast()
    let isNumber =
      (1...2).contains(digits.utf8.count)
      && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isNumber, let count = Int64(digits) else { throw .invalid("windowSize") }
    switch text.last {
    case "m" where (1...59).contains(count): return count
    case "h" where (1...23).contains(count): return count * 60
    case "d" where (1...7).contains(count): return count * 1_440
    default: throw .invalid("windowSize")
    }
  }
}
