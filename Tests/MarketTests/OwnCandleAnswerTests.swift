import JSONText
import Testing
import TollbookForecast
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import Market

private let second: Int64 = 1_000
private let minute: Int64 = 60_000

/// Answers about candles that are kept as they came: of markets that are not traded any more, in the exchange's own form for
/// charts, of three days.
@Suite(.timeLimit(.minutes(5)))
struct OwnCandleAnswerTests {
  /// Asks, and tells how many calls for candles that took.
  private func calls(
    _ path: String, _ stand: MarketStand, _ caller: MarketCaller, after milliseconds: Int64 = 0
  ) async throws -> Int {
    stand.time.advance(byMilliseconds: milliseconds)
    let before = stand.calls(.klines) + stand.calls(.uiKlines)
    let answer = try await caller.get(path)
    #expect(answer.status == 200, "\(answer.text.prefix(300))")
    return stand.calls(.klines) + stand.calls(.uiKlines) - before
  }

  @Test func `candles of a market that stopped are bought once in a sixtieth of their interval`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      let path = "/volume_spike?symbol=\(BinanceListing.endedSymbol)&timeframe=1h&wait_seconds=0"
      // Where they would be, and then the last there are.
      let first = try await calls(path, stand, caller)
      #expect(first == 2)
      #expect(try await calls(path, stand, caller, after: 2 * second) == 0)
      #expect(try await calls(path, stand, caller, after: 57 * second) == 0)
      #expect(try await calls(path, stand, caller, after: second) == 1)
    }
  }

  @Test(arguments: [
    ("uiKlines?symbol=BTCUSDT&interval=1m", second),
    ("uiKlines?symbol=BTCUSDT&interval=5m", 5 * second),
    ("uiKlines?symbol=BTCUSDT&interval=1d", 24 * minute),
    ("klines?symbol=BTCUSDT&interval=1h&timeZone=5:30", minute),
    ("klines?symbol=BTCUSDT&interval=3d", 72 * minute),
  ])
  func `an answer tells its open candle for a sixtieth of the interval, a second at least`(
    target: String, window: Int64
  ) async throws {
    try await MarketStand.serving { stand, caller in
      let path = "/binance/api/v3/\(target)"
      // The clock is known from now on.
      _ = try await caller.get("/binance/api/v3/klines?symbol=ETHUSDT&interval=1d&limit=1")
      #expect(try await calls(path, stand, caller) == 1)
      #expect(try await calls(path, stand, caller, after: window - 1) == 0)
      #expect(try await calls(path, stand, caller, after: 1) == 1)
    }
  }

  @Test(arguments: [
    "uiKlines?symbol=BTCUSDT&interval=1h", "klines?symbol=BTCUSDT&interval=1h&timeZone=1",
  ])
  func `an answer is not fresh any more when its candle has closed`(target: String) async throws {
    try await MarketStand.serving { stand, caller in
      let path = "/binance/api/v3/\(target)"
      // Ten seconds before the hour, by the clock as it is known.
      stand.time.advance(byMilliseconds: 59 * minute + 30 * second)
      _ = try await caller.get("/binance/api/v3/klines?symbol=ETHUSDT&interval=1d&limit=1")
      #expect(try await calls(path, stand, caller) == 1)
      // It is closed two seconds after its end.
      #expect(try await calls(path, stand, caller, after: 12 * second - 1) == 0)
      #expect(try await calls(path, stand, caller, after: 1) == 1)
    }
  }

  @Test func `what-if knows the window of an answer that is kept as it came`() async throws {
    let path = "/binance/api/v3/uiKlines?symbol=BTCUSDT&interval=1h"
    // What is fetched first is bought before its clock is known.
    let known = "/binance/api/v3/klines?symbol=ETHUSDT&interval=1d&limit=1"
    let demand =
      [MarketAsk(at: 0, path: known)]
      + [3, 20, 40, 60, 70, 100].map { MarketAsk(at: $0 * second, path: path) }
    let run = try await MarketRun.lived(
      demand, BinanceFreshness(), kind: "binance.klines", fresh: [second, 2 * minute])
    #expect(run.answers.allSatisfy { $0 == 200 }, "\(run.answers)")
    #expect(run.weights["uiKlines"] == 4)
    #expect(run.report.played.outcomes[0].cost == run.recorded.cost)
    // For two minutes one call is enough.
    let patient = run.report.played.outcomes[1].cost
    #expect(patient.contains(run.recorded.cost.low - 2), "\(patient)")
    #expect(patient.high < run.recorded.cost.low, "\(patient)")
  }
}
