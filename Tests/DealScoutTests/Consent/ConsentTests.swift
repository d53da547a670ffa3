import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

/// `GET /ebay/authorize` and `GET /ebay/callback`, against a simulated eBay.
@Suite struct `Consent of a user of eBay` {
  // MARK: The way

  @Test func `who consents is connected, and each token is a call in the books`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      let before = try await client.send(.get, "/ebay/account")
      #expect(before["connected"]?.bool == false)
      #expect(before.string("state") == "not_connected")
      #expect(try await browser.get("/deals").text.contains(">Connect eBay</a>"))

      let left = try await browser.get("/ebay/authorize")
      let cookie = try #require(left.headers[.setCookie])
      #expect(cookie.hasPrefix("tollbook_journey="))
      #expect(cookie.hasSuffix("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"), "\(cookie)")
      let query = try await browser.begin()
      #expect(ConsentBrowser.parameter("redirect_uri", of: query) == EbayApplication().ruName)
      #expect(ConsentBrowser.parameter("client_id", of: query) == EbayApplication().clientId)
      #expect(
        ConsentBrowser.parameter("scope", of: query)
          == "https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope")
      let back = try await browser.follow(browser.consent(query))
      #expect(back.status == 200, "\(back.text)")
      #expect(back.text.contains("eBay is connected"))

      let account = try await client.send(.get, "/ebay/account")
      #expect(account["connected"]?.bool == true, "\(account.text)")
      #expect(account.string("scopes.0") == "https://api.ebay.com/oauth/api_scope")
      #expect(account.string("access_until") == "2026-11-21T10:00:00.000Z")
      #expect(account.string("consent_until") == "2028-05-21T20:00:00.000Z")
      #expect(try await browser.get("/deals").text.contains("A user of eBay is connected"))
      #expect(stand.simulator.books.minted(.authorizationCode) == 1)
      #expect(stand.simulator.books.minted(.clientCredentials) == 0)
      #expect(try stand.settled("tokens_minted") == 1)
      let audit = try await client.send(.get, "/audit?by=operation")
      #expect(audit.text.contains("ebay.consent"), "\(audit.text)")

      // It is a token of the user's.
      let token = try #require(try stand.user()?.tokens?.access.text)
      let own = await stand.simulator.answer(
        path: "/developer/analytics/v1_beta/user_rate_limit/",
        headers: ["authorization": "Bearer \(token)"])
      #expect(own.status == 200)
    }
  }

  @Test func `code and state can be carried by hand, as they stand in the address`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      for isCoded in [true, false] {
        let address = try await browser.allow()
        let coded = try #require(ConsentBrowser.parameter("code", of: address))
        #expect(coded.contains("%23"))
        let code = isCoded ? coded : EbayText.percentDecoded(coded)
        let state = ConsentBrowser.parameter("state", of: address)
        let body = #"{"code":"\#(code ?? "")","state":"\#(state ?? "")"}"#
        let done = try await client.send(.post, "/ebay/exchange", body)
        #expect(done.status == 200, "\(done.text)")
        #expect(done["connected"]?.bool == true)
        // The state counts once.
        let again = try await client.send(.post, "/ebay/exchange", body)
        #expect(again.status == 400)
        #expect(again.string("reason") == "state_unknown")
      }
      #expect(stand.simulator.books.minted(.authorizationCode) == 2)
    }
  }

  @Test func `where access keys are needed, who signs in begins, and eBay's redirect needs no key`()
    async throws
  {
    try await DealScoutStand.consenting({ $0.accessKey = "root-key" }) { stand, client in
      let key = try await stand.open("acme")
      var stranger = ConsentBrowser(stand, client)
      let refused = try await stranger.get("/ebay/authorize")
      #expect(refused.status == 303)
      #expect(refused.headers[.location] == "/sign-in?next=%2Febay%2Fauthorize")
      #expect(stand.scout.consents.open.count == 0)

      var browser = ConsentBrowser(stand, client, key: key)
      let query = try await browser.begin()
      browser.key = nil
      let back = try await browser.follow(browser.consent(query))
      #expect(back.status == 200, "\(back.text)")
      #expect(back.text.contains("<code>acme</code>"))
      #expect(try stand.user(of: "acme") != nil)
      #expect(try stand.user(of: "default") == nil)
    }
  }

  @Test
  func
    `a link on another site begins nothing, and nothing is ended by looking whether it is there`()
    async throws
  {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      let lured = try await browser.follow("/ebay/authorize")
      #expect(lured.status == 403, "\(lured.text)")
      #expect(stand.scout.consents.open.count == 0)
      let address = try await browser.allow()
      #expect(try await browser.follow(address, method: .head).status != 200)
      #expect(stand.scout.consents.open.count == 1)
      #expect(try await browser.follow(address).status == 200)
    }
  }

  // MARK: What is refused

  @Test func `a code that was used does not count again, and what is connected stays`()
    async throws
  {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      let address = try await browser.allow()
      #expect(try await browser.follow(address).status == 200)
      let kept = try stand.user()
      let code = ConsentBrowser.parameter("code", of: address) ?? ""
      let state = ConsentBrowser.parameter("state", of: try await browser.begin()) ?? ""
      let again = try await browser.follow("/ebay/callback?code=\(code)&state=\(state)")
      #expect(again.status == 409)
      #expect(again.text.contains("each can be used once"), "\(again.text)")
      #expect(try stand.user() == kept)
      #expect(stand.simulator.books.minted(.authorizationCode) == 1)
      #expect(try stand.settled("tokens_minted") == 1)
      let byHand = ConsentBrowser.parameter("state", of: try await browser.begin()) ?? ""
      let carried = try await client.send(
        .post, "/ebay/exchange", #"{"code":"\#(code)","state":"\#(byHand)"}"#)
      #expect(carried.status == 409)
      #expect(carried.string("reason") == "code_rejected")
    }
  }

  @Test(arguments: [
    "/ebay/callback?code=v%5E1&state=0123456789abcdef0123456789abcdef",
    "/ebay/callback?code=v%5E1&state=short", "/ebay/callback?code=v%5E1", "/ebay/callback",
    "/ebay/callback?state=0123456789abcdef0123456789abcdef",
    "/ebay/callback?code=a&code=b&state=0123456789abcdef0123456789abcdef",
  ])
  func `a redirect that nobody has begun buys nothing`(path: String) async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      _ = try await browser.begin()
      let refused = try await browser.follow(path)
      #expect(refused.status == 400, "\(refused.text)")
      #expect(refused.text.contains("<title>"))
      #expect(stand.simulator.books.count == 0)
      #expect(stand.scout.consents.open.count == 1)
    }
  }

  @Test func `a state is used once`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      let query = try await browser.begin()
      #expect(try await browser.follow(browser.consent(query)).status == 200)
      // eBay gives another code for the same request.
      let again = try await browser.follow(browser.consent(query))
      #expect(again.status == 400)
      #expect(again.text.contains("it was used already"), "\(again.text)")
      #expect(stand.simulator.books.minted(.authorizationCode) == 1)
    }
  }

  @Test func `a state counts for ten minutes`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      for (wait, status) in [(599_999 as Int64, 200), (600_000, 400)] {
        let query = try await browser.begin()
        stand.time.advance(byMilliseconds: wait)
        #expect(try await browser.follow(browser.consent(query)).status == status, "\(wait)")
      }
      #expect(stand.simulator.books.minted(.authorizationCode) == 1)
    }
  }

  @Test func `a state of another account counts for nobody else`() async throws {
    try await DealScoutStand.consenting({ $0.accessKey = "root-key" }) { stand, client in
      var own = ConsentBrowser(stand, client, key: try await stand.open("acme"))
      var other = ConsentBrowser(stand, client, key: try await stand.open("zenith"))
      let address = try await own.allow()
      let code = ConsentBrowser.parameter("code", of: address) ?? ""
      let state = ConsentBrowser.parameter("state", of: address) ?? ""
      let body = #"{"code":"\#(code)","state":"\#(state)"}"#
      let taken = try await other.post("/ebay/exchange", body)
      #expect(taken.status == 400, "\(taken.text)")
      #expect(taken.string("reason") == "state_unknown")
      let named = try await other.post(
        "/ebay/exchange", #"{"code":"\#(code)","state":"\#(state)","account":"acme"}"#)
      #expect(named.status == 403)
      #expect(try await other.get("/ebay/account?account=acme").status == 403)
      #expect(stand.simulator.books.minted(.authorizationCode) == 0)
      #expect(try await own.post("/ebay/exchange", body).status == 200)
      #expect(try stand.user(of: "acme") != nil)
      #expect(try stand.user(of: "zenith") == nil)
    }
  }

  @Test func `a callback to another browser connects nothing`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      let address = try await browser.allow()
      var other = ConsentBrowser(stand, client)
      let without = try await other.follow(address)
      #expect(without.status == 400)
      #expect(without.text.contains("in another browser"), "\(without.text)")
      _ = try await other.begin()
      #expect(try await other.follow(address).status == 400)
      #expect(try stand.user() == nil)
      #expect(stand.simulator.books.minted(.authorizationCode) == 0)
      #expect(try await browser.follow(address).status == 200)
    }
  }

  @Test func `a consent that is refused connects nothing, and says so`() async throws {
    try await DealScoutStand.consenting { stand, client in
      stand.simulator.conditions.consentDenied = true
      var browser = ConsentBrowser(stand, client)
      let refused = try await browser.connect()
      #expect(refused.text.contains("The consent was refused"), "\(refused.text)")
      #expect(refused.text.contains("<code>access_denied</code>"))
      #expect(try stand.user() == nil)
      #expect(stand.scout.consents.open.count == 0)
      #expect(stand.simulator.books.minted(.authorizationCode) == 0)
      let hostile = try await browser.follow("/ebay/callback?error=%3Cscript%3E")
      #expect(hostile.text.contains("<code>&lt;script&gt;</code>"))
    }
  }

  @Test func `of words of eBay's that repeat a code nothing is written down`() async throws {
    try await DealScoutStand.consenting({ $0.simulator.mintLimits[.authorizationCode] = 0 }) {
      stand, client in
      var browser = ConsentBrowser(stand, client)
      let refused = try await browser.connect()
      #expect(refused.status == 429, "\(refused.text)")
      #expect(!refused.text.contains("daily limit of tokens for this grant"))
      #expect(try stand.user() == nil)
      #expect(try stand.settled("tokens_minted") == 0)
    }
  }

  @Test func `without a key or a RuName it is said which setting is missing`() async throws {
    for (key, field) in [("", "EBAY_APP_ID"), (EbaySimulator.sampleKey, "EBAY_RUNAME")] {
      try await DealScoutStand.serving({ $0.key = key }) { stand, client in
        let refused = try await client.send(.get, "/ebay/authorize")
        #expect(refused.status == 503)
        #expect(refused.string("field") == field, "\(refused.text)")
        #expect(refused.string("detail")?.contains(field) == true)
        #expect(refused.string("reason") == "upstream_not_configured")
        let refresh = try await client.send(.post, "/ebay/refresh", "{}")
        #expect(refresh.string("field") == field)
        var browser = ConsentBrowser(stand, client)
        #expect(try await !browser.get("/deals").text.contains("Connect eBay"))
        #expect(stand.scout.consents.open.count == 0)
      }
    }
  }

  @Test func `a RuName that is an address is said to be none`() async throws {
    try await DealScoutStand.serving({ $0.ruName = "https://acme.example/callback" }) {
      _, client in
      let refused = try await client.send(.get, "/ebay/authorize")
      #expect(refused.status == 503)
      #expect(refused.string("field") == "EBAY_RUNAME", "\(refused.text)")
    }
  }

  @Test func `a key that may not buy, or may buy some kinds alone, begins nothing`() async throws {
    try await DealScoutStand.consenting({ $0.accessKey = "root-key" }) { stand, client in
      for key in [
        try await stand.open("acme", scopes: ["read"]),
        try await stand.open("zenith", kinds: ["ebay.search"]),
      ] {
        var browser = ConsentBrowser(stand, client, key: key)
        #expect(try await browser.get("/ebay/authorize").status == 403)
      }
      #expect(stand.scout.consents.open.count == 0)
    }
  }

  @Test func `of an account that was closed meanwhile nothing is bought`() async throws {
    try await DealScoutStand.consenting({ $0.accessKey = "root-key" }) { stand, client in
      var browser = ConsentBrowser(stand, client, key: try await stand.open("acme"))
      let address = try await browser.allow()
      browser.key = nil
      try await CloseAccount(id: "acme", actor: "test").run(on: stand.log)
      let refused = try await browser.follow(address)
      #expect(refused.status == 403, "\(refused.text)")
      #expect(stand.simulator.books.minted(.authorizationCode) == 0)
      #expect(try stand.user(of: "acme") == nil)
    }
  }

  // MARK: Bounds

  @Test func `a hundred are open at most, and of one account ten`() throws {
    let open = OpenConsents(random: { AccessKey.systemRandom($0) })
    var first: EbayConsent.State?
    for account in 0..<10 {
      for _ in 0..<10 {
        let state = try open.begin(
          by: Principal(account: "account \(account)"), browser: "b", at: 1_000)
        first = first ?? state
      }
    }
    #expect(open.count == 100)
    let refused = #expect(throws: Problem.self) {
      try open.begin(by: Principal(account: "other"), browser: "b", at: 2_000)
    }
    #expect(refused?.status == .tooManyRequests)
    #expect(refused?.headers[.retryAfter] == "599")
    // Of its own an account gives up the first.
    _ = try open.begin(by: Principal(account: "account 0"), browser: "b", at: 3_000)
    #expect(open.count == 100)
    let state = try #require(first)
    #expect(throws: Problem.self) { try open.take(state, .account("account 0"), at: 3_000) }
    // Those whose time is over make room.
    _ = try open.begin(by: Principal(account: "other"), browser: "b", at: 601_000)
    #expect(open.count == 2)
  }

  @Test func `states are as random as what is injected`() throws {
    let open = OpenConsents(random: { Array(repeating: 7, count: $0) })
    let state = try open.begin(by: Principal(account: "a"), browser: "b", at: 0)
    #expect(state.text == String(repeating: "07", count: 32))
  }
}
