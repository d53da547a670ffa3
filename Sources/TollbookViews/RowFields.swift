import Bytes
import LMDB
import TollbookEvents
import TollbookLog

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
  /// Texts: how many (1 byte), then each.
  mutating func append(field texts: [String]) {
    let texts = texts.prefix(Int(UInt8.max))
    append(UInt8(texts.count))
    for text in texts { append(field: text) }
  }

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
///
/// A damaged row may end anywhere and name any length. What is not there reads as nothing, and from then on the row is
/// not sound: whoever decodes a row asks at its end.
struct RowOffset {
  private var offset = 0
  /// Whether everything that was read stood in the row.
  private(set) var isSound = true

  /// The number that a row begins with; nil if it is too short.
  static func number(of row: RawSpan) -> UInt64? {
    var field = RowOffset()
    let number = field.unsigned(row)
    return field.isSound ? number : nil
  }

  /// Whether the row is sound so far, and more of it follows.
  func hasMore(_ row: RawSpan) -> Bool { isSound && offset < row.byteCount }

  /// Whether the row is sound and ends here.
  func isAtEnd(_ row: RawSpan) -> Bool { isSound && offset == row.byteCount }

  /// Notes that what was read is nothing that is ever written.
  mutating func fail() { isSound = false }

  /// Goes on behind the next bytes; nil if the row does not have so many.
  private mutating func take(_ count: Int, _ row: RawSpan) -> Int? {
    guard isSound, count <= row.byteCount - offset else {
      isSound = false
      return nil
    }
    defer { offset += count }
    return offset
  }

  mutating func byte(_ row: RawSpan) -> UInt8 {
    guard let start = take(1, row) else { return 0 }
    return row.byte(at: start)
  }

  mutating func unsigned(_ row: RawSpan) -> UInt64 {
    guard let start = take(8, row) else { return 0 }
    return row.bigEndianUInt64(at: start)
  }

  mutating func signed(_ row: RawSpan) -> Int64 { Int64(bitPattern: unsigned(row)) }

  mutating func word(_ row: RawSpan) -> UInt32 {
    guard let start = take(4, row) else { return 0 }
    return row.bigEndianUInt32(at: start)
  }

  mutating func short(_ row: RawSpan) -> Int {
    guard let start = take(2, row) else { return 0 }
    return Int(row.bigEndianUInt16(at: start))
  }

  mutating func bytes(_ count: Int, _ row: RawSpan) -> [UInt8] {
    guard let start = take(count, row) else { return [] }
    return row.bytes(in: start..<(start + count))
  }

  mutating func text(_ row: RawSpan) -> String {
    let count = short(row)
    guard let start = take(count, row) else { return "" }
    guard let text = row.utf8String(in: start..<(start + count)) else {
      isSound = false
      return ""
    }
    return text
  }

  mutating func texts(_ row: RawSpan) -> [String] {
    let count = Int(byte(row))
    var texts: [String] = []
    texts.reserveCapacity(count)
    for _ in 0..<count { texts.append(text(row)) }
    return texts
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
      guard isSound else { break }
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

// MARK: Rows in tables

extension Table {
  /// What was decoded of a row of the table.
  ///
  /// - Throws: `.undecodable` if that is nothing.
  func decoded<Row>(_ row: Row?) throws(LMDBError) -> Row {
    guard let row else { throw LMDBError(.undecodable, .get, table: name) }
    return row
  }
}

extension Table {
  /// The same for who reads: it fails as the log does.
  func read<Row>(_ row: Row?) throws(LogError) -> Row { try LogError.absorbing(try decoded(row)) }
}

extension ReadTransaction {
  /// The row of a key; nil if there is none.
  ///
  /// - Parameter read: gives nil for a row that it cannot decode.
  /// - Throws: `.undecodable` then.
  borrowing func row<Row>(
    forKey key: Span<UInt8>, in table: Table, _ read: (RawSpan) -> Row?
  ) throws(LMDBError) -> Row? {
    guard let found = try withValue(forKey: key, in: table, read) else { return nil }
    return try table.decoded(found)
  }
}
