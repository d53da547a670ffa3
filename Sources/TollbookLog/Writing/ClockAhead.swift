package import TollbookEvents

/// A log whose last commit is dated later than now: a clock was ahead when events were written, or it is behind now.
///
/// Commit times never fall, so that what is written from then on is dated like the last event that the wrong clock
/// dated, until the true time has come to it.
package struct ClockAhead: Hashable, Sendable {
  /// Clocks that differ by less are nothing to tell anybody: they are set right by small steps.
  package static let tolerance: Int64 = 60_000

  /// The first event that is dated later than now.
  package let from: Position
  /// How the last event is dated.
  package let until: Timestamp
}

extension ClockAhead: CustomStringConvertible {
  package var description: String {
    "events from position \(from) on are dated up to \(until), which is yet to come: a clock was"
      + " ahead when they were written, or it is behind now. What is written until then is dated so"
      + " too; instants are looked up by what the clock said after it was set right, and positions"
      + " name events whatever the clocks said"
  }
}

extension LogReader {
  /// What is to be told of the clock; nil: the last event is not dated later than now.
  package func clockAhead(
    at now: Timestamp, in transaction: borrowing LogReading
  ) throws(LogError) -> ClockAhead? {
    let bound = now.advanced(byMilliseconds: ClockAhead.tolerance)
    guard let last = try lastCommit(in: transaction), last.time > bound else { return nil }
    let before = try lastPosition(before: bound.advanced(byMilliseconds: 1), in: transaction)
    return ClockAhead(from: before + 1, until: last.time)
  }

  /// The last position that was written by an instant: by the time of the commits, as long as the clock was not set
  /// back.
  ///
  /// Where a clock was ahead and was set right, and the time of the last commit is yet to come, all that was written
  /// since has that one time. Of those the wall clock tells which were written by the instant, and what lies before
  /// them was too, however it is dated. A stretch that lies behind is known by the times of its commits alone: what was
  /// written in it counts as written at its end.
  package func lastPosition(
    writtenBy time: Timestamp, in transaction: borrowing LogReading
  ) throws(LogError) -> Position {
    let dated = try lastPosition(before: time.advanced(byMilliseconds: 1), in: transaction)
    guard let last = try lastCommit(in: transaction), last.wall < last.time, dated < last.last
    else {
      return dated
    }
    // The commits that have the time of the last one; the first of them may be what the wrong clock dated.
    var low = try lastPosition(before: last.time, in: transaction)
    var high = last.last
    var found: Position?
    while low < high {
      let middle = low + (high - low + 1) / 2
      guard let commit = try commit(holding: middle, in: transaction) else { break }
      if commit.wall == commit.time {
        low = middle
      } else if commit.wall <= time {
        low = middle
        found = commit.last
      } else {
        high = middle - 1
      }
    }
    return max(dated, found ?? dated)
  }
}

extension EventLog {
  /// What is to be told of the clock; nil: the last event is not dated later than now.
  package func clockAhead() throws(LogError) -> ClockAhead? {
    let now = time.now()
    return try read { (transaction) throws(LogError) in
      try reader.clockAhead(at: now, in: transaction)
    }
  }
}
