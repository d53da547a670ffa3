import Bytes
import LMDB
package import TollbookEvents

/// Reads of the log's own tables, inside a transaction that the caller holds.
package struct LogReader: Sendable {
  let tables: LogTables

  package init(_ tables: LogTables) { self.tables = tables }

  /// The last position, 0 in an empty log.
  package func head(in transaction: borrowing LogReading) throws(LogError) -> Position {
    if let last = try LogError.absorbing(try transaction.lastKey(in: tables.events)) {
      return last.bigEndianPosition
    }
    return try base(in: transaction)?.position ?? 0
  }

  /// How the log came to be, if it was restored.
  package func origin(in transaction: borrowing LogReading) throws(LogError) -> LogOrigin? {
    let found: Result<LogOrigin, Damage>? = try LogError.inTables { () throws(LMDBError) in
      try transaction.withValue(forKey: LogOrigin.key.span, in: tables.origin) { value in
        Result { () throws(Damage) in try LogOrigin(bytes: value) }
      }
    }
    do throws(Damage) { return try found?.get() } catch { throw .damaged(error) }
  }

  /// What the log rests on, if its first events are not in it.
  package func base(in transaction: borrowing LogReading) throws(LogError) -> LogBase? {
    try origin(in: transaction)?.base
  }

  /// The event at a position, nil beyond the head.
  package func event(
    at position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> RecordedEvent? {
    guard var event = try undatedEvent(at: position, in: transaction) else { return nil }
    var clocks = CommitClocks(tables)
    event.wall = try clocks.wall(of: position, in: transaction)
    return event
  }

  /// The event at a position, whether or not its commit's seal can be read: its clock is not told.
  func undatedEvent(
    at position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> RecordedEvent? {
    let key = LogTables.key(position)
    let found: Result<RecordedEvent, Damage>? = try LogError.inTables { () throws(LMDBError) in
      try transaction.withValue(forKey: key.span, in: tables.events) { value in
        Result { () throws(Damage) in try Record.decode(value, at: position) }
      }
    }
    do throws(Damage) { return try found?.get() } catch { throw .damaged(error) }
  }

  /// The stored bytes of a record, nil beyond the head.
  package func record(
    at position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> [UInt8]? {
    let key = LogTables.key(position)
    return try LogError.inTables { () throws(LMDBError) in
      try transaction.value(forKey: key.span, in: tables.events)
    }
  }

  /// Shows events after a position, in order and without a gap, until `body` stops or the head is reached.
  package func scan(
    after position: Position, in transaction: borrowing LogReading,
    _ body: (RecordedEvent) throws(LogError) -> ReadStep
  ) throws(LogError) {
    var clocks = CommitClocks(tables)
    try undatedScan(after: position, in: transaction) { (event) throws(LogError) in
      var event = event
      event.wall = try clocks.wall(of: event.position, in: transaction)
      return try body(event)
    }
  }

  /// Shows events whether or not their commits' seals can be read: their clocks are not told.
  func undatedScan(
    after position: Position, in transaction: borrowing LogReading,
    _ body: (RecordedEvent) throws(LogError) -> ReadStep
  ) throws(LogError) {
    try scanRecords(after: position, in: transaction) { (position, record) throws(LogError) in
      let decoded: RecordedEvent
      do throws(Damage) {
        decoded = try Record.decoding(record, at: position)
      } catch { throw .damaged(error) }
      return try body(decoded)
    }
  }

  /// Shows records after a position, checked against their checksums and not decoded, in order and without a gap.
  ///
  /// - Throws: `.beforeBase` if events after `position` are not in the log.
  package func scanRecords(
    after position: Position, in transaction: borrowing LogReading,
    _ body: (Position, RawSpan) throws(LogError) -> ReadStep
  ) throws(LogError) {
    guard position < .max else { return }
    var next = position + 1
    let start = LogTables.key(next)
    try transaction.scan(tables.events, from: start.span) { (key, value) throws(LogError) in
      guard key.byteCount == 8, key.bigEndianUInt64(at: 0) == next else {
        try refuse(after: next - 1, in: transaction)
        throw .damaged(.missingEvent(at: next))
      }
      do throws(Damage) { try Record.check(value, at: next) } catch { throw .damaged(error) }
      next += 1
      return try body(next - 1, value).inTable
    }
    if next == position + 1 { try refuse(after: position, in: transaction) }
  }

  private func refuse(
    after position: Position, in transaction: borrowing LogReading
  ) throws(LogError) {
    guard let base = try base(in: transaction), position < base.position else { return }
    throw .beforeBase(base.position)
  }

  /// Positions after `start` up to and including `end` whose events a fold could not apply.
  package func parked(
    of fold: Fold, after start: Position, through end: Position,
    in transaction: borrowing LogReading
  ) throws(LogError) -> Set<Position> {
    guard start < end else { return [] }
    var found: Set<Position> = []
    let prefix = Array(fold.id.utf8) + [0]
    let first = LogTables.parkedKey(fold: fold.id, position: start + 1)
    try LogError.inTables { () throws(LMDBError) in
      try transaction.scan(tables.parked, from: first.span, prefix: prefix.span) {
        (key, _) throws(LMDBError) in
        guard key.byteCount == prefix.count + 8 else { return .next }
        let position = key.bigEndianUInt64(at: prefix.count)
        guard position <= end else { return .stop }
        found.insert(position)
        return .next
      }
    }
    return found
  }

  /// The positions of events that a view could not apply, whichever version of it.
  package func parked(
    byViewsNamed name: String, in reading: borrowing LogReading
  ) throws(LogError) -> Set<Position> {
    var found: Set<Position> = []
    let prefix = Array("\(name)@".utf8)
    try reading.scan(tables.parked, prefix: prefix.span) { (key, _) throws(LogError) in
      if key.byteCount >= 8 { found.insert(key.bigEndianUInt64(at: key.byteCount - 8)) }
      return .next
    }
    return found
  }

  /// How many events views could not apply, counted once for each view.
  package func parkedCount(in reading: borrowing LogReading) throws(LogError) -> Int {
    try LogError.absorbing(try reading.count(in: tables.parked))
  }

  /// Whether a view has all events up to a position and no more: not so where a log was imported and not opened since.
  package func contains(
    _ fold: Fold, upTo position: Position, in reading: borrowing LogReading
  ) throws(LogError) -> Bool {
    try LogError.absorbing(try ViewRow.of(fold, tables.views, in: reading))?.position == position
  }

  /// The last commit's seal, nil in an empty log.
  package func lastCommit(
    in transaction: borrowing LogReading
  ) throws(LogError) -> CommitRow? {
    var found: CommitRow?
    try transaction.scan(tables.commits, descending: true) { (key, value) throws(LogError) in
      found = try row(key, value)
      return .stop
    }
    return found
  }

  /// The seal of the commit that holds a position, nil beyond the head.
  package func commit(
    holding position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> CommitRow? {
    var found: CommitRow?
    let start = LogTables.key(position)
    try transaction.scan(tables.commits, from: start.span) { (key, value) throws(LogError) in
      found = try row(key, value)
      return .stop
    }
    return found
  }

  /// The last position whose commit time is before `time`; 0 if there is none. Commit times never fall, so that a binary
  /// search over positions finds it.
  package func lastPosition(
    before time: Timestamp, in transaction: borrowing LogReading
  ) throws(LogError) -> Position {
    var low: Position = 0
    var high = try head(in: transaction)
    while low < high {
      let middle = low + (high - low + 1) / 2
      guard let commit = try commit(holding: middle, in: transaction) else { break }
      if commit.time < time { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// The tree's right edge at a size that a commit has sealed: from stored tiles and the last few records.
  package func frontier(
    size: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> MerkleFrontier {
    let base = try base(in: transaction)
    if let base, size < base.position { throw .beforeBase(base.position) }
    var frontier = base?.frontier ?? MerkleFrontier()
    while frontier.size % 256 != 0, frontier.size < size {
      try append(to: &frontier, in: transaction)
    }
    for level in [UInt8]([8, 16, 24, 32, 40, 48]) {
      // Up to where a larger hash begins.
      while frontier.size + (1 << UInt64(level)) <= size,
        frontier.size % (1 << UInt64(level + 8)) != 0
      {
        try append(level: level, to: &frontier, in: transaction)
      }
    }
    for level in [UInt8]([56, 48, 40, 32, 24, 16, 8]) {
      while frontier.size + (1 << UInt64(level)) <= size {
        try append(level: level, to: &frontier, in: transaction)
      }
    }
    while frontier.size < size { try append(to: &frontier, in: transaction) }
    return frontier
  }

  /// Appends the next stored hash of that level to an edge that stands at its beginning.
  private func append(
    level: UInt8, to frontier: inout MerkleFrontier, in transaction: borrowing LogReading
  ) throws(LogError) {
    let index = frontier.size >> UInt64(level)
    let hash = try tile(level: level, index: index, in: transaction)
    frontier.append(subtree: hash, level: Int(level))
  }

  /// Appends the next record to an edge.
  private func append(
    to frontier: inout MerkleFrontier, in transaction: borrowing LogReading
  ) throws(LogError) {
    let position = frontier.size + 1
    guard let record = try record(at: position, in: transaction) else {
      throw .damaged(.missingEvent(at: position))
    }
    _ = frontier.append(MerkleTree.leafHash(record))
  }

  /// A stored hash of the tree, checked.
  func tile(
    level: UInt8, index: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> TreeHash {
    let value: [UInt8]? = try LogError.inTables { () throws(LMDBError) in
      try transaction.value(
        forKey: LogTables.treeKey(level: level, index: index).span, in: tables.tree)
    }
    guard let value, value.count == 36, Array(value[32...]) == checksum(Array(value[..<32])) else {
      throw .damaged(
        Damage(
          table: LogTables.treeName, position: (index + 1) << UInt64(level),
          problem: "the hash of level \(level), index \(index) is missing or damaged"))
    }
    return Array(value[..<32])
  }

  private func checksum(_ hash: TreeHash) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: crc32c(hash.span))
    return bytes
  }

  private func row(_ key: RawSpan, _ value: RawSpan) throws(LogError) -> CommitRow {
    do throws(Damage) {
      guard key.byteCount == 8 else {
        throw Damage(
          table: LogTables.commitsName,
          problem: "a key of \(key.byteCount) bytes is no position")
      }
      return try CommitRow(last: key.bigEndianUInt64(at: 0), bytes: value)
    } catch { throw .damaged(error) }
  }

  /// How many bytes the pages have that bodies lie in, from counters: no less than what the bodies take.
  package func bodyPageBytes(in reading: borrowing LogReading) throws(LogError) -> Int {
    try LogError.absorbing(try reading.bytes(in: tables.bodies))
  }

  /// How many bytes a body takes in the log, nil if it is not stored.
  package func storedBytes(
    ofBody digest: [UInt8], in reading: borrowing LogReading
  ) throws(LogError) -> Int? {
    try LogError.absorbing(
      try reading.withValue(forKey: digest.span, in: tables.bodies) { $0.byteCount })
  }

  /// A body by the digest of its content, nil if it is not stored.
  package func body(
    digest: [UInt8], in transaction: borrowing LogReading
  ) throws(LogError) -> Body? {
    let found: Result<Body, Damage>? = try LogError.inTables { () throws(LMDBError) in
      try transaction.withValue(forKey: digest.span, in: tables.bodies) { value in
        Result { () throws(Damage) in try Body(digest: digest, row: value) }
      }
    }
    do throws(Damage) { return try found?.get() } catch { throw .damaged(error) }
  }
}

extension [UInt8] {
  /// The position that an eight-byte key names.
  var bigEndianPosition: Position { reduce(0) { $0 << 8 | Position($1) } }
}
