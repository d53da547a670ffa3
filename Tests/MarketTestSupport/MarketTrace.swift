import Algorithms
package import Market
import TollbookTestSupport

/// A demand for market data like that of trading bots: few markets are asked for often, many seldom.
///
/// Market number k of n is asked for with a weight of 1 / k (Zipf's law with exponent 1), at instants that lie evenly in the
/// time. The same seed gives the same demand.
package struct MarketTrace {
  /// What is asked for.
  package enum Call: String, Sendable, CaseIterable {
    case price = "/price"
    case analysis = "/comprehensive_analysis"
    case spikes = "/volume_spike"
    case deltas = "/cvd"
    case candles = "/binance/api/v3/klines"
    case depth = "/binance/api/v3/depth"
    case book = "/binance/api/v3/ticker/bookTicker"

    /// Whether it is answered from candles.
    package var readsCandles: Bool {
      switch self {
      case .analysis, .spikes, .deltas, .candles: true
      case .price, .depth, .book: false
      }
    }

    /// Whether it is in the exchange's own wire format.
    package var isDropIn: Bool { rawValue.hasPrefix("/binance/") }
  }

  package struct Request: Sendable {
    /// Milliseconds after the start.
    package var at: Int64
    package var call: Call
    /// The market's number, from 0 on: those that are asked for most come first.
    package var market: Int
    package var timeframe: BinanceInterval

    package init(at: Int64, call: Call, market: Int, timeframe: BinanceInterval) {
      self.at = at
      self.call = call
      self.market = market
      self.timeframe = timeframe
    }

    /// - Parameters:
    ///   - name: of the market.
    ///   - candles: how many an analysis is made of.
    package func target(_ name: String, candles: Int) -> String {
      var target = "\(call.rawValue)?symbol=\(name)"
      if call.readsCandles {
        let parameter = call == .candles ? "interval" : "timeframe"
        target += "&\(parameter)=\(timeframe.rawValue)&limit=\(limit(candles))"
      }
      return call.isDropIn ? target : target + "&wait_seconds=0"
    }

    /// How many closed candles it takes.
    func limit(_ candles: Int) -> Int { call == .analysis ? candles : min(candles, 100) }
  }

  /// What is asked for how often, and of what.
  package struct Shape: Sendable {
    package var seed: UInt64 = 1
    package var markets = 200
    /// How many requests come in a second.
    package var rate = 20
    package var milliseconds: Int64 = 86_400_000
    package var timeframes: [BinanceInterval] = [
      .minute, .fiveMinutes, .fifteenMinutes, .hour, .fourHours,
    ]
    /// How many candles an analysis is made of. The other calls take at most 100.
    package var candles = 500
    /// How many of a hundred requests are which.
    package var mix: [(share: Int, call: Call)] = [
      (25, .price), (10, .analysis), (25, .spikes), (15, .deltas), (15, .candles), (5, .depth),
      (5, .book),
    ]

    package init() {}

    /// How many requests there are.
    package var requests: Int { Int(milliseconds) * rate / 1_000 }
  }

  package let shape: Shape
  private var random: SeededGenerator
  private let sums: [Double]
  private var number = 0

  package init(_ shape: Shape) {
    self.shape = shape
    random = SeededGenerator(seed: shape.seed)
    sums = (1...max(1, shape.markets)).reductions(0.0) { $0 + 1 / Double($1) }.dropFirst().map(
      \.self)
  }

  /// The next request; nil: that was all.
  package mutating func next() -> Request? {
    guard number < shape.requests else { return nil }
    number += 1
    let draw = Double(random.next() >> 11) / Double(1 << 53) * (sums.last ?? 1)
    let market = min(sums.count - 1, sums.partitioningIndex { $0 > draw })
    let call = call(random.int(0...99))
    return Request(
      at: Int64(number) * 1_000 / Int64(shape.rate), call: call, market: market,
      timeframe: random.pick(shape.timeframes))
  }

  private func call(_ draw: Int) -> Call {
    var end = 0
    for part in shape.mix {
      end += part.share
      if draw < end { return part.call }
    }
    return shape.mix.last?.call ?? .price
  }
}
