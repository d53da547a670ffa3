import Bytes
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

/// Rows of the views that are not what was written.
@Suite(.timeLimit(.minutes(30))) struct VerifyDamagedRowTests {
  /// Reads all that the views have.
  private static func readEverything(_ log: EventLog) throws {
    let (cache, ledger) = (CacheView(log), LedgerView(log))
    let (metrics, rollups, jobs) = (MetricsView(log), RollupView(log), JobsView(log))
    let (accounts, alerts) = (AccountsView(log), AlertsView(log))
    let credentials = CredentialsView(log)
    let requests = RequestsView(log)
    try log.read { (transaction) throws(LogError) in
      let now = Timestamp(milliseconds: .max)
      let page = try cache.page(after: nil, limit: 10_000, in: transaction) { _ in true }
      var digests = page.entries.map(\.digest)
      _ = try cache.dueEntries(at: now, limit: 10_000, in: transaction)
      digests += try cache.bodiesReleased(before: now, limit: 10_000, in: transaction)
      for digest in digests { _ = try cache.references(to: digest, in: transaction) }
      for (key, _) in try ledger.meters(in: transaction) {
        _ = try log.closedPages(of: key, in: transaction)
      }
      _ = try ledger.holds(in: transaction)
      _ = try ledger.credential("main", in: transaction)
      try ledger.spendOfAllWindows(in: transaction) { _, _, _, _, _ in }
      _ = try metrics.totals(in: transaction)
      try rollups.scan(0..<UInt64.max, in: transaction) { (_, _) throws(LogError) in .next }
      _ = try rollups.since(in: transaction)
      _ = try rollups.remarks(after: 0, through: log.head, in: transaction)
      _ = try jobs.jobs(limit: 10_000, in: transaction)
      for number in try jobs.open(in: transaction) {
        _ = try jobs.request(of: number, in: transaction)
      }
      _ = try accounts.accounts(limit: 10_000, in: transaction)
      _ = try accounts.accessKeys(limit: 10_000, in: transaction)
      _ = try accounts.budgets(limit: 10_000, in: transaction)
      for (_, row) in try credentials.credentials(in: transaction) {
        _ = try credentials.cooling(of: row.quotaGroup, in: transaction)
      }
      for name in EventGenerator.credentials + ["office"] {
        _ = try credentials.cooling(of: name, in: transaction)
      }
      for upstream in ["atlas", EventGenerator.credentials[1]] {
        for account in EventGenerator.accounts + [""] {
          _ = try credentials.selection(upstream: upstream, account: account, in: transaction)
        }
      }
      _ = try requests.due(before: now, limit: 10_000, in: transaction)
      _ = try alerts.webhooks(in: transaction)
      _ = try alerts.alerts(limit: 10_000, in: transaction)
      _ = try alerts.deliveries(limit: 10_000, in: transaction)
      _ = try alerts.looked(in: transaction)
      _ = try ledger.meters(asOf: log.head / 2, reader: log.reader, in: transaction)
    }
  }

  /// The longest row of a table.
  private static func longestRow(
    of table: Table, in log: EventLog
  ) throws -> (key: [UInt8], value: [UInt8])? {
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      var found: (key: [UInt8], value: [UInt8])?
      try transaction.scan(table) { (key, value) throws(LMDBError) in
        if value.byteCount > found?.value.count ?? 0 {
          found = ([UInt8](copying: key), [UInt8](copying: value))
        }
        return .next
      }
      return found
    }
  }

  private static func put(
    _ value: [UInt8], for key: [UInt8], in table: Table, of log: EventLog
  ) throws {
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.put(value.span, forKey: key.span, in: table)
    }
  }

  @Test(arguments: allFolds.map(\.id))
  func `a row that was cut or changed is read as something else or refused by name`(
    id: String
  ) async throws {
    let lab = try SnapshotLab(seed: 21)
    let log = try lab.open()
    defer { log.close() }
    let fold = try #require(allFolds.first { $0.id == id })
    // Some things happen seldom.
    for _ in 0..<8 {
      try await lab.append(700, to: log)
      let rows = try log.tables(of: fold).map { try Self.longestRow(of: $0, in: log) }
      if rows.allSatisfy({ $0 != nil }) { break }
    }
    var random = SeededGenerator(seed: 5)
    var refusals = 0
    for table in log.tables(of: fold) {
      guard let row = try Self.longestRow(of: table, in: log) else { continue }
      for round in 0..<40 {
        var value = row.value
        let place = Int.random(in: value.indices, using: &random)
        if round % 2 == 0 {
          value.removeLast(value.count - place)
        } else {
          value[place] = round % 4 == 1 ? 0xff : value[place] ^ (1 << UInt8(round % 8))
        }
        try Self.put(value, for: row.key, in: table, of: log)
        do { try Self.readEverything(log) } catch LogError.storage(let error) {
          #expect(error == LMDBError(.undecodable, .get, table: table.name))
          refusals += 1
        }
      }
      try Self.put(row.value, for: row.key, in: table, of: log)
      try Self.readEverything(log)
    }
    #expect(refusals > 0)
  }

  @Test func `a damaged row is a named error, the log goes on, and a rebuild mends it`()
    async throws
  {
    let lab = try SnapshotLab(seed: 22)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(250, to: log)
    let table = log.tables(of: CacheFold.fold)[0]
    let row = try #require(try Self.longestRow(of: table, in: log))
    try Self.put(Array(row.value.prefix(30)), for: row.key, in: table, of: log)

    let error = #expect(throws: LogError.self) { try Self.readEverything(log) }
    #expect(error?.description.contains("a row of the table \(table.name) is damaged") == true)
    try await lab.append(250, to: log)
    #expect(log.writerState == .open)
    let found = try Verification(log.environment).run()
    #expect(found.damages.contains { $0.table == table.name })

    let report = try await log.rebuildViews()
    #expect(!report.isEqual)
    try Self.readEverything(log)
    #expect(try Verification(log.environment).run().damages == [])
  }
}
