import HTTPTypes
import HummingbirdTesting
import JSONText
import Logging
import NIOCore
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import DealScout
@testable import TollbookHTTP

/// Tollbook with a simulated eBay behind real HTTP, and clocks that stand still.
struct DealScoutStand: Sendable {
  struct Options: Sendable {
    var gateway = GatewaySettings()
    var simulator = EbaySimulatorConfiguration()
    /// App ID and Cert ID with a colon between them; empty: none.
    var key = EbaySimulator.sampleKey
    /// Whether prices may be judged.
    var judges = true
    /// What stands for the address of eBay's redirect; nil: there is none.
    var ruName: String?
    /// The access key of the settings; nil: nobody needs one.
    var accessKey: String?
  }

  typealias Scene = @Sendable (DealScoutStand, ScoutCaller) async throws -> Void

  /// Where users of eBay's log in.
  static let login = "https://auth.example"

  let time: ManualTime
  let simulator: EbaySimulator
  let upstream: EbayUpstream
  let scout: Scout
  let gateway: Gateway
  private let folder: TemporaryFolder

  var log: EventLog { gateway.log }

  /// Serves both while `scene` runs.
  static func serving(
    _ change: (inout Options) -> Void = { _ in }, _ scene: @escaping Scene
  ) async throws {
    var options = Options()
    options.gateway.retries.attempts = 1
    let time = ManualTime(.testStart)
    options.simulator.now = { time.now.milliseconds }
    options.simulator.sleep = { _ in }
    options.simulator.families = 8
    change(&options)
    let simulator = EbaySimulator(options.simulator)
    let made = options
    try await simulator.serving { base in
      let client = UpstreamClient(try #require(BaseURL(base)), now: { time.now.milliseconds })
      do {
        try await play(scene, made, time, simulator, client)
      } catch {
        await client.shutdown()
        throw error
      }
      await client.shutdown()
    }
  }

  private static func play(
    _ scene: @escaping Scene, _ options: Options, _ time: ManualTime, _ simulator: EbaySimulator,
    _ client: UpstreamClient
  ) async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let id = options.key.isEmpty ? "" : CredentialOrder.id(of: options.key, for: "ebay")
    let upstream = EbayUpstream(
      client, credential: UpstreamCredential(id: id, key: options.key),
      freshness: EbayFreshness(), now: { time.now })
    let scout = Scout(
      upstream, judges: options.judges,
      consent: ConsentSettings(
        credential: options.key, ruName: options.ruName, login: Self.login))
    let gateway = Gateway(
      log: log, upstreams: [.ebay(upstream, scout, isSet: !id.isEmpty)],
      settings: options.gateway, random: { 0 })
    try await gateway.start(version: "test")
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    var settings = HTTPSettings(version: "test", startTime: time.now)
    settings.accessKey = options.accessKey
    let application = TollbookApplication(
      gateway: gateway, settings: settings, systems: [.dealScout.scouting(with: scout)],
      logger: quiet)
    let stand = DealScoutStand(
      time: time, simulator: simulator, upstream: upstream, scout: scout, gateway: gateway,
      folder: folder)
    try await application.application().test(.router) {
      try await scene(stand, ScoutCaller(client: $0))
    }
    await gateway.stop()
    log.close()
  }

  /// Calls that the books have settled, in all windows.
  func settled(_ unit: String = "calls") throws -> Int64 {
    let ledger = LedgerView(log)
    return try log.read { (reading) throws(LogError) in
      try ledger.meters(in: reading).filter {
        $0.key.unit == unit && $0.key.ownerKind == .quotaGroup
      }.reduce(0) { $0 + $1.meter[.settled] }
    }
  }

  /// Calls of the Browse API that eBay has counted.
  var counted: Int {
    simulator.books.days.reduce(0) { $0 + ($1.calls["buy.browse"] ?? 0) }
  }

  /// Lets the clock go on until a job has ended.
  func finish(_ id: String) async throws {
    let name = try #require(JobID(id))
    while try gateway.job(name)?.state.isOpen == true || gateway.jobs[name] != nil {
      await log.settle()
    }
  }
}

/// What a client does.
struct ScoutCaller: Sendable {
  let client: any TestClientProtocol

  func send(
    _ method: HTTPRequest.Method, _ uri: String, _ json: String = ""
  ) async throws -> ScoutAnswer {
    let headers: HTTPFields = json.isEmpty ? [:] : [.contentType: "application/json"]
    let response = try await client.executeRequest(
      uri: uri, method: method, headers: headers,
      body: json.isEmpty ? nil : ByteBuffer(string: json))
    return ScoutAnswer(
      status: response.status.code, headers: response.headers,
      text: String(buffer: response.body))
  }

  /// Saves a search for some words.
  func save(_ name: String, _ words: String, filters: String = "") async throws -> ScoutAnswer {
    let more = filters.isEmpty ? "" : #","filters":{\#(filters)}"#
    return try await send(
      .post, "/searches",
      #"{"name":"\#(name)","q":"\#(words)","marketplace":"EBAY_US"\#(more)}"#)
  }
}

struct ScoutAnswer: Sendable {
  let status: Int
  let headers: HTTPFields
  let text: String

  var json: JSONValue? { try? JSONDocument(Array(text.utf8)).root }

  /// The value at a path of names and numbers, such as `deals.0.title`.
  subscript(path: String) -> JSONValue? {
    path.split(separator: ".").reduce(json) { value, step in
      Int(step).map { value?[$0] } ?? value?[String(step)]
    }
  }

  func string(_ path: String) -> String? { self[path]?.string }
  func int(_ path: String) -> Int? { self[path]?.int }
}
