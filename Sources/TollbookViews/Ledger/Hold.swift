import Bytes
package import TollbookEvents

/// What is held on one page of the books for one attempt: reserved while it is under way, in doubt or unprovable after it
/// ended without an answer.
package struct Hold: Hashable, Sendable {
  package enum State: UInt8, Sendable {
    case reserved = 1
    case inDoubt
    case unprovable
  }

  package var fetch: Position
  package var attempt: UInt32
  package var state: State
  package var amount: Int64
  /// The page on which it is held.
  package var meter: MeterKey
  /// Whether another hold of the attempt is for the same cost, and this one only limits it.
  package var isLimitOnly: Bool
  package var payers: [Payer]
  package var operation: String
  /// When it was reserved.
  package var since: Timestamp
  /// When it became doubtful.
  package var doubted: Timestamp?

  /// Who pays, or the first who does.
  package var account: String { payers.first?.account ?? "" }
}

/// All that is held for one attempt: a row of the table `holds`.
struct AttemptHolds: Hashable {
  struct Part: Hashable {
    var state: Hold.State
    var isLimitOnly: Bool
    var amount: Int64
    /// Of a part that is or was in doubt.
    var doubted: Timestamp?
    var meter: MeterKey
  }

  var since: Timestamp
  var operation: String
  var payers: [Payer]
  var parts: [Part]

  /// Where the part is that is held on a page.
  func index(of meter: MeterKey) -> Int? { parts.firstIndex { $0.meter == meter } }

  func holds(_ fetch: Position, _ attempt: UInt32) -> [Hold] {
    parts.map { part in
      Hold(
        fetch: fetch, attempt: attempt, state: part.state, amount: part.amount, meter: part.meter,
        isLimitOnly: part.isLimitOnly, payers: payers, operation: operation, since: since,
        doubted: part.doubted)
    }
  }
}

// MARK: As a row

extension AttemptHolds {
  /// What is held for the attempt that a key names; nil if key or row are not what is written.
  static func holds(key: RawSpan, row: RawSpan) -> [Hold]? {
    var field = RowOffset()
    let fetch = field.unsigned(key)
    let attempt = field.word(key)
    guard field.isAtEnd(key) else { return nil }
    return AttemptHolds(row: row)?.holds(fetch, attempt)
  }

  /// Fetch (8), attempt (4).
  static func key(fetch: Position, attempt: UInt32) -> [UInt8] {
    var key: [UInt8] = []
    key.append(bigEndian: fetch)
    key.append(bigEndian: attempt)
    return key
  }

  var row: [UInt8] {
    var row: [UInt8] = []
    row.append(field: since.milliseconds)
    row.append(field: operation)
    row.append(field: payers)
    row.append(bigEndian: UInt16(clamping: parts.count))
    for part in parts.prefix(Int(UInt16.max)) {
      row.append(part.state.rawValue | (part.isLimitOnly ? 16 : 0) | (part.doubted == nil ? 0 : 32))
      row.append(field: part.amount)
      row.append(field: part.doubted?.milliseconds ?? 0)
      row.append(bigEndian: UInt16(clamping: part.meter.bytes.count))
      row.append(contentsOf: part.meter.bytes)
    }
    return row
  }

  /// Nil if the row is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    since = Timestamp(milliseconds: field.signed(row))
    operation = field.text(row)
    payers = field.payers(row)
    parts = []
    for _ in 0..<field.short(row) {
      let flags = field.byte(row)
      guard let state = Hold.State(rawValue: flags & 15) else { return nil }
      let amount = field.signed(row)
      let doubted = Timestamp(milliseconds: field.signed(row))
      let length = field.short(row)
      parts.append(
        Part(
          state: state, isLimitOnly: flags & 16 != 0, amount: amount,
          doubted: flags & 32 == 0 ? nil : doubted,
          meter: MeterKey(bytes: field.bytes(length, row))))
    }
    guard field.isAtEnd(row) else { return nil }
  }
}
