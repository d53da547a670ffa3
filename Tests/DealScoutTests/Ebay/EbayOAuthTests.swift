import Testing
import TollbookEvents

@testable import DealScout

@Suite struct EbayOAuthTests {
  static let userToken =
    #"{"access_token":"v^1.1#i^1#abc","expires_in":7200,"refresh_token":"v^1.1#r^1#def","#
    + #""refresh_token_expires_in":47304000,"token_type":"User Access Token"}"#
  private static let state = "0123456789abcdef0123456789abcdef"

  private func key() throws -> EbayKey {
    try EbayKey(clientId: "Acme-App-PRD-1", secret: EbaySecret("PRD-s3cret"))
  }

  @Test func `a token of the application is asked for as the sheet says`() throws {
    let request = EbayTokenRequest.application()
    #expect(
      request.form.text
        == "grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope")
    #expect(request.grant.dailyLimit == 1_000)
    // echo -n 'Acme-App-PRD-1:PRD-s3cret' | base64
    #expect(try key().authorization.text == "Basic QWNtZS1BcHAtUFJELTE6UFJELXMzY3JldA==")
  }

  @Test func `a code and a refresh token are encoded`() throws {
    let ruName = try EbayRuName("Acme-AcmeApp-PRD-abc")
    let code = try EbayTokenRequest.user(code: EbaySecret("v^1.1#i^1&x=+/"), ruName: ruName)
    #expect(
      code.form.text
        == "grant_type=authorization_code&code=v%5E1.1%23i%5E1%26x%3D%2B%2F"
        + "&redirect_uri=Acme-AcmeApp-PRD-abc")
    let all = try EbayTokenRequest.refresh(EbaySecret("v^1#r"))
    #expect(all.form.text == "grant_type=refresh_token&refresh_token=v%5E1%23r")
    let some = try EbayTokenRequest.refresh(
      EbaySecret("r"), scopes: [.marketplaceInsights, .application, .application])
    #expect(
      some.form.text.hasSuffix(
        "&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope%20https%3A%2F%2Fapi.ebay.com"
          + "%2Foauth%2Fapi_scope%2Fbuy.marketplace.insights"))
  }

  @Test func `no secret is ever printed`() throws {
    var texts: [String] = []
    let request = try EbayTokenRequest.refresh(EbaySecret("s3cret"))
    let token = try EbayTokenAnswer(
      Array(#"{"access_token":"s3cret","expires_in":60,"refresh_token":"s3cret"}"#.utf8))
    let answer = try EbayConsentAnswer([("code", "s3cret"), ("state", Self.state)])
    let state = try EbayConsent.State("s3cret-s3cret-s3cret")
    for value in [try key(), request, token, answer, state, EbaySecret("s3cret")] as [Any] {
      var dumped = ""
      dump(value, to: &dumped)
      texts += [dumped, "\(value)", String(reflecting: value)]
    }
    for text in texts { #expect(!text.contains("s3cret"), "\(text)") }
  }

  @Test(arguments: ["", "a:b", "a b", "a\n", "ü", String(repeating: "x", count: 257)])
  func `a client id that is none is refused`(_ id: String) {
    let fault = #expect(throws: EbayRequestFault.self) {
      try EbayKey(clientId: id, secret: EbaySecret("s"))
    }
    #expect(fault?.field == "client_id")
  }

  @Test(arguments: ["", "s3cret with blank", "s3cret\r\nX: y", "s3crét"])
  func `a secret that is none is refused and not shown`(_ secret: String) {
    let fault = #expect(throws: EbayRequestFault.self) {
      try EbayKey(clientId: "a", secret: EbaySecret(secret))
    }
    #expect(fault?.field == "client_secret")
    #expect(!"\(fault as Any)".contains("s3c"))
    let token = #expect(throws: EbayRequestFault.self) {
      try EbayTokenRequest.refresh(EbaySecret(secret))
    }
    #expect(token?.field == "refresh_token")
  }

  @Test(arguments: ["https://acme.example/callback", "", "a b", "a&b"])
  func `a RuName is no address`(_ text: String) {
    #expect(throws: EbayRequestFault.self) { try EbayRuName(text) }
  }

  @Test(arguments: [
    "https://api.ebay.com/oauth/api_scope/", "https://api.ebay.com/oauth/api_scopes", "x", "",
    "https://api.ebay.com/oauth/api_scope/a b", "http://api.ebay.com/oauth/api_scope",
  ])
  func `a scope is one of eBay's`(_ text: String) {
    #expect(throws: EbayRequestFault.self) { try EbayScope(text) }
  }

  @Test func `the page of the consent has every part`() throws {
    let scope = try EbayScope("https://api.ebay.com/oauth/api_scope/sell.inventory")
    let consent = EbayConsent(
      key: try key(), ruName: try EbayRuName("Acme-RuName"), scopes: [scope, .application],
      state: try EbayConsent.State(Self.state), asksForLogin: true)
    #expect(
      consent.url
        == "https://auth.ebay.com/oauth2/authorize?client_id=Acme-App-PRD-1"
        + "&redirect_uri=Acme-RuName&response_type=code"
        + "&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope%20https%3A%2F%2Fapi.ebay.com"
        + "%2Foauth%2Fapi_scope%2Fsell.inventory&state=\(Self.state)&prompt=login")
    let plain = EbayConsent(
      login: EbayEnvironment.sandbox.login, key: try key(), ruName: try EbayRuName("R"),
      scopes: [.application], state: try EbayConsent.State(Self.state))
    #expect(plain.url.hasPrefix("https://auth.sandbox.ebay.com/oauth2/authorize?"))
    #expect(!plain.url.contains("prompt"))
  }

  @Test(arguments: ["", "short", "0123456789abcde/", String(repeating: "x", count: 129)])
  func `a state that could be guessed or does harm is refused`(_ text: String) {
    let fault = #expect(throws: EbayRequestFault.self) { try EbayConsent.State(text) }
    #expect(fault?.field == "state")
  }

  @Test func `the redirect brings a code or a refusal`() throws {
    guard
      case .granted(let code, let state) = try EbayConsentAnswer([
        ("state", Self.state), ("code", "v^1.1#i"), ("expires_in", "299"),
      ])
    else {
      Issue.record("no code")
      return
    }
    #expect(code.text == "v^1.1#i" && state.text == Self.state)
    guard
      case .refused(let error, let other) = try EbayConsentAnswer([
        ("error", "access_denied\n"), ("state", Self.state),
      ])
    else {
      Issue.record("no refusal")
      return
    }
    #expect(error == "access_denied" && other?.text == Self.state)
  }

  @Test(
    arguments: [
      ([("code", "a")], "state"), ([("state", state)], "code"),
      ([("code", ""), ("state", state)], "code"),
      ([("code", "a"), ("code", "b"), ("state", state)], "code"),
      ([("code", "a"), ("state", "x")], "state"), ([], "state"),
      ([("code", String(repeating: "x", count: 20_000)), ("state", state)], "code"),
    ] as [([(String, String)], String)])
  func `a redirect that is none is refused`(_ items: [(String, String)], _ field: String) {
    let fault = #expect(throws: EbayRequestFault.self) {
      try EbayConsentAnswer(items.map { (name: $0.0, value: $0.1) })
    }
    #expect(fault?.field == field)
  }

  @Test func `tokens are read`() throws {
    let application = try EbayTokenAnswer(
      Array(
        #"{"access_token":"v^1.1#…","expires_in":7200,"token_type":"Application Access Token"}"#
          .replacing("…", with: "x").utf8))
    #expect(application.accessToken.text == "v^1.1#x")
    #expect(application.authorization.text == "Bearer v^1.1#x")
    #expect(application.expiresIn == 7_200 && application.refreshToken == nil)
    let user = try EbayTokenAnswer(Array(Self.userToken.utf8))
    #expect(user.refreshToken?.text == "v^1.1#r^1#def")
    #expect(user.refreshTokenExpiresIn == 47_304_000)
    let now = Timestamp(milliseconds: 1_790_000_000_000)
    #expect(user.ends(from: now).milliseconds == 1_790_007_200_000)
    #expect(user.renewal(from: now).milliseconds == 1_790_006_900_000)
    #expect(user.refreshEnds(from: now)?.milliseconds == 1_837_304_000_000)
    let short = try EbayTokenAnswer(Array(#"{"access_token":"a","expires_in":60}"#.utf8))
    #expect(short.renewal(from: now).milliseconds == 1_790_000_030_000)
  }

  @Test(arguments: [
    (#"{"expires_in":7200}"#, "access_token"), (#"{"access_token":"a"}"#, "expires_in"),
    (#"{"access_token":"","expires_in":7200}"#, "access_token"),
    (#"{"access_token":"a","expires_in":0}"#, "expires_in"),
    (#"{"access_token":"a","expires_in":-1}"#, "expires_in"),
    (#"{"access_token":"a","expires_in":604801}"#, "expires_in"),
    (#"{"access_token":"a","expires_in":1e999}"#, "expires_in"),
    (#"{"access_token":"a","expires_in":"7200"}"#, "expires_in"),
    (#"{"access_token":"s3cret\r\nX: y","expires_in":7200}"#, "access_token"),
    (#"{"access_token":7,"expires_in":7200}"#, "access_token"),
    (#"{"access_token":"a","access_token":"b","expires_in":7200}"#, "access_token"),
    (
      #"{"access_token":"a","expires_in":7200,"refresh_token_expires_in":0}"#,
      "refresh_token_expires_in"
    ),
    ("", ""), ("[]", ""), (#"{"access_token":"a""#, ""),
  ])
  func `a token that is none is refused and not shown`(_ text: String, _ place: String) {
    let error = #expect(throws: EbayReadingError.self) { try EbayTokenAnswer(Array(text.utf8)) }
    #expect(error?.place == place)
    #expect(!"\(error as Any)".contains("s3cret"))
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("ü?>", "w7w/Pg=="),
  ])
  func `base64 is that of RFC 4648`(_ text: String, _ coded: String) {
    #expect(EbayText.base64(text) == coded)
  }

  @Test func `percent encoding reads back`() {
    let text = String(String.UnicodeScalarView((0...0x2FF).compactMap(Unicode.Scalar.init)))
    let coded = EbayText.percentEncoded(text)
    #expect(EbayText.percentDecoded(coded) == text)
    #expect(EbayText.percentEncoded(" ~*+") == "%20~%2A%2B")
    for bad in ["%", "%4", "%zz", "%ff", "a%C3"] { #expect(EbayText.percentDecoded(bad) == nil) }
  }
}
