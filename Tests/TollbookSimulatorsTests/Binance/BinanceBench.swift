import JSONText
import Synchronization
import Testing

@testable import TollbookSimulators

/// A clock that stands still until it is moved.
final class MovableClock: Sendable {
  private let time: Mutex<Int64>

  init(_ start: Int64) { time = Mutex(start) }

  var now: Int64 {
    get { time.withLock { $0 } }
    set { time.withLock { $0 = newValue } }
  }
}

/// A simulated Binance with a clock that stands still and the questions that tests ask it.
struct BinanceBench {
  /// Wednesday, 18 November 2026, 11:06:52.345 UTC.
  static let start: Int64 = 1_795_000_012_345
  static let minute: Int64 = 60_000
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 86_400_000

  let clock = MovableClock(Self.start)
  let simulator: BinanceSimulator

  init(_ change: (inout BinanceSimulatorConfiguration) -> Void = { _ in }) {
    var configuration = BinanceSimulatorConfiguration()
    configuration.symbols = 30
    configuration.weightLimit = 1_000_000
    configuration.epoch = Self.start
    configuration.now = { [clock] in clock.now }
    configuration.sleep = { _ in }
    change(&configuration)
    simulator = BinanceSimulator(configuration)
  }

  var market: BinanceMarket { simulator.market }

  func index(_ name: String) throws -> Int { try #require(market.index(of: name)) }

  func symbol(_ name: String) throws -> BinanceSymbol { market.symbols[try index(name)] }

  /// Calls a path under `/api/v3`, with its query.
  func call(
    _ pathAndQuery: String, headers: [String: String] = [:], address: String = "127.0.0.1"
  ) async -> BinanceReply {
    let halves = pathAndQuery.split(separator: "?", maxSplits: 1).map(String.init)
    return await simulator.answer(
      path: "/api/v3/" + halves[0], query: halves.count == 2 ? halves[1] : "", headers: headers,
      address: address)
  }

  /// The JSON of a call that must succeed.
  func json(_ pathAndQuery: String, headers: [String: String] = [:]) async throws -> JSONValue {
    let reply = await call(pathAndQuery, headers: headers)
    #expect(reply.status == 200, "\(pathAndQuery): \(reply.text)")
    return try reply.json()
  }

  /// The elements of the array that a call answers with.
  func rows(_ pathAndQuery: String) async throws -> [JSONValue] {
    Array(try #require(try await json(pathAndQuery).array))
  }

  /// The open times of the candles that a call answers with.
  func opens(_ query: String) async throws -> [Int64] {
    try await rows("klines?\(query)").map { try #require($0[0]?.int64) }
  }
}

extension BinanceReply {
  var text: String { String(decoding: body, as: UTF8.self) }

  func json() throws -> JSONValue { try JSONDocument(body).root }

  /// The code of an error.
  var code: Int? { (try? json())?["code"]?.int }
}

extension BinanceMarket {
  /// Every aggregate trade of a symbol from a time up to, not including, another.
  func everyTrade(_ index: Int, from start: Int64, to end: Int64) -> [BinanceTrade] {
    guard let first = firstTrade(index, from: start) else { return [] }
    return trades(index, from: first.id, latest: end - 1, limit: .max)
  }
}

/// What trades come to, counted the long way.
func counted(_ trades: [BinanceTrade]) -> BinanceSummary? {
  BinanceSummary(trades[...])
}
