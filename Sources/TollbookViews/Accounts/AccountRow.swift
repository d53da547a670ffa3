import Bytes
package import TollbookEvents

/// An account as the log tells it: who pays.
package struct AccountRow: Hashable, Sendable {
  /// For people.
  package var name: String
  /// Of its days, weeks and months.
  package var timeZone: String
  package var opened: Timestamp
  /// Since when it spends nothing; nil: it is open.
  package var closed: Timestamp?

  package var isOpen: Bool { closed == nil }
}

// MARK: As a row

extension AccountRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    name = field.text(row)
    timeZone = field.text(row)
    opened = Timestamp(milliseconds: field.signed(row))
    let isClosed = field.byte(row) != 0
    let closed = Timestamp(milliseconds: field.signed(row))
    self.closed = isClosed ? closed : nil
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    row.append(field: name)
    row.append(field: timeZone)
    row.append(field: opened.milliseconds)
    row.append(closed == nil ? 0 : 1)
    row.append(field: closed?.milliseconds ?? 0)
    return row
  }
}
