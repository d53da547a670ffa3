import TollbookLog
import TollbookUpstreams

/// Where a user wants to be told, and what signs it.
package struct WebhookTarget: Hashable, Sendable {
  package static let longestSecret = 256

  /// The whole address, and the secret; that is empty where nothing is signed.
  package let entry: WebhookKeys.Entry
  /// Whether the secret was made here, and is to be told once.
  package let isSecretMade: Bool

  /// - Parameters:
  ///   - secret: nil: one is made, where something is signed.
  ///   - random: makes bytes that nobody can guess, as many as it is asked for.
  package init(
    url: String, secret: String?, isSigned: Bool,
    random: (Int) -> [UInt8] = AccessKey.systemRandom
  ) throws(AccountRefusal) {
    let address: GivenURL
    do throws(GivenURL.Problem) { address = try GivenURL(url) } catch {
      throw AccountRefusal(.invalid, "url", error.description)
    }
    if let secret {
      guard (1...Self.longestSecret).contains(secret.utf8.count) else {
        throw AccountRefusal(
          .invalid, "secret",
          "secret has \(secret.utf8.count) bytes; it must have 1 to \(Self.longestSecret)")
      }
    }
    isSecretMade = secret == nil && isSigned
    entry = WebhookKeys.Entry(
      url: address, secret: secret ?? (isSecretMade ? "whsec_" + random(32).hexadecimal : ""))
  }
}
