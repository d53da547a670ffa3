import Crypto
import Foundation
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// What somebody who puts a credential in says of it.
package struct CredentialOrder: Sendable {
  /// In bytes.
  package static let longestSecret = 4_096

  package let id: String
  package let upstream: String
  package let name: String
  package let account: String
  package let secret: String
  package let limit: Int64?
  package let weight: UInt32
  package let quotaGroup: String
  package let unit: String

  /// - Parameters:
  ///   - units: in which each upstream counts first, by its name.
  ///   - quotaGroup: nil: it has limits of its own.
  package init(
    upstream: String, name: String, account: String?, secret: String, limit: Int64?,
    weight: Int64?, quotaGroup: String?, units: [String: String]
  ) throws(AccountRefusal) {
    guard let unit = units[upstream] else {
      throw AccountRefusal(
        .invalid, "upstream",
        "no credentials can be put in for “\(upstream.inOneLine(atMost: 100))”; they can for"
          + " \(units.keys.sorted().joined(separator: ", "))")
    }
    try GivenName.check(text: name, "name")
    guard !secret.isEmpty else { throw AccountRefusal(.invalid, "secret", "secret is empty") }
    guard secret.utf8.count <= Self.longestSecret else {
      throw AccountRefusal(
        .invalid, "secret",
        "secret has \(secret.utf8.count) bytes; \(Self.longestSecret) are allowed")
    }
    guard secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw AccountRefusal(
        .invalid, "secret", "secret has a space, a line break or a letter that no header takes")
    }
    self.upstream = upstream
    self.name = name.inOneLine()
    self.account = account ?? ""
    self.secret = secret
    self.limit = limit
    self.weight = try CredentialOrder.weight(weight) ?? 1
    self.unit = unit
    id = CredentialOrder.id(of: secret, for: upstream)
    if let quotaGroup {
      guard (1...GivenName.longest).contains(quotaGroup.utf8.count),
        quotaGroup.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
      else {
        throw AccountRefusal(
          .invalid, "quota_group",
          "quota_group is the id of the credential whose limits it shares, or a short name without"
            + " spaces and slashes")
      }
    }
    self.quotaGroup = quotaGroup ?? id
  }

  static func weight(_ weight: Int64?) throws(AccountRefusal) -> UInt32? {
    guard let weight else { return nil }
    guard let number = UInt32(exactly: weight), (1...1_000_000).contains(number) else {
      throw AccountRefusal(.invalid, "weight", "weight is \(weight); it is from 1 to 1,000,000")
    }
    return number
  }

  /// The name of a key in the log: tells keys apart and gives none away.
  package static func id(of secret: String, for upstream: String) -> String {
    let digest = SHA256.hash(data: Data(secret.utf8)).prefix(4)
    return upstream + ":" + digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// Put a credential in. Its secret has been sealed before.
package struct AddCredential: Sendable {
  /// There can be so many, removed ones included.
  package var most = 10_000
  package let order: CredentialOrder
  package let now: Timestamp
  package let actor: String

  package init(_ order: CredentialOrder, now: Timestamp, actor: String) {
    self.order = order
    self.now = now
    self.actor = actor
  }

  /// - Parameter known: the account that needs no opening.
  func decide(
    _ credentials: CredentialsView, _ accounts: AccountsView, _ ledger: LedgerView,
    default known: String, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    if try credentials.credential(order.id, in: state) != nil {
      return .refused(.conflict, "secret", "it was put in before, as \(order.id)")
    }
    guard try credentials.count(in: state) < most else {
      return .refused(.conflict, "secret", "\(most) were put in; there can be no more")
    }
    if !order.account.isEmpty,
      let refusal = try accounts.refusal(ofAccount: order.account, default: known, in: state)
    {
      return .refused(refusal)
    }
    var events: [Event] = []
    if try ledger.credential(order.id, in: state) == nil {
      var added = CredentialAdded()
      added.credential = order.id
      added.upstream = order.upstream
      added.quotaGroup = order.quotaGroup
      added.actor = actor
      events.append(.credentialAdded(added))
    }
    var event = CredentialSet()
    event.credential = order.id
    event.upstream = order.upstream
    event.name = order.name
    event.account = order.account
    event.unit = order.unit
    if let limit = order.limit { event.limit = limit }
    event.weight = order.weight
    event.source = .sealed
    event.quotaGroup = order.quotaGroup
    event.status = .accepted
    event.setMs = now.milliseconds
    event.actor = actor
    events.append(.credentialSet(event))
    return Decision(events: events, answer: .success(()))
  }

  package func run(on log: EventLog, default known: String) async throws {
    let views = (CredentialsView(log), AccountsView(log), LedgerView(log))
    try await log.decide { (state, _) throws(LogError) in
      try decide(views.0, views.1, views.2, default: known, state)
    }.answer.get()
  }
}

/// What becomes of what a credential may spend in all.
package enum LimitChange: Hashable, Sendable {
  case set(Int64)
  /// It may spend as much as the upstream lets it.
  case removed
}

/// Change what is said of a credential.
package struct ChangeCredential: Sendable {
  package let id: String
  package let status: CredentialStatus?
  package let limit: LimitChange?
  package let weight: UInt32?
  package let now: Timestamp
  package let actor: String
  /// What is known of one that is in the settings alone.
  let known: (upstream: String, unit: String, quotaGroup: String)?

  /// What is nil stays as it is.
  ///
  /// - Parameter status: `active`, `expired` or `disabled`; what follows from the books cannot be set.
  package init(
    _ id: String, status: String?, limit: LimitChange?, weight: Int64?, now: Timestamp,
    actor: String, known: (upstream: String, unit: String, quotaGroup: String)?
  ) throws(AccountRefusal) {
    self.id = id
    self.limit = limit
    self.weight = try CredentialOrder.weight(weight)
    switch status {
    case nil: self.status = nil
    case "active": self.status = .accepted
    case "expired": self.status = .expired
    case "disabled": self.status = .disabled
    case let status?:
      let follows = CredentialStanding.Status(rawValue: status) != nil
      throw AccountRefusal(
        .invalid, "status",
        follows
          ? "\(status) follows from what was spent and what the upstream says; it cannot be set"
          : "status is “\(status.inOneLine(atMost: 50))”; it is active, expired or disabled")
    }
    guard self.status != nil || limit != nil || weight != nil else {
      throw AccountRefusal(
        .invalid, "status", "nothing is to be changed: say status, limit or weight")
    }
    self.now = now
    self.actor = actor
    self.known = known
  }

  func decide(
    _ credentials: CredentialsView, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    var event = CredentialSet()
    if let row = try credentials.credential(id, in: state) {
      event = CredentialSet(id, row)
    } else if let known {
      event.credential = id
      (event.upstream, event.unit, event.quotaGroup) = (
        known.upstream, known.unit, known.quotaGroup
      )
      event.weight = 1
      event.status = .accepted
    } else {
      return .refused(.noCredential(id))
    }
    switch limit {
    case .set(let limit): event.limit = limit
    case .removed: event.clearLimit()
    case nil: break
    }
    if let weight { event.weight = weight }
    if let status { event.status = status }
    event.setMs = now.milliseconds
    event.actor = actor
    var events: [Event] = [.credentialSet(event)]
    // Who says that it is good again has it tried again at once.
    if status == .accepted, try ledger.credential(id, in: state)?.status == .rejected {
      var accepted = CredentialStatusChanged()
      accepted.credential = id
      accepted.status = .accepted
      accepted.actor = actor
      events.append(.credentialStatusChanged(accepted))
    }
    return Decision(events: events, answer: .success(()))
  }

  package func run(on log: EventLog) async throws {
    let (credentials, ledger) = (CredentialsView(log), LedgerView(log))
    try await log.decide { (state, _) throws(LogError) in
      try decide(credentials, ledger, state)
    }.answer.get()
  }
}

extension CredentialSet {
  fileprivate init(_ id: String, _ row: CredentialRow) {
    self.init()
    credential = id
    upstream = row.upstream
    name = row.name
    account = row.account
    unit = row.unit
    if let limit = row.limit { self.limit = limit }
    weight = row.weight
    source = row.source
    quotaGroup = row.quotaGroup
    status = row.status
  }
}

/// Remove a credential: it sends nothing from then on. Its secret is shredded behind it.
package struct RemoveCredential: Sendable {
  /// Where one that was not put in here comes from.
  package struct Origin: Sendable {
    /// The settings that its key comes from; empty: it is no key.
    var setting: String
    /// Whether the key is the simulator's.
    var isSimulated: Bool
  }

  package let id: String
  package let actor: String
  /// Nil: nothing in this process is bought from with it.
  let origin: Origin?

  init(_ id: String, actor: String, origin: Origin?) {
    self.id = id
    self.actor = actor
    self.origin = origin
  }

  func decide(
    _ credentials: CredentialsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    let row = try credentials.credential(id, in: state)
    guard row != nil || origin != nil else { return .refused(.noCredential(id)) }
    guard row?.source == .sealed else { return .refused(.conflict, "id", whyNot) }
    var event = CredentialRemoved()
    event.credential = id
    event.actor = actor
    return Decision(events: [.credentialRemoved(event)], answer: .success(()))
  }

  /// Why one that was not put in here is not removed.
  private var whyNot: String {
    guard let origin else {
      return "the secret of \(id) is in the settings: remove it there, or disable it"
    }
    if origin.setting.isEmpty {
      return "\(id) has no secret and cannot be removed; it can be disabled"
    }
    if origin.isSimulated {
      return "\(id) is the simulator's own key and cannot be removed; it can be disabled"
    }
    return "\(id) comes from the settings (\(origin.setting)) and cannot be removed here: remove it"
      + " there, or disable it"
  }

  package func run(on log: EventLog) async throws {
    let credentials = CredentialsView(log)
    try await log.decide { (state, _) throws(LogError) in try decide(credentials, state) }
      .answer.get()
  }
}

/// Say by what the one that sends a call is chosen among the credentials for an account and an upstream.
package struct SetPool: Sendable {
  package let upstream: String
  package let account: String
  package let selection: Selection
  package let actor: String

  package init(
    upstream: String, account: String?, selection: String, upstreams: [String], actor: String
  ) throws(AccountRefusal) {
    guard upstreams.contains(upstream) else {
      throw AccountRefusal(
        .invalid, "upstream",
        "there is no upstream “\(upstream.inOneLine(atMost: 100))”; upstreams are"
          + " \(upstreams.joined(separator: ", "))")
    }
    guard let found = Selection(name: selection) else {
      throw AccountRefusal(
        .invalid, "selection",
        "selection is “\(selection.inOneLine(atMost: 50))”; it is one of"
          + " \(Selection.allCases.map(\.name).joined(separator: ", "))")
    }
    self.upstream = upstream
    self.account = account ?? ""
    self.selection = found
    self.actor = actor
  }

  func decide(
    _ accounts: AccountsView, default known: String, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    if !account.isEmpty,
      let refusal = try accounts.refusal(ofAccount: account, default: known, in: state)
    {
      return .refused(refusal)
    }
    var event = PoolSet()
    event.upstream = upstream
    event.account = account
    event.selection = selection
    event.actor = actor
    return Decision(events: [.poolSet(event)], answer: .success(()))
  }

  package func run(on log: EventLog, default known: String) async throws {
    let accounts = AccountsView(log)
    try await log.decide { (state, _) throws(LogError) in
      try decide(accounts, default: known, state)
    }.answer.get()
  }
}

extension AccountRefusal {
  fileprivate static func noCredential(_ id: String) -> AccountRefusal {
    AccountRefusal(.notFound, "id", "there is no credential \(id.inOneLine(atMost: 100))")
  }
}
