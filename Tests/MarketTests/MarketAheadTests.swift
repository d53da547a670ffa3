import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Market

/// What is read often is bought again before it is too old, within the weight that is set.
@Suite(.timeLimit(.minutes(5)))
struct MarketAheadTests {
  /// Asks for a price several times in the first second or so, so that its ticker will probably be read again.
  private func readOften(
    _ symbol: String, _ stand: MarketStand, _ caller: MarketCaller
  ) async throws {
    let first = try await price(symbol, caller)
    #expect(first.json?["source"]?.string != "cache", "\(first.text)")
    for _ in 0..<4 {
      stand.time.advance(byMilliseconds: 300)
      #expect(try await price(symbol, caller).json?["source"]?.string == "cache")
    }
  }

  private func price(_ symbol: String, _ caller: MarketCaller) async throws -> MarketReply {
    let answer = try await caller.post("/price", #"{"symbol":"\#(symbol)","wait_seconds":0}"#)
    #expect(answer.status == 200, "\(answer.text)")
    return answer
  }

  /// What the log holds of calls that were made ahead: which, when, and what they weigh at the most.
  private func refreshes(
    _ stand: MarketStand
  ) throws -> [(event: FetchStarted, at: Timestamp, weight: Int64)] {
    let log = stand.log
    return try log.read { (transaction) throws(LogError) in
      var found: [(event: FetchStarted, at: Timestamp, weight: Int64)] = []
      try log.reader.scan(after: 0, in: transaction) { (recorded) throws(LogError) in
        if case .fetchStarted(let event) = recorded.event, event.isAhead {
          found.append((event, recorded.wall, event.moves.reduce(0) { $0 + $1.amount }))
        }
        return .next
      }
      return found
    }
  }

  @Test func `a ticker that is read often is always fresh, and each refresh is used or wasted`()
    async throws
  {
    try await MarketStand.serving({ $0.aheadWeight = 60 }) { stand, caller in
      try await readOften("BTCUSDT", stand, caller)
      _ = await stand.gateway.refreshHot()
      #expect(stand.calls(.ticker24Hours) == 1, "it is not due yet")
      stand.time.advance(byMilliseconds: 450)
      let turn = await stand.gateway.refreshHot()
      #expect(stand.calls(.ticker24Hours) == 2, "\(turn)")
      _ = await stand.gateway.refreshHot()
      #expect(stand.calls(.ticker24Hours) == 2, "nobody has read what came")
      // Two seconds after the first purchase it would have had to be bought.
      stand.time.advance(byMilliseconds: 500)
      let later = try await price("BTCUSDT", caller)
      #expect(later.json?["source"]?.string == "cache", "\(later.text)")
      #expect(later.json?["weight_used"]?.int == 0)
      #expect(try await price("BTCUSDT", caller).json?["source"]?.string == "cache")
      stand.time.advance(byMilliseconds: 1_100)
      _ = await stand.gateway.refreshHot()
      #expect(stand.calls(.ticker24Hours) == 3)
      // Nobody reads what came now.
      stand.time.advance(byMilliseconds: 1_700)
      _ = await stand.gateway.refreshHot()
      #expect(stand.calls(.ticker24Hours) == 3)
      stand.time.advance(byMilliseconds: 2_000)
      let counts = stand.gateway.aheadReads.counts(at: stand.time.now)
      #expect(counts.bought == 2 && counts.used == 1 && counts.wasted == 1, "\(counts)")
      let metrics = try await caller.get("/metrics").text
      #expect(metrics.contains("tollbook_refreshes_ahead_total{outcome=\"wasted\"} 1\n"))

      let found = try refreshes(stand)
      #expect(found.map(\.event.operation) == ["binance.ticker.24hr", "binance.ticker.24hr"])
      #expect(found.allSatisfy { $0.event.demands.map(\.refresh) == [.ahead] })
      #expect(found.allSatisfy { $0.event.demands.map(\.tags) == [["refresh:ahead"]] })
      #expect(found.map(\.weight) == [2, 2])
      #expect(try stand.sum(.settled) == Int64(stand.simulator.books.sum.weight))
    }
  }

  @Test func `without weight for it, or without a cache, nothing is refreshed`() async throws {
    for isOn in [true, false] {
      try await MarketStand.serving({
        $0.aheadWeight = isOn ? 60 : 0
        $0.gateway.isCacheOn = !isOn
      }) { stand, caller in
        for _ in 0..<5 {
          _ = try await price("BTCUSDT", caller)
          stand.time.advance(byMilliseconds: 300)
        }
        stand.time.advance(byMilliseconds: 200)
        let calls = stand.simulator.books.sum.calls
        _ = await stand.gateway.refreshHot()
        #expect(stand.simulator.books.sum.calls == calls)
      }
    }
  }

  @Test func `nothing is refreshed in a ban`() async throws {
    try await MarketStand.serving({ $0.aheadWeight = 60 }) { stand, caller in
      try await readOften("BTCUSDT", stand, caller)
      stand.simulator.faults = BinanceFaults([BinanceFault(.http418, next: 1)])
      let banned = try await caller.get("/binance/api/v3/depth?symbol=BTCUSDT")
      #expect(banned.status == 418, "\(banned.text)")
      stand.time.advance(byMilliseconds: 450)
      let calls = stand.simulator.books.sum.calls
      let turn = await stand.gateway.refreshHot()
      #expect(stand.simulator.books.sum.calls == calls, "\(turn)")
      #expect(try refreshes(stand).isEmpty)
    }
  }

  @Test(arguments: [0, 300]) func `half of the minute is left to others`(foreign: Int)
    async throws
  {
    try await MarketStand.serving({
      $0.aheadWeight = 60
      $0.simulator.weightLimit = 200
      // A third of the minute has passed: so much of it is used.
      $0.simulator.conditions.foreignWeight = foreign
    }) { stand, caller in
      try await readOften("BTCUSDT", stand, caller)
      stand.time.advance(byMilliseconds: 450)
      _ = await stand.gateway.refreshHot()
      #expect(stand.calls(.ticker24Hours) == (foreign == 0 ? 2 : 1))
    }
  }

  @Test func `an open candle is refreshed, and a block of closed ones is not`() async throws {
    try await MarketStand.serving({ $0.aheadWeight = 60 }) { stand, caller in
      let question = #"{"symbol":"BTCUSDT","timeframe":"5m","include_open":true}"#
      _ = try await caller.post("/comprehensive_analysis", question)
      // A sixtieth of five minutes is 5 s.
      for _ in 0..<8 {
        stand.time.advance(byMilliseconds: 570)
        _ = try await caller.post("/comprehensive_analysis", question)
      }
      #expect(stand.calls(.klines) == 1)
      stand.time.advance(byMilliseconds: 150)
      _ = await stand.gateway.refreshHot()
      #expect(stand.calls(.klines) == 2)
      let found = try refreshes(stand).filter { $0.event.operation == "binance.klines" }
      #expect(found.map(\.event.resources) == [["shared/binance.klines/BTCUSDT/5m/open"]])
    }
  }

  @Test
  func `no minute sees more refreshes than may be, nor more than its limit beside a second client`()
    async throws
  {
    try await MarketStand.serving({
      $0.aheadWeight = 12
      $0.simulator.weightLimit = 300
      $0.simulator.conditions.foreignWeight = 100
    }) { stand, caller in
      let symbols = stand.simulator.symbols.prefix(3).map(\.name)
      for round in 0..<420 {
        stand.time.advance(byMilliseconds: 400)
        let body = #"{"symbol":"\#(symbols[round % 3])","wait_seconds":0}"#
        _ = try await caller.post("/price", body)
        _ = try await caller.post("/price", body)
        _ = await stand.gateway.refreshHot()
      }
      let books = stand.simulator.books
      #expect(books.sum.refused == 0 && books.sum.banned == 0)
      #expect(books.minutes.count >= 3)
      var minutes: [Int64: Int64] = [:]
      for refresh in try refreshes(stand) {
        minutes[refresh.at.milliseconds / 60_000, default: 0] += refresh.weight
      }
      #expect(minutes.values.allSatisfy { $0 <= 12 }, "\(minutes)")
      #expect(minutes.values.contains { $0 >= 10 }, "\(minutes)")
      // Pages of minutes that are long over are not in the ledger any more: the rollups know them.
      let audit = try await caller.get("/audit?by=operation")
      let amounts = try #require(audit.json?["total"]?["amounts"]?.array)
      let weight = amounts.first { $0["unit"]?.string == "weight" }
      #expect(weight?["certain"]?.int == books.sum.weight, "\(audit.text.prefix(600))")
    }
  }
}
