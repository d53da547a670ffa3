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

  /// What finds a key again without keeping it.
  enum Holder: Hashable, Sendable {
    /// The key of the settings.
    case settings
    case issued(id: String, digest: [UInt8])
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
    let key = shown.flatMap { holder(showing: $0) }
    if key == .settings { return .success(own) }
    return try log.read { (reading) throws(LogError) in
      if case .issued(let id, let digest)? = key,
        let found = try principal(of: id, digest, in: reading)
      {
        return found
      }
      let hasKeys = try accounts.hasAccessKeys(in: reading)
      let isOpen = ownKey == nil && !hasKeys
      return isOpen ? .success(own) : .failure(.unknown)
    }
  }

  /// What finds again what was shown as a key; nil: it has not the form of one. Whether it opens anything is not asked.
  func holder(showing shown: String) -> Holder? {
    if let ownKey, AccessKeyGuard.isEqual(shown, ownKey) { return .settings }
    return AccessKey(shown).map { .issued(id: $0.id, digest: $0.digest) }
  }

  /// Whom a key belongs to that was shown before.
  ///
  /// - Throws: `LogError` if the log cannot be read: then nobody gets in.
  func principal(of holder: Holder) throws(LogError) -> Result<Principal, Refusal> {
    switch holder {
    case .settings: return .success(Principal(account: ownAccount))
    case .issued(let id, let digest):
      return try log.read { (reading) throws(LogError) in
        try principal(of: id, digest, in: reading) ?? .failure(.unknown)
      }
    }
  }

  /// Nil: there is no such key.
  private func principal(
    of id: String, _ digest: [UInt8], in reading: borrowing LogReading
  ) throws(LogError) -> Result<Principal, Refusal>? {
    guard let row = try accounts.accessKey(id, in: reading), row.hasDigest(digest) else {
      return nil
    }
    let now = log.time.now()
    if let revoked = row.revoked, revoked <= now { return .failure(.revoked(revoked)) }
    if let expires = row.expires, expires <= now { return .failure(.expired(expires)) }
    if try accounts.account(row.account, in: reading)?.isOpen == false {
      return .failure(.accountClosed(row.account))
    }
    var principal = Principal(
      account: row.account, accessKey: id,
      scopes: Set(row.scopes.compactMap(AccessScope.init(rawValue:))), kinds: row.kinds)
    principal.requestsPerMinute = row.requestsPerMinute
    return .success(principal)
  }
}

extension Keyring.Refusal {
  /// For a person: what is the matter with the key, without a full stop.
  var sentence: String {
    switch self {
    case .unknown:
      "show an access key that is valid here, as Authorization: Bearer …, or as X-API-Key: …"
    case .expired(let time): "the access key expired at \(time)"
    case .revoked(let time): "the access key was revoked at \(time)"
    case .accountClosed(let account): "the account \(account) of the access key is closed"
    }
  }
}

extension AccessKeyRow {
  /// Whether it is of the key with that SHA-256. Takes the same time wherever they differ.
  fileprivate func hasDigest(_ shown: [UInt8]) -> Bool {
    guard digest.count == shown.count else { return false }
    return zip(digest, shown).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
