import Testing

@testable import Market

@Suite("trades") struct BinanceTradesTests {
  private static func aggregate(
    _ id: Int64, _ first: Int64, _ last: Int64, _ time: Int64 = 1_790_000_000_000
  ) -> String {
    #"{"a":\#(id),"p":"61199.90","q":"0.01200000","f":\#(first),"l":\#(last),"T":\#(time),"#
      + #""m":true,"M":true}"#
  }

  private static func trade(_ id: Int64, _ time: Int64 = 1_790_000_000_000) -> String {
    #"{"id":\#(id),"price":"61199.90","qty":"0.004","quoteQty":"244.7996","time":\#(time),"#
      + #""isBuyerMaker":false,"isBestMatch":true}"#
  }

  private func aggregates(_ rows: [String]) throws(BinanceReadingError) -> [BinanceAggregateTrade] {
    try BinanceTrades.readAggregates(Array("[\(rows.joined(separator: ","))]".utf8))
  }

  private func trades(_ rows: [String]) throws(BinanceReadingError) -> [BinanceTrade] {
    try BinanceTrades.read(Array("[\(rows.joined(separator: ","))]".utf8))
  }

  private func refusal(_ rows: [String]) -> BinanceReadingError? {
    do throws(BinanceReadingError) {
      _ = try aggregates(rows)
      return nil
    } catch { return error }
  }

  @Test func `aggregate trades are read with their texts`() throws {
    let rows = try aggregates([
      Self.aggregate(3_001, 9_001, 9_003), Self.aggregate(3_002, 9_004, 9_004),
    ])
    #expect(rows.map(\.id) == [3_001, 3_002])
    #expect(rows[0].quantity.text == "0.01200000")
    #expect(rows[0].isBuyerMaker)
    #expect(try aggregates([]).isEmpty)
    // Between rows that are no neighbours, trades may lie.
    #expect(try aggregates([Self.aggregate(1, 1, 2), Self.aggregate(9, 20, 20)]).count == 2)
  }

  @Test(arguments: [
    ([aggregate(1, 1, 2), aggregate(1, 3, 3)], "a"),
    ([aggregate(2, 1, 2), aggregate(1, 3, 3)], "a"),
    ([aggregate(1, 1, 2), aggregate(2, 4, 4)], "f"),
    ([aggregate(1, 1, 2), aggregate(2, 2, 4)], "f"),
    ([aggregate(1, 1, 2), aggregate(5, 2, 4)], "f"),
    ([aggregate(1, 1, 2, 1_790_000_000_001), aggregate(2, 3, 3)], "T"),
    ([aggregate(1, 1, 1), aggregate(2, 3, 2)], "l"),
    ([aggregate(1, 1, 1), aggregate(2, 2, 2).replacing("61199.90", with: "0.00")], "p"),
    ([aggregate(1, 1, 1), aggregate(2, 2, 2).replacing("0.01200000", with: "-1")], "q"),
    ([aggregate(1, 1, 1), aggregate(2, 2, 2).replacing("\"m\":true", with: "\"m\":1")], "m"),
    ([aggregate(1, 1, 1), aggregate(2, 2, 2).replacing("\"T\":", with: "\"T\":9")], "T"),
    ([aggregate(1, 1, 1), aggregate(2, 2, 2).replacing("\"a\":", with: "\"a\":1,\"a\":")], "a"),
    ([aggregate(1, 1, 1), aggregate(-2, 2, 2)], "a"),
    ([aggregate(1, 1, Int64.max), aggregate(2, 0, Int64.max)], "f"),
  ])
  func `what is wrong with aggregate trades is named`(_ rows: [String], _ member: String) throws {
    let error = try #require(refusal(rows))
    #expect(error.row == 1, "\(error)")
    #expect(error.member == member, "\(error)")
  }

  @Test func `single trades rise and their times do not fall`() throws {
    let rows = try trades([Self.trade(1), Self.trade(3), Self.trade(4, 1_790_000_000_005)])
    #expect(rows.map(\.id) == [1, 3, 4])
    #expect(rows[0].quoteQuantity.text == "244.7996")
    #expect(!rows[0].isBuyerMaker)
    for bad in [
      [Self.trade(3), Self.trade(3)], [Self.trade(3), Self.trade(2)],
      [Self.trade(1, 1_790_000_000_001), Self.trade(2)],
      [Self.trade(1).replacing("0.004", with: "0")], ["[]"], ["1"], ["{}"],
    ] {
      #expect(throws: BinanceReadingError.self) { try trades(bad) }
    }
  }

  @Test func `an answer that is cut anywhere is refused`() {
    let bytes = Array("[\(Self.aggregate(1, 1, 1)),\(Self.aggregate(2, 2, 2))]".utf8)
    for count in 0..<bytes.count {
      #expect(throws: BinanceReadingError.self) {
        try BinanceTrades.readAggregates(Array(bytes.prefix(count)))
      }
    }
  }

  @Test func `more rows than the exchange answers are refused`() throws {
    let rows = (1...1_001).map { Self.trade(Int64($0)) }
    #expect(try trades(Array(rows.dropLast())).count == 1_000)
    #expect(throws: BinanceReadingError.self) { try trades(rows) }
    #expect(throws: BinanceReadingError.self) {
      try BinanceTrades.read(Array(String(repeating: "[", count: 100_000).utf8))
    }
  }
}

@Suite("the book of offers") struct BinanceBookTests {
  private static let right =
    #"{"lastUpdateId":123,"bids":[["61199.90","0.5"],["61199.80","1"]],"#
    + #""asks":[["61199.91","0.3"],["61200.00","2"]]}"#

  private func refusal(_ text: String) -> BinanceReadingError? {
    do throws(BinanceReadingError) {
      _ = try BinanceBook(Array(text.utf8))
      return nil
    } catch { return error }
  }

  @Test func `the best offers come first`() throws {
    let book = try BinanceBook(Array(Self.right.utf8))
    #expect(book.lastUpdateId == 123)
    #expect(book.bids.map(\.price.text) == ["61199.90", "61199.80"])
    #expect(book.asks.first?.quantity.text == "0.3")
    let empty = #"{"lastUpdateId":1,"bids":[],"asks":[]}"#
    #expect(try BinanceBook(Array(empty.utf8)).bids.isEmpty)
  }

  @Test(arguments: [
    ("61199.80", "61199.90", "depth.bids", 1), ("61199.80", "61199.900", "depth.bids", 1),
    ("61199.80", "61199.95", "depth.bids", 1), ("61200.00", "61199.91", "depth.asks", 1),
    ("61200.00", "61199.90", "depth.asks", 1), ("61199.91", "61199.90", "depth", nil),
    ("61199.91", "61199.9", "depth", nil), ("\"0.5\"", "\"0\"", "depth.bids", 0),
    ("\"0.3\"", "\"-0.3\"", "depth.asks", 0), ("61199.80", "0", "depth.bids", 1),
    ("\"0.5\"", "0.5", "depth.bids", 0), ("\"0.5\"", "\"1e999\"", "depth.bids", 0),
    ("[\"61199.90\",\"0.5\"]", "[\"61199.90\"]", "depth.bids", 0),
    ("[\"61199.90\",\"0.5\"]", "[\"61199.90\",\"0.5\",[]]", "depth.bids", 0),
    ("123", "-1", "depth", nil), ("\"asks\"", "\"bids\"", "depth", nil),
    ("\"asks\"", "\"offers\"", "depth", nil),
  ])
  func `a book that cannot be is refused by side and row`(
    _ old: String, _ new: String, _ what: String, _ row: Int?
  ) throws {
    #expect(Self.right.contains(old))
    let error = try #require(refusal(Self.right.replacing(old, with: new)))
    #expect(error.what == what, "\(error)")
    #expect(error.row == row, "\(error)")
  }

  @Test func `a book that is cut anywhere is refused`() {
    let bytes = Array(Self.right.utf8)
    for count in 0..<bytes.count {
      #expect(throws: BinanceReadingError.self) { try BinanceBook(Array(bytes.prefix(count))) }
    }
  }

  @Test func `small answers are read and checked`() throws {
    #expect(
      try BinanceServerTime(Array(#"{"serverTime":1790000000123}"#.utf8)).milliseconds
        == 1_790_000_000_123)
    for text in [
      "{}", "[]", #"{"serverTime":"1790000000123"}"#, #"{"serverTime":0}"#,
      #"{"serverTime":1790000000123,"serverTime":1790000000124}"#, "",
    ] {
      #expect(throws: BinanceReadingError.self) { try BinanceServerTime(Array(text.utf8)) }
    }
    let average = try BinanceAveragePrice(
      Array(#"{"mins":5,"price":"61190.00","closeTime":1790000000050}"#.utf8))
    #expect(average.minutes == 5 && average.price.text == "61190.00")
    #expect(average.closeTime == 1_790_000_000_050)
    #expect(throws: BinanceReadingError.self) {
      try BinanceAveragePrice(Array(#"{"mins":5,"price":"-1"}"#.utf8))
    }
  }
}
