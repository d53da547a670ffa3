import Testing
import TollbookEvents
import TollbookUpstreams

@testable import Market

@Suite("the table of weights") struct BinanceWeightsTests {
  private static func instant(_ text: String) throws -> Int64 {
    try #require(Timestamp(rfc3339: text)).milliseconds
  }

  private func weight(
    _ endpoint: BinanceEndpoint, _ items: [(name: String, value: String)],
    on day: String = "2026-11-21"
  ) throws -> Int64 {
    let weights = try BinanceWeights(json: BinanceWeights.builtInJSON)
    return weights.weight(
      of: try BinanceRequest(endpoint, items), at: try Self.instant("\(day)T12:00:00Z"))
  }

  private static let symbol = [(name: "symbol", value: "BTCUSDT")]

  private func list(_ count: Int) -> [(name: String, value: String)] {
    let names = (0..<count).map { "\"S\($0)\"" }.joined(separator: ",")
    return [(name: "symbols", value: "[\(names)]")]
  }

  @Test func `the built-in file is right`() throws {
    let weights = try BinanceWeights(json: BinanceWeights.builtInJSON)
    #expect(weights.perMinute == 6_000)
  }

  @Test func `the fact sheet's weights hold today`() throws {
    #expect(try weight(.ping, []) == 1)
    #expect(try weight(.time, []) == 1)
    #expect(try weight(.exchangeInfo, []) == 20)
    #expect(try weight(.trades, Self.symbol) == 25)
    #expect(try weight(.aggTrades, Self.symbol) == 4)
    #expect(try weight(.avgPrice, Self.symbol) == 2)
    let candles = Self.symbol + [(name: "interval", value: "1h")]
    #expect(try weight(.klines, candles) == 2)
    #expect(try weight(.uiKlines, candles) == 2)
    for (limit, expected) in [
      ("1", 5), ("100", 5), ("101", 25), ("500", 25), ("501", 50), ("1000", 50), ("1001", 250),
      ("5000", 250), ("99999", 250),
    ] as [(String, Int64)] {
      #expect(try weight(.depth, Self.symbol + [(name: "limit", value: limit)]) == expected)
    }
    #expect(try weight(.depth, Self.symbol) == 5)
    #expect(try weight(.ticker24Hours, Self.symbol) == 2)
    #expect(try weight(.ticker24Hours, list(1)) == 2)
    #expect(try weight(.ticker24Hours, list(20)) == 2)
    #expect(try weight(.ticker24Hours, list(21)) == 40)
    #expect(try weight(.ticker24Hours, list(100)) == 40)
    #expect(try weight(.ticker24Hours, list(101)) == 80)
    #expect(try weight(.ticker24Hours, []) == 80)
    for endpoint in [BinanceEndpoint.tickerPrice, .bookTicker] {
      #expect(try weight(endpoint, Self.symbol) == 2)
      #expect(try weight(endpoint, list(1)) == 4)
      #expect(try weight(endpoint, []) == 4)
    }
    for endpoint in [BinanceEndpoint.ticker, .tradingDay] {
      #expect(try weight(endpoint, Self.symbol) == 4)
      #expect(try weight(endpoint, list(50)) == 200)
      #expect(try weight(endpoint, list(51)) == 200)
      #expect(try weight(endpoint, list(49)) == 196)
    }
  }

  @Test func `a weight changes on its day`() throws {
    #expect(try weight(.aggTrades, Self.symbol, on: "2025-03-09") == 2)
    #expect(try weight(.aggTrades, Self.symbol, on: "2025-03-10") == 4)
    #expect(try weight(.trades, Self.symbol, on: "2024-04-03") == 10)
    #expect(try weight(.trades, Self.symbol, on: "2024-04-04") == 25)
    #expect(try weight(.depth, Self.symbol, on: "2023-10-18") == 2)
    #expect(try weight(.depth, Self.symbol, on: "2023-10-19") == 5)
    // Before the table begins, its first weight holds.
    #expect(try weight(.aggTrades, Self.symbol, on: "2010-01-01") == 1)
    #expect(try weight(.aggTrades, Self.symbol, on: "2099-01-01") == 4)
  }

  @Test func `no instant makes a request free`() throws {
    let weights = try BinanceWeights(json: BinanceWeights.builtInJSON)
    for endpoint in BinanceEndpoint.allCases {
      let items = Self.symbol + [(name: "interval", value: "1h")]
      let request = try BinanceRequest(endpoint, endpoint.parameters.isEmpty ? [] : items)
      for instant in [Int64.min, -1, 0, .max] {
        #expect(weights.weight(of: request, at: instant) > 0)
      }
    }
  }

  private static func file(_ rule: String, name: String = "depth") -> String {
    let others = BinanceEndpoint.allCases.filter { $0.name != name }.map {
      #"{"name":"\#($0.name)","weights":[{"from":"2026-01-01","source":"s","weight":1}]}"#
    }
    let one =
      #"{"name":"\#(name)","weights":[{"from":"2026-01-01","source":"s",\#(rule)}]}"#
    return #"{"version":1,"note":"n","weight_per_minute":6000,"endpoints":["#
      + ([one] + others).joined(separator: ",") + "]}"
  }

  private func refusal(_ text: String) -> String? {
    do throws(DataFileError) {
      _ = try BinanceWeights(json: Array(text.utf8))
      return nil
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    (#""weight":0"#, "endpoints[0].weights[0].weight", "is not from"),
    (#""weight":-1"#, "endpoints[0].weights[0].weight", "negative"),
    (#""weight":"2""#, "endpoints[0].weights[0].weight", "whole number"),
    (#""weight":1,"weight":2"#, "endpoints[0].weights[0]", "stands here twice"),
    (#""weight":1,"cap":2"#, "endpoints[0].weights[0]", "not known here"),
    (#""note":"n""#, "endpoints[0].weights[0]", "not known here"),
    (#""weight":1,"per_symbol":2"#, "endpoints[0].weights[0]", "one of"),
    (#""one":1"#, "endpoints[0].weights[0]", "one of"),
    (#""per_symbol":4"#, "endpoints[0].weights[0].cap", "missing"),
    (#""by_symbols":[{"weight":1}],"one":1"#, "endpoints[0].weights[0].all", "missing"),
    (#""by_limit":[]"#, "endpoints[0].weights[0].by_limit", "empty"),
    (#""by_limit":[{"up_to":100,"weight":1}]"#, "endpoints[0].weights[0]", "hole"),
    (
      #""by_limit":[{"up_to":9,"weight":1},{"up_to":9,"weight":2},{"weight":3}]"#,
      "endpoints[0].weights[0].by_limit[1]", "not above"
    ),
    (
      #""by_limit":[{"weight":1},{"up_to":5000,"weight":2}]"#,
      "endpoints[0].weights[0].by_limit[0]", "overlap"
    ),
    (
      #""by_symbols":[{"up_to":9,"weight":1}],"one":1,"all":1"#, "endpoints[0].weights[0]", "hole"
    ),
  ])
  func `whatever is wrong in it is named`(
    _ rule: String, _ place: String, _ words: String
  ) throws {
    let error = try #require(refusal(Self.file(rule)))
    #expect(error.hasPrefix("\(place): "), "\(error)")
    #expect(error.contains(words), "\(error)")
  }

  @Test func `an endpoint that is missing, unknown or there twice is named`() throws {
    let right = Self.file(#""weight":1"#)
    #expect(refusal(right) == nil)
    let missing = try #require(
      refusal(right.replacing(#""name":"klines""#, with: #""name":"ping""#)))
    #expect(missing.contains("ping"))
    let unknown = try #require(refusal(right.replacing(#""name":"klines""#, with: #""name":"x""#)))
    #expect(unknown.contains("“x” is not one of"))
    let last =
      #",{"name":"ticker/tradingDay","weights":[{"from":"2026-01-01","#
      + #""source":"s","weight":1}]}"#
    #expect(right.contains(last))
    #expect(try #require(refusal(right.replacing(last, with: ""))).contains("ticker/tradingDay"))
    #expect(
      try #require(refusal(Self.file(#""by_limit":[{"weight":1}]"#, name: "time")))
        .contains("takes no limit"))
  }

  @Test func `a hole and an overlap between days are named`() throws {
    let right = Self.file(
      #""until":"2026-02-28","weight":1},"#
        + #"{"from":"2026-03-01","source":"s","weight":2"#)
    #expect(refusal(right) == nil)
    let hole = try #require(refusal(right.replacing("2026-03-01", with: "2026-03-02")))
    #expect(hole.contains("hole") && hole.contains("weights[1]"))
    #expect(
      try #require(refusal(right.replacing("2026-03-01", with: "2026-02-28"))).contains("overlap"))
    #expect(
      try #require(refusal(right.replacing("2026-03-01", with: "2026-02-30"))).contains("day"))
  }
}
