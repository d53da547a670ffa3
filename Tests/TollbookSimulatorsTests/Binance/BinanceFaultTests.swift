import Foundation
import JSONText
import Testing

@testable import TollbookSimulators

/// What goes wrong on purpose.
@Suite struct BinanceFaultTests {
  private func bench(_ kind: BinanceFault.Kind) -> BinanceBench {
    BinanceBench { $0.faults = BinanceFaults([BinanceFault(kind, next: 1)]) }
  }

  private let candles = "klines?symbol=BTCUSDT&interval=1h&limit=5"

  @Test(
    arguments: [
      (.http451, 451, 0, .rejected, 0), (.http403, 403, nil, .rejected, 0),
      (.http429, 429, -1003, .refused, 0), (.http418, 418, -1003, .banned, 0),
      (.http500, 500, -1000, .failed, 2), (.http503, 503, -1008, .failed, 2),
      (.timeout, 0, nil, .dropped, 2), (.drop, 0, nil, .dropped, 2),
      (.slow, 200, nil, .answered, 2), (.cutBody, 200, nil, .dropped, 2),
      (.candleInverted, 200, nil, .answered, 2), (.timesUnordered, 200, nil, .answered, 2),
      (.numberInfinite, 200, nil, .answered, 2), (.negativeVolume, 200, nil, .answered, 2),
      (.weightMissing, 200, nil, .answered, 2), (.weightWord, 200, nil, .answered, 2),
      (.clockOff, 200, nil, .answered, 2),
    ] as [(BinanceFault.Kind, Int, Int?, BinanceBooks.Outcome, Int)])
  func `a fault answers and counts as it says, and then it is over`(
    kind: BinanceFault.Kind, status: Int, code: Int?, outcome: BinanceBooks.Outcome, weight: Int
  ) async throws {
    let bench = bench(kind)
    let reply = await bench.call(candles)
    #expect(reply.status == status)
    #expect(reply.code == code)
    let books = bench.simulator.books
    #expect(books.calls.first?.outcome == outcome && books.calls.first?.fault == kind)
    #expect(books.sum.weight == weight)
    switch kind {
    case .weightMissing: #expect(reply.usedWeight == nil)
    case .weightWord: #expect(reply.usedWeight == "many")
    default: #expect(reply.usedWeight == String(weight))
    }
    let next = await bench.call(candles)
    #expect(next.status == 200 && next.usedWeight == String(weight + 2))
    let plain = await BinanceBench().call(candles)
    #expect(next.body == plain.body)
  }

  @Test func `all kinds are tried above`() {
    #expect(BinanceFault.Kind.allCases.count == 17)
  }

  @Test func `a refusal by a fault says when to come again and a ban is over at once`() async {
    let refused = await bench(.http429).call("ping")
    #expect(refused.retryAfter == 8)
    let banned = await bench(.http418).call("ping")
    #expect(banned.retryAfter == 120)
    #expect(banned.text.contains("\(BinanceBench.start + 120_000)"))
    #expect(await bench(.http451).call("ping").text.contains("restricted location"))
    #expect(await bench(.http403).call("ping").text.hasPrefix("<html>"))
  }

  @Test func `a late answer and one that never comes are as late as they say`() async {
    let waits = MovableClock(0)
    for (kind, milliseconds, waited) in [
      (.slow, 700, 700), (.timeout, nil, 15_000), (.timeout, .max, 3_600_000), (.drop, 700, 0),
    ] as [(BinanceFault.Kind, Int?, Int64)] {
      waits.now = 0
      let bench = BinanceBench {
        $0.faults = BinanceFaults([BinanceFault(kind, next: 1, milliseconds: milliseconds)])
        $0.sleep = { waits.now += Int64($0) }
      }
      let reply = await bench.call("ping")
      #expect(waits.now == waited)
      #expect((reply.delivery == .withheld) == (kind != .slow))
    }
  }

  @Test func `a body that is cut is right up to there`() async throws {
    let reply = await bench(.cutBody).call(candles)
    #expect(reply.delivery == .cut)
    #expect(reply.body == (await BinanceBench().call(candles)).body)
  }

  private func number(_ value: JSONValue?) throws -> Double {
    let text = try #require(value?.string)
    return try #require(Double(text))
  }

  @Test func `a candle and a ticker with a high below the low`() async throws {
    let row = try #require(try await bench(.candleInverted).rows(candles).last)
    let (high, low) = (try number(row[2]), try number(row[3]))
    #expect(high < low)
    let ticker = try await bench(.candleInverted).json("ticker/24hr?symbol=BTCUSDT")
    let (highest, lowest) = (try number(ticker["highPrice"]), try number(ticker["lowPrice"]))
    #expect(highest < lowest)
    let line = try #require(
      try await bench(.candleInverted).rows("klines?symbol=BNBETH&interval=1s&limit=2").last)
    let (top, bottom) = (try number(line[2]), try number(line[3]))
    #expect(top < bottom)
  }

  @Test func `times out of order`() async throws {
    for call in [candles, "aggTrades?symbol=BTCUSDT&limit=5", "trades?symbol=BTCUSDT&limit=5"] {
      let rows = try await bench(.timesUnordered).rows(call)
      let times = rows.compactMap { ($0[0] ?? $0["T"] ?? $0["time"])?.int64 }
      #expect(times.count == 5 && times.sorted(by: >) == times && times.first != times.last)
    }
  }

  @Test func `numbers that cannot be and volumes below zero`() async throws {
    let calls = [candles, "aggTrades?symbol=BTCUSDT", "trades?symbol=BTCUSDT", "ticker/24hr"]
    for call in calls + ["ticker/price?symbol=BTCUSDT"] {
      #expect(await bench(.numberInfinite).call(call).text.contains("\"1e999\""), "\(call)")
    }
    for call in calls + ["ticker?symbol=BTCUSDT", "klines?symbol=BNBETH&interval=1s&limit=1"] {
      let text = await bench(.negativeVolume).call(call).text
      #expect(text.contains("\"-"), "\(call)")
      #expect((try? JSONDocument(Array(text.utf8))) != nil)
    }
  }

  @Test func `the clock of one answer is an hour ahead or as far as is said`() async throws {
    let hour = try await bench(.clockOff).json("time")
    #expect(hour["serverTime"]?.int64 == BinanceBench.start + BinanceBench.hour)
    let bench = BinanceBench {
      $0.faults = BinanceFaults([BinanceFault(.clockOff, next: 1, milliseconds: -5_000)])
    }
    #expect(try await bench.json("time")["serverTime"]?.int64 == BinanceBench.start - 5_000)
    #expect(try await bench.json("time")["serverTime"]?.int64 == BinanceBench.start)
  }

  @Test func `a fault waits for a call that it can happen to`() async throws {
    let bench = BinanceBench {
      $0.faults = BinanceFaults([
        BinanceFault(.candleInverted, next: 1), BinanceFault(.http500, next: 1, of: .depth),
      ])
    }
    #expect(await bench.call("ping").status == 200)
    #expect(await bench.call("klines?symbol=NOSUCH&interval=1h").status == 400)
    #expect(await bench.call("depth?symbol=BTCUSDT").status == 500)
    _ = await bench.call(candles)
    #expect(
      bench.simulator.books.calls.map(\.fault) == [nil, nil, .http500, .candleInverted])
    #expect(bench.simulator.faults.rules.allSatisfy { $0.next == 0 })
  }

  @Test func `chance strikes about as often as it should and repeatably`() {
    func strikes(seed: UInt64) -> [Bool] {
      var faults = BinanceFaults([BinanceFault(.drop, probability: 0.25, seed: seed)])
      return (0..<2_000).map { _ in faults.strike(.klines) != nil }
    }
    #expect(strikes(seed: 7) == strikes(seed: 7))
    #expect(strikes(seed: 7) != strikes(seed: 8))
    #expect((400...600).contains(strikes(seed: 7).count { $0 }))
  }

  @Test func `faults and conditions are read from short JSON`() throws {
    let text =
      #"{"rules":[{"kind":"cut_body","next":2},"#
      + #"{"kind":"drop","endpoint":"ticker/24hr","probability":0.5,"seed":3}]}"#
    let faults = try JSONDecoder().decode(BinanceFaults.self, from: Data(text.utf8))
    #expect(
      faults
        == BinanceFaults([
          BinanceFault(.cutBody, next: 2),
          BinanceFault(.drop, probability: 0.5, seed: 3, of: .dayTicker),
        ]))
    let conditions = try JSONDecoder().decode(
      BinanceConditions.self, from: Data(#"{"foreign_weight_per_minute":40}"#.utf8))
    #expect(conditions == BinanceConditions(foreignWeight: 40))
  }
}
