import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// Whom an access key belongs to: the one of the settings is an administrator's, the others stand in the log.
struct Keyring: Sendable {
  /// Why a key opens nothing.
  enum Refusal: Error, Hashable, Sendable {
    /// None was shown, or one that is not known.
    case unknown
    case expired(Timestamp)
    case revoked(Timestamp)
    case accountClosed(String)
  }

  private let log: EventLog
  private let accounts: AccountsView
  /// Of the settings; nil: there is none.
  private let ownKey: String?
  /// Who pays for what is asked without a key of its own.
  private let ownAccount: String

  init(_ gateway: Gateway, ownKey: String?) {
    log = gateway.log
    accounts = AccountsView(gateway.log)
    self.ownKey = ownKey
    ownAccount = gateway.settings.account
  }

  /// Who asks.
  ///
  /// - Parameter shown: what was shown as a key; nil: nothing.
  /// - Throws: `LogError` if the log cannot be read: then nobody gets in.
  func principal(showing shown: String?) throws(LogError) -> Result<Principal, Refusal> {
    let own = Principal(account: ownAccount)
    if let ownKey, let shown, AccessKeyGuard.isEqual(shown, ownKey) { return .success(own) }
    let accounts = accounts
    let key = shown.flatMap { AccessKey($0) }
    let now = log.time.now()
    return try log.read { (reading) throws(LogError) in
      guard let key, let row = try accounts.accessKey(key.id, in: reading), key.isOf(row) else {
        let hasKeys = try accounts.hasAccessKeys(in: reading)
        let isOpen = ownKey == nil && !hasKeys
        return isOpen ? .success(own) : .failure(.unknown)
      }
      if let revoked = row.revoked, revoked <= now { return .failure(.revoked(revoked)) }
      if let expires = row.expires, expires <= now { return .failure(.expired(expires)) }
      if try accounts.account(row.account, in: reading)?.isOpen == false {
        return .failure(.accountClosed(row.account))
      }
      var principal = Principal(
        account: row.account, accessKey: key.id,
        scopes: Set(row.scopes.compactMap(AccessScope.init(rawValue:))), kinds: row.kinds)
      principal.requestsPerMinute = row.requestsPerMinute
      return .success(principal)
    }
  }
}
