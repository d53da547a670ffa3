import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

extension LogReader {
  /// The hours since 1970 whose events a range is, all of them; nil: it is empty, or begins or ends amid an hour.
  ///
  /// - Parameter head: the last event that there is.
  func wholeHours(
    after start: Position, through end: Position, head: Position,
    in transaction: borrowing LogReading
  ) throws(LogError) -> Range<UInt64>? {
    guard start < end, let first = try hour(of: start + 1, in: transaction),
      let last = try hour(of: end, in: transaction)
    else { return nil }
    if start > 0 {
      guard let before = try hour(of: start, in: transaction), before < first else { return nil }
    }
    if end < head {
      guard let next = try hour(of: end + 1, in: transaction), next > last else { return nil }
    }
    return first..<last + 1
  }

  private func hour(
    of position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> UInt64? {
    let time = try time(of: position, in: transaction)
    return time.map { RollupKey.hour(of: $0) }
  }

  /// When an event was committed, that at the log's base too.
  func time(
    of position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> Timestamp? {
    if let base = try base(in: transaction), base.position == position { return base.commit.time }
    return try commit(holding: position, in: transaction)?.time
  }
}

extension AuditCalendar {
  /// Whether each of some hours of UTC is an hour here too.
  mutating func hasWholeHours(_ hours: Range<UInt64>) -> Bool {
    let hour = RollupKey.millisecondsPerHour
    for number in hours {
      let start = RollupKey.start(ofHour: number)
      // Where the offset changes within an hour, its last quarter is of another one.
      for instant in [start, start.advanced(byMilliseconds: hour - 900_000)] {
        guard self.hour(of: instant) == start.milliseconds else { return false }
      }
    }
    return true
  }
}
