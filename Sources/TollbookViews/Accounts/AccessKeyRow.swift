import Bytes
package import TollbookEvents

/// An access key as the log tells it: never the key.
package struct AccessKeyRow: Hashable, Sendable {
  /// Who pays for what is asked with it.
  package var account: String
  /// SHA-256 of the key.
  package var digest: [UInt8]
  /// What it may do, as it was issued.
  package var scopes: [String]
  /// Of resources that it may ask for; empty: all.
  package var kinds: [String]
  package var issued: Timestamp
  /// Nil: never.
  package var expires: Timestamp?
  /// Since when, or from when on, it opens nothing; nil: it was not revoked.
  package var revoked: Timestamp?
  /// 0: no limit.
  package var requestsPerMinute: UInt32
  /// The id of the key in whose place it came.
  package var replaces: String

  /// Whether it opens anything at an instant.
  package func isValid(at now: Timestamp) -> Bool {
    (expires.map { now < $0 } ?? true) && (revoked.map { now < $0 } ?? true)
  }
}

// MARK: As a row

extension AccessKeyRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    account = field.text(row)
    digest = field.bytes(field.short(row), row)
    scopes = field.texts(row)
    kinds = field.texts(row)
    issued = Timestamp(milliseconds: field.signed(row))
    let flags = field.byte(row)
    let expires = Timestamp(milliseconds: field.signed(row))
    let revoked = Timestamp(milliseconds: field.signed(row))
    self.expires = flags & 1 == 0 ? nil : expires
    self.revoked = flags & 2 == 0 ? nil : revoked
    requestsPerMinute = field.word(row)
    replaces = field.text(row)
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    row.append(field: account)
    row.append(bigEndian: UInt16(clamping: digest.count))
    row.append(contentsOf: digest.prefix(Int(UInt16.max)))
    row.append(field: scopes)
    row.append(field: kinds)
    row.append(field: issued.milliseconds)
    row.append((expires == nil ? 0 : 1) | (revoked == nil ? 0 : 2))
    row.append(field: expires?.milliseconds ?? 0)
    row.append(field: revoked?.milliseconds ?? 0)
    row.append(bigEndian: requestsPerMinute)
    row.append(field: replaces)
    return row
  }
}
