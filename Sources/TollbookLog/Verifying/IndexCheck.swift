import Bytes
import LMDB
import TollbookEvents

/// How many rows the tables of the index have, and a sum over the hashes of their keys that does not depend on their
/// order: two indexes with the same sums have the same rows.
///
/// The hash is seeded anew by each process, so that only chance, one in 2^64, could hide a difference.
struct IndexSums: Hashable, Sendable {
  struct Sum: Hashable, Sendable {
    var rows: UInt64 = 0
    var hashes: UInt64 = 0

    mutating func add(_ key: Span<UInt8>) {
      var hasher = Hasher()
      hasher.combine(bytes: key)
      add(hasher)
    }

    mutating func add(_ key: RawSpan) {
      var hasher = Hasher()
      hasher.combine(bytes: key)
      add(hasher)
    }

    private mutating func add(_ hasher: Hasher) {
      rows += 1
      hashes &+= UInt64(bitPattern: Int64(hasher.finalize()))
    }
  }

  /// In the order of the index's tables.
  private(set) var sums = [Sum](repeating: Sum(), count: 3)

  mutating func add(_ event: RecordedEvent) {
    for row in EventIndex.rows(of: event) { sums[row.table].add(row.key.span) }
  }

  /// What the records of a range say.
  static func read(
    _ environment: Environment, _ log: LogTables, _ range: ClosedRange<Position>, _ chunk: Int,
    isCancelled: () -> Bool
  ) throws(LogError) -> IndexSums {
    var sums = IndexSums()
    var last = range.lowerBound - 1
    while last < range.upperBound, !isCancelled() {
      let start = last
      try environment.withReadTransaction { (transaction) throws(LogError) in
        try LogReader(log).undatedScan(after: start, in: transaction) { (event) throws(LogError) in
          guard event.position <= range.upperBound, event.position - start <= chunk else {
            return .stop
          }
          sums.add(event)
          last = event.position
          return .next
        }
      }
      if last == start { break }
    }
    return sums
  }

  static func += (left: inout IndexSums, right: IndexSums) {
    for table in left.sums.indices {
      left.sums[table].rows += right.sums[table].rows
      left.sums[table].hashes &+= right.sums[table].hashes
    }
  }
}

extension EventIndex {
  /// The rows that an event has in the index, by the number of their table.
  static func rows(of event: RecordedEvent) -> [(table: Int, key: [UInt8])] {
    let keys = IndexKeys(of: event.event, at: event.position)
    var kind = [event.event.kind.rawValue]
    kind.append(bigEndian: event.position)
    var rows: [(table: Int, key: [UInt8])] = [(0, kind)]
    // Each once: an event may name a resource several times, and long names may have the same key.
    var prefixes = keys.resources.map(resourcePrefix)
    if prefixes.count > 1 { prefixes = Array(Set(prefixes)) }
    for prefix in prefixes {
      var key = prefix
      key.append(bigEndian: event.position)
      rows.append((1, key))
    }
    if let fetch = keys.fetch {
      var key: [UInt8] = []
      key.reserveCapacity(16)
      key.append(bigEndian: fetch)
      key.append(bigEndian: event.position)
      rows.append((2, key))
    }
    return rows
  }
}

/// Compares the index with what the records say.
struct IndexCheck {
  /// Differences of a table after which the rest is not named any more.
  private static let limit = 20

  private let environment: Environment
  private let log: LogTables
  private let tables: ViewTables
  private let range: ClosedRange<Position>
  private let expected: IndexSums
  private let watch: LogVerifier.Watch
  private let chunk: WorkLimit

  /// - Parameters:
  ///   - range: the positions that were looked at.
  ///   - expected: what the records of those positions say.
  init(
    _ environment: Environment, _ log: LogTables, _ tables: ViewTables,
    range: ClosedRange<Position>, expected: IndexSums, watch: LogVerifier.Watch, chunk: WorkLimit
  ) {
    self.environment = environment
    self.log = log
    self.tables = tables
    self.range = range
    self.expected = expected
    self.watch = watch
    self.chunk = chunk
  }

  func damages() throws(LogError) -> [Damage] {
    var found: [Damage] = []
    let total = expected.sums.reduce(0) { $0 + $1.rows }
    var done: UInt64 = 0
    for table in EventIndex.fold.tables.indices {
      watch.reading(EventIndex.fold.tables[table])
      let sum = try sum(of: table) { rows in
        watch.progress(.init(stage: .indexes, done: done + rows, total: total))
      }
      done += expected.sums[table].rows
      if watch.isCancelled() { break }
      if sum != expected.sums[table] { found += try differences(of: table) }
    }
    return found
  }

  // MARK: Sums

  /// The sum over the rows of events in range; nil if there are more rows than there can be.
  private func sum(
    of table: Int, progress: (UInt64) -> Void
  ) throws(LogError) -> IndexSums.Sum? {
    var sum = IndexSums.Sum()
    var isOrdered = true
    try scan(table) { (key, head) in
      let position = Self.position(of: key)
      if range.contains(position) { sum.add(key) }
      isOrdered =
        sum.rows <= expected.sums[table].rows && (range.lowerBound...head).contains(position)
      return isOrdered
    } progress: {
      progress(sum.rows)
    }
    return isOrdered ? sum : nil
  }

  /// Shows the keys of a table in portions, with the head that the log then has, until `body` has seen enough or they do
  /// not ascend.
  private func scan(
    _ table: Int, _ body: (RawSpan, Position) -> Bool, progress: () -> Void
  ) throws(LogError) {
    var start: [UInt8]? = [0]
    while let from = start, !watch.isCancelled() {
      start = nil
      try environment.withReadTransaction { (transaction) throws(LogError) in
        var rows = 0
        let opened = try tables.open(in: transaction)[table]
        let last = try LogError.absorbing(try transaction.lastKey(in: log.events))
        let head = max(last?.bigEndianPosition ?? 0, range.upperBound)
        try transaction.scan(opened, from: from.span) { (key, _) throws(LogError) in
          guard body(key, head) else { return .stop }
          rows += 1
          guard rows >= chunk.rows * 4 else { return .next }
          // Keys that do not ascend would be read for ever.
          if !key.lexicographicallyPrecedes(from.span) {
            start = [UInt8](copying: key) + [0]
          }
          return .stop
        }
      }
      progress()
    }
  }

  static func position(of key: RawSpan) -> Position {
    key.byteCount < 9 ? 0 : key.bigEndianUInt64(at: key.byteCount - 8)
  }

  // MARK: Differences

  /// Names the rows that are too many and those that are missing.
  private func differences(of table: Int) throws(LogError) -> [Damage] {
    let name = EventIndex.fold.tables[table]
    var found: [Damage] = []
    var surplus: [Position] = []
    var last: [UInt8] = []
    try scan(table) { (key, head) in
      guard last.isEmpty || !key.lexicographicallyPrecedes(last.span) else { return false }
      last = [UInt8](copying: key)
      let position = Self.position(of: key)
      let isWrong =
        !(range.lowerBound...head).contains(position)
        || (range.contains(position) && !isRow(last, of: position, in: table))
      if isWrong { surplus.append(position) }
      return surplus.count < Self.limit
    } progress: {
    }
    for position in surplus {
      found.append(
        Damage(
          table: name, position: position,
          problem: "a row of the index is not what the event at its position says"))
    }
    for position in try missing(from: table) {
      found.append(
        Damage(
          table: name, position: position, problem: "an event is missing from the index"))
    }
    if found.isEmpty {
      found.append(
        Damage(table: name, problem: "the index is not what the events say"))
    }
    return found
  }

  private func isRow(_ key: [UInt8], of position: Position, in table: Int) -> Bool {
    let event = try? environment.withReadTransaction { (transaction) throws(LogError) in
      try LogReader(log).undatedEvent(at: position, in: transaction)
    }
    guard let event = event.flatMap(\.self) else { return false }
    return EventIndex.rows(of: event).contains { $0.table == table && $0.key == key }
  }

  private func missing(from table: Int) throws(LogError) -> [Position] {
    var missing: [Position] = []
    var last = range.lowerBound - 1
    while last < range.upperBound, missing.count < Self.limit, !watch.isCancelled() {
      let start = last
      do throws(LogError) {
        try environment.withReadTransaction { (transaction) throws(LogError) in
          let opened = try tables.open(in: transaction)[table]
          try LogReader(log).undatedScan(after: last, in: transaction) { (event) throws(LogError) in
            guard event.position <= range.upperBound, event.position - start <= chunk.rows else {
              return .stop
            }
            last = event.position
            for row in EventIndex.rows(of: event) where row.table == table {
              try LogError.inTables { () throws(LMDBError) in
                if try !transaction.contains(key: row.key.span, in: opened) {
                  missing.append(event.position)
                }
              }
            }
            return missing.count < Self.limit ? .next : .stop
          }
        }
      } catch {
        // What cannot be read is named elsewhere.
        guard case .damaged = error else { throw error }
        return missing
      }
      if last == start { break }
    }
    return missing
  }
}
