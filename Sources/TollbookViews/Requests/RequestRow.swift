import Bytes
package import TollbookEvents

/// A request with an idempotency key, and how it stands.
package struct RequestRow: Hashable, Sendable {
  /// How far it has come.
  package enum State: UInt8, Sendable {
    /// It is under way, or was when the process ended.
    case begun
    /// A repeat gets its answer.
    case answered
    /// It ended without an answer to repeat.
    case failed
  }

  package var state = State.begun
  /// SHA-256 of what is asked.
  package var request: [UInt8]
  /// When it was begun first, by the wall clock.
  package var since: Timestamp
  /// Until when a repeat gets the same answer, by the wall clock.
  package var keepUntil: Timestamp
  /// SHA-256 of the answer as it is kept; empty: there is none, or it is not kept.
  package var body: [UInt8] = []
  /// The fetches that were begun for it, in their order.
  package var fetches: [Position] = []
}

// MARK: As a row

extension RequestRow {
  /// The length of every digest.
  static let digestSize = 32

  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    guard let state = State(rawValue: field.byte(row)) else { return nil }
    self.state = state
    request = field.bytes(Self.digestSize, row)
    since = Timestamp(milliseconds: field.signed(row))
    keepUntil = Timestamp(milliseconds: field.signed(row))
    if field.byte(row) != 0 { body = field.bytes(Self.digestSize, row) }
    while field.hasMore(row) { fetches.append(field.unsigned(row)) }
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = [state.rawValue]
    row += request
    row.append(field: since.milliseconds)
    row.append(field: keepUntil.milliseconds)
    row.append(body.isEmpty ? 0 : 1)
    row += body
    for fetch in fetches { row.append(bigEndian: fetch) }
    return row
  }
}
