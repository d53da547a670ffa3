import TollbookHTTP

/// Whom users consent to, and where.
package struct ConsentSettings: Sendable {
  /// An application that can ask for consent.
  struct Application: Sendable {
    let key: EbayKey
    let ruName: EbayRuName
    let login: String
  }

  /// App ID and Cert ID with a colon between them; empty: there is none.
  private let credential: String
  private let ruName: String
  private let login: String

  /// - Parameters:
  ///   - credential: App ID and Cert ID with a colon between them; empty: there is none.
  ///   - ruName: what stands for the address of the redirect; nil: there is none.
  ///   - login: where users log in, without a slash at the end.
  package init(credential: String, ruName: String?, login: String) {
    self.credential = credential
    self.ruName = ruName ?? ""
    self.login = login
  }

  /// Nobody can consent.
  package static let none = ConsentSettings(credential: "", ruName: nil, login: "")

  /// - Throws: a `Problem` that names the setting that is missing or wrong.
  func application() throws(Problem) -> Application {
    let parts = credential.split(separator: ":", maxSplits: 1)
    guard parts.count == 2 else {
      throw Self.notSet("EBAY_APP_ID and EBAY_CERT_ID are not set", "EBAY_APP_ID")
    }
    guard !ruName.isEmpty else { throw Self.notSet("EBAY_RUNAME is not set", "EBAY_RUNAME") }
    let key: EbayKey
    do throws(EbayRequestFault) {
      key = try EbayKey(clientId: String(parts[0]), secret: EbaySecret(String(parts[1])))
    } catch { throw Self.notSet("EBAY_APP_ID or EBAY_CERT_ID is no key: \(error)", "EBAY_APP_ID") }
    do throws(EbayRequestFault) {
      return Application(key: key, ruName: try EbayRuName(ruName), login: login)
    } catch { throw Self.notSet("EBAY_RUNAME is no RuName: \(error)", "EBAY_RUNAME") }
  }

  private static func notSet(_ what: String, _ field: String) -> Problem {
    var problem = Problem(
      .upstreamUnavailable, "\(what), so that nobody can consent on eBay", field: field)
    problem.reason = "upstream_not_configured"
    return problem
  }
}
