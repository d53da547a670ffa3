import LMDB
import TollbookEvents
package import TollbookLog

/// Keeps the books of every meter.
///
/// | table | key | value |
/// |---|---|---|
/// | `meters` | credential, 0, unit | a meter's row |
/// | `holds` | fetch (8), attempt (4) | a hold's row |
/// | `spend` | window, 0, account, 0, operation | tokens (8), charges (8) |
/// | `credentials` | credential | status (1), upstream, unit, detail |
/// | `past` | credential, 0, unit, 0, position (8) | the meter's row after that position |
///
/// `past` has a row before a meter's first change in each block of 1,024 positions, and one before each restore of the
/// log. So a meter as it stood at any position is one row and the events that follow it in a block, and a change of a
/// meter mostly costs nothing.
package enum LedgerFold {
  package static let fold = Fold(
    name: "ledger", version: 2, tables: ["meters", "holds", "spend", "credentials", "past"],
    cadence: .eachDecision
  ) { (events, tables, transaction) throws(LMDBError) in
    var books = LedgerBooks(tables)
    var parked: [Fold.Parked] = []
    let events = events.span
    for index in events.indices {
      if let problem = try books.apply(events[index], in: transaction.reading) {
        parked.append(Fold.Parked(position: events[index].position, reason: problem))
      }
    }
    try books.write(to: &transaction)
    return parked
  }

  /// The window that counts everything.
  package static let allTime = "total"
}

/// The rows that a run of events touches, changed in memory and written once at its end.
///
/// In memory they stand under the bytes of their keys and not under texts: to Swift two texts can be equal that differ
/// in their bytes, and then the rows would depend on how the events are cut into runs.
private struct LedgerBooks {
  private let meterTable: Table
  private let holdTable: Table
  private let spendTable: Table
  private let credentialTable: Table
  private let pastTable: Table
  private var meters: [[UInt8]: Meter] = [:]
  /// Nil: the hold is gone.
  private var holds: [[UInt8]: Hold?] = [:]
  private var spend: [[UInt8]: Spend] = [:]
  private var credentials: [[UInt8]: Credential] = [:]
  private var past: [[UInt8]: Meter] = [:]

  init(_ tables: [Table]) {
    meterTable = tables[0]
    holdTable = tables[1]
    spendTable = tables[2]
    credentialTable = tables[3]
    pastTable = tables[4]
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .credentialAdded(let event):
      let key = Array(event.credential.utf8)
      guard isPossible(key: key) else { return "its credential cannot be a key" }
      credentials[key] = Credential(
        status: .unspecified, upstream: event.upstream, unit: event.unit, detail: "")
      return nil
    case .credentialStatusChanged(let event):
      let key = Array(event.credential.utf8)
      guard var credential = try credential(key, in: transaction) else {
        return "its credential was never added"
      }
      credential.status = event.status
      credential.detail = event.detail
      credentials[key] = credential
      return nil
    case .logRestored:
      for key in try meterKeys(in: transaction) { try change(key, by: recorded, in: transaction) }
      return nil
    default: break
    }
    guard let key = MeterKey(of: recorded.event) else { return nil }
    let charges = charges(of: recorded.event)
    guard
      isPossible(key: MeterPast.key(of: key.bytes, after: 0), names: [key.credential, key.unit]),
      charges.allSatisfy({
        isPossible(key: $0.key, names: [$0.window, $0.account, $0.operation])
      })
    else { return "its names cannot be keys" }
    let changes: [Hold.Change]
    switch try holdChanges(recorded, of: key, in: transaction) {
    case .possible(let found): changes = found
    case .impossible(let reason): return reason
    }
    try change(key.bytes, by: recorded, in: transaction)
    for change in changes { holds[change.key] = .some(change.hold) }
    for charge in charges { try add(charge, in: transaction) }
    return nil
  }

  /// Changes a meter, and keeps how it stood if this is its first change in a block.
  private mutating func change(
    _ key: [UInt8], by recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    var meter = try meter(key, in: transaction)
    if let before = MeterPast.position(toKeepBefore: recorded, after: meter.lastChange) {
      past[MeterPast.key(of: key, after: before)] = meter
    }
    meter.apply(recorded)
    meters[key] = meter
  }

  /// The keys of all meters, stored or changed in this run.
  private func meterKeys(
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Set<[UInt8]> {
    var keys = Set(meters.keys)
    try transaction.scan(meterTable) { (key, _) throws(LMDBError) in
      keys.insert([UInt8](copying: key))
      return .next
    }
    return keys
  }

  /// Whether LMDB takes the key, and the names in it can be told apart.
  private func isPossible(key: [UInt8], names: [String] = []) -> Bool {
    (1...511).contains(key.count) && names.allSatisfy { !$0.utf8.contains(0) }
  }

  mutating func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    for (key, meter) in meters {
      try transaction.put(meter.row.span, forKey: key.span, in: meterTable)
    }
    for (key, meter) in past {
      try transaction.put(meter.row.span, forKey: key.span, in: pastTable)
    }
    for (key, hold) in holds {
      if let hold {
        try transaction.put(hold.row.span, forKey: key.span, in: holdTable)
      } else {
        _ = try transaction.delete(key: key.span, in: holdTable)
      }
    }
    for (key, spend) in spend {
      try transaction.put(spend.row.span, forKey: key.span, in: spendTable)
    }
    for (key, credential) in credentials {
      try transaction.put(credential.row.span, forKey: key.span, in: credentialTable)
    }
  }

  // MARK: Holds

  private enum HoldChanges {
    case possible([Hold.Change])
    case impossible(String)
  }

  private func holdChanges(
    _ recorded: RecordedEvent, of meter: MeterKey, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> HoldChanges {
    switch recorded.event {
    case .fetchStarted(let event):
      let hold = Hold(
        fetch: recorded.position, attempt: 1, state: .reserved, tokens: event.bound,
        meter: meter, account: event.account, operation: event.operation, since: recorded.time)
      return try reserving(hold, in: transaction)
    case .fetchAttemptFailed(let event):
      let hold = Hold(
        fetch: event.fetch, attempt: event.nextAttempt, state: .reserved,
        tokens: event.nextBound, meter: meter, account: event.account,
        operation: event.operation, since: recorded.time)
      return try reserving(hold, in: transaction)
    case .tokensCharged(let event):
      return try ending(event.fetch, event.attempt, event.reserved, of: meter, in: transaction) {
        .remove($0)
      }
    case .reservationReleased(let event):
      return try ending(event.fetch, event.attempt, event.tokens, of: meter, in: transaction) {
        .remove($0)
      }
    case .chargeInDoubt(let event):
      return try ending(event.fetch, event.attempt, event.tokens, of: meter, in: transaction) {
        var hold = $0
        hold.state = .inDoubt
        return .put(hold)
      }
    case .chargeResolved(let event):
      return try resolving(event, of: meter, in: transaction)
    default: return .possible([])
    }
  }

  private func reserving(
    _ hold: Hold, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> HoldChanges {
    guard hold.tokens >= 0 else { return .impossible("less than nothing cannot be reserved") }
    // What it will be charged under has to be a key.
    let key = Spend.key(
      window: LedgerFold.allTime, account: hold.account, operation: hold.operation)
    guard isPossible(key: key, names: [hold.account, hold.operation]) else {
      return .impossible("its names cannot be keys")
    }
    guard try self.hold(hold.fetch, hold.attempt, in: transaction) == nil else {
      return .impossible("the attempt has a reservation already")
    }
    return .possible([.put(hold)])
  }

  private func ending(
    _ fetch: Position, _ attempt: UInt32, _ tokens: Int64, of meter: MeterKey,
    in transaction: borrowing ReadTransaction, _ change: (Hold) -> Hold.Change
  ) throws(LMDBError) -> HoldChanges {
    guard let hold = try hold(fetch, attempt, in: transaction), hold.state == .reserved,
      hold.tokens == tokens, hold.meter == meter
    else { return .impossible("nothing of that amount is reserved for the attempt") }
    return .possible([change(hold)])
  }

  private func resolving(
    _ event: ChargeResolved, of meter: MeterKey, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> HoldChanges {
    var changes: [Hold.Change] = []
    var seen: Set<[UInt8]> = []
    for doubt in event.doubts {
      let expected: Hold.State = doubt.wasUnprovable ? .unprovable : .inDoubt
      guard var hold = try hold(doubt.fetch, doubt.attempt, in: transaction),
        hold.state == expected, hold.tokens == doubt.tokens, hold.meter == meter,
        seen.insert(hold.key).inserted,
        min(doubt.settled, doubt.released, doubt.unprovable) >= 0,
        doubt.tokens == doubt.settled &+ doubt.released &+ doubt.unprovable
      else { return .impossible("a doubt that it closes is not open, or of another amount") }
      if doubt.unprovable > 0 {
        hold.state = .unprovable
        hold.tokens = doubt.unprovable
        changes.append(.put(hold))
      } else {
        changes.append(.remove(hold))
      }
    }
    return .possible(changes)
  }

  // MARK: Spend

  private struct Charge {
    var window: String
    var account: String
    var operation: String
    var tokens: Int64

    var key: [UInt8] { Spend.key(window: window, account: account, operation: operation) }
  }

  /// What an event adds to the spend, in each of its windows.
  private func charges(of event: Event) -> [Charge] {
    switch event {
    case .tokensCharged(let event):
      return ([LedgerFold.allTime] + event.windows).map {
        Charge(
          window: $0, account: event.account, operation: event.operation, tokens: event.tokens)
      }
    case .chargeResolved(let event):
      return ([LedgerFold.allTime] + event.windows).flatMap { window in
        event.doubts.filter { $0.settled > 0 }.map {
          Charge(
            window: window, account: $0.account, operation: $0.operation, tokens: $0.settled)
        }
      }
    default: return []
    }
  }

  private mutating func add(
    _ charge: Charge, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    let key = charge.key
    var row = try spend(key, in: transaction)
    row.tokens &+= charge.tokens
    row.charges += 1
    spend[key] = row
  }

  // MARK: Rows, from memory or from the table

  private func meter(
    _ key: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Meter {
    if let known = meters[key] { return known }
    return try stored(key, in: meterTable, transaction, Meter.init(row:)) ?? Meter()
  }

  private func spend(
    _ key: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Spend {
    if let known = spend[key] { return known }
    return try stored(key, in: spendTable, transaction, Spend.init(row:))
      ?? Spend(tokens: 0, charges: 0)
  }

  private func credential(
    _ key: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Credential? {
    guard isPossible(key: key) else { return nil }
    if let known = credentials[key] { return known }
    return try stored(key, in: credentialTable, transaction, Credential.init(row:))
  }

  private func hold(
    _ fetch: Position, _ attempt: UInt32, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Hold? {
    let key = Hold.key(fetch: fetch, attempt: attempt)
    if let known = holds[key] { return known }
    return try stored(key, in: holdTable, transaction) { row in
      Hold(fetch: fetch, attempt: attempt, row: row)
    }
  }

  private func stored<Row>(
    _ key: [UInt8], in table: Table, _ transaction: borrowing ReadTransaction,
    _ read: (RawSpan) -> Row
  ) throws(LMDBError) -> Row? {
    try transaction.withValue(forKey: key.span, in: table) { read($0) }
  }
}

extension Hold {
  fileprivate enum Change {
    case put(Hold)
    case remove(Hold)

    var key: [UInt8] {
      switch self {
      case .put(let hold), .remove(let hold): hold.key
      }
    }

    var hold: Hold? {
      if case .put(let hold) = self { return hold }
      return nil
    }
  }
}
