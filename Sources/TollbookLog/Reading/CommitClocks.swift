import Bytes
import LMDB
package import TollbookEvents

/// What the clock said at commits, read beside a scan of their events: a record bears the commit's time alone.
///
/// As long as positions ascend each seal is read once, and many at a time.
package struct CommitClocks: Sendable {
  private struct Seal: Sendable {
    var first: Position
    var last: Position
    var wall: Timestamp
  }

  private static let largestPortion = 1_024
  private let commits: Table
  private var seals: [Seal] = []
  private var index = 0
  /// How many to read next: few for who asks for one, many for who reads on.
  private var portion = 1

  package init(_ tables: LogTables) { commits = tables.commits }

  /// What the clock said at the commit that holds an event.
  package mutating func wall(
    of position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> Timestamp {
    while index < seals.count, seals[index].last < position { index += 1 }
    if index == seals.count || position < seals[index].first {
      try read(from: position, in: transaction)
    }
    guard let seal = index < seals.count ? seals[index] : nil, seal.first <= position else {
      throw .damaged(
        Damage(
          table: LogTables.commitsName, position: position,
          problem: "the seal of the commit that holds an event is missing"))
    }
    return seal.wall
  }

  private mutating func read(
    from position: Position, in transaction: borrowing LogReading
  ) throws(LogError) {
    seals.removeAll(keepingCapacity: true)
    index = 0
    let start = LogTables.key(position)
    try transaction.scan(commits, from: start.span) { (key, value) throws(LogError) in
      guard key.byteCount == 8 else {
        throw .damaged(
          Damage(
            table: LogTables.commitsName,
            problem: "a key of \(key.byteCount) bytes is no position"))
      }
      let last = key.bigEndianUInt64(at: 0)
      do throws(Damage) { try CommitRow.check(value, last: last) } catch {
        // One that nobody asks for harms nobody.
        guard seals.isEmpty else { return .stop }
        throw .damaged(error)
      }
      seals.append(
        Seal(first: CommitRow.first(of: value), last: last, wall: CommitRow.wall(of: value)))
      return seals.count < portion ? .next : .stop
    }
    portion = min(Self.largestPortion, portion * 4)
  }
}

/// The times of a commit.
package struct CommitClock: Sendable {
  package let events: ClosedRange<Position>
  /// What the clock said.
  package let wall: Timestamp
  /// The clock, but never before the commit before it.
  package let time: Timestamp
}

extension LogReader {
  /// Shows the times of the commits that begin after a position, in order, until `body` says stop.
  package func scanClocks(
    after position: Position, in transaction: borrowing LogReading,
    _ body: (CommitClock) throws(LogError) -> ReadStep
  ) throws(LogError) {
    guard position < .max else { return }
    let start = LogTables.key(position + 1)
    try transaction.scan(tables.commits, from: start.span) { (key, value) throws(LogError) in
      guard key.byteCount == 8 else { return .next }
      let last = key.bigEndianUInt64(at: 0)
      do throws(Damage) { try CommitRow.check(value, last: last) } catch { throw .damaged(error) }
      let clock = CommitClock(
        events: min(last, max(position + 1, CommitRow.first(of: value)))...last,
        wall: CommitRow.wall(of: value), time: CommitRow.time(of: value))
      return try body(clock).inTable
    }
  }
}
