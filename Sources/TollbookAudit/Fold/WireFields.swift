import Bytes

/// The fields of an encoded message, one after the other: what protobuf's wire format says, and nothing about meaning.
///
/// An audit of a long log wants a few numbers of each event. Decoding whole messages into values with texts of their own
/// would take several times as long as reading the log.
struct WireFields {
  /// A field whose bytes are inside of the message.
  struct Field {
    var number: UInt64
    var kind: Kind
    /// The number of a varint.
    var value: UInt64
    /// Where the content of a text, some bytes or a message stands; empty for others.
    var range: Range<Int>

    var int64: Int64 { Int64(bitPattern: value) }
    var uint32: UInt32 { UInt32(truncatingIfNeeded: value) }
    var bool: Bool { value != 0 }

    /// Reads a repeated number: one, or many packed into bytes.
    ///
    /// - Returns: false if the bytes are no numbers.
    func readNumbers(_ bytes: RawSpan, into numbers: inout [Int64]) -> Bool {
      switch kind {
      case .varint: numbers.append(int64)
      case .fixed: break
      case .bytes:
        var offset = range.lowerBound
        while offset < range.upperBound {
          guard let number = bytes.varint(at: &offset, end: range.upperBound) else { return false }
          numbers.append(Int64(bitPattern: number))
        }
      }
      return true
    }
  }

  enum Kind {
    case varint, bytes, fixed
  }

  private var offset: Int
  private let end: Int
  /// Whether what was read so far is no message.
  private(set) var isMalformed = false

  init(_ range: Range<Int>) {
    offset = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end, and where the bytes are no message.
  mutating func next(in bytes: RawSpan) -> Field? {
    guard offset < end else { return nil }
    guard let tag = bytes.varint(at: &offset, end: end), tag >> 3 > 0, tag <= UInt32.max else {
      return malformed()
    }
    switch tag & 7 {
    case 0:
      guard let value = bytes.varint(at: &offset, end: end) else { return malformed() }
      return Field(number: tag >> 3, kind: .varint, value: value, range: 0..<0)
    case 1: return fixed(tag, 8)
    case 2:
      guard let count = bytes.varint(at: &offset, end: end), count <= UInt64(end - offset) else {
        return malformed()
      }
      let start = offset
      offset += Int(count)
      return Field(number: tag >> 3, kind: .bytes, value: 0, range: start..<offset)
    case 5: return fixed(tag, 4)
    // Groups, which proto3 does not have.
    default: return malformed()
    }
  }

  private mutating func fixed(_ tag: UInt64, _ size: Int) -> Field? {
    guard end - offset >= size else { return malformed() }
    offset += size
    return Field(number: tag >> 3, kind: .fixed, value: 0, range: 0..<0)
  }

  private mutating func malformed() -> Field? {
    isMalformed = true
    return nil
  }
}
