import Bytes
package import TollbookEvents

/// Events that follow each other, and that the clock put into an earlier hour than their commit time is in: it had been
/// ahead before.
///
/// Elsewhere hours rise with the positions. Who wants the events of some hours alone, or the hours of some events, has to
/// know of these.
package struct ClockStretch: Hashable, Sendable {
  package let first: Position
  package private(set) var last: Position
  /// By the clock, since 1970.
  package let hour: UInt64

  package init(first: Position, last: Position, hour: UInt64) {
    self.first = first
    self.last = last
    self.hour = hour
  }

  /// Goes on with the events after it, if they are of its hour.
  ///
  /// - Returns: whether they are.
  package mutating func goOn(with events: ClosedRange<Position>, hour: UInt64) -> Bool {
    guard hour == self.hour, last < .max, events.lowerBound == last + 1 else { return false }
    last = events.upperBound
    return true
  }
}

// MARK: As a row

extension ClockStretch {
  /// The last position (8 bytes), the hour (8). The key is the first position.
  var row: [UInt8] {
    var row: [UInt8] = []
    row.append(bigEndian: last)
    row.append(bigEndian: hour)
    return row
  }

  /// Nil if key or row are not what is written.
  init?(key: RawSpan, row: RawSpan) {
    var field = RowOffset()
    first = field.unsigned(key)
    guard field.isAtEnd(key) else { return nil }
    field = RowOffset()
    last = field.unsigned(row)
    hour = field.unsigned(row)
    guard field.isAtEnd(row) else { return nil }
  }
}
