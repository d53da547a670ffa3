import JSONText
import TollbookEvents

/// The consent of a user of eBay's that an account has, with the tokens, as it is kept.
struct EbayUser: Hashable, Sendable {
  struct Tokens: Hashable, Sendable {
    var access: EbaySecret
    var accessEnds: Timestamp
    /// From when on another one is asked for.
    var renewal: Timestamp
    var refresh: EbaySecret
    /// Nil: eBay has not told.
    var refreshEnds: Timestamp?

    /// What came in the answer to a request of a code or of a refresh token, which brings no refresh token anew.
    ///
    /// - Parameter before: what there was.
    /// - Returns: nil: there is no refresh token.
    init?(_ answer: EbayTokenAnswer, received: Timestamp, after before: Tokens? = nil) {
      guard let refresh = answer.refreshToken ?? before?.refresh else { return nil }
      access = answer.accessToken
      accessEnds = answer.ends(from: received)
      renewal = answer.renewal(from: received)
      self.refresh = refresh
      refreshEnds = answer.refreshEnds(from: received) ?? before?.refreshEnds
    }
  }

  /// The App ID that it was given to.
  let application: String
  let scopes: [String]
  let connected: Timestamp
  /// Nil: eBay takes them no more, and the user has to consent anew.
  var tokens: Tokens?

  init(
    application: String, scopes: [EbayScope], connected: Timestamp, tokens: Tokens
  ) {
    self.application = application
    self.scopes = scopes.map(\.description)
    self.connected = connected
    self.tokens = tokens
  }

  /// The tokens, if they can still be renewed.
  func tokens(at now: Timestamp) -> Tokens? {
    guard let tokens, tokens.refreshEnds.map({ now < $0 }) ?? true else { return nil }
    return tokens
  }

  // MARK: As it is kept

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("application", application)
      json.array("scopes", scopes) { json, scope in json.string(scope) }
      json.field("connected_at_ms", connected.milliseconds)
      guard let tokens else { return }
      json.field("access_token", tokens.access.text)
      json.field("access_ends_ms", tokens.accessEnds.milliseconds)
      json.field("renewal_ms", tokens.renewal.milliseconds)
      json.field("refresh_token", tokens.refresh.text)
      json.fieldIfPresent("refresh_ends_ms", tokens.refreshEnds?.milliseconds)
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8]) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 3, maximumValues: 100).root,
      let application = root["application"]?.string, let scopes = root["scopes"]?.array,
      let connected = root["connected_at_ms"]?.int64
    else { return nil }
    self.application = application
    self.scopes = scopes.compactMap(\.string)
    self.connected = Timestamp(milliseconds: connected)
    tokens = Tokens(root)
  }
}

extension EbayUser.Tokens {
  fileprivate init?(_ root: JSONValue) {
    guard let access = root["access_token"]?.string, let refresh = root["refresh_token"]?.string,
      let accessEnds = root["access_ends_ms"]?.int64, let renewal = root["renewal_ms"]?.int64
    else { return nil }
    self.access = EbaySecret(access)
    self.accessEnds = Timestamp(milliseconds: accessEnds)
    self.renewal = Timestamp(milliseconds: renewal)
    self.refresh = EbaySecret(refresh)
    refreshEnds = root["refresh_ends_ms"]?.int64.map { Timestamp(milliseconds: $0) }
  }
}
