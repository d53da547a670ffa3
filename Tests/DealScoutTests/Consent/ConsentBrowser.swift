import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

/// A browser whose user consents on the simulated eBay's page. It keeps cookies, and says that it wants HTML.
struct ConsentBrowser {
  static let accept = "http://localhost/ebay/callback"

  let stand: DealScoutStand
  let client: ScoutCaller
  /// What a program shows that is no browser; nil: nothing.
  var key: String?
  private(set) var cookies: [String: String] = [:]

  init(_ stand: DealScoutStand, _ client: ScoutCaller, key: String? = nil) {
    self.stand = stand
    self.client = client
    self.key = key
  }

  mutating func get(
    _ path: String, _ more: HTTPFields = [:], method: HTTPRequest.Method = .get
  ) async throws -> ScoutAnswer {
    var headers = more
    headers[.accept] = "text/html,*/*;q=0.8"
    if let key { headers[.authorization] = "Bearer \(key)" }
    if !cookies.isEmpty {
      headers[.cookie] = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        .joined(separator: "; ")
    }
    let response = try await client.client.executeRequest(
      uri: path, method: method, headers: headers, body: nil)
    for field in response.headers[values: .setCookie] {
      let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
      if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
    }
    return ScoutAnswer(
      status: response.status.code, headers: response.headers,
      text: String(buffer: response.body))
  }

  /// Sends JSON, as a program does.
  func post(_ path: String, _ json: String) async throws -> ScoutAnswer {
    var headers: HTTPFields = [.contentType: "application/json"]
    if let key { headers[.authorization] = "Bearer \(key)" }
    let response = try await client.client.executeRequest(
      uri: path, method: .post, headers: headers, body: ByteBuffer(string: json))
    return ScoutAnswer(
      status: response.status.code, headers: response.headers,
      text: String(buffer: response.body))
  }

  /// Begins a consent.
  ///
  /// - Returns: the query of eBay's page.
  mutating func begin(_ path: String = "/ebay/authorize") async throws -> String {
    let left = try await get(path)
    #expect(left.status == 302, "\(left.text)")
    let address = try #require(left.headers[.location])
    let page = "\(DealScoutStand.login)/oauth2/authorize?"
    #expect(address.hasPrefix(page), "\(address)")
    return String(address.dropFirst(page.count))
  }

  /// Says yes on eBay's page, or no where the conditions say so.
  ///
  /// - Returns: where eBay sends the browser, below the host.
  func consent(_ query: String) async throws -> String {
    let reply = await stand.simulator.answer(path: "/oauth2/authorize", query: query)
    #expect(reply.status == 302)
    let address = try #require(reply.location)
    #expect(address.hasPrefix("\(Self.accept)?"), "\(address)")
    return String(address.dropFirst("http://localhost".count))
  }

  /// Begins a consent and gives it.
  ///
  /// - Returns: where eBay sends the browser, below the host.
  mutating func allow() async throws -> String {
    let query = try await begin()
    return try await consent(query)
  }

  /// Follows a link on a page of another site.
  mutating func follow(
    _ path: String, method: HTTPRequest.Method = .get
  ) async throws -> ScoutAnswer {
    let headers: HTTPFields = [
      .init("Sec-Fetch-Site")!: "cross-site", .init("Sec-Fetch-Mode")!: "navigate",
      .init("Sec-Fetch-Dest")!: "document",
    ]
    return try await get(path, headers, method: method)
  }

  /// The whole way.
  mutating func connect() async throws -> ScoutAnswer {
    let address = try await allow()
    return try await follow(address)
  }

  /// A parameter of a query, as it stands there.
  static func parameter(_ name: String, of text: String) -> String? {
    let query = text.split(separator: "?").last ?? ""
    return query.split(separator: "&").first { $0.hasPrefix("\(name)=") }
      .map { String($0.dropFirst(name.count + 1)) }
  }
}

extension DealScoutStand {
  /// Serves Tollbook with an application that can ask for consent.
  static func consenting(
    _ change: (inout Options) -> Void = { _ in }, _ scene: @escaping Scene
  ) async throws {
    try await serving(
      { options in
        options.ruName = EbayApplication().ruName
        options.simulator.applications = [EbayApplication(acceptURL: ConsentBrowser.accept)]
        change(&options)
      }, scene)
  }

  /// What is kept of the consent of an account.
  func user(of account: String = "default") throws -> EbayUser? {
    try UserBook(gateway: gateway).user(of: account)
  }

  /// Opens an account.
  ///
  /// - Returns: an access key of it.
  func open(
    _ account: String, scopes: [String] = ["read", "fetch"], kinds: [String] = []
  ) async throws -> String {
    try await OpenAccount(id: account, actor: "test").run(on: log)
    let key = AccessKey()
    try await IssueAccessKey(
      key, account: account, scopes: scopes, kinds: kinds, known: kinds, now: time.now,
      actor: "test"
    ).run(on: log, default: "default")
    return key.text
  }
}
