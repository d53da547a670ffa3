import LMDB
import TollbookEvents

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

extension [UInt8] {
  /// Amounts of different units: how many (1 byte), then each one's unit and count.
  mutating func append(field amounts: [Amount]) {
    let amounts = amounts.prefix(Int(UInt8.max))
    append(UInt8(amounts.count))
    for amount in amounts {
      append(field: amount.unit)
      append(field: amount.count)
    }
  }

  /// Payers: how many (2 bytes), then each one's account, kind, weight and tags.
  mutating func append(field payers: [Payer]) {
    let payers = payers.prefix(Int(UInt16.max))
    append(bigEndian: UInt16(payers.count))
    for payer in payers {
      append(field: payer.account)
      append(field: payer.kind)
      append(field: payer.weight)
      let tags = payer.tags.prefix(Int(UInt8.max))
      append(UInt8(tags.count))
      for tag in tags { append(field: tag) }
    }
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

  mutating func short(_ row: RawSpan) -> Int {
    defer { offset += 2 }
    return Int(row.bigEndianUInt16(at: offset))
  }

  mutating func amounts(_ row: RawSpan) -> [Amount] {
    let count = Int(byte(row))
    var amounts: [Amount] = []
    amounts.reserveCapacity(count)
    for _ in 0..<count {
      let unit = text(row)
      amounts.append(Amount(signed(row), unit))
    }
    return amounts
  }

  mutating func payers(_ row: RawSpan) -> [Payer] {
    var payers: [Payer] = []
    for _ in 0..<short(row) {
      var payer = Payer()
      payer.account = text(row)
      payer.kind = text(row)
      payer.weight = signed(row)
      for _ in 0..<Int(byte(row)) { payer.tags.append(text(row)) }
      payers.append(payer)
    }
    return payers
  }

  mutating func rest(_ row: RawSpan) -> [UInt8] { bytes(row.byteCount - offset, row) }
}
