import Bytes
import LMDB
import TollbookEvents
package import TollbookLog

/// Keeps which credentials there are, whose calls they send, and which of them the upstream wants no calls of.
///
/// | table | key | value |
/// |---|---|---|
/// | `credentials` | credential | its row, also of one that was removed |
/// | `cooling` | quota group, or name of a closed meter | until when the upstream wants no calls, what it said |
/// | `pools` | upstream, 0, account | by what one is chosen (1); without an account: for all others |
package enum CredentialsFold {
  package static let fold = Fold(
    name: "credentials", version: 1, tables: ["credentials", "cooling", "pools"],
    cadence: .eachDecision, sinceFormat: 6
  ) { (events, tables, transaction) throws(LMDBError) in
    var changes = CredentialChanges(tables)
    var parked: [Fold.Parked] = []
    let events = events.span
    for index in events.indices where concerns(events[index].event.kind) {
      if let problem = try changes.apply(events[index], in: transaction.reading) {
        parked.append(Fold.Parked(position: events[index].position, reason: problem))
      }
    }
    try changes.write(to: &transaction)
    return parked
  }

  /// Whether it may have something to say of an event: of most it has not.
  private static func concerns(_ kind: EventKind) -> Bool {
    switch kind {
    case .credentialSet, .credentialRemoved, .credentialCooled, .poolSet: true
    default: false
    }
  }

  static func poolKey(upstream: String, account: String) -> [UInt8] {
    Array(upstream.utf8) + [0] + Array(account.utf8)
  }
}

/// The rows that a run of events touches.
private struct CredentialChanges {
  private let tables: [Table]
  /// Nil: there is none.
  private var credentials = TouchedRows<CredentialRow?>()
  private var cooling = TouchedRows<CoolingRow?>()
  private var pools = TouchedRows<Selection>()

  init(_ tables: [Table]) { self.tables = tables }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .credentialSet(let event):
      guard let place = try credential(event.credential, in: transaction) else {
        return Self.impossible
      }
      credentials[place] = CredentialRow(
        event, after: credentials[place], at: recorded.position)
    case .credentialRemoved(let event):
      guard let place = try credential(event.credential, in: transaction) else {
        return Self.impossible
      }
      guard credentials[place]?.isRemoved == false else { return "there is no such credential" }
      credentials[place]?.isRemoved = true
    case .credentialCooled(let event):
      let group = event.quotaGroup.isEmpty ? event.credential : event.quotaGroup
      guard Self.isPossible(group) else { return Self.impossible }
      let (key, table) = (KeyBytes(Array(group.utf8)), tables[1])
      let place = try cooling.place(of: key) { () throws(LMDBError) in
        try transaction.row(forKey: key.bytes.span, in: table) { CoolingRow(row: $0) }
      }
      // What came later only makes it longer.
      let until = Timestamp(milliseconds: event.untilMs)
      if let known = cooling[place], known.until >= until { return nil }
      cooling[place] = CoolingRow(until: until, detail: event.detail)
    case .poolSet(let event):
      let key = CredentialsFold.poolKey(upstream: event.upstream, account: event.account)
      guard (1...511).contains(key.count), !event.upstream.utf8.contains(0),
        !event.account.utf8.contains(0)
      else { return Self.impossible }
      let place = pools.place(of: KeyBytes(key)) { .random }
      if case .UNRECOGNIZED = event.selection {
        pools[place] = .random
      } else {
        pools[place] = event.selection
      }
    default: break
    }
    return nil
  }

  private static let impossible = "its name cannot be a key"

  /// Whether LMDB takes a name as a key, and it can be told apart from others beside it.
  private static func isPossible(_ name: String) -> Bool {
    (1...511).contains(name.utf8.count) && !name.utf8.contains(0)
  }

  private mutating func credential(
    _ id: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int? {
    guard Self.isPossible(id) else { return nil }
    let (key, table) = (KeyBytes(Array(id.utf8)), tables[0])
    return try credentials.place(of: key) { () throws(LMDBError) in
      try transaction.row(forKey: key.bytes.span, in: table) { CredentialRow(row: $0) }
    }
  }

  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let tables = tables
    try credentials.inKeyOrder { (key, row) throws(LMDBError) in
      guard let row else { return }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[0])
    }
    try cooling.inKeyOrder { (key, row) throws(LMDBError) in
      guard let row else { return }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[1])
    }
    try pools.inKeyOrder { (key, selection) throws(LMDBError) in
      let row = [UInt8(clamping: selection.rawValue)]
      try transaction.put(row.span, forKey: key.bytes.span, in: tables[2])
    }
  }
}

extension CredentialRow {
  fileprivate init(
    _ event: CredentialSet, after before: CredentialRow?, at position: Position
  ) {
    let isNew = before?.isRemoved ?? true
    upstream = event.upstream
    name = event.name
    account = event.account
    unit = event.unit
    limit = event.hasLimit ? event.limit : nil
    weight = event.weight
    source = if case .UNRECOGNIZED = event.source { .settings } else { event.source }
    quotaGroup = event.quotaGroup.isEmpty ? event.credential : event.quotaGroup
    status = if case .UNRECOGNIZED = event.status { .unspecified } else { event.status }
    since = isNew ? Timestamp(milliseconds: event.setMs) : before?.since ?? .init(milliseconds: 0)
    order = isNew ? position : before?.order ?? position
  }
}
