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
    // A question without parameters is always one.
    guard let parts = try? MarketParts(state, freshness) else { return self }
    var system = self
    system.warming = .candles(parts)
    system.whatIf = WhatIfKind.binance(freshness)
    system.addRoutes = { service, router in
      service.addMarketCalls(parts, to: router)
      service.addBinance(parts, to: router)
    }
    return system
  }
}

extension RegisteredUpstream {
  /// Binance takes no key.
  package static func binance(_ upstream: BinanceUpstream) -> RegisteredUpstream {
    RegisteredUpstream(BinanceUpstream.name, upstream, absence: "", jobKinds: [.warmBinance])
  }
}
