/// Answers `/oauth2/authorize`: the page where a user consents. This one asks nobody and redirects at once.
struct EbayConsentWork: Sendable {
  /// What the page comes to.
  enum Outcome: Sendable, Equatable {
    /// The user's browser is sent on.
    case redirect(String)
    /// A page: the user reads it, and what is in it can be carried by hand.
    case page(status: Int, title: String, text: String)
  }

  let application: EbayApplication
  private let state: String?
  private let scopes: UInt64
  private let isDenied: Bool

  /// The application's place in the configuration.
  let index: Int

  /// Reads the query.
  ///
  /// - Throws: what the page says that is wrong.
  init(
    _ parameters: [String: String], _ applications: [EbayApplication], _ conditions: EbayConditions
  ) throws(EbayOAuthError) {
    guard let index = applications.firstIndex(where: { $0.clientId == parameters["client_id"] })
    else { throw EbayOAuthError(error: "unauthorized_client", description: "unknown client_id") }
    self.index = index
    application = applications[index]
    guard parameters["redirect_uri"] == application.ruName else {
      throw .invalidRequest("redirect_uri is not the RuName of the application")
    }
    guard parameters["response_type"] == "code" else {
      throw EbayOAuthError(
        error: "unsupported_response_type", description: "response_type must be code")
    }
    guard
      let bits = EbayScopes.bits(
        parameters["scope"] ?? "", isUser: true, hasInsights: conditions.insightsGranted)
    else { throw .invalidScope }
    scopes = bits
    state = parameters["state"]
    isDenied = conditions.consentDenied || parameters["deny"] == "1"
  }

  /// Gives a code, or none to who is refused.
  func outcome(_ mint: inout EbayMint, at now: Int64) -> Outcome {
    var items: [(String, String)]
    if isDenied {
      items = [("error", "access_denied"), ("error_description", "The user denied the consent.")]
    } else {
      items = [
        ("code", mint.mint(.code, application: index, scopes: scopes, at: now)),
        ("expires_in", String(EbayToken.Kind.code.life / 1_000)),
      ]
    }
    if let state { items.append(("state", state)) }
    let query = items.map { "\($0.0)=\(EbayReadingText.encoded($0.1))" }.joined(separator: "&")
    let url = isDenied ? application.declineURL ?? application.acceptURL : application.acceptURL
    guard let url else {
      return .page(
        status: 200, title: isDenied ? "Consent refused" : "Consent given", text: query)
    }
    return .redirect("\(url)\(url.contains("?") ? "&" : "?")\(query)")
  }
}
