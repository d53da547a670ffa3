package import LMDB
package import TollbookEvents
package import TollbookLog

/// A log to be read from its files: one that is open, or one beside whose owner this process reads.
///
/// Long readings are cut into portions, each a read transaction of its own that ends after some milliseconds, so that
/// pages which the owner frees meanwhile can be used again. What was committed never changes, so that this shows.
package struct LogSource: Sendable {
  /// Rows and bytes after which a portion ends.
  private static let portionRows = 20_000
  private static let portionBytes = 8 << 20

  package let environment: Environment
  package let tables: LogTables

  package init(_ log: EventLog) {
    environment = log.environment
    tables = log.tables
  }

  /// - Throws: `.storage` with `notFound` if the environment holds no log.
  package init(_ environment: Environment) throws(LogError) {
    self.environment = environment
    tables = try LogTables(of: environment)
  }

  package var reader: LogReader { LogReader(tables) }

  /// Runs `body` on one consistent view of everything.
  package func read<R>(
    _ body: (borrowing LogReading) throws(LogError) -> R
  ) throws(LogError) -> R {
    try environment.withReadTransaction { (reading) throws(LogError) in try body(reading) }
  }

  /// The last position, 0 in an empty log.
  package func head() throws(LogError) -> Position {
    try read { (transaction) throws(LogError) in
      try reader.head(in: transaction)
    }
  }

  /// The position before the first event: 0, or that of the snapshot from which the log goes on.
  package func start() throws(LogError) -> Position {
    try read { (transaction) throws(LogError) in
      try reader.base(in: transaction)?.position ?? 0
    }
  }

  /// The last position that was written by an instant, also after a clock was ahead; the start if there is none.
  package func position(asOf time: Timestamp) throws(LogError) -> Position {
    try read { (transaction) throws(LogError) in
      try reader.lastPosition(writtenBy: time, in: transaction)
    }
  }

  /// Shows records after a position up to and including `end`, in order and without a gap, until `body` says stop.
  ///
  /// They are checked against their checksums and not decoded: `Record.tag(of:)` tells the kind, so that what is not
  /// wanted is passed over, and `Record.decoding` reads the rest.
  ///
  /// - Throws: `.beforeBase` if events after `position` are not in the log; `.damaged` for a gap or a wrong checksum.
  package func scanRecords(
    after position: Position, through end: Position = .max,
    _ body: (Position, RawSpan) throws(LogError) -> ReadStep
  ) throws(LogError) {
    try portions(after: position, through: end) { (position, record, _) throws(LogError) in
      try body(position, record)
    }
  }

  /// Shows records with what the clock said at their commits.
  package func scanDatedRecords(
    after position: Position, through end: Position = .max,
    _ body: (Position, _ wall: Timestamp, RawSpan) throws(LogError) -> ReadStep
  ) throws(LogError) {
    var clocks = CommitClocks(tables)
    try portions(after: position, through: end) {
      (position, record, transaction) throws(LogError) in
      try body(position, try clocks.wall(of: position, in: transaction), record)
    }
  }

  /// Shows events after a position up to and including `end`, in order, those of other kinds left out.
  package func scan(
    after position: Position, through end: Position = .max, kinds: Set<EventKind>? = nil,
    _ body: (RecordedEvent) throws(LogError) -> ReadStep
  ) throws(LogError) {
    let wanted = kinds.map { kinds in
      (0...UInt8.max).map { tag in EventKind(rawValue: tag).map(kinds.contains) ?? false }
    }
    var clocks = CommitClocks(tables)
    try portions(after: position, through: end) {
      (position, record, transaction) throws(LogError) in
      if let wanted, !wanted[Int(Record.tag(of: record))] { return .next }
      let wall = try clocks.wall(of: position, in: transaction)
      let event: RecordedEvent
      do throws(Damage) { event = try Record.decoding(record, at: position, wall: wall) } catch {
        throw .damaged(error)
      }
      return try body(event)
    }
  }

  private func portions(
    after position: Position, through end: Position,
    _ body: (Position, RawSpan, borrowing LogReading) throws(LogError) -> ReadStep
  ) throws(LogError) {
    var last = position
    var isAtEnd = last >= end
    while !isAtEnd {
      let start = last
      var hasStopped = false
      try read { (transaction) throws(LogError) in
        var rows = 0
        var bytes = 0
        try reader.scanRecords(after: start, in: transaction) {
          (position, record) throws(LogError) in
          let step = try body(position, record, transaction)
          last = position
          rows += 1
          bytes += record.byteCount
          hasStopped = step == .stop || last == end
          let isFull = rows == Self.portionRows || bytes >= Self.portionBytes
          return hasStopped || isFull ? .stop : .next
        }
      }
      isAtEnd = hasStopped || last == start
    }
  }
}
