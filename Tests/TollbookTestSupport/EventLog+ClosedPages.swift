import Bytes
import LMDB
package import TollbookEvents
package import TollbookLog
package import TollbookViews

extension EventLog {
  /// The pages of a meter's windows that are over, in the order of their names, as the ledger says of them.
  package func closedPages(
    of meter: MeterKey, in transaction: borrowing LogReading
  ) throws(LogError) -> [(key: MeterKey, meter: Meter)] {
    let table = try viewTables(of: LedgerFold.fold).open(in: transaction)[5]
    var keys: [MeterKey] = []
    try transaction.scan(table, prefix: meter.meterBytes.span) { (key, _) throws(LogError) in
      keys.append(MeterKey(bytes: [UInt8](copying: key)))
      return .next
    }
    let ledger = LedgerView(self)
    var found: [(key: MeterKey, meter: Meter)] = []
    for key in keys { found.append((key, try ledger.meter(key, in: transaction))) }
    return found
  }
}
