import TollbookEvents
import TollbookLog

extension Gateway {
  /// Destroys the data key of an account, and removes what was sealed with it from the cache. Nothing can read those texts
  /// any more: not in the log, not in old snapshots, not in exports. No figure changes.
  ///
  /// A new key is made when something of the account is sealed again.
  ///
  /// - Returns: the entries that were removed.
  /// - Throws: `AccountRefusal` if the key file cannot be changed, or `LogError`.
  package func shred(_ account: String, actor: String) async throws -> PurgeCost {
    try dataKeys.shred(account)
    let order = PurgeOrder(
      scope: .prefix("account/\(account)/"), isHard: true,
      note: "the data key of the account was destroyed", actor: actor)
    return try await order.carryOut(on: log)
  }
}
