import LMDB

// Rows are fixed fields, big-endian, read in the order in which they are written. They are ours to change: another
// layout is another version of the view, built anew from the log.

extension [UInt8] {
  mutating func append(field value: Int64) { append(bigEndian: UInt64(bitPattern: value)) }

  /// A text, cut between two characters if it is too long, so that what is read is what the next writing writes.
  mutating func append(field text: String) {
    let utf8 = text.utf8
    var bytes = utf8.prefix(Int(UInt16.max))
    while bytes.endIndex != utf8.endIndex, utf8[bytes.endIndex] & 0xc0 == 0x80 {
      bytes.removeLast()
    }
    append(bigEndian: UInt16(bytes.count))
    append(contentsOf: bytes)
  }
}

/// Where reading a row has come to.
struct RowOffset {
  private var offset = 0

  mutating func byte(_ row: RawSpan) -> UInt8 {
    defer { offset += 1 }
    return row.byte(at: offset)
  }

  mutating func unsigned(_ row: RawSpan) -> UInt64 {
    defer { offset += 8 }
    return row.bigEndianUInt64(at: offset)
  }

  mutating func signed(_ row: RawSpan) -> Int64 { Int64(bitPattern: unsigned(row)) }

  mutating func bytes(_ count: Int, _ row: RawSpan) -> [UInt8] {
    defer { offset += count }
    return row.bytes(in: offset..<(offset + count))
  }

  mutating func text(_ row: RawSpan) -> String {
    let count = Int(row.bigEndianUInt16(at: offset))
    defer { offset += 2 + count }
    return row.utf8String(in: (offset + 2)..<(offset + 2 + count)) ?? ""
  }

  mutating func rest(_ row: RawSpan) -> [UInt8] { bytes(row.byteCount - offset, row) }
}
