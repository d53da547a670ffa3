import Hummingbird
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// Binance's own paths under `/binance/api/v3/`, with what a client wants of Tollbook in the base path or not.
  ///
  /// HEAD is refused: who only looks whether something is there must not pay for it.
  func addBinance(_ system: MarketParts, to router: Router<TollbookContext>) {
    for endpoint in BinanceEndpoint.allCases {
      for base in ["/binance", "/binance/{options}"] {
        let path = RouterPath("\(base)\(endpoint.path)")
        router.on(path, method: .get) { request, context in
          try context.principal.require(.fetch)
          do {
            return try await BinanceDropIn(self, system, endpoint, request, context).answer()
          } catch let refusal as BinanceRefusal {
            return refusal.response(at: log.time.now())
          }
        }
        router.refuseMethods(but: [.get], at: path)
      }
    }
  }
}
