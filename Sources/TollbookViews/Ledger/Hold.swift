import LMDB
package import TollbookEvents

/// Tokens held for one attempt: reserved while it is under way, in doubt or unprovable after it ended without an answer.
package struct Hold: Hashable, Sendable {
  package enum State: UInt8, Sendable {
    case reserved = 1
    case inDoubt
    case unprovable
  }

  package var fetch: Position
  package var attempt: UInt32
  package var state: State
  package var tokens: Int64
  package var meter: MeterKey
  package var account: String
  package var operation: String
  /// When it was reserved.
  package var since: Timestamp
}

extension Hold {
  static func key(fetch: Position, attempt: UInt32) -> [UInt8] {
    var key: [UInt8] = []
    key.append(bigEndian: fetch)
    key.append(bigEndian: attempt)
    return key
  }

  var key: [UInt8] { Self.key(fetch: fetch, attempt: attempt) }

  var row: [UInt8] {
    var row: [UInt8] = [state.rawValue]
    row.append(field: tokens)
    row.append(field: since.milliseconds)
    for text in [meter.credential, meter.unit, account, operation] { row.append(field: text) }
    return row
  }

  init(key: RawSpan, row: RawSpan) {
    self.init(fetch: key.bigEndianUInt64(at: 0), attempt: key.bigEndianUInt32(at: 8), row: row)
  }

  init(fetch: Position, attempt: UInt32, row: RawSpan) {
    self.fetch = fetch
    self.attempt = attempt
    var field = RowOffset()
    state = State(rawValue: field.byte(row)) ?? .unprovable
    tokens = field.signed(row)
    since = Timestamp(milliseconds: field.signed(row))
    meter = MeterKey(credential: field.text(row), unit: field.text(row))
    account = field.text(row)
    operation = field.text(row)
  }
}
