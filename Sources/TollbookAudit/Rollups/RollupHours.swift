import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

/// The events of a range, among those of a log of which some stand in stretches where the clock was behind.
///
/// Outside of stretches hours rise with the positions, and those of the clock are those of the commit times.
struct HoursOfRange {
  /// The log's first event stands behind it.
  let start: Position
  let head: Position
  let after: Position
  let through: Position
  /// In the order of positions.
  let stretches: [ClockStretch]
  let reader: LogReader

  /// The hours of the clock, since 1970, whose events the range is, all of them; nil: it is empty, or begins or ends amid
  /// an hour.
  func whole(in transaction: borrowing LogReading) throws(LogError) -> [Range<UInt64>]? {
    guard after < through else { return nil }
    let inside = stretches.filter { $0.first > after && $0.last <= through }
    let outside = stretches.filter { $0.last <= after || $0.first > through }
    guard inside.count + outside.count == stretches.count else { return nil }
    let regular = try regularHours(inside, in: transaction)
    if let regular {
      if let before = try hourBefore(in: transaction), before >= regular.lowerBound { return nil }
      if let next = try hourAfter(in: transaction), next < regular.upperBound { return nil }
    }
    let hours = Set(inside.map(\.hour)).filter { regular?.contains($0) != true }
    for stretch in outside
    where regular?.contains(stretch.hour) == true || hours.contains(stretch.hour) { return nil }
    for hour in hours where try isOutside(hour, in: transaction) { return nil }
    return hours.map { $0..<$0 + 1 }.sorted { $0.lowerBound < $1.lowerBound }
      + [regular].compactMap(\.self)
  }

  private func hour(
    of position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> UInt64? {
    let time = try reader.time(of: position, in: transaction)
    return time.map { RollupKey.hour(of: $0) }
  }

  /// The hours from the first to the last event of the range that is in no stretch.
  private func regularHours(
    _ inside: [ClockStretch], in transaction: borrowing LogReading
  ) throws(LogError) -> Range<UInt64>? {
    var first = after + 1
    for stretch in inside where stretch.first == first { first = stretch.last + 1 }
    guard first <= through else { return nil }
    var last = through
    for stretch in inside.reversed() where stretch.last == last { last = stretch.first - 1 }
    guard let low = try hour(of: first, in: transaction),
      let high = try hour(of: last, in: transaction)
    else { return nil }
    return low..<high + 1
  }

  /// The hour of the last event before the range that is in no stretch.
  private func hourBefore(in transaction: borrowing LogReading) throws(LogError) -> UInt64? {
    var position = after
    for stretch in stretches.reversed() where stretch.last == position {
      position = stretch.first - 1
    }
    // What lies before a snapshot that the log goes on from was at the latest when that was taken.
    position = max(position, start)
    return position == 0 ? nil : try hour(of: position, in: transaction)
  }

  private func hourAfter(in transaction: borrowing LogReading) throws(LogError) -> UInt64? {
    var position = through + 1
    for stretch in stretches where stretch.first == position { position = stretch.last + 1 }
    return position > head ? nil : try hour(of: position, in: transaction)
  }

  /// Whether there may be an event of an hour outside of the range, that is in no stretch.
  private func isOutside(
    _ hour: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> Bool {
    if start > 0, let base = try self.hour(of: start, in: transaction), hour <= base { return true }
    guard after > start || through < head else { return false }
    var position = try reader.lastPosition(
      before: RollupKey.start(ofHour: hour), in: transaction)
    let end = try reader.lastPosition(
      before: RollupKey.start(ofHour: hour + 1), in: transaction)
    position = max(position, start) + 1
    while position <= end {
      if position > after, position <= through {
        position = through + 1
      } else if let stretch = stretch(holding: position) {
        position = stretch.last + 1
      } else {
        return true
      }
    }
    return false
  }

  private func stretch(holding position: Position) -> ClockStretch? {
    var low = 0
    var high = stretches.count
    while low < high {
      let middle = (low + high) / 2
      if stretches[middle].last < position { low = middle + 1 } else { high = middle }
    }
    guard low < stretches.count, stretches[low].first <= position else { return nil }
    return stretches[low]
  }
}

extension LogSource {
  /// Where the clock was an hour or more behind the commit times, as the seals of commits tell it.
  func clockStretches() throws(LogError) -> [ClockStretch] {
    var stretches: [ClockStretch] = []
    var last = try start()
    var isAtEnd = false
    while !isAtEnd {
      let start = last
      try read { (transaction) throws(LogError) in
        var rows = 0
        try reader.scanClocks(after: start, in: transaction) { (clock) throws(LogError) in
          last = clock.events.upperBound
          rows += 1
          let hour = RollupKey.hour(of: clock.wall)
          if clock.wall != clock.time, hour != RollupKey.hour(of: clock.time) {
            let index = stretches.count - 1
            if index < 0 || !stretches[index].goOn(with: clock.events, hour: hour) {
              stretches.append(
                ClockStretch(
                  first: clock.events.lowerBound, last: clock.events.upperBound, hour: hour))
            }
          }
          return rows < 100_000 ? .next : .stop
        }
      }
      isAtEnd = last == start
    }
    return stretches
  }
}

extension LogReader {
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
  mutating func hasWholeHours(_ hours: some Sequence<UInt64>) -> Bool {
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
