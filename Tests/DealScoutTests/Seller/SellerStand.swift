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

@testable import DealScout
@testable import Extraction
@testable import TollbookHTTP

/// The seller's desk with a simulated Gemini behind real HTTP, and clocks that stand still.
struct SellerStand: Sendable {
  struct Options: Sendable {
    /// The key of the settings; empty: none.
    var key = GeminiSimulator.sampleKey
    var accessKey: String?
    var faults = GeminiFaults()
  }

  let time: ManualTime
  let folder: TemporaryFolder
  let simulator: GeminiSimulator
  let gateway: Gateway
  let desk: SellerDesk
  fileprivate let application: TollbookApplication

  var log: EventLog { gateway.log }

  static func serving(
    _ change: (inout Options) -> Void = { _ in },
    _ body: @escaping @Sendable (SellerStand, SellerCaller) async throws -> Void
  ) async throws {
    var options = Options()
    change(&options)
    let time = ManualTime(.testStart.advanced(byMilliseconds: 20_000))
    var configuration = GeminiSimulatorConfiguration()
    configuration.now = { time.now.milliseconds }
    configuration.sleep = { _ in }
    configuration.faults = options.faults
    let simulator = GeminiSimulator(configuration)
    try await simulator.serving { [options] base in
      let client = UpstreamClient(BaseURL(base)!, now: { time.now.milliseconds })
      do {
        let stand = try await SellerStand(options, time, simulator, client)
        try await stand.application.application().test(.router) {
          try await body(stand, SellerCaller(client: $0))
        }
        await stand.gateway.stop()
        stand.log.close()
      } catch {
        await client.shutdown()
        throw error
      }
      await client.shutdown()
    }
  }

  private init(
    _ options: Options, _ time: ManualTime, _ simulator: GeminiSimulator, _ client: UpstreamClient
  ) async throws {
    self.time = time
    self.simulator = simulator
    folder = try TemporaryFolder()
    let models = try GeminiModels(json: GeminiModels.builtInJSON)
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let id = options.key.isEmpty ? "" : CredentialOrder.id(of: options.key, for: "gemini")
    let gemini = GeminiUpstream(
      client, credential: UpstreamCredential(id: id, key: options.key), models: models,
      now: { time.now })
    let settings = SellerSettings(
      directory: folder.path, models: models, model: "gemini-3.5-flash-lite")
    var gatewaySettings = GatewaySettings()
    gatewaySettings.retries.attempts = 1
    gateway = Gateway(
      log: log,
      upstreams: [
        .gemini(gemini, isSet: !id.isEmpty),
        RegisteredUpstream(
          EbayUpstream.name, nil, absence: "no key", jobKinds: [.snaps(settings)],
          kinds: SellerKinds.all),
      ], settings: gatewaySettings, random: { 0 })
    try await gateway.start(version: "test")
    desk = SellerDesk(gateway, settings)
    var http = HTTPSettings(version: "test", startTime: time.now)
    http.accessKey = options.accessKey
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    application = TollbookApplication(
      gateway: gateway, settings: http,
      systems: [
        .extraction.reading(with: models, documentsBy: "gemini-3.5-flash-lite"),
        HTTPSystem(
          EbayUpstream.name, title: "eBay", kinds: SellerKinds.shown,
          addRoutes: { service, router in service.addSeller(settings, to: router) }),
      ], logger: quiet)
  }

  /// Lets the clock go on, wherever a job waits, until it has ended.
  func finish(_ id: String) async {
    guard let name = JobID(id) else { return }
    func job() -> Job? { (try? gateway.job(name)) ?? nil }
    while job()?.state.isOpen == true || gateway.jobs[name] != nil {
      if job()?.progress.step.hasPrefix("waits: ") == true, time.sleeperCount > 0 {
        time.advance(byMilliseconds: 1_000)
      }
      await log.settle()
    }
  }

  /// What the project has paid, in tokens.
  func settledTokens() throws -> Int64 {
    let ledger = LedgerView(log)
    return try log.read { (reading) throws(LogError) in
      try ledger.meters(in: reading).filter {
        $0.key.unit == "tokens" && $0.key.ownerKind == .quotaGroup
      }
      .reduce(0) { $0 + $1.meter[.settled] }
    }
  }

  /// The names of the photos' files, with their permissions.
  func photoFiles() throws -> [String] {
    try folder.contents().compactMap { name, content in
      content != nil && name.hasPrefix("photos/") ? name : nil
    }.sorted()
  }
}

/// What a seller's client does.
struct SellerCaller: Sendable {
  let client: any TestClientProtocol

  func send(
    _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields = [:], body: [UInt8] = []
  ) async throws -> SellerAnswer {
    let response = try await client.executeRequest(
      uri: uri, method: method, headers: headers,
      body: body.isEmpty ? nil : ByteBuffer(bytes: body))
    return SellerAnswer(response)
  }

  func get(_ uri: String, _ headers: HTTPFields = [:]) async throws -> SellerAnswer {
    try await send(.get, uri, headers)
  }

  func post(
    _ uri: String, _ json: String, _ headers: HTTPFields = [:]
  ) async throws -> SellerAnswer {
    var headers = headers
    headers[.contentType] = "application/json"
    return try await send(.post, uri, headers, body: Array(json.utf8))
  }

  func snap(_ parts: [PhotoPart], _ headers: HTTPFields = [:]) async throws -> SellerAnswer {
    var headers = headers
    headers[.contentType] = "multipart/form-data; boundary=part-of-a-form"
    return try await send(.post, "/seller/snap", headers, body: PhotoPart.body(parts))
  }
}

/// One part of a form.
struct PhotoPart: Sendable {
  var name: String
  var file: String?
  var type: String?
  var content: [UInt8]

  static func text(_ name: String, _ text: String) -> PhotoPart {
    PhotoPart(name: name, content: Array(text.utf8))
  }

  static func photo(
    _ content: [UInt8], name: String = "a.png", type: String? = "image/png"
  ) -> PhotoPart {
    PhotoPart(name: "photo", file: name, type: type, content: content)
  }

  static func body(_ parts: [PhotoPart]) -> [UInt8] {
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

struct SellerAnswer: Sendable {
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

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The value at a path of names and numbers, such as `photos.0.digest`.
  subscript(path: String) -> JSONValue? {
    path.split(separator: ".").reduce(json) { value, step in
      Int(step).map { value?[$0] } ?? value?[String(step)]
    }
  }

  func string(_ path: String) -> String? { self[path]?.string }
  func int(_ path: String) -> Int? { self[path]?.int }
  func count(_ path: String) -> Int { self[path]?.array?.count ?? -1 }
}
