import Bytes
import TollbookEvents

/// A doubt about an attempt that was to be paid in several units, or that began while the clock was behind the commit
/// time.
///
/// What an attempt cost in the end is found out unit by unit, and counts as one charge: in the unit in which something was
/// settled first. What ends a doubt tells when it began by the commit time, and the row by which hour it counts.
///
/// Stored as on how many pages of the books it is open (4 bytes), the hour (8; all ones: that of the commit time), and the
/// unit in which it counts; empty: in none yet.
struct DoubtRow {
  var openPages: UInt32
  /// The hour of the clock in which it began; nil: that of the commit time.
  var hour: UInt64?
  var unit: [UInt8] = []

  init(openPages: UInt32, hour: UInt64?) {
    self.openPages = openPages
    self.hour = hour
  }

  /// Nil if the row is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    openPages = field.word(row)
    let hour = field.unsigned(row)
    self.hour = hour == .max ? nil : hour
    unit = field.rest(row)
    guard field.isSound else { return nil }
  }

  var row: [UInt8] {
    var row: [UInt8] = []
    row.append(bigEndian: openPages)
    row.append(bigEndian: hour ?? .max)
    row.append(contentsOf: unit)
    return row
  }
}

/// What an event means to the doubt about an attempt.
struct DoubtChange {
  enum Change {
    /// It began, about several units or while the clock was behind.
    ///
    /// - Parameter hour: in which it counts, unless that is the one of the commit time.
    case began(pages: Int, hour: UInt64?)
    /// It ended on one page.
    ///
    /// - Parameters:
    ///   - isOver: whether nothing is held there any more; else what is left is unprovable.
    ///   - held: what is added where it began, with the hour of the commit time.
    ///   - charge: what is added where that counts as a charge.
    case closed(
      unit: [UInt8], isSettled: Bool, isOver: Bool, held: [(key: KeyBytes, sums: RollupRow)],
      charge: [(key: KeyBytes, sums: RollupRow)])
  }

  var fetch: Position
  var attempt: UInt32
  var change: Change

  var key: [UInt8] {
    var key: [UInt8] = []
    key.append(bigEndian: fetch)
    key.append(bigEndian: attempt)
    return key
  }
}
