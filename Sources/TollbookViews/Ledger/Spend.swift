import Bytes

/// What an account has been charged for an operation in a window, in one unit.
package struct Spend: Hashable, Sendable {
  package var amount: Int64
  package var charges: Int64
}

extension Spend {
  /// Window, account, operation and unit, with zeros between.
  static func key(window: String, account: String, operation: String, unit: String) -> [UInt8] {
    var key: [UInt8] = []
    key.append(utf8: window)
    for text in [account, operation, unit] {
      key.append(0)
      key.append(utf8: text)
    }
    return key
  }

  /// Nil if the row is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    amount = field.signed(row)
    charges = field.signed(row)
    guard field.isAtEnd(row) else { return nil }
  }

  var row: [UInt8] {
    var row: [UInt8] = []
    row.append(field: amount)
    row.append(field: charges)
    return row
  }
}
