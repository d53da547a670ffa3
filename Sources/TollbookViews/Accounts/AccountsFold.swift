import Bytes
import LMDB
import TollbookEvents
package import TollbookLog

/// Keeps who pays, what clients may show, and what limits of our own there are.
///
/// | table | key | value |
/// |---|---|---|
/// | `accounts` | account | the account's row |
/// | `keys` | id of the access key | the key's row |
/// | `budgets` | budget | the budget's row, also of one that was removed |
/// | `scoped` | account, 0, budget | nothing: the budgets that count what the account pays; without an account: of all |
package enum AccountsFold {
  package static let fold = Fold(
    name: "accounts", version: 1, tables: ["accounts", "keys", "budgets", "scoped"],
    cadence: .eachDecision, sinceFormat: 5
  ) { (events, tables, transaction) throws(LMDBError) in
    var changes = AccountChanges(tables)
    var parked: [Fold.Parked] = []
    let events = events.span
    for index in events.indices where concerns(events[index].event.kind) {
      if let problem = try changes.apply(events[index], in: transaction.reading) {
        parked.append(Fold.Parked(position: events[index].position, reason: problem))
      }
    }
    try changes.write(tables, to: &transaction)
    return parked
  }

  /// Whether it may have something to say of an event: of most it has not.
  private static func concerns(_ kind: EventKind) -> Bool {
    switch kind {
    case .accountOpened, .accountClosed, .accessKeyIssued, .accessKeyRevoked, .budgetSet,
      .budgetRemoved:
      true
    default: false
    }
  }

  /// What the keys of the budgets begin with that name an account.
  static func prefix(ofAccount account: String) -> [UInt8] { Array(account.utf8) + [0] }
}

/// The rows that a run of events touches.
private struct AccountChanges {
  private let tables: [Table]
  /// Nil: there is none.
  private var accounts = TouchedRows<AccountRow?>()
  private var keys = TouchedRows<AccessKeyRow?>()
  private var budgets = TouchedRows<BudgetRow?>()

  init(_ tables: [Table]) { self.tables = tables }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .accountOpened(let event):
      guard let place = try account(event.account, in: transaction) else { return Self.impossible }
      guard accounts[place] == nil else { return "the account was opened before" }
      accounts[place] = AccountRow(
        name: event.name, timeZone: event.timeZone, opened: recorded.time)
    case .accountClosed(let event):
      guard let place = try account(event.account, in: transaction) else { return Self.impossible }
      guard accounts[place]?.isOpen == true else { return "the account is not open" }
      accounts[place]?.closed = recorded.time
    case .accessKeyIssued(let event):
      guard let place = try key(event.accessKey, in: transaction) else { return Self.impossible }
      guard keys[place] == nil else { return "the access key was issued before" }
      keys[place] = AccessKeyRow(event, at: recorded.time)
    case .accessKeyRevoked(let event):
      guard let place = try key(event.accessKey, in: transaction) else { return Self.impossible }
      guard keys[place] != nil else { return "the access key was never issued" }
      keys[place]?.revoked = Timestamp(milliseconds: event.fromMs)
    case .budgetSet(let event):
      guard let place = try budget(event.budget, in: transaction),
        isPossible(event.scope.account + "\u{1}" + event.budget)
      else { return Self.impossible }
      budgets[place] = BudgetRow(event, after: budgets[place])
    case .budgetRemoved(let event):
      guard let place = try budget(event.budget, in: transaction) else { return Self.impossible }
      guard budgets[place]?.isRemoved == false else { return "there is no such budget" }
      budgets[place]?.isRemoved = true
    default: break
    }
    return nil
  }

  private static let impossible = "its name cannot be a key"

  /// Whether LMDB takes a name as a key, and it can be told apart from others beside it.
  private func isPossible(_ name: String) -> Bool {
    (1...511).contains(name.utf8.count) && !name.utf8.contains(0)
  }

  private mutating func account(
    _ id: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int? {
    guard isPossible(id) else { return nil }
    let (key, table) = (KeyBytes(Array(id.utf8)), tables[0])
    return try accounts.place(of: key) { () throws(LMDBError) in
      try transaction.row(forKey: key.bytes.span, in: table) { AccountRow(row: $0) }
    }
  }

  private mutating func key(
    _ id: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int? {
    guard isPossible(id) else { return nil }
    let (key, table) = (KeyBytes(Array(id.utf8)), tables[1])
    return try keys.place(of: key) { () throws(LMDBError) in
      try transaction.row(forKey: key.bytes.span, in: table) { AccessKeyRow(row: $0) }
    }
  }

  private mutating func budget(
    _ name: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int? {
    guard isPossible(name) else { return nil }
    let (key, table) = (KeyBytes(Array(name.utf8)), tables[2])
    return try budgets.place(of: key) { () throws(LMDBError) in
      try transaction.row(forKey: key.bytes.span, in: table) { BudgetRow(row: $0) }
    }
  }

  func write(_ tables: [Table], to transaction: inout WriteTransaction) throws(LMDBError) {
    try accounts.inKeyOrder { (key, row) throws(LMDBError) in
      guard let row else { return }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[0])
    }
    try keys.inKeyOrder { (key, row) throws(LMDBError) in
      guard let row else { return }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[1])
    }
    try budgets.inKeyOrder { (key, row) throws(LMDBError) in
      guard let row else { return }
      // The scope may be another one than before: one that is made anew.
      let before = try transaction.reading.row(forKey: key.bytes.span, in: tables[2]) {
        BudgetRow(row: $0)
      }
      if let before {
        _ = try transaction.delete(key: before.scopedKey(key.bytes).span, in: tables[3])
      }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[2])
      if !row.isRemoved {
        let nothing: [UInt8] = []
        try transaction.put(nothing.span, forKey: row.scopedKey(key.bytes).span, in: tables[3])
      }
    }
  }
}

extension BudgetRow {
  fileprivate func scopedKey(_ name: [UInt8]) -> [UInt8] {
    AccountsFold.prefix(ofAccount: scope.account) + name
  }

  fileprivate init(_ event: BudgetSet, after before: BudgetRow?) {
    let isNew = before?.isRemoved ?? true
    scope = Scope()
    scope.account = event.scope.account
    scope.accessKey = event.scope.accessKey
    scope.credential = event.scope.credential
    scope.upstream = event.scope.upstream
    scope.operation = event.scope.operation
    scope.tag = event.scope.tag
    unit = event.unit
    limit = event.limit
    span = if case .UNRECOGNIZED = event.span { .total } else { event.span }
    rollingSeconds = event.rollingSeconds
    timeZone = event.timeZone
    isSoft = event.soft
    isPaused = event.paused
    thresholds = Array(event.thresholds.prefix(Int(UInt8.max)))
    since = isNew ? Timestamp(milliseconds: event.setMs) : before?.since ?? .init(milliseconds: 0)
    edition = isNew ? (before?.edition ?? 0) &+ 1 : before?.edition ?? 1
  }
}

extension AccessKeyRow {
  fileprivate init(_ event: AccessKeyIssued, at time: Timestamp) {
    account = event.account
    digest = Array(event.digest.prefix(Int(UInt16.max)))
    scopes = Array(event.scopes.prefix(Int(UInt8.max)))
    kinds = Array(event.kinds.prefix(Int(UInt8.max)))
    issued = time
    expires = event.expiresMs == 0 ? nil : Timestamp(milliseconds: event.expiresMs)
    requestsPerMinute = event.requestsPerMinute
    replaces = event.replaces
  }
}
