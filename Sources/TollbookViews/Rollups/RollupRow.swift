import Bytes

/// The sums of a row, of the columns that are not zero.
///
/// Stored as a bit for each column, the lowest the first column (8 bytes), and the sums of those that are set, in the
/// order of the columns (8 each).
package struct RollupRow: Hashable, Sendable {
  private var mask: UInt64 = 0
  private var sums: [Int64] = []

  package init() {}

  /// Nil if the row is not what is written.
  init?(row: RawSpan) {
    var offset = RowOffset()
    mask = offset.unsigned(row)
    sums.reserveCapacity(mask.nonzeroBitCount)
    for _ in 0..<mask.nonzeroBitCount { sums.append(offset.signed(row)) }
    guard offset.isAtEnd(row) else { return nil }
  }

  /// Whether all columns are zero. Such a row is not stored.
  package var isZero: Bool { mask == 0 }

  package subscript(column: RollupColumn) -> Int64 {
    let bit = UInt64(1) << column.rawValue
    return mask & bit == 0 ? 0 : sums[(mask & (bit - 1)).nonzeroBitCount]
  }

  package mutating func add(_ amount: Int64, to column: RollupColumn) {
    add(amount, toBit: UInt64(1) << column.rawValue)
  }

  package static func += (left: inout RollupRow, right: RollupRow) {
    var rest = right.mask
    for sum in right.sums {
      let bit = rest & (0 &- rest)
      left.add(sum, toBit: bit)
      rest ^= bit
    }
  }

  private mutating func add(_ amount: Int64, toBit bit: UInt64) {
    guard amount != 0 else { return }
    let place = (mask & (bit - 1)).nonzeroBitCount
    guard mask & bit != 0 else {
      mask |= bit
      sums.insert(amount, at: place)
      return
    }
    sums[place] &+= amount
    guard sums[place] == 0 else { return }
    mask ^= bit
    sums.remove(at: place)
  }

  var row: [UInt8] {
    var row: [UInt8] = []
    row.reserveCapacity(8 + 8 * sums.count)
    row.append(bigEndian: mask)
    for sum in sums { row.append(field: sum) }
    return row
  }
}
