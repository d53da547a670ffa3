import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JSONText
import Logging
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import Extraction
@testable import TollbookHTTP

/// Tollbook with a simulated Gemini behind real HTTP, and clocks that stand still.
struct ExtractionStand: Sendable {
  struct Options: Sendable {
    var gateway = GatewaySettings()
    var simulator = GeminiSimulatorConfiguration()
    /// The key of the settings; empty: none.
    var key = GeminiSimulator.sampleKey
    var models = GeminiModels.builtInJSON
    var model = "gemini-3.5-flash-lite"
    var second = SecondLook.off
    var freshness = GeminiUpstream.standardFreshness
    var master: SymmetricKey?
    var accessKey: String?
    /// Tells webhooks; nil: by HTTP. Hosts of `.example` have a public address then.
    var send: MessageSender.Send?
  }

  let time: ManualTime
  let folder: TemporaryFolder
  let simulator: GeminiSimulator
  let gateway: Gateway
  let models: GeminiModels
  let application: TollbookApplication

  static let credential = CredentialOrder.id(of: GeminiSimulator.sampleKey, for: "gemini")

  private static let lookUp: AddressGuard.LookUp = { _, _ in "198.18.0.1" }

  typealias Scene = @Sendable (ExtractionStand, Caller) async throws -> Void

  /// Serves both while `body` runs.
  static func serving(
    _ change: (inout Options) -> Void = { _ in }, _ body: @escaping Scene
  ) async throws {
    try await serving(change, scenes: [body])
  }

  /// Serves both while each scene runs, one after the other on the same folder. Between two the process ends as by SIGKILL:
  /// the log is closed first, and what comes after that finds it closed.
  static func serving(
    _ change: (inout Options) -> Void = { _ in }, scenes: [Scene]
  ) async throws {
    let (options, time) = made(change)
    let simulator = GeminiSimulator(options.simulator)
    try await simulator.serving { base in
      try await serve(options, time, simulator, at: base, scenes)
    }
  }

  /// The same with another server in Gemini's place; the simulator is there, and not asked.
  static func serving(
    before server: Router<BasicRequestContext>, _ change: (inout Options) -> Void = { _ in },
    _ body: @escaping Scene
  ) async throws {
    let (options, time) = made(change)
    let simulator = GeminiSimulator(options.simulator)
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    try await Application(router: server, logger: quiet).test(.live) { client in
      let port = try #require(client.port)
      try await serve(options, time, simulator, at: "http://127.0.0.1:\(port)", [body])
    }
  }

  private static func made(_ change: (inout Options) -> Void) -> (Options, ManualTime) {
    var options = Options()
    options.gateway.retries.attempts = 1
    // Not at a minute's turn.
    let time = ManualTime(.testStart.advanced(byMilliseconds: 20_000))
    options.simulator.now = { time.now.milliseconds }
    options.simulator.sleep = { _ in }
    change(&options)
    return (options, time)
  }

  private static func serve(
    _ options: Options, _ time: ManualTime, _ simulator: GeminiSimulator, at base: String,
    _ scenes: [Scene]
  ) async throws {
    let client = UpstreamClient(BaseURL(base)!, now: { time.now.milliseconds })
    do {
      let folder = try TemporaryFolder()
      for (index, scene) in scenes.enumerated() {
        let last = try await play(
          scene, isKilled: index < scenes.count - 1, options, time, simulator, client, folder)
        // A task that has just ended may hold it for another instant.
        while last.gateway != nil { await Task.yield() }
      }
    } catch {
      await client.shutdown()
      throw error
    }
    await client.shutdown()
  }

  /// What is left of a stand: nothing may hold its log when the next one opens it.
  private struct Remainder {
    weak var gateway: Gateway?
  }

  private static func play(
    _ scene: Scene, isKilled: Bool, _ options: Options, _ time: ManualTime,
    _ simulator: GeminiSimulator, _ client: UpstreamClient, _ folder: TemporaryFolder
  ) async throws -> Remainder {
    let stand = try await ExtractionStand(options, time, simulator, client, folder)
    try await stand.application.application().test(.router) {
      try await scene(stand, Caller(client: $0))
    }
    if isKilled { stand.log.close() }
    await stand.gateway.stop()
    stand.log.close()
    return Remainder(gateway: stand.gateway)
  }

  private init(
    _ options: Options, _ time: ManualTime, _ simulator: GeminiSimulator, _ client: UpstreamClient,
    _ folder: TemporaryFolder
  ) async throws {
    self.time = time
    self.simulator = simulator
    self.folder = folder
    models = try GeminiModels(json: options.models)
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let id = options.key.isEmpty ? "" : CredentialOrder.id(of: options.key, for: "gemini")
    let upstream = GeminiUpstream(
      client, credential: UpstreamCredential(id: id, key: options.key), models: models,
      freshness: options.freshness, now: { time.now })
    gateway = Gateway(
      log: log, upstreams: [.gemini(upstream, isSet: !id.isEmpty)], settings: options.gateway,
      random: { 0 }, lookUp: options.send == nil ? nil : Self.lookUp,
      send: options.send, master: options.master)
    try await gateway.start(version: "test")
    var settings = HTTPSettings(version: "test", startTime: time.now)
    settings.accessKey = options.accessKey
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    application = TollbookApplication(
      gateway: gateway, settings: settings,
      systems: [
        .extraction.reading(with: models, documentsBy: options.model, second: options.second)
      ], logger: quiet)
  }

  var log: EventLog { gateway.log }

  /// All events of the log.
  func events() throws -> [Event] {
    var events: [Event] = []
    let reader = log.reader
    try log.read { (reading) throws(LogError) in
      try reader.scan(after: 0, in: reading) { (recorded) throws(LogError) in
        events.append(recorded.event)
        return .next
      }
    }
    return events
  }

  /// What a meter of the project counts, all windows together.
  func settled(_ unit: String) throws -> Int64 {
    let ledger = LedgerView(log)
    return try log.read { (reading) throws(LogError) in
      try ledger.meters(in: reading).filter {
        $0.key.unit == unit && $0.key.ownerKind == .quotaGroup
      }
      .reduce(0) { $0 + $1.meter[.settled] }
    }
  }

  /// The same of another term.
  func sum(_ term: LedgerTerm, _ unit: String) throws -> Int64 {
    let ledger = LedgerView(log)
    return try log.read { (reading) throws(LogError) in
      try ledger.meters(in: reading).filter {
        $0.key.unit == unit && $0.key.ownerKind == .quotaGroup
      }
      .reduce(0) { $0 + $1.meter[term] }
    }
  }
}

/// What a client does.
struct Caller: Sendable {
  let client: any TestClientProtocol

  func send(
    _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields = [:], body: [UInt8] = []
  ) async throws -> Answer {
    let response = try await client.executeRequest(
      uri: uri, method: method, headers: headers,
      body: body.isEmpty ? nil : ByteBuffer(bytes: body))
    return Answer(response)
  }

  /// Asks a model, as its clients do.
  func ask(
    _ call: String, _ json: String, options: String = "", key: String? = nil
  ) async throws -> Answer {
    var headers: HTTPFields = [.contentType: "application/json"]
    if let key { headers[HTTPField.Name("x-goog-api-key")!] = key }
    let base = options.isEmpty ? "/gemini" : "/gemini/\(options)"
    return try await send(.post, "\(base)/v1beta/models/\(call)", headers, body: Array(json.utf8))
  }

  /// Has documents read.
  func extract(
    _ parts: [FormPart], _ headers: HTTPFields = [:]
  ) async throws -> Answer {
    var headers = headers
    headers[.contentType] = "multipart/form-data; boundary=part-of-a-form"
    return try await send(.post, "/extract", headers, body: FormPart.body(parts))
  }
}

/// One part of a form.
struct FormPart: Sendable {
  var name: String
  var file: String?
  var type: String?
  var content: [UInt8]

  static func text(_ name: String, _ text: String) -> FormPart {
    FormPart(name: name, content: Array(text.utf8))
  }

  static func file(_ name: String, _ content: [UInt8], type: String? = nil) -> FormPart {
    FormPart(name: "file", file: name, type: type, content: content)
  }

  static func body(_ parts: [FormPart]) -> [UInt8] {
    var body: [UInt8] = []
    for part in parts {
      var head = "--part-of-a-form\r\nContent-Disposition: form-data; name=\"\(part.name)\""
      if let file = part.file { head += "; filename=\"\(file)\"" }
      if let type = part.type { head += "\r\nContent-Type: \(type)" }
      body += Array("\(head)\r\n\r\n".utf8) + part.content + [13, 10]
    }
    return body + Array("--part-of-a-form--\r\n".utf8)
  }
}

struct Answer: Sendable {
  let status: Int
  let headers: HTTPFields
  /// What came behind the body.
  let trailer: HTTPFields
  let bytes: [UInt8]
  let json: JSONValue?

  init(_ response: TestResponse) {
    status = response.status.code
    headers = response.headers
    trailer = response.trailerHeaders ?? [:]
    bytes = Array(response.body.readableBytesView)
    json = try? JSONDocument(bytes).root
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The value at a path of names and numbers, such as `candidates.0.finishReason`.
  subscript(path: String) -> JSONValue? {
    path.split(separator: ".").reduce(json) { value, step in
      Int(step).map { value?[$0] } ?? value?[String(step)]
    }
  }

  func string(_ path: String) -> String? { self[path]?.string }
  func int(_ path: String) -> Int? { self[path]?.int }
  func header(_ name: String) -> String? { headers[HTTPField.Name(name)!] }
}
