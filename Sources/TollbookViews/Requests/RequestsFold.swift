import Bytes
import LMDB
import TollbookEvents
package import TollbookLog

/// Keeps the requests with idempotency keys, for as long as a repeat is to get the same answer.
///
/// | table | key | value |
/// |---|---|---|
/// | `requests` | SHA-256 of the idempotency key and of whose it is (32) | its row |
/// | `due` | until when it is kept (8), its key (32) | nothing |
package enum RequestsFold {
  package static let fold = Fold(
    name: "requests", version: 1, tables: ["requests", "due"], cadence: .eachDecision,
    sinceFormat: 6
  ) { (events, tables, transaction) throws(LMDBError) in
    var changes = RequestChanges(tables)
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
    case .requestBegun, .requestAnswered, .requestsForgotten, .fetchStarted: true
    default: false
    }
  }

  static func dueKey(_ time: Timestamp, _ key: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    // Instants before 1970 come first too.
    bytes.append(bigEndian: UInt64(bitPattern: time.milliseconds) ^ 1 << 63)
    return bytes + key
  }
}

/// The rows that a run of events touches.
private struct RequestChanges {
  private struct Changed {
    /// Nil: there is none.
    var row: RequestRow?
    /// Where it stands among those that are due, as stored.
    let due: Timestamp?
  }

  private let tables: [Table]
  private var rows = TouchedRows<Changed>()

  init(_ tables: [Table]) { self.tables = tables }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .requestBegun(let event):
      guard let place = try place(of: Array(event.key), in: transaction),
        event.request.count == RequestRow.digestSize
      else { return Self.impossible }
      var row = RequestRow(
        request: Array(event.request), since: Timestamp(milliseconds: event.begunMs),
        keepUntil: Timestamp(milliseconds: event.keepUntilMs))
      // One that is made anew is not forgotten what it has begun before.
      if let before = rows[place].row { (row.since, row.fetches) = (before.since, before.fetches) }
      rows[place].row = row
    case .requestAnswered(let event):
      guard let place = try place(of: Array(event.key), in: transaction),
        event.body.isEmpty || event.body.count == RequestRow.digestSize
      else { return Self.impossible }
      guard rows[place].row?.state == .begun else { return "no such request is under way" }
      rows[place].row?.state = event.status == 0 ? .failed : .answered
      rows[place].row?.body = Array(event.body)
    case .requestsForgotten(let event):
      var places: [Int] = []
      for key in event.keys {
        guard let place = try place(of: Array(key), in: transaction) else {
          return Self.impossible
        }
        guard rows[place].row != nil else { return "there is no such request" }
        places.append(place)
      }
      for place in places { rows[place].row = nil }
    case .fetchStarted(let event):
      for demand in event.demands where !demand.idempotency.isEmpty {
        guard let place = try place(of: Array(demand.idempotency), in: transaction),
          rows[place].row?.state == .begun, rows[place].row?.fetches.last != recorded.position
        else { continue }
        rows[place].row?.fetches.append(recorded.position)
      }
    default: break
    }
    return nil
  }

  private static let impossible = "it names something that is no SHA-256"

  /// Nil: a key is not as long as a digest.
  private mutating func place(
    of key: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int? {
    guard key.count == RequestRow.digestSize else { return nil }
    let table = tables[0]
    return try rows.place(of: KeyBytes(key)) { () throws(LMDBError) in
      let row = try transaction.row(forKey: key.span, in: table) { RequestRow(row: $0) }
      return Changed(row: row, due: row?.keepUntil)
    }
  }

  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let tables = tables
    let nothing: [UInt8] = []
    try rows.inKeyOrder { (key, changed) throws(LMDBError) in
      if let due = changed.due, due != changed.row?.keepUntil {
        let dueKey = RequestsFold.dueKey(due, key.bytes)
        _ = try transaction.delete(key: dueKey.span, in: tables[1])
      }
      guard let row = changed.row else {
        _ = try transaction.delete(key: key.bytes.span, in: tables[0])
        return
      }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[0])
      if changed.due != row.keepUntil {
        let dueKey = RequestsFold.dueKey(row.keepUntil, key.bytes)
        try transaction.put(nothing.span, forKey: dueKey.span, in: tables[1])
      }
    }
  }
}
