import JSONText
import Testing

@testable import TollbookSimulators

/// Tokens: who gets one, what for and for how long.
@Suite struct EbayOAuthTests {
  private let bench = EbayBench()
  private var search: String { "/buy/browse/v1/item_summary/search?\(bench.familySearch)" }

  private func consent(_ change: (inout [String: String]) -> Void = { _ in }) async -> EbayReply {
    var items = [
      "client_id": "Simulated-Tollbook-PRD-0001", "redirect_uri": "Simulated-Tollbook-RuName",
      "response_type": "code", "state": "a state/1", "scope": EbayScopes.application,
    ]
    change(&items)
    let query = items.sorted { $0.key < $1.key }
      .map { "\($0.key)=\(EbayReadingText.encoded($0.value))" }.joined(separator: "&")
    return await bench.simulator.answer(path: "/oauth2/authorize", query: query)
  }

  private func redirected(_ reply: EbayReply) throws -> [String: String] {
    #expect(reply.status == 302)
    let halves = try #require(reply.location).split(separator: "?", maxSplits: 1)
    #expect(halves[0] == "https://tollbook.example/ebay/callback")
    return QueryText.parameters(String(halves[1]))
  }

  private func exchange(_ code: String, ruName: String = "Simulated-Tollbook-RuName") async
    -> EbayReply
  {
    await bench.mint(
      "grant_type=authorization_code&code=\(EbayReadingText.encoded(code))&redirect_uri=\(ruName)")
  }

  @Test func `an application token is good for 7200 seconds and then it is 401 with 1001`()
    async throws
  {
    let reply = await bench.mint(
      "grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope")
    let json = try reply.json()
    #expect(json["expires_in"]?.int == 7_200)
    #expect(json["token_type"]?.string == "Application Access Token")
    #expect(json["refresh_token"] == nil)
    let token = try #require(json["access_token"]?.string)
    #expect(token.hasPrefix("v^1.1#"))
    bench.clock.now += 7_199_999
    #expect(await bench.call(search, token: token).status == 200)
    bench.clock.now += 1
    let over = await bench.call(search, token: token)
    #expect(over.status == 401 && over.errorId == 1001)
    #expect(try over.json()["errors"]?[0]?["domain"]?.string == "OAuth")
  }

  @Test func `no token is 403 and a garbled or a changed one is 401`() async throws {
    let none = await bench.simulator.answer(
      path: "/buy/browse/v1/item_summary/search", query: bench.familySearch)
    #expect(none.status == 403 && none.errorId == 1002)
    let token = try await bench.token()
    for wrong in ["x", "", token + "0", String(token.dropLast()), token.uppercased()] {
      let reply = await bench.call(search, token: wrong)
      #expect(reply.status == 401 && reply.errorId == 1001, "\(wrong)")
    }
    #expect(bench.simulator.books.counted(.browse) == 0)
  }

  @Test(arguments: [
    "Basic", "Basic !!", "Bearer abc", "Basic bm9ib2R5", "Basic bm9ib2R5OngK",
  ])
  func `wrong keys are an invalid client in the shape of OAuth`(header: String) async throws {
    let reply = await bench.mint("grant_type=client_credentials", basic: header)
    #expect(reply.status == 401 && reply.oauthError == "invalid_client")
    #expect(
      try reply.json()["error_description"]?.string == "client authentication failed")
    #expect(try reply.json()["errors"] == nil)
  }

  @Test(
    arguments: [
      ("grant_type=password", "unsupported_grant_type"), ("scope=x", "invalid_request"),
      ("grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Fnone", "invalid_scope"),
      ("grant_type=authorization_code", "invalid_request"),
      ("grant_type=refresh_token", "invalid_request"),
      ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
      (
        "grant_type=authorization_code&code=x&redirect_uri=Simulated-Tollbook-RuName",
        "invalid_grant"
      ),
    ] as [(String, String)])
  func `a wrong request for a token is 400 and says what is wrong`(
    form: String, error: String
  ) async {
    let reply = await bench.mint(form)
    #expect(reply.status == 400 && reply.oauthError == error, "\(reply.text)")
    #expect(bench.simulator.books.days.allSatisfy { $0.minted.isEmpty })
  }

  @Test func `a form must say that it is one, and a secret may hold a colon`() async throws {
    let json = await bench.mint("grant_type=client_credentials", type: "application/json")
    #expect(json.status == 400 && json.oauthError == "invalid_request")
    _ = try await bench.token(1)
  }

  @Test func `a user consents, the code is exchanged once, and the refresh token stays`()
    async throws
  {
    let sent = try redirected(await consent())
    #expect(sent["state"] == "a state/1")
    let code = try #require(sent["code"])
    let reply = await exchange(code)
    let json = try reply.json()
    #expect(json["token_type"]?.string == "User Access Token")
    #expect(json["refresh_token_expires_in"]?.int == 47_304_000)
    #expect(await bench.call(search, token: json["access_token"]?.string ?? "").status == 200)
    let again = await exchange(code)
    #expect(again.status == 400 && again.oauthError == "invalid_grant")
    let refresh = try #require(json["refresh_token"]?.string)
    let form = "grant_type=refresh_token&refresh_token=\(EbayReadingText.encoded(refresh))"
    bench.clock.now += 300 * EbayBench.day
    for _ in 0..<2 {
      let renewed = try await bench.mint(form).json()
      #expect(renewed["refresh_token"] == nil)
      #expect(
        await bench.call(search, token: renewed["access_token"]?.string ?? "").status == 200)
    }
    let more = EbayReadingText.encoded(EbayScopes.application + "/sell.inventory")
    #expect(await bench.mint("\(form)&scope=\(more)").oauthError == "invalid_scope")
    bench.clock.now += 248 * EbayBench.day
    #expect(await bench.mint(form).oauthError == "invalid_grant")
  }

  @Test func `a code is good for 299 seconds, for its RuName and for its application`()
    async throws
  {
    let late = try redirected(await consent())["code"] ?? ""
    bench.clock.now += 299_000
    #expect(await exchange(late).oauthError == "invalid_grant")
    let code = try redirected(await consent())["code"] ?? ""
    bench.clock.now += 298_999
    #expect(await exchange(code, ruName: "other-name").oauthError == "invalid_grant")
    let form = "grant_type=authorization_code&redirect_uri=other-name&code="
    let stolen = await bench.mint(
      form + EbayReadingText.encoded(code), basic: bench.basic(1))
    #expect(stolen.oauthError == "invalid_grant")
    #expect(await exchange(code).status == 200)
  }

  @Test func `who says no is sent back without a code, by a query or by a condition`()
    async throws
  {
    let denied = try redirected(await consent { $0["deny"] = "1" })
    #expect(denied["error"] == "access_denied" && denied["code"] == nil)
    #expect(denied["state"] == "a state/1")
    bench.simulator.conditions.consentDenied = true
    #expect(try redirected(await consent())["error"] == "access_denied")
  }

  @Test func `a wrong request for consent is a page and no redirect`() async {
    for (name, value) in [
      ("client_id", "nobody"), ("redirect_uri", "https://evil.example"),
      ("response_type", "token"), ("scope", "everything"),
    ] {
      let reply = await consent { $0[name] = value }
      #expect(reply.status == 400 && reply.location == nil, "\(name)")
      #expect(reply.text.hasPrefix("<!DOCTYPE html>"))
    }
  }

  @Test func `without an accept address a page shows the code, escaped`() async {
    let bench = EbayBench { $0.applications = [EbayApplication()] }
    let reply = await bench.simulator.answer(
      path: "/oauth2/authorize",
      query: "client_id=Simulated-Tollbook-PRD-0001&redirect_uri=Simulated-Tollbook-RuName"
        + "&response_type=code&state=s")
    #expect(reply.status == 200)
    #expect(reply.text.contains("code=v%5E1.1") && reply.text.contains("&amp;state=s"))
  }

  @Test func `revoked refresh tokens are of no use and later ones are`() async throws {
    let first = try await exchange(redirected(await consent())["code"] ?? "").json()
    bench.clock.now += 1_000
    bench.simulator.conditions.refreshRevokedBefore = bench.clock.now
    let second = try await exchange(redirected(await consent())["code"] ?? "").json()
    for (tokens, isGood) in [(first, false), (second, true)] {
      let text = EbayReadingText.encoded(tokens["refresh_token"]?.string ?? "")
      let reply = await bench.mint("grant_type=refresh_token&refresh_token=\(text)")
      #expect((reply.status == 200) == isGood)
      let access = tokens["access_token"]?.string ?? ""
      #expect((await bench.call(search, token: access).status == 200) == isGood)
    }
  }

  @Test func `tokens of a day are limited for each grant, and the next day begins anew`()
    async throws
  {
    let bench = EbayBench { $0.mintLimits[.clientCredentials] = 3 }
    for _ in 0..<3 { _ = try await bench.token() }
    let form = "grant_type=client_credentials"
    let refused = await bench.mint(form)
    #expect(refused.status == 429)
    #expect(await bench.mint(form, basic: bench.basic(1)).status == 200)
    let books = bench.simulator.books
    #expect(books.minted(.clientCredentials) == 4 && books[.refused] == 1)
    // Midnight in California is 08:00 UTC in winter.
    bench.clock.now = 1_795_075_199_999
    #expect(await bench.mint(form).status == 429)
    bench.clock.now += 1
    #expect(await bench.mint(form).status == 200)
  }

  @Test func `the limits of eBay stand in the configuration`() {
    let configuration = EbaySimulatorConfiguration()
    #expect(
      configuration.mintLimits
        == [.clientCredentials: 1_000, .authorizationCode: 10_000, .refreshToken: 50_000])
    #expect(configuration.limits.values.allSatisfy { $0 == 5_000 })
    #expect(configuration.limits.count == EbayRoute.Resource.allCases.count)
  }

  @Test func `tokens outlive the process, but not another seed`() async throws {
    let token = try await bench.token()
    #expect(await EbayBench().call(search, token: token).status == 200)
    #expect(await EbayBench { $0.seed = 2 }.call(search, token: token).status == 401)
  }
}
