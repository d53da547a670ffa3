// Keys compare as bytes. Numbers are therefore big-endian, and a text that is not the last part of
// a key needs an end that sorts before every other byte.

extension FixedWidthInteger where Self: UnsignedInteger {
  fileprivate func byte(_ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: self >> Self(Self.bitWidth - 8 - 8 * index))
  }
}

extension UInt64 {
  /// Eight bytes that sort as the number does.
  package var bigEndianBytes: [8 of UInt8] { [8 of UInt8] { byte($0) } }
}

extension UInt32 {
  /// Four bytes that sort as the number does.
  package var bigEndianBytes: [4 of UInt8] { [4 of UInt8] { byte($0) } }
}

extension [UInt8] {
  /// Adds a number as big-endian bytes, as many as its type has.
  package mutating func append<Number: FixedWidthInteger & UnsignedInteger>(
    bigEndian number: Number
  ) {
    for index in 0..<Number.bitWidth / 8 { append(number.byte(index)) }
  }

  /// Adds the UTF-8 bytes of a text: the last part of a key, or one of known length.
  package mutating func append(utf8 text: String) { append(contentsOf: text.utf8) }

  /// Adds the UTF-8 bytes of a text and a zero byte, so that more may follow and texts still sort
  /// as themselves.
  ///
  /// - Precondition: The text has no U+0000.
  package mutating func append(terminated text: String) {
    precondition(!text.utf8.contains(0), "a text inside a key has no zero byte")
    append(contentsOf: text.utf8)
    append(0)
  }
}
