import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

extension LogOnDisk {
  /// All that is in doubt or unprovable, oldest first, as the ledger has it: what `tollbook resolve` closes. The ledger
  /// knows of doubts too whose events a log that goes on from a snapshot does not hold.
  func openHolds() throws(LogError) -> [Hold] { try holds().filter { $0.state != .reserved } }

  /// What is reserved for calls that began up to a position and have not ended, once for each unit; nothing where there is
  /// no ledger, as in a log that an older version wrote last.
  ///
  /// - Parameter account: who pays; nil: whoever does.
  func reserved(through end: Position, account: String?) throws(LogError) -> [Amount] {
    let open: [Hold]
    do throws(LogError) { open = try holds() } catch {
      guard case .noView = error else { throw error }
      return []
    }
    var amounts: [Amount] = []
    for hold in open where hold.state == .reserved && !hold.isLimitOnly && hold.fetch <= end {
      for (payer, amount) in zip(hold.payers, hold.payers.dividing(hold.amount)) where amount > 0 {
        guard account.map({ $0.utf8.elementsEqual(payer.account.utf8) }) ?? true else { continue }
        amounts.add(amount, hold.meter.unit)
      }
    }
    return amounts
  }

  private func holds() throws(LogError) -> [Hold] {
    let ledger = LedgerView(try ViewTables(of: LedgerFold.fold, in: source.environment))
    return try source.read { (transaction) throws(LogError) in
      try ledger.holds(in: transaction)
    }
  }
}
