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
package enum LedgerFold {
  package static let fold = Fold(
    name: "ledger", version: 1, tables: ["meters", "holds", "spend", "credentials"],
    cadence: .eachDecision
  ) { (events, tables, transaction) throws(LMDBError) in
    var books = LedgerBooks(tables)
    var parked: [Fold.Parked] = []
    for recorded in events {
      if let problem = try books.apply(recorded, in: transaction.reading) {
        parked.append(Fold.Parked(position: recorded.position, reason: problem))
      }
    }
    try books.write(to: &transaction)
    return parked
  }

  /// The window that counts everything.
  package static let allTime = "total"
}

/// The rows that a run of events touches, changed in memory and written once at its end.
private struct LedgerBooks {
  private let meterTable: Table
  private let holdTable: Table
  private let spendTable: Table
  private let credentialTable: Table
  private var meters: [MeterKey: Meter] = [:]
  /// Nil: the hold is gone.
  private var holds: [[UInt8]: Hold?] = [:]
  private var spend: [[UInt8]: Spend] = [:]
  private var credentials: [String: Credential] = [:]

  init(_ tables: [Table]) {
    meterTable = tables[0]
    holdTable = tables[1]
    spendTable = tables[2]
    credentialTable = tables[3]
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .credentialAdded(let event):
      credentials[event.credential] = Credential(
        status: .unspecified, upstream: event.upstream, unit: event.unit, detail: "")
      return nil
    case .credentialStatusChanged(let event):
      guard var credential = try credential(event.credential, in: transaction) else {
        return "credential \(event.credential) was never added"
      }
      credential.status = event.status
      credential.detail = event.detail
      credentials[event.credential] = credential
      return nil
    default: break
    }
    guard let key = MeterKey(of: recorded.event) else { return nil }
    let changes: [Hold.Change]
    switch try holdChanges(recorded, in: transaction) {
    case .possible(let found): changes = found
    case .impossible(let reason): return reason
    }
    var meter = try meter(key, in: transaction)
    meter.apply(recorded.event)
    meters[key] = meter
    for change in changes { holds[change.key] = .some(change.hold) }
    try count(recorded.event, in: transaction)
    return nil
  }

  mutating func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    for (key, meter) in meters {
      try transaction.put(meter.row.span, forKey: key.bytes.span, in: meterTable)
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
      try transaction.put(credential.row.span, forKey: Array(key.utf8).span, in: credentialTable)
    }
  }

  // MARK: Holds

  private enum HoldChanges {
    case possible([Hold.Change])
    case impossible(String)
  }

  private func holdChanges(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> HoldChanges {
    switch recorded.event {
    case .fetchStarted(let event):
      return .possible([
        .put(
          Hold(
            fetch: recorded.position, attempt: 1, state: .reserved, tokens: event.bound,
            meter: MeterKey(credential: event.credential, unit: event.unit),
            account: event.account, operation: event.operation, since: recorded.time))
      ])
    case .fetchAttemptFailed(let event):
      return .possible([
        .put(
          Hold(
            fetch: event.fetch, attempt: event.nextAttempt, state: .reserved,
            tokens: event.nextBound,
            meter: MeterKey(credential: event.credential, unit: event.unit),
            account: event.account, operation: event.operation, since: recorded.time))
      ])
    case .tokensCharged(let event):
      return try ending(event.fetch, event.attempt, event.reserved, in: transaction)
    case .reservationReleased(let event):
      return try ending(event.fetch, event.attempt, event.tokens, in: transaction)
    case .chargeInDoubt(let event):
      guard
        var hold = try hold(event.fetch, event.attempt, in: transaction),
        hold.state == .reserved, hold.tokens == event.tokens
      else { return .impossible("nothing of that amount is reserved for the attempt") }
      hold.state = .inDoubt
      return .possible([.put(hold)])
    case .chargeResolved(let event):
      return try resolving(event, in: transaction)
    default: return .possible([])
    }
  }

  private func ending(
    _ fetch: Position, _ attempt: UInt32, _ tokens: Int64,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> HoldChanges {
    guard let hold = try hold(fetch, attempt, in: transaction), hold.state == .reserved,
      hold.tokens == tokens
    else { return .impossible("nothing of that amount is reserved for the attempt") }
    return .possible([.remove(hold)])
  }

  private func resolving(
    _ event: ChargeResolved, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> HoldChanges {
    var changes: [Hold.Change] = []
    for doubt in event.doubts {
      let expected: Hold.State = doubt.wasUnprovable ? .unprovable : .inDoubt
      guard var hold = try hold(doubt.fetch, doubt.attempt, in: transaction),
        hold.state == expected, hold.tokens == doubt.tokens,
        doubt.tokens == doubt.settled + doubt.released + doubt.unprovable
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

  private mutating func count(
    _ event: Event, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    switch event {
    case .tokensCharged(let event):
      for window in [LedgerFold.allTime] + event.windows {
        try add(event.tokens, window, event.account, event.operation, in: transaction)
      }
    case .chargeResolved(let event):
      for doubt in event.doubts where doubt.settled > 0 {
        for window in [LedgerFold.allTime] + event.windows {
          try add(doubt.settled, window, doubt.account, doubt.operation, in: transaction)
        }
      }
    default: break
    }
  }

  private mutating func add(
    _ tokens: Int64, _ window: String, _ account: String, _ operation: String,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    let key = Spend.key(window: window, account: account, operation: operation)
    var row = try spend(key, in: transaction)
    row.tokens += tokens
    row.charges += 1
    spend[key] = row
  }

  // MARK: Rows, from memory or from the table

  private func meter(
    _ key: MeterKey, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Meter {
    if let known = meters[key] { return known }
    return try stored(key.bytes, in: meterTable, transaction, Meter.init(row:)) ?? Meter()
  }

  private func spend(
    _ key: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Spend {
    if let known = spend[key] { return known }
    return try stored(key, in: spendTable, transaction, Spend.init(row:))
      ?? Spend(tokens: 0, charges: 0)
  }

  private func credential(
    _ id: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Credential? {
    if let known = credentials[id] { return known }
    return try stored(Array(id.utf8), in: credentialTable, transaction, Credential.init(row:))
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
