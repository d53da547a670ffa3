import Crypto
import Hummingbird
import HummingbirdTesting
import JSONText
import Keepa
import Logging
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookHTTP

/// Tollbook on a folder of its own, with a simulated Keepa and clocks that stand still.
struct Stand {
  struct Options {
    var simulator = KeepaSimulatorConfiguration()
    var gateway = GatewaySettings()
    var log = EventLog.Options.scratch
    var accessKey: String?
    /// The address that is said to be listened on; nil: this machine's own.
    var host: String?
    var allowedHosts: [String] = []
    var corsOrigins: [String] = []
    /// Nil: no key is configured; empty: none is, and some can be put in.
    var key: String? = KeepaSimulator.sampleKey
    /// What seals credentials that are put in; nil: none can be.
    var master: SymmetricKey?
    /// Whether to book the start of the service.
    var isStarted = true
    /// What gets the diagnostics; nil: those that are critical are shown.
    var logger: Logger?
    /// In bytes; nil: as usual.
    var longestKeptAnswer: Int?
    /// In bytes; nil: as usual.
    var memoryLimit: Int?
    /// How products are scored; nil: as the program is built.
    var scoring: ScoringBasis?
    /// How long a score answers, in milliseconds; nil: as long as usual.
    var scoringFresh: Int64?
  }

  static let version = "1.2.3"

  let time = ManualTime()
  let keepa: SimulatedKeepa
  let gateway: Gateway
  let application: TollbookApplication
  private let folder: TemporaryFolder

  init(_ change: (inout Options) -> Void = { _ in }) async throws {
    var options = Options()
    options.gateway.retries.attempts = 1
    let time = time
    options.simulator.now = { time.now.milliseconds }
    options.simulator.sleep = { _ in }
    change(&options)
    folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds, time: time.source, options: options.log)
    let key = options.key
    let keepa = SimulatedKeepa(KeepaSimulator(options.simulator), key: key ?? "", time: time)
    self.keepa = keepa
    gateway = Gateway(
      log: log,
      upstreams: [
        .keepa(key.map { (keepa, $0.isEmpty ? "" : "keepa:test") }, options.gateway)
      ], settings: options.gateway, random: { 0 }, master: options.master)
    if options.isStarted { try await gateway.start(version: Self.version) }
    var settings = HTTPSettings(version: Self.version, startTime: time.now)
    settings.port = 0
    settings.host = options.host ?? settings.host
    settings.accessKey = options.accessKey
    settings.allowedHosts = options.allowedHosts
    settings.corsOrigins = options.corsOrigins
    settings.memoryLimit = options.memoryLimit ?? settings.memoryLimit
    settings.longestKeptAnswer = options.longestKeptAnswer ?? settings.longestKeptAnswer
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    application = TollbookApplication(
      gateway: gateway, settings: settings,
      systems: [
        .keepa.scoring(
          try options.scoring ?? ScoringBasis(), fresh: options.scoringFresh)
      ],
      logger: options.logger ?? quiet)
  }

  var log: EventLog { gateway.log }

  /// Calls that reached Keepa, those for the balance included.
  var callCount: Int { keepa.simulator.books.calls.count }

  /// Sends requests to the router, without a socket.
  func serving<Value: Sendable>(
    _ body: @Sendable (Caller) async throws -> Value
  ) async throws -> Value {
    try await application.application().test(.router) { try await body(Caller(client: $0)) }
  }

  /// The same over a socket.
  func servingLive<Value: Sendable>(
    _ body: @Sendable (Caller) async throws -> Value
  ) async throws -> Value {
    try await application.application().test(.live) { try await body(Caller(client: $0)) }
  }
}

/// What a client of Tollbook does.
struct Caller: Sendable {
  let client: any TestClientProtocol

  func send(
    _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields = [:],
    body: String? = nil
  ) async throws -> Answer {
    var headers = headers
    if body != nil && headers[.contentType] == nil { headers[.contentType] = "application/json" }
    let response = try await client.executeRequest(
      uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    return Answer(response)
  }

  func get(_ uri: String, _ headers: HTTPFields = [:]) async throws -> Answer {
    try await send(.get, uri, headers)
  }

  /// Asks for products.
  ///
  /// - Parameter more: further members of the body, each beginning with a comma.
  func batch(
    _ asins: [String], _ more: String = "", headers: HTTPFields = [:]
  ) async throws -> Answer {
    let list = asins.map { "\"\($0)\"" }.joined(separator: ",")
    return try await post("{\"asinList\":[\(list)]\(more)}", headers)
  }

  /// Sends any body to where products are asked for.
  func post(_ body: String, _ headers: HTTPFields = [:]) async throws -> Answer {
    try await send(.post, "/keepa/batch-analyze", headers, body: body)
  }
}

/// An answer, with its body as JSON if it is some.
struct Answer: Sendable {
  let status: Int
  let headers: HTTPFields
  let bytes: [UInt8]
  let json: JSONValue?

  init(_ response: TestResponse) {
    status = response.status.code
    headers = response.headers
    bytes = Array(response.body.readableBytesView)
    json = try? JSONDocument(bytes).root
  }

  /// The same answer with its body decompressed.
  init(_ answer: Answer, bytes: [UInt8]) {
    status = answer.status
    headers = answer.headers
    self.bytes = bytes
    json = try? JSONDocument(bytes).root
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The value at a path of names and numbers, such as `results.0.error.reason`.
  subscript(path: String) -> JSONValue? {
    path.split(separator: ".").reduce(json) { value, step in
      Int(step).map { value?[$0] } ?? value?[String(step)]
    }
  }

  func string(_ path: String) -> String? { self[path]?.string }
  func int(_ path: String) -> Int? { self[path]?.int }
  func count(_ path: String) -> Int? { self[path]?.array?.count }

  /// One member of each element of a list.
  func strings(_ list: String, _ name: String) -> [String?] {
    self[list]?.array?.map { $0[name]?.string } ?? []
  }

  func ints(_ list: String, _ name: String) -> [Int?] {
    self[list]?.array?.map { $0[name]?.int } ?? []
  }

  /// The names of an object's members, in order.
  func names(_ path: String) -> [String] {
    (path.isEmpty ? json : self[path])?.members?.map(\.name) ?? []
  }
}
