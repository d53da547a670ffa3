import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JSONText
import Logging
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import Market
@testable import TollbookHTTP

/// Tollbook with a simulated Binance behind real HTTP, and clocks that stand still.
struct MarketStand: Sendable {
  struct Options: Sendable {
    var gateway = GatewaySettings()
    var simulator = BinanceSimulatorConfiguration()
    var freshness = BinanceFreshness()
    var aheadWeight: Int64 = 0
    var accessKey: String?
    /// How long each call takes by the clocks of the test, in milliseconds.
    var answerTime = 0
  }

  let time: ManualTime
  let folder: TemporaryFolder
  let simulator: BinanceSimulator
  let gateway: Gateway
  let state: BinanceState
  let application: TollbookApplication

  /// Serves both while `body` runs.
  static func serving(
    _ change: (inout Options) -> Void = { _ in },
    _ body: @escaping @Sendable (MarketStand, MarketCaller) async throws -> Void
  ) async throws {
    var options = Options()
    options.gateway.retries.attempts = 1
    // Not at a minute's turn.
    let time = ManualTime(.testStart.advanced(byMilliseconds: 20_000))
    options.simulator.now = { time.now.milliseconds }
    options.simulator.sleep = { _ in }
    options.simulator.symbols = 12
    change(&options)
    if options.answerTime > 0 {
      options.simulator.latency = options.answerTime
      options.simulator.sleep = { time.advance(byMilliseconds: Int64($0)) }
    }
    let simulator = BinanceSimulator(options.simulator)
    let given = options
    try await simulator.serving { base in
      let folder = try TemporaryFolder()
      try await serving(given, time, simulator, base, folder, body)
    }
  }

  /// The same once more, with what a folder holds already.
  static func serving(
    _ options: Options, _ time: ManualTime, _ simulator: BinanceSimulator, _ base: String,
    _ folder: TemporaryFolder,
    _ body: @escaping @Sendable (MarketStand, MarketCaller) async throws -> Void
  ) async throws {
    let client = UpstreamClient(BaseURL(base)!, now: { time.now.milliseconds })
    do {
      let stand = try await MarketStand(options, time, simulator, client, folder)
      try await stand.application.application().test(.router) {
        try await body(stand, MarketCaller(client: $0))
      }
      await stand.gateway.stop()
      stand.log.close()
    } catch {
      await client.shutdown()
      throw error
    }
    await client.shutdown()
  }

  private init(
    _ options: Options, _ time: ManualTime, _ simulator: BinanceSimulator,
    _ client: UpstreamClient, _ folder: TemporaryFolder
  ) async throws {
    self.time = time
    self.simulator = simulator
    self.folder = folder
    let weights = try BinanceWeights(json: BinanceWeights.builtInJSON)
    state = BinanceState(limit: weights.perMinute)
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let upstream = BinanceUpstream(
      client, weights: weights, freshness: options.freshness, state: state,
      aheadWeight: options.aheadWeight, now: { time.now })
    gateway = Gateway(
      log: log, upstreams: [.binance(upstream)], settings: options.gateway, random: { 0 })
    try await gateway.start(version: "test")
    var settings = HTTPSettings(version: "test", startTime: time.now)
    settings.accessKey = options.accessKey
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    application = TollbookApplication(
      gateway: gateway, settings: settings,
      systems: [.market.asking(state, options.freshness)], logger: quiet)
  }

  var log: EventLog { gateway.log }

  /// What the meter counts, all windows together.
  func sum(_ term: LedgerTerm) throws -> Int64 {
    let ledger = LedgerView(log)
    return try log.read { (reading) throws(LogError) in
      try ledger.meters(in: reading).filter { $0.key.ownerKind == .quotaGroup }
        .reduce(0) { $0 + $1.meter[term] }
    }
  }

  /// How often the exchange was asked for something.
  func calls(_ endpoint: BinanceEndpoint) -> Int {
    simulator.books.byEndpoint[endpoint.name]?.calls ?? 0
  }
}

/// What a client does.
struct MarketCaller: Sendable {
  let client: any TestClientProtocol

  func post(_ path: String, _ json: String, _ headers: HTTPFields = [:]) async throws
    -> MarketReply
  {
    var headers = headers
    headers[.contentType] = "application/json"
    return MarketReply(
      try await client.executeRequest(
        uri: path, method: .post, headers: headers, body: ByteBuffer(string: json)))
  }

  func get(_ path: String, _ headers: HTTPFields = [:]) async throws -> MarketReply {
    MarketReply(
      try await client.executeRequest(uri: path, method: .get, headers: headers, body: nil))
  }
}

/// What a client got.
struct MarketReply: Sendable {
  let status: Int
  let headers: HTTPFields
  let body: [UInt8]

  init(_ response: TestResponse) {
    status = response.status.code
    headers = response.headers
    body = Array(response.body.readableBytesView)
  }

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue? { try? JSONDocument(body).root }
  var data: JSONValue? { json?["data"] }
}
