/// Where eBay's production or its sandbox is reached. Each has keys and RuNames of its own.
package enum EbayEnvironment: String, Hashable, Sendable, CaseIterable {
  case production
  case sandbox

  /// Of the APIs and of tokens.
  package var api: String {
    self == .production ? "https://api.ebay.com" : "https://api.sandbox.ebay.com"
  }

  /// Where users log in and consent.
  package var login: String {
    self == .production ? "https://auth.ebay.com" : "https://auth.sandbox.ebay.com"
  }
}

/// What a token may be used for. The text is the same in the sandbox.
package struct EbayScope: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  private static let root = "https://api.ebay.com/oauth/api_scope"

  /// What everybody may read; enough to search.
  package static let application = EbayScope(known: root)
  package static let marketplaceInsights = EbayScope(known: root + "/buy.marketplace.insights")

  private init(known text: String) { description = text }

  /// - Throws: the text is no scope of eBay's.
  package init(_ text: String, field: String = "scope") throws(EbayRequestFault) {
    let rest = text.utf8.dropFirst(Self.root.utf8.count)
    guard text.hasPrefix(Self.root), text.utf8.count <= 200,
      rest.isEmpty || (rest.first == UInt8(ascii: "/") && rest.count > 1),
      rest.allSatisfy({ EbayText.isUnreserved($0) || $0 == UInt8(ascii: "/") })
    else {
      throw EbayRequestFault(.form(text, expected: "a scope such as \(Self.root)"), of: field)
    }
    description = text
  }

  /// As the parameter writes several, each once: the order says nothing.
  static func text(_ scopes: [EbayScope]) -> String {
    Set(scopes.map(\.description)).sorted().joined(separator: " ")
  }
}

/// The client id and secret of an application.
package struct EbayKey: Hashable, Sendable, CustomStringConvertible {
  /// The App ID.
  package let clientId: String
  /// The Cert ID.
  package let secret: EbaySecret

  /// - Throws: one of them is empty, too long, or has characters that no key has.
  package init(clientId: String, secret: EbaySecret) throws(EbayRequestFault) {
    // A colon would end the client id (RFC 7617, section 2).
    try Self.check(clientId, "client_id", hidden: false) { $0 != UInt8(ascii: ":") }
    try Self.check(secret.text, "client_secret", hidden: true) { _ in true }
    self.clientId = clientId
    self.secret = secret
  }

  package var description: String { clientId }

  /// The value of the header `Authorization` of token requests.
  package var authorization: EbaySecret {
    EbaySecret("Basic \(EbayText.base64("\(clientId):\(secret.text)"))")
  }

  /// A fault never shows what is hidden.
  fileprivate static func check(
    _ text: String, _ field: String, hidden: Bool, most: Int = 256,
    _ allows: (UInt8) -> Bool
  ) throws(EbayRequestFault) {
    guard !text.isEmpty else { throw EbayRequestFault(.empty, of: field) }
    guard text.utf8.count <= most else {
      throw EbayRequestFault(.tooLong(text.utf8.count, most: most, of: "bytes"), of: field)
    }
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && allows($0) }) else {
      let expected = "visible characters of ASCII"
      throw EbayRequestFault(
        hidden ? .secretForm(expected: expected) : .form(text, expected: expected), of: field)
    }
  }
}

/// A request for a token: `POST` to ``path`` with ``form`` as `application/x-www-form-urlencoded` and the key's header.
package struct EbayTokenRequest: Sendable {
  package static let path = "/identity/v1/oauth2/token"
  package static let contentType = "application/x-www-form-urlencoded"
  /// The longest code or token, in bytes.
  package static let mostBytes = 16 << 10

  package enum Grant: String, Hashable, Sendable {
    case clientCredentials = "client_credentials"
    case authorizationCode = "authorization_code"
    case refreshToken = "refresh_token"

    /// How many tokens eBay mints of this sort for an application in a day.
    package var dailyLimit: Int64 {
      switch self {
      case .clientCredentials: 1_000
      case .authorizationCode: 10_000
      case .refreshToken: 50_000
      }
    }
  }

  package let grant: Grant
  /// The body. It holds the code or the refresh token.
  package let form: EbaySecret

  /// A token of the application itself.
  package static func application(scopes: [EbayScope] = [.application]) -> Self {
    Self(.clientCredentials, [("scope", EbayScope.text(scopes))])
  }

  /// A token of the user who consented.
  ///
  /// - Parameters:
  ///   - code: as it came in the query of the redirect, decoded. It can be used once.
  ///   - ruName: the same as of the consent.
  package static func user(
    code: EbaySecret, ruName: EbayRuName
  ) throws(EbayRequestFault) -> Self {
    try EbayKey.check(code.text, "code", hidden: true, most: mostBytes) { _ in true }
    return Self(
      .authorizationCode, [("code", code.text), ("redirect_uri", ruName.description)])
  }

  /// Another token of the same user.
  ///
  /// - Parameter scopes: some of those that were consented to; none: all of them.
  package static func refresh(
    _ token: EbaySecret, scopes: [EbayScope] = []
  ) throws(EbayRequestFault) -> Self {
    try EbayKey.check(token.text, "refresh_token", hidden: true, most: mostBytes) { _ in true }
    let scope = scopes.isEmpty ? [] : [(name: "scope", value: EbayScope.text(scopes))]
    return Self(.refreshToken, [("refresh_token", token.text)] + scope)
  }

  private init(_ grant: Grant, _ items: [(name: String, value: String)]) {
    self.grant = grant
    form = EbaySecret(EbayText.form([("grant_type", grant.rawValue)] + items))
  }
}

/// What eBay calls an application's redirect: a name such as `Acme-AcmeApp-PRD-abc123`, which stands where OAuth has an
/// address.
package struct EbayRuName: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  /// - Throws: the text is no such name, as when it is an address.
  package init(_ text: String, field: String = "redirect_uri") throws(EbayRequestFault) {
    guard 1...200 ~= text.utf8.count, text.utf8.allSatisfy(EbayText.isUnreserved) else {
      throw EbayRequestFault(.form(text, expected: "a RuName, which is no address"), of: field)
    }
    description = text
  }
}
