private import FoundationEssentials
import JSONText

/// An error of OAuth (RFC 6749, section 5.2).
struct EbayOAuthError: Error, Equatable {
  var status = 400
  let error: String
  let description: String

  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("error", error)
      json.field("error_description", description)
    }
    return json.bytes
  }

  static let invalidClient = EbayOAuthError(
    status: 401, error: "invalid_client", description: "client authentication failed")
  static let unsupportedGrant = EbayOAuthError(
    error: "unsupported_grant_type", description: "grant type in request is not supported")
  static let invalidScope = EbayOAuthError(
    error: "invalid_scope",
    description:
      "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the"
      + " client"
  )
  static let mintedOut = EbayOAuthError(
    status: 429, error: "invalid_request",
    description: "The daily limit of tokens for this grant has been reached")
  static let serverError = EbayOAuthError(
    status: 500, error: "server_error", description: "An internal error occurred")

  static func invalidRequest(_ description: String) -> EbayOAuthError {
    EbayOAuthError(error: "invalid_request", description: description)
  }

  static func invalidGrant(_ description: String) -> EbayOAuthError {
    EbayOAuthError(error: "invalid_grant", description: description)
  }
}

/// A request for a token, read.
struct EbayTokenCall: Sendable {
  let application: Int
  let grant: EbayGrant
  let form: [String: String]

  /// Reads the headers and the form of `POST /identity/v1/oauth2/token`.
  init(
    headers: [String: String], body: [UInt8], _ applications: [EbayApplication]
  ) throws(EbayOAuthError) {
    guard let index = Self.application(headers["authorization"], applications) else {
      throw .invalidClient
    }
    application = index
    let type = headers["content-type"]?.lowercased() ?? ""
    guard type.hasPrefix("application/x-www-form-urlencoded") else {
      throw .invalidRequest("the content type must be application/x-www-form-urlencoded")
    }
    form = QueryText.parameters(String(decoding: body, as: UTF8.self))
    guard let name = form["grant_type"], !name.isEmpty else {
      throw .invalidRequest("'grant_type' is missing")
    }
    guard let grant = EbayGrant(rawValue: name) else { throw .unsupportedGrant }
    self.grant = grant
  }

  /// The application whose id and secret the header `Authorization: Basic …` has.
  private static func application(
    _ header: String?, _ applications: [EbayApplication]
  ) -> Int? {
    guard let header, header.utf8.count <= 4_096, header.lowercased().hasPrefix("basic "),
      let data = Data(base64Encoded: String(header.dropFirst(6)))
    else { return nil }
    let halves = String(decoding: data, as: UTF8.self)
      .split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2 else { return nil }
    return applications.firstIndex {
      $0.clientId == halves[0] && $0.clientSecret == halves[1]
    }
  }
}

/// Codes and tokens: what was used, what the next serial is.
struct EbayMint: Sendable {
  let seed: UInt64
  private var serial = 0
  /// Codes that were exchanged, and when they were minted; as long as they would be good.
  private var used: [String: Int64] = [:]

  init(seed: UInt64) { self.seed = seed }

  /// Writes a token or a code.
  mutating func mint(
    _ kind: EbayToken.Kind, application: Int, scopes: UInt64, at now: Int64
  ) -> String {
    serial += 1
    return EbayToken(
      kind: kind, application: application, minted: now, serial: serial, scopes: scopes
    ).text(seed: seed)
  }

  /// What a request is given: the scopes that it may have.
  ///
  /// A code is used up by this.
  mutating func scopes(
    of request: EbayTokenCall, _ application: EbayApplication, _ conditions: EbayConditions,
    at now: Int64
  ) throws(EbayOAuthError) -> UInt64 {
    let asked = request.form["scope"]
    switch request.grant {
    case .clientCredentials:
      guard
        let bits = EbayScopes.bits(
          asked ?? "", isUser: false, hasInsights: conditions.insightsGranted)
      else { throw .invalidScope }
      return bits
    case .authorizationCode:
      guard let text = request.form["code"], !text.isEmpty else {
        throw .invalidRequest("'code' is missing")
      }
      guard request.form["redirect_uri"] == application.ruName else {
        throw .invalidGrant("the provided redirect_uri does not match the application's RuName")
      }
      let code = EbayToken(text, seed: seed)
      guard let code, code.kind == .code, code.application == request.application,
        code.isGood(at: now), used[text] == nil
      else {
        throw .invalidGrant(
          "the provided authorization grant code is invalid or was issued to another client")
      }
      used = used.filter { now - $0.value < EbayToken.Kind.code.life }
      used[text] = code.minted
      return code.scopes
    case .refreshToken:
      guard let text = request.form["refresh_token"], !text.isEmpty else {
        throw .invalidRequest("'refresh_token' is missing")
      }
      let token = EbayToken(text, seed: seed)
      guard let token, token.kind == .refresh, token.application == request.application,
        token.isGood(at: now), token.minted >= conditions.refreshRevokedBefore ?? .min
      else {
        throw .invalidGrant(
          "the provided authorization refresh token is invalid or was issued to another client")
      }
      guard let asked, !asked.isEmpty else { return token.scopes }
      guard let bits = EbayScopes.bits(asked, isUser: true, hasInsights: true),
        bits & ~token.scopes == 0
      else { throw .invalidScope }
      return bits
    }
  }

  /// The body of an answer with tokens.
  mutating func answer(
    _ request: EbayTokenCall, scopes: UInt64, at now: Int64
  ) -> [UInt8] {
    let isUser = request.grant != .clientCredentials
    let kind: EbayToken.Kind = isUser ? .user : .application
    let access = mint(kind, application: request.application, scopes: scopes, at: now)
    let refresh =
      request.grant == .authorizationCode
      ? mint(.refresh, application: request.application, scopes: scopes, at: now) : nil
    var json = JSONWriter(capacity: 512)
    json.object { json in
      json.field("access_token", access)
      json.field("expires_in", kind.life / 1_000)
      if let refresh {
        json.field("refresh_token", refresh)
        json.field("refresh_token_expires_in", EbayToken.Kind.refresh.life / 1_000)
      }
      json.field("token_type", isUser ? "User Access Token" : "Application Access Token")
    }
    return json.bytes
  }
}
