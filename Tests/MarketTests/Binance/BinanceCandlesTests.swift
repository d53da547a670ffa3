import Testing
import TollbookTestSupport

@testable import Market

@Suite("candles") struct BinanceCandlesTests {
  private static let start: Int64 = 1_790_000_400_000 - 1_790_000_400_000 % 3_600_000
  private static let hour: Int64 = 3_600_000

  /// A row in which one member can be spoilt.
  private static func row(
    _ number: Int64 = 0, open: String? = nil, replacing index: Int? = nil, with text: String = ""
  ) -> String {
    let opens = start + number * hour
    var members = [
      open ?? "\(opens)", "\"61000.10\"", "\"61250.00\"", "\"60880.55\"", "\"61199.90\"",
      "\"812.50000000\"", "\(opens + hour - 1)", "\"49632187.11\"", "48211", "\"431.25000000\"",
      "\"26347012.40\"", "\"0\"",
    ]
    if let index { members[index] = text }
    return "[\(members.joined(separator: ","))]"
  }

  private func read(
    _ text: String, _ interval: BinanceInterval = .hour, irregularBefore: Int64? = nil
  ) throws(BinanceReadingError) -> [BinanceCandle] {
    try BinanceCandles.read(Array(text.utf8), interval, irregularBefore: irregularBefore)
  }

  private func refusal(
    _ text: String, _ interval: BinanceInterval = .hour
  ) -> BinanceReadingError? {
    do throws(BinanceReadingError) {
      _ = try read(text, interval)
      return nil
    } catch { return error }
  }

  @Test func `every number stays as it was sent`() throws {
    let text = "[ \(Self.row()) ,\n\(Self.row(1).replacing(",", with: " , "))]"
    let candles = try read(text)
    #expect(candles.count == 2)
    let first = candles[0]
    #expect(String(decoding: first.row, as: UTF8.self) == Self.row())
    #expect(
      String(decoding: candles[1].row, as: UTF8.self) == Self.row(1).replacing(",", with: " , "))
    #expect(first.open.text == "61000.10")
    #expect(first.takerBuyBase.text == "431.25000000")
    #expect(first.trades == 48_211)
    let figures = first.figures
    #expect(figures.openTime == Self.start)
    #expect(figures.closeTime == Self.start + Self.hour - 1)
    #expect(figures.high == 61_250 && figures.low == 60_880.55)
    #expect(figures.close == 61_199.9 && figures.quoteVolume == 49_632_187.11)
    #expect(figures.takerBuyQuote == 26_347_012.4)
    #expect(try read("[]").isEmpty)
  }

  @Test(arguments: [
    (1, "\"1e999\"", "open"), (1, "\"NaN\"", "open"), (1, "61000.10", "open"),
    (1, "\"0\"", "open"), (1, "null", "open"), (1, "\"6\\u0031\\u0030\"", "low"),
    (2, "\"61199.89\"", "high"), (2, "\"61000.09\"", "high"), (2, "\"\"", "high"),
    (3, "\"61000.11\"", "low"), (3, "\"61250.01\"", "low"), (3, "\"-1\"", "low"),
    (4, "\"61250.01\"", "high"), (4, "[]", "close"), (5, "\"-0.5\"", "volume"),
    (5, "\"\(String(repeating: "9", count: 41))\"", "volume"),
    (6, "1", "close time"), (6, "\"1\"", "close time"), (6, "1790006399998", "close time"),
    (7, "\"-1\"", "quote volume"), (8, "-1", "number of trades"), (8, "1.5", "number of trades"),
    (8, "\"7\"", "number of trades"), (8, "99999999999999999999", "number of trades"),
    (9, "\"812.50000001\"", "taker buy base volume"), (9, "\"-1\"", "taker buy base volume"),
    (10, "\"49632187.12\"", "taker buy quote volume"), (11, "0", "unused"), (11, "\"\"", "unused"),
    (0, "1.5", "open time"), (0, "-5", "open time"), (0, "1230767999999", "open time"),
    (0, "9223372036854775807", "open time"), (0, "\"1790000000000\"", "open time"),
  ])
  func `what is wrong is named by row and member`(
    _ index: Int, _ text: String, _ member: String
  ) throws {
    let rows = "[\(Self.row(-1)),\(Self.row(replacing: index, with: text))]"
    let error = try #require(refusal(rows))
    #expect(error.row == 1, "\(error)")
    #expect(error.member == member, "\(error)")
    #expect(error.description.contains("klines, row 1"))
  }

  @Test func `rows rise and stand where their interval says`() throws {
    let repeated = try #require(refusal("[\(Self.row()),\(Self.row())]"))
    #expect(repeated.row == 1 && repeated.member == "open time")
    let turned = try #require(refusal("[\(Self.row(1)),\(Self.row())]"))
    #expect(turned.problem == .breaks("is not after the row before"))
    #expect(try read("[\(Self.row()),\(Self.row(7))]").count == 2)
    let shifted = try #require(refusal("[\(Self.row(open: "\(Self.start + 1)"))]"))
    #expect(shifted.member == "open time")
    #expect(refusal("[\(Self.row())]", .minute)?.member == "close time")
    #expect(refusal("[\(Self.row())]", .month)?.member == "open time")
  }

  @Test func `a zone's days open where its clocks say`() throws {
    let zone = try #require(BinanceTimeZone("8"))
    let open = try #require(BinanceGrid(.day, zone: zone).openTime(containing: Self.start))
    let row = Self.row(open: "\(open)", replacing: 6, with: "\(open + 86_399_999)")
    #expect(try BinanceCandles.read(Array("[\(row)]".utf8), .day, zone: zone).count == 1)
    #expect(refusal("[\(row)]", .day)?.member == "open time")
  }

  @Test(arguments: [0, 1, 2] as [Int64])
  func `three days are counted from the first row`(phase: Int64) throws {
    let day: Int64 = 86_400_000
    let first = (20_700 + phase) * day
    func row(_ open: Int64) -> String {
      Self.row(open: "\(open)", replacing: 6, with: "\(open + 3 * day - 1)")
    }
    #expect(try read("[\(row(first)),\(row(first + 6 * day))]", .threeDays).count == 2)
    #expect(refusal("[\(row(first)),\(row(first + 4 * day))]", .threeDays)?.row == 1)
    #expect(refusal("[\(row(first + 1))]", .threeDays)?.row == 0)
  }

  @Test func `the early years may be irregular where that is allowed`() throws {
    let odd: Int64 = 1_518_170_294_789
    let row = Self.row(open: "\(odd)", replacing: 6, with: "\(odd + 5)")
    #expect(refusal("[\(row)]")?.member == "open time")
    let candles = try read("[\(row),\(Self.row())]", irregularBefore: 1_609_459_200_000)
    #expect(candles.map(\.openTime) == [odd, Self.start])
    let late = Self.row(open: "\(Self.start + 1)")
    #expect(throws: BinanceReadingError.self) {
      try read("[\(late)]", irregularBefore: 1_609_459_200_000)
    }
  }

  @Test func `an answer that is cut anywhere is refused`() {
    let bytes = Array("[\(Self.row()),\(Self.row(1))]".utf8)
    for count in 0..<bytes.count {
      #expect(throws: BinanceReadingError.self) {
        try BinanceCandles.read(Array(bytes.prefix(count)), .hour)
      }
    }
  }

  @Test(arguments: [
    "{}", "null", "\"\"", "[[]]", "[1]", "[{}]", "[null]", "[[[]]]", "\u{feff}[]", "[],[]",
    #"{"code":-1121,"msg":"Invalid symbol."}"#, String(repeating: "[", count: 100_000),
    "[" + String(repeating: "[0,0,0,0,0,0,0,0,0,0,0,0,0],", count: 50) + "0]",
  ])
  func `what is no list of rows is refused`(_ text: String) {
    #expect(throws: BinanceReadingError.self) { try read(text) }
  }

  @Test func `eleven and thirteen members are not twelve`() throws {
    let short = Self.row().replacing(#","0"]"#, with: "]")
    #expect(refusal("[\(short)]")?.problem == .count(11, expected: "12 members"))
    let long = Self.row().replacing(#","0"]"#, with: #","0","0"]"#)
    #expect(refusal("[\(long)]")?.problem == .count(13, expected: "12 members"))
  }

  @Test func `more rows than were asked for are refused`() throws {
    let rows = (0..<1_001).map { Self.row(Int64($0)) }
    #expect(try read("[\(rows.dropLast().joined(separator: ","))]").count == 1_000)
    #expect(refusal("[\(rows.joined(separator: ","))]") != nil)
    #expect(throws: BinanceReadingError.self) {
      try BinanceCandles.read(
        Array("[\(rows.prefix(3).joined(separator: ","))]".utf8), .hour, mostRows: 2)
    }
  }

  @Test func `rows are joined without changing a byte`() throws {
    let spaced = "[1 , \"2\"]"
    let parts = try ["[[0],\(spaced)]", "[]", "[ {\"a\": 1.50} ]"].map { text in
      try BinanceRows.split(Array(text.utf8), of: "klines", most: 10)
    }
    #expect(parts.map(\.count) == [2, 0, 1])
    let joined = String(decoding: BinanceRows.join(parts), as: UTF8.self)
    #expect(joined == "[[0],\(spaced),{\"a\": 1.50}]")
    #expect(BinanceRows.join([]) == Array("[]".utf8))
    #expect(BinanceRows.join([[], []]) == Array("[]".utf8))
    #expect(throws: BinanceReadingError.self) {
      try BinanceRows.split(Array("[1,2,3]".utf8), of: "klines", most: 2)
    }
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `pages that are taken apart and joined are the whole`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let rows = (0..<random.int(0..<60)).map { Self.row(Int64($0)) }
    let whole = "[\(rows.joined(separator: ","))]"
    var parts: [[[UInt8]]] = []
    var rest = rows[...]
    while !rest.isEmpty {
      let page = rest.prefix(random.int(1..<20))
      rest = rest.dropFirst(page.count)
      let text = "[\(page.joined(separator: " ,\n"))]"
      parts.append(try read(text).map(\.row))
    }
    #expect(String(decoding: BinanceRows.join(parts), as: UTF8.self) == whole)
  }
}
