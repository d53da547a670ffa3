import Bytes
import TollbookEvents

/// A doubt about an attempt that was to be paid in several units. What it cost in the end is found out unit by unit, and
/// counts as one charge: in the unit in which something was settled first.
///
/// Stored as on how many pages of the books it is open (4 bytes), and the unit in which it counts; empty: in none yet.
struct DoubtRow {
  var openPages: UInt32
  var unit: [UInt8] = []

  init(openPages: UInt32) { self.openPages = openPages }

  /// Nil if the row is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    openPages = field.word(row)
    unit = field.rest(row)
    guard field.isSound else { return nil }
  }

  var row: [UInt8] {
    var row: [UInt8] = []
    row.append(bigEndian: openPages)
    row.append(contentsOf: unit)
    return row
  }
}

/// What an event means to the doubt about an attempt.
struct DoubtChange {
  enum Change {
    /// It began, about several units.
    case began(pages: Int)
    /// It ended on one page.
    ///
    /// - Parameters:
    ///   - isOver: whether nothing is held there any more; else what is left is unprovable.
    ///   - charge: what is added where that counts as a charge.
    case closed(
      unit: [UInt8], isSettled: Bool, isOver: Bool, charge: [(key: KeyBytes, sums: RollupRow)])
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
