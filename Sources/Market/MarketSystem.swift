package import TollbookGateway
package import TollbookHTTP
import TollbookForecast
import TollbookUpstreams

extension HTTPSystem {
  /// Market data of Binance. Nothing is bought: see ``asking(_:_:)``.
  package static let market: HTTPSystem = {
    var system = routes
    system.whatIf = WhatIfKind.binance(BinanceFreshness())
    system.untried = BinanceWhatIf.untried
    return system
  }()

  private static let routes = HTTPSystem(
    BinanceUpstream.name, title: "Binance",
    kinds: [
      "binance.exchangeInfo": Kind("list of markets"), "binance.klines": Kind("stretch of candles"),
      "binance.ticker": Kind("ticker"), "binance.book": Kind("best offers"),
      "binance.trades": Kind("list of trades"), "binance.aggTrades": Kind("list of trades"),
      "binance.depth": Kind("order book"), "binance.time": Kind("clock"),
    ],
    dropIn: .binance, addRoutes: { _, _ in })

  /// The same, with the exchange that can be asked.
  ///
  /// - Parameter state: what its upstream knows of the exchange.
  package func asking(
    _ state: BinanceState, _ freshness: BinanceFreshness = BinanceFreshness()
  ) -> HTTPSystem {
    let parts = MarketParts(state, freshness)
    var system = self
    system.concerns = { state.clock.concern.map { [$0] } ?? [] }
    system.warming = .candles(parts)
    system.whatIf = WhatIfKind.binance(freshness)
    system.addRoutes = { service, router in
      service.addMarketCalls(parts, to: router)
      service.addBinance(parts, to: router)
    }
    return system
  }
}

extension BinanceClockState {
  /// Nil: the two clocks are near enough to one another.
  var concern: HTTPSystem.Concern? {
    guard case .farApart(let offset, let isConfirmed) = health else { return nil }
    let seconds = (offset.magnitude + 500) / 1_000
    let side = offset < 0 ? "behind" : "ahead of"
    let meanwhile =
      isConfirmed
      ? "it has said so twice, and candles are closed by it"
      : "until it says so twice no candle is closed by it, and none is kept"
    return HTTPSystem.Concern(
      "\(BinanceUpstream.name)_clock_apart",
      "Binance's clock is \(seconds) s \(side) this machine's; \(meanwhile): set the clock of this"
        + " machine right")
  }
}

extension RegisteredUpstream {
  /// Binance takes no key.
  package static func binance(_ upstream: BinanceUpstream) -> RegisteredUpstream {
    RegisteredUpstream(BinanceUpstream.name, upstream, absence: "", jobKinds: [.warmBinance])
  }
}
