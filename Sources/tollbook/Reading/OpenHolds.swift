import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

extension LogOnDisk {
  /// All that is in doubt or unprovable, oldest first, as the ledger has it: what `tollbook resolve` closes. The ledger
  /// knows of doubts too whose events a log that goes on from a snapshot does not hold.
  func openHolds() throws(LogError) -> [Hold] {
    let ledger = LedgerView(try ViewTables(of: LedgerFold.fold, in: source.environment))
    return try source.read { (transaction) throws(LogError) in
      try ledger.holds(in: transaction).filter { $0.state != .reserved }
    }
  }
}
