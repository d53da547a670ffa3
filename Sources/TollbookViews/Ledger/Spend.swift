import LMDB

/// What an account has been charged for an operation in a window.
package struct Spend: Hashable, Sendable {
  package var tokens: Int64
  package var charges: Int64
}

extension Spend {
  static func key(window: String, account: String, operation: String) -> [UInt8] {
    Array(window.utf8) + [0] + Array(account.utf8) + [0] + Array(operation.utf8)
  }

  init(row: RawSpan) {
    var field = RowOffset()
    tokens = field.signed(row)
    charges = field.signed(row)
  }

  var row: [UInt8] {
    var row: [UInt8] = []
    row.append(field: tokens)
    row.append(field: charges)
    return row
  }
}
