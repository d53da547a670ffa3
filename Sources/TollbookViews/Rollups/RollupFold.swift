import Bytes
import LMDB
import TollbookEvents
package import TollbookLog

/// Adds up spend, reads, waste and calls per hour, account, operation, kind of resources, unit and tags.
///
/// | table | key | value |
/// |---|---|---|
/// | `hours` | ``RollupKey`` | ``RollupRow`` |
/// | `refreshes` | position of a `CacheWritten` (8) | what was charged for it, when it ended |
/// | `gone` | when it ended (8), position of the `CacheWritten` (8) | nothing |
/// | `doubts` | fetch (8), attempt (4) | ``DoubtRow``: what a doubt's end does not tell |
/// | `remarks` | position (8) | why an audit names the event (1) |
/// | `meta` | `since` | position of the first event from which on it speaks of all (8) |
/// | `stretches` | first position (8) | ``ClockStretch`` |
///
/// Hours are those that the clock said at the commit, as an hour of a day is: after a clock was ahead, commit times stand
/// still until the true time has come to them.
///
/// What is found out later changes the row of the hour in which it began: a doubt that is closed, a refresh that is read
/// or never will be. The latter stand in `refreshes` until that is decided, and in `gone` while a read may yet turn up.
///
/// Events of format 1 do not tell enough, and are left out: it speaks of what came after the last of them.
package enum RollupFold {
  package static let fold = Fold(
    name: "rollups", version: 2,
    tables: ["hours", "refreshes", "gone", "doubts", "remarks", "meta", "stretches"],
    cadence: .eachCommit, sinceFormat: 2, predecessors: [first]
  ) { (events, tables, transaction) throws(LMDBError) in
    var books = try RollupBooks(tables, in: transaction.reading)
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

  static let sinceKey = Array("since".utf8)

  /// Version 1 went by the hours of commit times, and counted what is passed through among what is handed on.
  static let first = Fold.Predecessor(
    name: "rollups", version: 1,
    tables: ["hours", "refreshes", "gone", "doubts", "remarks", "meta"], exactness: .never
  ) { table, key, value in
    var value = [UInt8](copying: value)
    // A doubt's hour was that of the commit time.
    if table == 3, value.count >= 4 {
      value.insert(contentsOf: [UInt8](repeating: .max, count: 8), at: 4)
    }
    return [CarriedRow(table: table, key: [UInt8](copying: key), value: value)]
  }
}

/// The rows that a run of events touches, changed in memory and written once at its end.
private struct RollupBooks {
  private let hourTable: Table
  private let refreshTable: Table
  private let goneTable: Table
  private let doubtTable: Table
  private let remarkTable: Table
  private let metaTable: Table
  private let stretchTable: Table

  private var hours = TouchedRows<RollupRow>()
  /// Nil: it is decided.
  private var refreshes: [Position: RefreshRow?] = [:]
  /// Whether nothing is undecided, so that there is nothing to look up.
  private var areRefreshesEmpty: Bool
  /// What this run puts into `gone`, and takes out.
  private var gone: [Gone: Bool] = [:]
  /// No entry in `gone` ended earlier; nil: there is none.
  private var earliestGone: Timestamp?
  /// Nil: it is over.
  private var doubts: [KeyBytes: DoubtRow?] = [:]
  private var areDoubtsEmpty: Bool
  private var remarks: [(position: Position, remarks: RollupRemarks)] = []
  private var since: Position?
  private var isSinceChanged = false
  /// Stretches that began or went on in this run, and the last one that there is; nil: nobody has looked yet.
  private var stretches: [ClockStretch] = []

  /// An entry that ended, and of which a read may yet turn up.
  private struct Gone: Hashable {
    var ended: Timestamp
    var written: Position

    /// Instants before 1970 come first too.
    var key: [UInt8] {
      var key: [UInt8] = []
      key.append(bigEndian: UInt64(bitPattern: ended.milliseconds) ^ (1 << 63))
      key.append(bigEndian: written)
      return key
    }

    init(_ ended: Timestamp, _ written: Position) {
      self.ended = ended
      self.written = written
    }

    init?(key: RawSpan) {
      var field = RowOffset()
      let instant = field.unsigned(key) ^ (1 << 63)
      ended = Timestamp(milliseconds: Int64(bitPattern: instant))
      written = field.unsigned(key)
      guard field.isAtEnd(key) else { return nil }
    }
  }

  init(_ tables: [Table], in transaction: borrowing ReadTransaction) throws(LMDBError) {
    hourTable = tables[0]
    refreshTable = tables[1]
    goneTable = tables[2]
    doubtTable = tables[3]
    remarkTable = tables[4]
    metaTable = tables[5]
    stretchTable = tables[6]
    areDoubtsEmpty = try transaction.count(in: doubtTable) == 0
    areRefreshesEmpty = try transaction.count(in: refreshTable) == 0
    if !areRefreshesEmpty, let key = try transaction.firstKey(in: goneTable) {
      earliestGone = try goneTable.decoded(key.withRawSpan { Gone(key: $0) }).ended
    }
    since = try transaction.row(forKey: RollupFold.sinceKey.span, in: metaTable) {
      RowOffset.number(of: $0)
    }
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: borrowing RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    try giveUpWaiting(at: recorded.wall, in: transaction)
    let changes = RollupChanges(recorded)
    if let problem = changes.problem { return problem }
    if recorded.isInEarlierHour { try addToStretch(recorded, in: transaction) }
    if let isKnown = changes.isKnownFormat, isKnown == (since == nil) {
      since = isKnown ? recorded.position : nil
      isSinceChanged = true
    }
    for change in changes.rows { try add(change.sums, to: change.key, in: transaction) }
    for (written, part) in changes.refreshes { try hold(part, written, in: transaction) }
    if !areRefreshesEmpty {
      for written in changes.read { try use(written, in: transaction) }
      for written in changes.ended { try end(written, at: recorded.wall, in: transaction) }
    }
    for change in changes.doubts { try apply(change, in: transaction) }
    if !changes.remarks.isEmpty { remarks.append((recorded.position, changes.remarks)) }
    return nil
  }

  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let hourTable = hourTable
    try hours.inKeyOrder { (key, sums) throws(LMDBError) in
      if sums.isZero {
        _ = try transaction.delete(key: key.bytes.span, in: hourTable)
      } else {
        try transaction.put(sums.row.span, forKey: key.bytes.span, in: hourTable)
      }
    }
    for (written, refresh) in refreshes {
      let key = written.bigEndianBytes
      if let refresh {
        try transaction.put(refresh.row.span, forKey: key.span, in: refreshTable)
      } else {
        _ = try transaction.delete(key: key.span, in: refreshTable)
      }
    }
    let nothing: [UInt8] = []
    for (entry, isThere) in gone {
      if isThere {
        try transaction.put(nothing.span, forKey: entry.key.span, in: goneTable)
      } else {
        _ = try transaction.delete(key: entry.key.span, in: goneTable)
      }
    }
    for (position, remarks) in remarks {
      let row = [remarks.rawValue]
      try transaction.put(row.span, forKey: position.bigEndianBytes.span, in: remarkTable)
    }
    for (key, doubt) in doubts {
      if let doubt {
        try transaction.put(doubt.row.span, forKey: key.bytes.span, in: doubtTable)
      } else {
        _ = try transaction.delete(key: key.bytes.span, in: doubtTable)
      }
    }
    for stretch in stretches {
      let key = stretch.first.bigEndianBytes
      try transaction.put(stretch.row.span, forKey: key.span, in: stretchTable)
    }
    guard isSinceChanged else { return }
    if let since {
      try transaction.put(
        since.bigEndianBytes.span, forKey: RollupFold.sinceKey.span, in: metaTable)
    } else {
      _ = try transaction.delete(key: RollupFold.sinceKey.span, in: metaTable)
    }
  }

  private mutating func add(
    _ sums: RollupRow, to key: KeyBytes, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    let table = hourTable
    let place = try hours.place(of: key) { () throws(LMDBError) in
      try transaction.row(forKey: key.bytes.span, in: table) { RollupRow(row: $0) }
        ?? RollupRow()
    }
    hours[place] += sums
  }

  /// Notes that the clock put an event into an earlier hour than that of its commit time.
  private mutating func addToStretch(
    _ recorded: borrowing RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    if stretches.isEmpty {
      try transaction.scan(stretchTable, descending: true) { (key, row) throws(LMDBError) in
        stretches = [try stretchTable.decoded(ClockStretch(key: key, row: row))]
        return .stop
      }
    }
    let position = recorded.position
    let hour = RollupKey.hour(of: recorded.wall)
    let last = stretches.count - 1
    if last >= 0, stretches[last].goOn(with: position...position, hour: hour) { return }
    stretches.append(ClockStretch(first: position, last: position, hour: hour))
  }

  // MARK: Doubts

  private mutating func apply(
    _ change: DoubtChange, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    let key = KeyBytes(change.key)
    var doubt: DoubtRow?
    if let known = doubts[key] {
      doubt = known
    } else if !areDoubtsEmpty {
      doubt = try transaction.row(forKey: key.bytes.span, in: doubtTable) { DoubtRow(row: $0) }
    }
    switch change.change {
    case .began(let pages, let hour):
      doubts[key] = .some(DoubtRow(openPages: UInt32(clamping: pages), hour: hour))
      areDoubtsEmpty = false
    case .closed(let unit, let isSettled, let isOver, let held, let charge):
      for row in held {
        let key = doubt?.hour.map { RollupKey.key(row.key, inHour: $0) } ?? row.key
        try add(row.sums, to: key, in: transaction)
      }
      guard var doubt else {
        for row in charge { try add(row.sums, to: row.key, in: transaction) }
        return
      }
      if isSettled {
        if doubt.unit.isEmpty { doubt.unit = unit }
        if doubt.unit == unit {
          for row in charge { try add(row.sums, to: row.key, in: transaction) }
        }
      }
      if isOver { doubt.openPages -= min(1, doubt.openPages) }
      doubts[key] = .some(doubt.openPages == 0 ? nil : doubt)
    }
  }

  // MARK: Refreshes

  private func refresh(
    _ written: Position, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> RefreshRow? {
    if let known = refreshes[written] { return known }
    return try transaction.row(forKey: written.bigEndianBytes.span, in: refreshTable) {
      RefreshRow(row: $0)
    }
  }

  /// Keeps a part of a charge until it is decided.
  private mutating func hold(
    _ part: RefreshPart, _ written: Position, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    var refresh = try areRefreshesEmpty ? nil : refresh(written, in: transaction)
    if let ended = refresh?.ended {
      // A charge for an entry that has ended already: as long as that is remembered, it shares its fate.
      try move(part, from: .stillLive, to: .neverRead, in: transaction)
      gone[Gone(ended, written)] = true
    }
    refresh = refresh ?? RefreshRow()
    refresh?.parts.append(part)
    refreshes[written] = .some(refresh)
    areRefreshesEmpty = false
  }

  /// A read was answered from the entry while it was fresh.
  private mutating func use(
    _ written: Position, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard let refresh = try refresh(written, in: transaction) else { return }
    for part in refresh.parts {
      let before = refresh.ended == nil ? RollupColumn.stillLive : .neverRead
      try move(part, from: before, to: .refreshedAndUsed, in: transaction)
    }
    forget(written, refresh)
  }

  /// The entry is no longer fresh, or no longer there.
  private mutating func end(
    _ written: Position, at time: Timestamp, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard var refresh = try refresh(written, in: transaction), refresh.ended == nil else { return }
    for part in refresh.parts {
      try move(part, from: .stillLive, to: .neverRead, in: transaction)
    }
    refresh.ended = time
    refreshes[written] = .some(refresh)
    gone[Gone(time, written)] = true
    earliestGone = min(earliestGone ?? time, time)
  }

  private mutating func forget(_ written: Position, _ refresh: RefreshRow) {
    refreshes[written] = .some(nil)
    if let ended = refresh.ended { gone[Gone(ended, written)] = false }
  }

  /// Moves a part to another class of waste, in the rows of the hour in which it was charged.
  private mutating func move(
    _ part: RefreshPart, from old: RollupColumn, to new: RollupColumn,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    for amount in part.amounts {
      guard let key = RollupKey.key(part.prefix, unit: amount.unit) else { continue }
      var sums = RollupRow()
      sums.add(0 &- amount.count, to: old)
      sums.add(amount.count, to: new)
      try add(sums, to: KeyBytes(key), in: transaction)
    }
  }

  /// Forgets the entries that ended so long ago that no read of them will turn up.
  private mutating func giveUpWaiting(
    at time: Timestamp, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard let earliest = earliestGone, Self.isOver(earliest, at: time) else { return }
    var over: [Gone] = []
    var next: Timestamp?
    let gone = gone
    try transaction.scan(goneTable) { (key, _) throws(LMDBError) in
      let entry = try goneTable.decoded(Gone(key: key))
      if gone[entry] == false { return .next }
      guard Self.isOver(entry.ended, at: time) else {
        next = entry.ended
        return .stop
      }
      over.append(entry)
      return .next
    }
    for (entry, isThere) in gone where isThere {
      if Self.isOver(entry.ended, at: time) {
        over.append(entry)
      } else {
        next = min(next ?? entry.ended, entry.ended)
      }
    }
    for entry in over {
      self.gone[entry] = false
      refreshes[entry.written] = .some(nil)
    }
    earliestGone = next
  }

  private static func isOver(_ ended: Timestamp, at time: Timestamp) -> Bool {
    ended.advanced(byMilliseconds: RefreshRow.patience) < time
  }
}
