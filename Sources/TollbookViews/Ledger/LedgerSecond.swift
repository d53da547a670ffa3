import Bytes
import TollbookEvents
import TollbookLog

// Version 2 of the ledger knew meters by credential and unit, and one meter for each attempt.
//
// | table | key | value |
// |---|---|---|
// | `meters` | credential, 0, unit | a meter's row |
// | `holds` | fetch (8), attempt (4) | state (1), tokens (8), since (8), credential, unit, account, operation |
// | `spend` | window, 0, account, 0, operation | tokens (8), charges (8) |
// | `credentials` | credential | status (1), upstream, unit, detail |
// | `past` | credential, 0, unit, 0, position (8) | the meter's row after that position |

extension LedgerFold {
  static let second = Fold.Predecessor(
    name: "ledger", version: 2, tables: ["meters", "holds", "spend", "credentials", "past"]
  ) { table, key, value in
    let key = [UInt8](copying: key)
    switch table {
    case 0:
      let meter = MeterKey(secondVersion: key)
      return [CarriedRow(table: 0, key: meter.bytes, value: [UInt8](copying: value))]
    case 1:
      // What cannot be decoded stays so, and whoever reads it is told.
      let row = AttemptHolds(secondVersion: value)?.row ?? [UInt8](copying: value)
      return [CarriedRow(table: 1, key: key, value: row)]
    case 2:
      let row = key + [0] + Array(Amount.firstUnit.utf8)
      return [CarriedRow(table: 2, key: row, value: [UInt8](copying: value))]
    case 4:
      let meter = MeterKey(secondVersion: Array(key.dropLast(9)))
      return [
        CarriedRow(
          table: 4, key: meter.bytes + key.suffix(9), value: [UInt8](copying: value))
      ]
    default:
      return [CarriedRow(table: table, key: key, value: [UInt8](copying: value))]
    }
  }
}

extension MeterKey {
  /// Credential, 0, unit.
  fileprivate init(secondVersion bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    self.init(
      owner: String(decoding: parts[0], as: UTF8.self),
      unit: String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self))
  }
}

extension AttemptHolds {
  fileprivate init?(secondVersion row: RawSpan) {
    var field = RowOffset()
    guard let state = Hold.State(rawValue: field.byte(row)) else { return nil }
    let amount = field.signed(row)
    let since = Timestamp(milliseconds: field.signed(row))
    let meter = MeterKey(owner: field.text(row), unit: field.text(row))
    let account = field.text(row)
    let operation = field.text(row)
    guard field.isAtEnd(row) else { return nil }
    self.init(
      since: since, operation: operation, payers: [Payer(account: account)],
      parts: [
        Part(
          state: state, isLimitOnly: false, amount: amount,
          doubted: state == .reserved ? nil : since, meter: meter)
      ])
  }
}
