import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP

/// The answer to one of the calls about a market.
struct MarketAnswer {
  let symbol: BinanceExchangeInfo.Symbol
  /// Nil: the call is not about candles.
  var timeframe: BinanceInterval?
  let reading: MarketReading

  /// - Parameter data: writes the members of `data`.
  func response(at now: Timestamp, _ data: (inout JSONWriter) -> Void) -> Response {
    var response = Response.object(position: reading.position, capacity: 4_096) { json in
      json.field("success", true)
      json.field("symbol", "\(symbol.base)/\(symbol.quote)")
      if let timeframe { json.field("timeframe", timeframe.rawValue) }
      json.object("data", data)
      json.field("source", reading.source)
      json.field("cache_hit", reading.isHit)
      json.field("as_of", reading.fetched)
      json.field("age_seconds", reading.fetched.map { age(of: $0, at: now) })
      json.field("weight_used", reading.charge)
    }
    response.headers[.charge] = "\(reading.charge)"
    response.headers.tell(inDoubt: reading.inDoubt)
    response.headers[.cacheStatus] = reading.cacheStatus
    if let fetched = reading.fetched { response.headers[.age] = "\(age(of: fetched, at: now))" }
    return response
  }

  private func age(of fetched: Timestamp, at now: Timestamp) -> Int64 {
    max(0, now.milliseconds &- fetched.milliseconds) / 1_000
  }
}
