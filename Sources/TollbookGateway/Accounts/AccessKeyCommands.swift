import Foundation
package import TollbookEvents
package import TollbookLog
package import TollbookViews

/// Give out an access key.
package struct IssueAccessKey: Sendable {
  private static let mostKinds = 64

  /// There can be so many, revoked ones included.
  package var most = AccessKey.most
  package var key: AccessKey
  package var account: String
  package var scopes: Set<AccessScope>
  package var kinds: [String]
  package var expires: Timestamp?
  package var requestsPerMinute: UInt32
  package var actor: String

  /// - Parameters:
  ///   - scopes: by their names.
  ///   - known: the kinds of resources that there are.
  package init(
    _ key: AccessKey, account: String, scopes: [String], kinds: [String] = [], known: [String],
    expires: Timestamp? = nil, requestsPerMinute: UInt32 = 0, now: Timestamp, actor: String
  ) throws(AccountRefusal) {
    try GivenName.check(account, "account")
    var found: Set<AccessScope> = []
    for text in scopes {
      guard let scope = AccessScope(rawValue: text) else {
        let names = AccessScope.allCases.map(\.rawValue).joined(separator: ", ")
        throw AccountRefusal(
          .invalid, "scopes",
          "“\(text.inOneLine(atMost: 100))” is no scope; scopes are \(names)")
      }
      found.insert(scope)
    }
    guard !found.isEmpty else {
      throw AccountRefusal(.invalid, "scopes", "scopes is empty: name read, fetch or admin")
    }
    guard kinds.count <= Self.mostKinds else {
      throw AccountRefusal(
        .invalid, "kinds", "kinds has \(kinds.count) elements; \(Self.mostKinds) are allowed")
    }
    for kind in kinds where !known.contains(kind) {
      throw AccountRefusal(
        .invalid, "kinds",
        "“\(kind.inOneLine(atMost: 100))” is no kind; kinds are \(known.joined(separator: ", "))")
    }
    if let expires, expires <= now {
      throw AccountRefusal(.invalid, "expires_at", "expires_at is over already")
    }
    self.key = key
    self.account = account
    self.scopes = found
    self.kinds = kinds
    self.expires = expires
    self.requestsPerMinute = requestsPerMinute
    self.actor = actor
  }

  /// - Parameter known: the account that needs no opening.
  func decide(
    _ accounts: AccountsView, default known: String, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    if let refusal = try accounts.refusal(ofAccount: account, default: known, in: state) {
      return .refused(refusal)
    }
    if let refusal = try accounts.crowded(most: most, in: state) {
      return .refused(refusal)
    }
    var event = AccessKeyIssued()
    event.accessKey = key.id
    event.account = account
    event.digest = Data(key.digest)
    event.scopes = scopes.map(\.rawValue).sorted()
    event.kinds = kinds
    event.expiresMs = expires?.milliseconds ?? 0
    event.requestsPerMinute = requestsPerMinute
    event.actor = actor
    return Decision(events: [.accessKeyIssued(event)], answer: .success(()))
  }

  package func run(on log: EventLog, default known: String) async throws {
    let accounts = AccountsView(log)
    try await log.decide { (state, _) throws(LogError) in
      try decide(accounts, default: known, state)
    }.answer.get()
  }
}

/// Give out an access key in the place of another, which opens for some time yet.
package struct RotateAccessKey: Sendable {
  package static let longestOverlap: Int64 = 90 * 86_400

  /// There can be so many, revoked ones included.
  package var most = AccessKey.most
  package var id: String
  package var key: AccessKey
  /// In seconds.
  package var overlap: Int64
  package var now: Timestamp
  package var actor: String

  package init(
    id: String, _ key: AccessKey, overlap: Int64, now: Timestamp, actor: String
  ) throws(AccountRefusal) {
    guard (0...Self.longestOverlap).contains(overlap) else {
      throw AccountRefusal(
        .invalid, "overlap_seconds",
        "overlap_seconds is \(overlap); it must be 0 to \(Self.longestOverlap)")
    }
    self.id = id
    self.key = key
    self.overlap = overlap
    self.now = now
    self.actor = actor
  }

  /// - Returns: the key that goes.
  func decide(
    _ accounts: AccountsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<AccessKeyRow, AccountRefusal>> {
    let row: AccessKeyRow
    switch try accounts.validKey(id, at: now, in: state) {
    case .success(let valid): row = valid
    case .failure(let refusal): return .refused(refusal)
    }
    if let refusal = try accounts.crowded(most: most, in: state) {
      return .refused(refusal)
    }
    var issued = AccessKeyIssued()
    issued.accessKey = key.id
    issued.account = row.account
    issued.digest = Data(key.digest)
    issued.scopes = row.scopes
    issued.kinds = row.kinds
    issued.expiresMs = row.expires?.milliseconds ?? 0
    issued.requestsPerMinute = row.requestsPerMinute
    issued.replaces = id
    issued.actor = actor
    let ends = now.advanced(byMilliseconds: overlap * 1_000)
    let revoked = AccessKeyRevoked(id, from: min(row.revoked ?? ends, ends), by: actor)
    return Decision(
      events: [.accessKeyIssued(issued), .accessKeyRevoked(revoked)], answer: .success(row))
  }

  @discardableResult
  package func run(on log: EventLog) async throws -> AccessKeyRow {
    let accounts = AccountsView(log)
    return try await log.decide { (state, _) throws(LogError) in try decide(accounts, state) }
      .answer.get()
  }
}

/// Take an access key back at once.
package struct RevokeAccessKey: Sendable {
  package var id: String
  package var now: Timestamp
  package var actor: String

  package init(id: String, now: Timestamp, actor: String) {
    self.id = id
    self.now = now
    self.actor = actor
  }

  func decide(
    _ accounts: AccountsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    if case .failure(let refusal) = try accounts.validKey(id, at: now, in: state) {
      return .refused(refusal)
    }
    return Decision(
      events: [.accessKeyRevoked(AccessKeyRevoked(id, from: now, by: actor))],
      answer: .success(()))
  }

  package func run(on log: EventLog) async throws {
    let accounts = AccountsView(log)
    try await log.decide { (state, _) throws(LogError) in try decide(accounts, state) }
      .answer.get()
  }
}

extension AccountsView {
  /// Refuses another key if there are too many.
  fileprivate func crowded(
    most: Int, in state: borrowing LogReading
  ) throws(LogError) -> AccountRefusal? {
    try accessKeyCount(in: state) < most
      ? nil
      : AccountRefusal(
        .conflict, "account", "\(most) access keys were issued; there can be no more")
  }

  /// A key that opens something at an instant.
  fileprivate func validKey(
    _ id: String, at now: Timestamp, in state: borrowing LogReading
  ) throws(LogError) -> Result<AccessKeyRow, AccountRefusal> {
    let name = id.inOneLine(atMost: 100)
    guard let row = try accessKey(id, in: state) else {
      return .failure(AccountRefusal(.notFound, "id", "there is no access key \(name)"))
    }
    if let revoked = row.revoked, revoked <= now {
      return .failure(
        AccountRefusal(.conflict, "id", "the access key \(name) was revoked at \(revoked)"))
    }
    guard row.isValid(at: now) else {
      return .failure(AccountRefusal(.conflict, "id", "the access key \(name) has expired"))
    }
    return .success(row)
  }
}

extension AccessKeyRevoked {
  fileprivate init(_ id: String, from: Timestamp, by actor: String) {
    self.init()
    accessKey = id
    fromMs = from.milliseconds
    self.actor = actor
  }
}
