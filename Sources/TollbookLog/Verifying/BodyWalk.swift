import Bytes
import Dispatch
import LMDB
import Synchronization
import TollbookEvents

/// Bodies, in the order of their digests: each must match its checksum, inflate, and hash to the digest that names it.
struct BodyWalk {
  private let environment: Environment
  private let tables: LogTables
  private var last: [UInt8] = []
  private(set) var isAtEnd = false
  private(set) var rows: UInt64 = 0
  /// Bytes of what was inflated.
  private(set) var bytes: UInt64 = 0
  private(set) var damages: [Damage] = []
  /// What is wrong with which body, until it is known where it is named.
  private(set) var broken: [[UInt8]: Damage] = [:]

  init(_ environment: Environment, _ tables: LogTables) {
    self.environment = environment
    self.tables = tables
  }

  mutating func step(upTo limit: WorkLimit) throws(LogError) {
    var found: [(digest: [UInt8], row: [UInt8])] = []
    var size = 0
    var hasMore = false
    var isOrdered = true
    let start = last + [0]
    var last = last
    try LogError.inTables { () throws(LMDBError) in
      try environment.withReadTransaction { (transaction) throws(LMDBError) in
        try transaction.scan(tables.bodies, from: start.span) { (key, row) throws(LMDBError) in
          guard found.count < limit.rows, size < limit.bytes else {
            hasMore = true
            return .stop
          }
          isOrdered = last.isEmpty || !key.lexicographicallyPrecedes(last.span)
          guard isOrdered else { return .stop }
          last = [UInt8](copying: key)
          found.append((last, [UInt8](copying: row)))
          size += row.byteCount
          return .next
        }
      }
    }
    self.last = last
    if !isOrdered {
      damages.append(
        Damage(
          table: LogTables.bodiesName,
          problem: "keys do not ascend: nothing behind \(last.hexadecimal) can be trusted"))
    }
    check(found)
    rows += UInt64(found.count)
    isAtEnd = !hasMore || !isOrdered
  }

  /// Checks bodies on all cores.
  private mutating func check(_ found: [(digest: [UInt8], row: [UInt8])]) {
    let results = Mutex((bytes: UInt64(0), broken: [[UInt8]: Damage]()))
    let parts = min(8, found.count)
    guard parts > 0 else { return }
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      var bytes: UInt64 = 0
      var broken: [[UInt8]: Damage] = [:]
      for index in stride(from: part, to: found.count, by: parts) {
        let (digest, row) = found[index]
        do throws(Damage) {
          let body = try row.withRawSpan { (row) throws(Damage) in
            try Body(digest: digest, row: row)
          }
          bytes += UInt64(try body.content().count)
        } catch { broken[digest] = error }
      }
      results.withLock { results in
        results.bytes += bytes
        results.broken.merge(broken) { $1 }
      }
    }
    results.withLock { results in
      bytes += results.bytes
      broken.merge(results.broken) { $1 }
    }
  }
}

/// Stored hashes that stand where there are no records to hash. Those that have records are met on the walk over them.
struct TreeWalk {
  private let environment: Environment
  private let tables: LogTables
  /// The last position before the first record.
  private let start: Position
  private var last: [UInt8] = []
  private(set) var isAtEnd = false
  private(set) var rows: UInt64 = 0
  private(set) var damages: [Damage] = []

  init(_ environment: Environment, _ tables: LogTables, after start: Position) {
    self.environment = environment
    self.tables = tables
    self.start = start
  }

  mutating func step(upTo limit: WorkLimit) throws(LogError) {
    var seen = 0
    var hasMore = false
    var isOrdered = true
    let from = last + [0]
    var last = last
    var wrong = 0
    try LogError.inTables { () throws(LMDBError) in
      try environment.withReadTransaction { (transaction) throws(LMDBError) in
        // Of this transaction, since the log may have grown.
        let head = try transaction.lastCommitPosition(in: tables)
        try transaction.scan(tables.tree, from: from.span) { (key, _) throws(LMDBError) in
          guard seen < limit.rows else {
            hasMore = true
            return .stop
          }
          seen += 1
          isOrdered = last.isEmpty || !key.lexicographicallyPrecedes(last.span)
          guard isOrdered else { return .stop }
          last = [UInt8](copying: key)
          if !isPossible(key, head: head) { wrong += 1 }
          return .next
        }
      }
    }
    self.last = last
    for _ in 0..<min(wrong, 100) {
      damages.append(
        Damage(table: LogTables.treeName, problem: "a hash stands where no records are"))
    }
    if !isOrdered {
      damages.append(
        Damage(
          table: LogTables.treeName,
          problem: "keys do not ascend: nothing behind can be trusted"))
    }
    rows += UInt64(seen)
    isAtEnd = !hasMore || !isOrdered
  }

  private func isPossible(_ key: RawSpan, head: Position) -> Bool {
    guard key.byteCount == 9 else { return false }
    let level = key.byte(at: 0)
    guard level > 0, level < 64, level % 8 == 0 else { return false }
    let index = key.bigEndianUInt64(at: 1)
    return index < head >> UInt64(level) && (index + 1) << UInt64(level) > start
  }
}

extension ReadTransaction {
  /// The last position that a commit holds.
  borrowing func lastCommitPosition(in tables: LogTables) throws(LMDBError) -> Position {
    var last: Position = 0
    try scan(tables.commits, descending: true) { (key, _) throws(LMDBError) in
      // Others are no positions, and damage.
      guard key.byteCount == 8 else { return .next }
      last = key.bigEndianUInt64(at: 0)
      return .stop
    }
    return last
  }
}
