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
    /// Whether prices may be judged by listings.
    var judges = true
  }

  let time: ManualTime
  let folder: TemporaryFolder
  let simulator: GeminiSimulator
  let gateway: Gateway
  let desk: SellerDesk
  let scout: Scout
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
      directory: folder.path, photoDays: 90, models: models, model: "gemini-3.5-flash-lite")
    var gatewaySettings = GatewaySettings()
    gatewaySettings.retries.attempts = 1
    gateway = Gateway(
      log: log,
      upstreams: [
        .gemini(gemini, isSet: !id.isEmpty),
        RegisteredUpstream(
          EbayUpstream.name, nil, absence: "no key", jobKinds: [.snaps(settings)],
          kinds: SellerKinds.all, files: .photos(settings)),
      ], settings: gatewaySettings, random: { 0 })
    try await gateway.start(version: "test")
    let ebay = EbayUpstream(
      client, credential: UpstreamCredential(id: "", key: ""), freshness: EbayFreshness(),
      now: { time.now })
    let scout = Scout(ebay, judges: options.judges)
    self.scout = scout
    desk = SellerDesk(gateway, settings, scout: scout)
    var http = HTTPSettings(version: "test", startTime: time.now)
    http.accessKey = options.accessKey
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    var system = HTTPSystem(
      EbayUpstream.name, title: "eBay", kinds: SellerKinds.shown,
      addRoutes: { service, router in service.addSeller(settings, scout: scout, to: router) })
    system.addPages = { service, router in
      service.addSnapPages(settings, scout: scout, to: router)
    }
    application = TollbookApplication(
      gateway: gateway, settings: http,
      systems: [
        .extraction.reading(with: models, documentsBy: "gemini-3.5-flash-lite"), system,
      ], logger: quiet)
  }

  /// Shows listings of a thing to the scout, each of a seller of its own, as a page of a search would.
  ///
  /// - Parameter changes: of members of the listing; a price is of the item alone.
  func show(
    _ prices: [String], of title: String, from number: Int = 0,
    on site: EbayMarketplace = .unitedStates, _ changes: [String: String?] = [:]
  ) throws {
    let rows = try prices.enumerated().map { index, price in
      let id = 110_000_000_001 + number + index
      let own: [String: String?] = [
        "itemId": "\"v1|\(id)|0\"", "legacyItemId": "\"\(id)\"", "title": "\"\(title)\"",
        "price": EbaySamples.money(price, site.currency.code),
        "shippingOptions": "[\(EbaySamples.shipping("0.00", type: "FIXED", site.currency.code))]",
        "listingMarketplaceId": "\"\(site.id)\"",
        "seller": #"{"username":"s","feedbackPercentage":"99.4","feedbackScore":\#(500 + index)}"#,
      ]
      return String(
        decoding: try EbaySamples.listing(own.merging(changes) { $1 }), as: UTF8.self)
    }
    let change = scout.index.add(
      try EbaySearchPage(EbaySamples.page(rows)), of: try EbaySearch(site, words: "things"),
      seen: time.now)
    #expect(change.seen == prices.count && change.leftOut == 0, "\(change)")
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

/// A seller's browser: it keeps cookies, and says that it wants a page.
struct SellerBrowser {
  let caller: SellerCaller
  private var cookies: [String: String] = [:]

  init(_ caller: SellerCaller) { self.caller = caller }

  private mutating func send(
    _ method: HTTPRequest.Method, _ path: String, type: String? = nil, body: [UInt8] = []
  ) async throws -> SellerAnswer {
    var headers: HTTPFields = [.accept: "text/html,*/*;q=0.8"]
    if !cookies.isEmpty {
      headers[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")
    }
    if let type {
      headers[.contentType] = type
      headers[.origin] = "http://localhost"
    }
    let answer = try await caller.send(method, path, headers, body: body)
    for field in answer.headers[values: .setCookie] {
      let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
      if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
    }
    return answer
  }

  mutating func get(_ path: String) async throws -> SellerAnswer { try await send(.get, path) }

  mutating func post(
    _ path: String, _ fields: [(name: String, value: String)]
  ) async throws -> SellerAnswer {
    try await send(
      .post, path, type: "application/x-www-form-urlencoded", body: Array(formText(fields).utf8))
  }

  mutating func upload(_ path: String, _ parts: [PhotoPart]) async throws -> SellerAnswer {
    try await send(
      .post, path, type: "multipart/form-data; boundary=part-of-a-form",
      body: PhotoPart.body(parts))
  }

  /// The token of the forms of a page.
  mutating func token(at path: String) async throws -> String {
    let page = try await get(path)
    let found = page.text.firstMatch(of: /name="form_token" value="([0-9a-f.]+)"/)
    return String(try #require(found, "\(page.text)").output.1)
  }

  /// Signs in with an access key.
  mutating func signIn(_ key: String) async throws {
    let token = try await token(at: "/sign-in")
    let answer = try await post("/sign-in", [("form_token", token), ("access_key", key)])
    #expect(answer.status == 303, "\(answer.text)")
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
