import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

extension Stand {
  /// The first attempt that is in doubt.
  var doubt: Hold? {
    let ledger = LedgerView(log)
    return try? log.read { (transaction) throws(LogError) in
      try ledger.holds(in: transaction).first { $0.state == .inDoubt }
    }
  }

  /// Appends until the log has no space left.
  func fillUp() async {
    var started = ServiceStarted()
    started.version = String(repeating: "x", count: 100_000)
    while log.writerState == .open { _ = try? await log.append([.serviceStarted(started)]) }
  }
}
