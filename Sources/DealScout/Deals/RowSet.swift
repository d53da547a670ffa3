/// Which rows of a table are meant: a bit for each.
package struct RowSet: Sendable {
  private var words: [UInt64]

  /// None of so many.
  init(of count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

  func contains(_ row: Int) -> Bool { words[row >> 6] & (1 << UInt64(row & 63)) != 0 }

  mutating func insert(_ row: Int) { words[row >> 6] |= 1 << UInt64(row & 63) }

  mutating func remove(_ row: Int) { words[row >> 6] &= ~(1 << UInt64(row & 63)) }

  mutating func formIntersection(_ other: RowSet) {
    for index in words.indices { words[index] &= other.words[index] }
  }
}
