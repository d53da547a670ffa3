import TollbookEvents
import TollbookLog

extension Gateway {
  /// Destroys the data key of an account, and removes what was sealed with it from the cache. Nothing can read those texts
  /// any more: not in the log, not in old snapshots, not in exports. No figure changes. Its files beside the log go first,
  /// while there are still entries that name them: after a crash it can be asked for again.
  ///
  /// A new key is made when something of the account is sealed again.
  ///
  /// - Returns: the entries that were removed.
  /// - Throws: `AccountRefusal` if the key file cannot be changed, `LogError`, or that a file cannot be removed.
  package func shred(_ account: String, actor: String) async throws -> PurgeCost {
    for files in accountFiles { try await files.forget(self, account) }
    try dataKeys.shred(account)
    let order = PurgeOrder(
      scope: .prefix("account/\(account)/"), isHard: true,
      note: "the data key of the account was destroyed", actor: actor)
    return try await order.carryOut(on: log)
  }
}
