// Keys compare as bytes. Numbers are therefore big-endian, and a text that is not the last part of
// a key needs an end that sorts before every other byte.

extension UInt64 {
  /// Eight bytes that sort as the number does.
  package var bigEndianBytes: [8 of UInt8] {
    [8 of UInt8] { UInt8(truncatingIfNeeded: self >> UInt64(56 - 8 * $0)) }
  }
}

extension UInt32 {
  /// Four bytes that sort as the number does.
  package var bigEndianBytes: [4 of UInt8] {
    [4 of UInt8] { UInt8(truncatingIfNeeded: self >> UInt32(24 - 8 * $0)) }
  }
}

extension [UInt8] {
  // One function per width: a generic one is not specialised for other targets and costs a third of an append.

  /// Adds eight bytes that sort as the number does.
  package mutating func append(bigEndian number: UInt64) { append(bytesOf: number.bigEndian) }

  /// Adds four bytes that sort as the number does.
  package mutating func append(bigEndian number: UInt32) { append(bytesOf: number.bigEndian) }

  /// Adds two bytes that sort as the number does.
  package mutating func append(bigEndian number: UInt16) { append(bytesOf: number.bigEndian) }

  private mutating func append(bytesOf number: some BitwiseCopyable) {
    // SAFETY: the bytes of a plain number, copied during the call.
    unsafe Swift.withUnsafeBytes(of: number) { unsafe append(contentsOf: $0) }
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
