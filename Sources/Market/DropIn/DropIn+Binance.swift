import Hummingbird
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension DropIn {
  /// Binance's market data takes no key; a client that has one puts it into a header, and there the access key may stand.
  /// They are led here by their base address.
  static let binance = DropIn(
    root: "/binance",
    owns: { $0 == "/binance" || $0.hasPrefix("/binance/") },
    shownKey: { request in request.headers[.binanceKey] },
    answer: { problem, service in
      let refusal =
        problem.kind == .unauthorized
        ? BinanceRefusal(401, -2_015, problem.detail) : BinanceRefusal(problem)
      return refusal.response(at: service.log.time.now())
    })
}

extension HeaderName {
  /// Where Binance's clients show their key.
  static let binanceKey = HeaderName("X-MBX-APIKEY") ?? .apiKey
  /// How much weight the minute has seen.
  static let usedWeight = HeaderName("X-MBX-USED-WEIGHT-1M") ?? .charge
  /// In which unit times are told.
  static let timeUnit = HeaderName("X-MBX-TIME-UNIT") ?? .accept
}
