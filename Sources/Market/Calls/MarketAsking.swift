import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// Who asks the exchange, and how: what all parts of one request share.
struct MarketAsking: Sendable {
  let service: HTTPService
  let system: MarketParts
  let principal: Principal
  let options: DemandOptions
  /// How long to wait for the exchange to take calls, in milliseconds.
  let wait: Int64
  /// By when all of it is answered, by the monotonic clock in milliseconds.
  private let deadline: Int64

  init(
    _ service: HTTPService, _ system: MarketParts, _ request: Request, _ context: TollbookContext,
    wait: Int64
  ) throws(Problem) {
    self.service = service
    self.system = system
    principal = context.principal
    self.wait = wait
    deadline = service.log.time.monotonicMilliseconds + wait + max(1_000, wait)
    do throws(DemandOptions.Fault) {
      options = try DemandOptions(path: nil, request.headers)
    } catch { throw Problem(.invalidParameter, error.description) }
  }

  /// - Parameters:
  ///   - options: as the client gave them.
  ///   - patience: how long the answer may take in all, in milliseconds.
  init(
    _ service: HTTPService, _ system: MarketParts, _ principal: Principal,
    _ options: DemandOptions, patience: Int64
  ) {
    self.service = service
    self.system = system
    self.principal = principal
    self.options = options
    wait = patience
    deadline = service.log.time.monotonicMilliseconds + patience
  }

  var gateway: Gateway { service.gateway }
  /// By our clock, in milliseconds.
  var now: Int64 { service.log.time.now().milliseconds }

  func demand(_ endpoint: BinanceEndpoint, _ resources: [ResourceKey]) -> ResourceDemand {
    var demand = options.apply(to: ResourceDemand(endpoint.operation, resources), by: principal)
    let left = max(1, deadline - service.log.time.monotonicMilliseconds)
    demand.wait = min(wait, left)
    demand.deadline = left - demand.wait
    return demand
  }
}

/// What all requests share.
struct MarketParts: Sendable {
  let state: BinanceState
  let freshness: BinanceFreshness
  let symbols: SymbolBook
  /// Of blocks; a full one takes about 25 KB.
  let candles = DigestMemory<[Candle]>()
  let tickers = DigestMemory<BinanceTicker>()
  /// Of windows, by ``CandleWindow/digest``.
  let analyses = DigestMemory<Analysis>()

  init(_ state: BinanceState, _ freshness: BinanceFreshness) {
    self.state = state
    self.freshness = freshness
    symbols = SymbolBook(freshness)
  }
}
