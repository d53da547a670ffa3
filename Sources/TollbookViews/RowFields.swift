import LMDB

// Rows are fixed fields, big-endian, read in the order in which they are written. They are ours to change: another
// layout is another version of the view, built anew from the log.

extension [UInt8] {
  mutating func append(field value: Int64) { append(bigEndian: UInt64(bitPattern: value)) }

  mutating func append(field text: String) {
    append(bigEndian: UInt16(clamping: text.utf8.count))
    append(contentsOf: text.utf8.prefix(Int(UInt16.max)))
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
