import TollbookEvents

/// The page where a user lets an application act for them.
package struct EbayConsent: Sendable {
  /// What binds eBay's redirect to whoever asked: 16 to 128 letters, digits and `-._~`, not to be guessed.
  package struct State: Hashable, Sendable, CustomStringConvertible {
    private let secret: EbaySecret

    package var text: String { secret.text }

    package init(_ text: String, field: String = "state") throws(EbayRequestFault) {
      guard 16...128 ~= text.utf8.count, text.utf8.allSatisfy(EbayText.isUnreserved) else {
        throw EbayRequestFault(
          .secretForm(expected: "16 to 128 letters, digits or -._~"), of: field)
      }
      secret = EbaySecret(text)
    }

    package var description: String { "(state)" }
  }

  /// Where the browser is sent.
  package let url: String

  /// - Parameters:
  ///   - login: of the environment, or of a stand-in, without a slash at the end.
  ///   - asksForLogin: whether a user who is logged in logs in again (`prompt=login`).
  package init(
    login: String = EbayEnvironment.production.login, key: EbayKey, ruName: EbayRuName,
    scopes: [EbayScope], state: State, asksForLogin: Bool = false
  ) {
    var items = [
      (name: "client_id", value: key.clientId), ("redirect_uri", ruName.description),
      ("response_type", "code"), ("scope", EbayScope.text(scopes)), ("state", state.text),
    ]
    if asksForLogin { items.append(("prompt", "login")) }
    url = "\(login)/oauth2/authorize?\(EbayText.form(items))"
  }
}

/// What eBay's redirect says in its query, or a person who carries it by hand.
package enum EbayConsentAnswer: Sendable {
  case granted(code: EbaySecret, state: EbayConsent.State)
  /// The user said no, or eBay did. The words are eBay's, on one line.
  case refused(error: String, state: EbayConsent.State?)

  /// - Parameter items: the query in its order, decoded.
  /// - Throws: a parameter that is missing, doubled or not what it should be.
  package init(_ items: [(name: String, value: String)]) throws(EbayRequestFault) {
    var values: [String: String] = [:]
    for (name, value) in items where ["code", "state", "error"].contains(name) {
      guard values.updateValue(value, forKey: name) == nil else {
        throw EbayRequestFault(.twice, of: name)
      }
    }
    if let error = values["error"] {
      let state = values["state"].flatMap { try? EbayConsent.State($0) }
      self = .refused(error: error.inOneLine(atMost: 100), state: state)
      return
    }
    guard let state = values["state"] else { throw EbayRequestFault(.missing, of: "state") }
    guard let code = values["code"] else { throw EbayRequestFault(.missing, of: "code") }
    guard !code.isEmpty else { throw EbayRequestFault(.empty, of: "code") }
    guard code.utf8.count <= EbayTokenRequest.mostBytes else {
      throw EbayRequestFault(
        .tooLong(code.utf8.count, most: EbayTokenRequest.mostBytes, of: "bytes"), of: "code")
    }
    self = .granted(code: EbaySecret(code), state: try EbayConsent.State(state))
  }
}
