import Bytes
import Hummingbird
import LMDB
import Testing
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

  /// Removes every body, as where a log was restored without them.
  func removeBodies() throws {
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      var keys: [[UInt8]] = []
      try transaction.reading.scan(log.tables.bodies) { key, _ in
        keys.append([UInt8](copying: key))
        return .next
      }
      for key in keys { _ = try transaction.delete(key: key.span, in: log.tables.bodies) }
    }
  }

  /// Puts something that is none in the place of every body.
  func damageBodies() throws {
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      var keys: [[UInt8]] = []
      try transaction.reading.scan(log.tables.bodies) { key, _ in
        keys.append([UInt8](copying: key))
        return .next
      }
      let row: [UInt8] = [1]
      for key in keys { try transaction.put(row.span, forKey: key.span, in: log.tables.bodies) }
    }
  }
}

extension Caller {
  /// The books add up, nothing is held, nobody else is blamed, and so much was spent.
  func expectBooks(
    spent: Int, inDoubt: Int = 0, _ headers: HTTPFields = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let ledger = try await get("/ledger", headers)
    #expect(ledger.int("meters.0.settled") ?? 0 == spent, sourceLocation: sourceLocation)
    #expect(ledger.int("meters.0.in_doubt") ?? 0 == inDoubt, sourceLocation: sourceLocation)
    for name in ["residual", "reserved", "unexplained", "unprovable"] {
      #expect(ledger.int("meters.0.\(name)") ?? 0 == 0, "\(name)", sourceLocation: sourceLocation)
    }
  }
}
