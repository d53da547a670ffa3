import TollbookEvents
import TollbookGateway
import TollbookLog

/// The users of eBay's who have consented, one for each account: an entry that is sealed with the account's data key.
struct UserBook: Sendable {
  static let kind = "ebay.user"

  /// What was to be replaced is there no more.
  struct Changed: Error {}

  let gateway: Gateway

  private func resource(_ account: String) -> ResourceKey {
    ResourceKey(account: account, kind: Self.kind, path: "consent")
  }

  /// Nil: nobody has consented, or the data key is gone.
  func user(of account: String) throws(LogError) -> EbayUser? {
    try gateway.keptContent(resource(account)).flatMap { EbayUser($0) }
  }

  func set(_ user: EbayUser, of account: String) async throws(PurchaseProblem) {
    try await gateway.keep(user.bytes, as: resource(account))
  }

  /// Keeps what has become of a consent.
  ///
  /// - Throws: ``Changed`` if it was forgotten or given anew meanwhile.
  func replace(_ before: EbayUser, by after: EbayUser, of account: String) async throws {
    _ = try await gateway.rekeep(resource(account)) { bytes in
      guard let kept = bytes.flatMap({ EbayUser($0) }), let tokens = kept.tokens,
        tokens.refresh == before.tokens?.refresh
      else { throw Changed() }
      return after.bytes
    }
  }

  /// - Returns: whether there was one.
  func remove(of account: String) async throws(LogError) -> Bool {
    try await gateway.removeKept(resource(account))
  }
}
