import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// One request of a client that speaks Binance's wire format: answered from the cache, from the exchange, or refused as the
/// exchange would.
struct BinanceDropIn: Sendable {
  /// How long a request may take, in milliseconds: clients give up after ten seconds.
  private static let patience: Int64 = 8_000

  private let asking: MarketAsking
  private let request: BinanceRequest
  private let isDryRun: Bool

  init(
    _ service: HTTPService, _ system: MarketParts, _ endpoint: BinanceEndpoint, _ request: Request,
    _ context: TollbookContext
  ) throws(BinanceRefusal) {
    if let unit = request.headers[.timeUnit], unit.uppercased() != "MILLISECOND" {
      throw BinanceRefusal(
        400, -1_194, "Invalid value for time unit; Tollbook answers in milliseconds.")
    }
    let step = context.parameters.get("options")
    let path = step.flatMap(DemandOptions.text(ofStep:))
    guard step == nil || path != nil else {
      throw BinanceRefusal(404, -1_000, "there is nothing at this path")
    }
    do throws(Problem) { isDryRun = try HTTPService.isDryRun(request.headers) } catch {
      throw BinanceRefusal(400, -1_130, error.detail)
    }
    do throws(DemandOptions.Fault) {
      asking = MarketAsking(
        service, system, context.principal,
        try DemandOptions(path: path, request.headers),
        patience: Self.patience)
    } catch { throw BinanceRefusal(400, -1_130, error.description) }
    do throws(BinanceRequestFault) {
      self.request = try BinanceRequest(endpoint, formItems(request.uri.query ?? ""))
    } catch { throw BinanceRefusal(error) }
  }

  private var gateway: Gateway { asking.gateway }

  func answer() async throws -> Response {
    if isDryRun { return try estimate() }
    var reading = MarketReading()
    // Nothing in the answer would tell such a client how old it is.
    reading.refusesStale = !asking.options.allowsStale
    do {
      let names = request.symbols.names
      if !names.isEmpty, request.endpoint != .exchangeInfo {
        for name in names { try await check(name, &reading) }
      }
      if isPassed { return try await passed() }
      if isOfKeptCandles {
        return response(BinanceRows.join([try await candles(&reading)]), reading)
      }
      if isExcerpt,
        let excerpt = try await asking.system.symbols.excerpt(
          of: request.symbols.names, asking, &reading)
      {
        return response(excerpt, reading)
      }
      // Of a market that the list leaves out, the exchange itself may know.
      return response(try await whole(&reading), reading)
    } catch let problem as Problem {
      var headers: HTTPFields = [.charge: "\(reading.charge)"]
      headers.tell(inDoubt: reading.inDoubt)
      let refusal =
        problem.kind == .unknownSymbol
        ? .unknownSymbol
        : reading.problem.map { BinanceRefusal($0, isBanned: isBanned) } ?? BinanceRefusal(problem)
      return refusal.response(at: asking.service.log.time.now(), headers: headers)
    }
  }

  /// Whether the exchange knows a symbol, by its own spelling: a call for one that it does not know would count.
  private func check(_ name: String, _ reading: inout MarketReading) async throws {
    let symbol = try await asking.system.symbols.symbol(name, asking, &reading)
    guard symbol.name == name else { throw BinanceRefusal.unknownSymbol }
  }

  // MARK: Looking ahead

  /// What it would cost and what is cached: nothing is bought.
  private func estimate() throws -> Response {
    do {
      if isPassed {
        return try asking.service.dryRun(
          passing: passedRequest, by: request.endpoint.operation,
          for: asking.demand(request.endpoint, []))
      }
      var demands: [ResourceDemand] = []
      if request.endpoint != .exchangeInfo {
        for name in request.symbols.names {
          // The list is asked for once.
          let (known, list) = try asking.system.symbols.ahead(name, asking)
          guard known == name || !list.isEmpty else { throw BinanceRefusal.unknownSymbol }
          if demands.isEmpty { demands = list }
        }
      }
      return try asking.service.dryRun(demands + ownDemands())
    } catch let problem as PurchaseProblem {
      throw BinanceRefusal(problem, isBanned: isBanned)
    } catch let problem as Problem {
      throw problem.kind == .unknownSymbol ? BinanceRefusal.unknownSymbol : BinanceRefusal(problem)
    }
  }

  private func ownDemands() throws -> [ResourceDemand] {
    if isExcerpt {
      return [asking.demand(.exchangeInfo, [BinanceResource.answer(.allMarkets).key])]
    }
    guard isOfKeptCandles, case .one(let symbol) = request.symbols, let interval = request.interval
    else { return [asking.demand(request.endpoint, try wholeRequests().keys)] }
    let reader = CandleReader(
      asking: asking, series: CandleSeries(symbol: symbol, interval: interval))
    let (limit, end) = (request.limit ?? 500, request.endTime.map { interval.number(at: $0) + 1 })
    guard let first = firstNumber(interval) else {
      return reader.demands(newest: limit, before: end, withOpen: true)
    }
    return reader.demands(oldest: limit, from: first, before: end ?? .max)
  }

  // MARK: Ways of answering

  /// Whether the exchange answers, and what its clock says, only the exchange can tell; and what a parameter means that is
  /// not known.
  private var isPassed: Bool {
    [.ping, .time].contains(request.endpoint) || !request.unknown.isEmpty
  }

  private var isOfKeptCandles: Bool {
    request.endpoint == .klines && request.timeZone == .utc && request.interval != .threeDays
  }

  /// Whether the list of all markets tells it.
  private var isExcerpt: Bool {
    request.endpoint == .exchangeInfo && !request.symbols.names.isEmpty && request.variant.isEmpty
  }

  private var passedRequest: PassedRequest {
    PassedRequest(path: request.endpoint.path, query: request.query.map { ($0.name, $0.value) })
  }

  /// The number of the first candle that is wanted; nil: the newest are.
  private func firstNumber(_ interval: BinanceInterval) -> Int64? {
    request.startTime.map { start in
      let number = interval.number(at: start)
      return interval.openTime(ofCandle: number) < start ? number + 1 : number
    }
  }

  /// What is asked for of each symbol by itself, or at once.
  private func wholeRequests() throws(BinanceRefusal) -> (
    requests: [BinanceRequest], keys: [ResourceKey]
  ) {
    var requests = [request]
    if case .list(let names) = request.symbols, request.endpoint != .exchangeInfo,
      !request.filtersStatus
    {
      requests = names.compactMap { request.of($0) }
    }
    let keys = requests.map { BinanceResource.answer($0).key }
    guard keys.allSatisfy(\.isPossible) else {
      throw BinanceRefusal(400, -1_100, "the query is too long")
    }
    return (requests, keys)
  }

  // MARK: Answers

  private func candles(_ reading: inout MarketReading) async throws -> [[UInt8]] {
    guard case .one(let symbol) = request.symbols, let interval = request.interval else {
      throw BinanceRefusal(400, -1_102, "symbol and interval are mandatory")
    }
    let limit = request.limit ?? 500
    let series = CandleSeries(symbol: symbol, interval: interval)
    let reader = CandleReader(asking: asking, series: series)
    let end = request.endTime.map { interval.number(at: $0) + 1 }
    if let first = firstNumber(interval) {
      return try await reader.oldest(limit, from: first, before: end ?? .max, &reading).map(\.row)
    }
    var window = try await reader.newest(limit, before: end, withOpen: true, &reading)
    if let end { window.open.removeAll { $0.number >= end } }
    return window.candles.suffix(limit).map(\.row)
  }

  /// The answer as it came, or put together of what was said of each symbol.
  private func whole(_ reading: inout MarketReading) async throws -> [UInt8] {
    let (requests, keys) = try wholeRequests()
    let pieces = try await reading.pieces(of: asking.demand(request.endpoint, keys), gateway)
    let contents = pieces.compactMap(\.content)
    guard contents.count == requests.count else { throw BinanceRefusal.unknownSymbol }
    if case .list = request.symbols, requests.first != request {
      return BinanceRows.join([contents])
    }
    return contents.first ?? []
  }

  private func passed() async throws -> Response {
    let answer = await gateway.pass(
      request.endpoint.operation, passedRequest, for: asking.demand(request.endpoint, []))
    var headers: HTTPFields = [.charge: "\(answer.cost)", .cacheStatus: "tollbook; fwd=bypass"]
    headers.tell(inDoubt: answer.inDoubt)
    switch answer.result {
    case .success(let raw):
      headers[.contentType] = raw.contentType.inOneLine(atMost: 100)
      headers[.usedWeight] = "\(usedWeight)"
      return Response(
        status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: raw.body)))
    case .failure(let problem):
      return BinanceRefusal(problem, isBanned: isBanned).response(
        at: asking.service.log.time.now(), headers: headers)
    }
  }

  private func response(_ body: [UInt8], _ reading: MarketReading) -> Response {
    var headers: HTTPFields = [
      .contentType: "application/json;charset=UTF-8", .position: "\(reading.position)",
      .charge: "\(reading.charge)", .cacheStatus: reading.cacheStatus,
      .usedWeight: "\(usedWeight)",
    ]
    headers.tell(inDoubt: reading.inDoubt)
    if let fetched = reading.fetched {
      headers[.age] = "\(max(0, asking.now &- fetched.milliseconds) / 1_000)"
    }
    return Response(
      status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
  }

  // MARK: The meter

  /// What the minute has seen so far.
  private var usedWeight: Int64 {
    let now = asking.service.log.time.now()
    let rule = asking.system.state.rule
    let page = gateway.page(BinanceUpstream.meter.inWindow(rule.window(at: now).name))
    return max(0, (rule.limit ?? 0) - rule.available(on: [page], at: now))
  }

  /// Whether the address that Tollbook asks from is banned, rather than over its limit.
  private var isBanned: Bool {
    let log = asking.service.log
    let view = CredentialsView(log)
    let row = try? log.read { (reading) throws(LogError) in
      try view.cooling(of: BinanceUpstream.meter.closureName, in: reading)
    }
    guard let row, log.time.now() < row.until else { return false }
    return row.detail.hasPrefix("\(BinanceFailure.statusText(418))")
  }
}
