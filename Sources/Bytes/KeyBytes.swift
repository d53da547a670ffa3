/// The bytes of a key in memory, hashed and compared as one block: in the order of keys in a table.
package struct KeyBytes: Hashable, Comparable, Sendable {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes.span) }

  package static func == (left: KeyBytes, right: KeyBytes) -> Bool {
    left.bytes.withRawSpan { $0.elementsEqual(right.bytes) }
  }

  package static func < (left: KeyBytes, right: KeyBytes) -> Bool {
    left.bytes.withRawSpan { $0.lexicographicallyPrecedes(right.bytes.span) }
  }

  /// How many bytes both begin with.
  package func commonPrefix(with other: KeyBytes) -> Int {
    let (left, right) = (bytes.span, other.bytes.span)
    let end = min(left.count, right.count)
    var count = 0
    while count < end, left[count] == right[count] { count += 1 }
    return count
  }

  /// The eight bytes from `offset` on as a big-endian number, with zeros behind the end: of two keys that are the same
  /// up to there, the one with the smaller number is the smaller key.
  package func word(at offset: Int) -> UInt64 {
    let span = bytes.span
    var word: UInt64 = 0
    for index in offset..<(offset + 8) {
      word = word << 8 | (index < span.count ? UInt64(span[index]) : 0)
    }
    return word
  }
}
