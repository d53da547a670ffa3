package import TollbookEvents

/// An upstream key as the ledger knows it: never its value.
package struct Credential: Hashable, Sendable {
  package var status: CredentialStatus
  package var upstream: String
  package var unit: String
  /// What the upstream said when it rejected the key.
  package var detail: String
}

extension Credential {
  /// Nil if the row is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    status = CredentialStatus(rawValue: Int(field.byte(row))) ?? .unspecified
    upstream = field.text(row)
    unit = field.text(row)
    detail = field.text(row)
    guard field.isAtEnd(row) else { return nil }
  }

  var row: [UInt8] {
    var row = [UInt8(clamping: status.rawValue)]
    for text in [upstream, unit, detail] { row.append(field: text) }
    return row
  }
}
