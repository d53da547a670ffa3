import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Market
import TollbookEvents
package import TollbookGateway
import TollbookHTTP
package import TollbookLog
package import TollbookSimulators
import TollbookUpstreams
import TollbookViews
package import TollbookTestSupport

/// Tollbook with its routes in front of a simulated Binance, on a manual clock: it is asked what a demand asks, at the
/// instants that the demand names. No socket is between the two, and none between it and who asks. Calls take no time of the
/// clock.
package final class MarketWorld {
  package struct Settings: Sendable {
    /// Weight that an address may use in a minute.
    package var weightLimit = 6_000
    /// What a second client at the same address uses of it, evenly over the minute.
    package var foreignWeight = 0
    /// What refreshes of what is read often may weigh in a minute; 0: there are none.
    package var aheadWeight: Int64 = 0
    package var log = EventLog.Options.scratch

    package init() {}
  }

  /// What a demand came to.
  package struct Outcome: Sendable {
    package var requests = 0
    /// Answered with all that was asked for, of which nothing had to be bought or was past its time.
    package var hits = 0
    /// Answered with what is past its time.
    package var stale = 0
    /// Answered with anything but 200.
    package var failed = 0
    /// What the first of those said.
    package var firstFailure: String?
    /// The most weight of a minute, that of the second client included, as the exchange tells it.
    package var greatestMinute = 0

    package init() {}
  }

  private let shape: MarketTrace.Shape
  package let time: ManualTime
  package let simulator: BinanceSimulator
  private let log: EventLog
  package let gateway: Gateway
  private let weights: BinanceWeights
  private let settings: Settings
  private let folder: TemporaryFolder
  private let responder: RouterResponder<TollbookContext>
  private let channel = NIOAsyncTestingChannel()
  private let logger: Logger
  private let markets: [String]
  private let watch: Watch
  private var seen = Outcome()

  /// - Parameter shape: of the demand that it will be asked.
  package init(_ shape: MarketTrace.Shape, _ settings: Settings = Settings()) async throws {
    self.shape = shape
    self.settings = settings
    folder = try TemporaryFolder()
    let time = ManualTime()
    self.time = time
    // These do not trade any more, not all the time, or not for long enough.
    let others = [
      BinanceListing.endedSymbol, BinanceListing.pausedSymbol, BinanceListing.recentSymbol,
    ]
    var simulated = BinanceSimulatorConfiguration()
    simulated.symbols = shape.markets + others.count
    simulated.weightLimit = settings.weightLimit
    simulated.conditions.foreignWeight = settings.foreignWeight
    simulated.now = { time.now.milliseconds }
    simulated.sleep = { _ in }
    let simulator = BinanceSimulator(simulated)
    self.simulator = simulator
    markets = simulator.symbols.map(\.name).filter { !others.contains($0) }
    weights = try BinanceWeights(json: BinanceWeights.builtInJSON)
    let state = BinanceState(limit: weights.perMinute)
    let watch = Watch()
    self.watch = watch
    let upstream = BinanceUpstream(
      sending: { request, _ in await Self.answer(to: request, from: simulator, time, watch) },
      weights: weights, freshness: BinanceFreshness(), state: state,
      aheadWeight: settings.aheadWeight, now: { time.now })
    log = try folder.openLog(folds: allFolds, time: time.source, options: settings.log)
    var own = GatewaySettings()
    own.retries.attempts = 1
    gateway = Gateway(log: log, upstreams: [.binance(upstream)], settings: own, random: { 0 })
    try await gateway.start(version: "test")
    var quiet = Logger(label: "market")
    quiet.logLevel = .critical
    logger = quiet
    let application = TollbookApplication(
      gateway: gateway, settings: HTTPSettings(version: "test", startTime: time.now),
      systems: [.market.asking(state)], logger: quiet)
    responder = application.application().responder
  }

  /// What the exchange counted of Tollbook.
  package var weight: Int64 { Int64(simulator.books.sum.weight) }

  package var outcome: Outcome {
    var outcome = seen
    outcome.greatestMinute = watch.greatest
    return outcome
  }

  /// A cache without fault for the same demand.
  private func ideal() -> IdealMarket {
    IdealMarket(start: start, candlesOfAnalysis: shape.candles, weights: weights)
  }

  private var start: Int64 { Timestamp.testStart.milliseconds }

  /// Asks all of the demand, beside an ideal cache that is asked the same.
  package func live() async throws -> IdealMarket {
    var ideal = ideal()
    var trace = MarketTrace(shape)
    while let request = trace.next() {
      try await ask(request)
      ideal.ask(request)
    }
    await gateway.writeTallies()
    return ideal
  }

  package func close() async {
    await gateway.stop()
    log.close()
  }

  private func ask(_ request: MarketTrace.Request) async throws {
    let before = time.now.milliseconds
    let due = start + request.at
    precondition(before <= due, "the demand is not in order")
    time.advance(byMilliseconds: due - before)
    // As by the clock of a running process.
    if before / 1_000 != due / 1_000 { await gateway.writeTallies() }
    if before / 60_000 != due / 60_000 { await gateway.sweep() }
    if settings.aheadWeight > 0 { _ = await gateway.refreshHot() }
    try await answer(request)
  }

  private func answer(_ asked: MarketTrace.Request) async throws {
    let target = asked.target(markets[asked.market], candles: shape.candles)
    let request = Request(
      head: HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: target),
      body: RequestBody(buffer: ByteBuffer()))
    let context = TollbookContext(source: .init(channel: channel, logger: logger))
    let response = try await responder.respond(to: request, context: context)
    let body = BodyBytes()
    try await response.body.write(body)
    seen.requests += 1
    guard response.status == .ok else {
      seen.failed += 1
      if seen.firstFailure == nil { seen.firstFailure = "\(target): \(body.text)" }
      return
    }
    switch HTTPField.Name("Cache-Status").flatMap({ response.headers[$0] }) {
    case "tollbook; hit": seen.hits += 1
    case "tollbook; hit; detail=stale": seen.stale += 1
    default: break
    }
  }

  private static func answer(
    to request: UpstreamRequest, from simulator: BinanceSimulator, _ time: ManualTime,
    _ watch: Watch
  ) async -> UpstreamCall<UpstreamAnswer> {
    let sent = time.now.milliseconds
    let reply = await simulator.answer(path: request.path, query: request.encodedQuery)
    // Where it refuses, the second client may have come over the limit alone.
    if reply.status == 200 { watch.note(reply.usedWeight) }
    var headers: [(name: String, value: String)] = []
    if let type = reply.contentType { headers.append(("Content-Type", type)) }
    if let weight = reply.usedWeight { headers.append(("X-MBX-USED-WEIGHT-1M", weight)) }
    if let seconds = reply.retryAfter { headers.append(("Retry-After", "\(seconds)")) }
    return UpstreamCall(
      sentMilliseconds: sent, duration: .zero, receivedBytes: reply.body.count, isSimulated: true,
      result: .success(UpstreamAnswer(status: reply.status, headers: headers, body: reply.body)))
  }
}

/// Keeps the most weight of a minute that the exchange has told.
private final class Watch: Sendable {
  private let most = Mutex(0)

  var greatest: Int { most.withLock(\.self) }

  func note(_ text: String?) {
    let weight = text.flatMap { Int($0) } ?? 0
    most.withLock { $0 = max($0, weight) }
  }
}

/// Takes an answer as a client does, and keeps its beginning.
private final class BodyBytes: ResponseBodyWriter {
  private(set) var text = ""

  func write(_ buffer: ByteBuffer) async throws {
    if text.isEmpty { text = String(decoding: buffer.readableBytesView.prefix(500), as: UTF8.self) }
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
