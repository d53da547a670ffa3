import Bytes
import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Events that no decider makes: a fold sets them aside and goes on.
@Suite struct ParkedTests {
  @Test(arguments: ImpossibleEvent.all)
  func `an event that cannot be applied is parked, and appends go on`(
    impossible: ImpossibleEvent
  ) async throws {
    let folder = try TemporaryFolder()
    let live = try await Self.live(in: folder, impossible)
    let replayed = try Self.replayed(in: folder)

    #expect(differences(live, replayed) == [])
  }

  private static func live(
    in folder: TemporaryFolder, _ impossible: ImpossibleEvent
  ) async throws -> [String: TableDump] {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    try await log.append(ImpossibleEvent.before)
    let before = try views(of: log)

    let parked = try await log.append([impossible.event]).answer
    #expect(try parkedPositions(in: log) == [parked])
    #expect(try views(of: log) == before)

    try await log.append([.tokensCharged(ImpossibleEvent.charge)])
    #expect(try parkedPositions(in: log) == [parked])
    #expect(try views(of: log) != before)
    return try log.environment.dump()
  }

  private static func replayed(in folder: TemporaryFolder) throws -> [String: TableDump] {
    let directory = try folder.own()
    _ = try Rebuild.allViews(of: directory, folds: allFolds, options: .scratch) { _, _ in }
    return try Environment(directory: directory.path).dump()
  }

  /// The tables of the cache, the ledger, the accounts, the credentials and the requests.
  private static func views(of log: EventLog) throws -> [String: TableDump] {
    try log.environment.dump().filter {
      $0.key.hasPrefix(CacheFold.fold.id) || $0.key.hasPrefix(LedgerFold.fold.id)
        || $0.key.hasPrefix(AccountsFold.fold.id) || $0.key.hasPrefix(CredentialsFold.fold.id)
        || $0.key.hasPrefix(RequestsFold.fold.id)
    }
  }

  private static func parkedPositions(in log: EventLog) throws -> [Position] {
    // More than one view may have parked an event.
    var found: Set<Position> = []
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(log.tables.parked) { (key, _) throws(LMDBError) in
        found.insert(key.bigEndianUInt64(at: key.byteCount - 8))
        return .next
      }
    }
    return found.sorted()
  }

  @Test func `amounts at the ends of the range stop no fold`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    for amount in [Int64.min, -1, 0, 1, .max, .max] {
      try await log.append(ImpossibleEvent.extreme(amount, fetch: log.head + 1))
    }
    let ledger = LedgerView(log)
    let meters = try log.read { (transaction) throws(LogError) in
      try ledger.meters(in: transaction)
    }
    #expect(meters.count == 1)
    #expect(meters.allSatisfy { $0.meter.residual == 0 })
  }

  @Test func `amounts at the ends of the range on several meters stop no fold`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    for amount in [Int64.min, -1, 0, 1, .max, .max] {
      try await log.append(ImpossibleEvent.extremeMoves(amount, fetch: log.head + 1))
    }
    let ledger = LedgerView(log)
    let meters = try log.read { (transaction) throws(LogError) in
      try ledger.meters(in: transaction)
    }
    #expect(Set(meters.map(\.key)) == Set(ImpossibleEvent.pages))
    #expect(meters.allSatisfy { $0.meter.residual == 0 })
    #expect(try Self.parkedPositions(in: log).count == 4)
  }

  /// In a call such a name is no key. An entry of that name cannot be written, and so not swept either.
  @Test(arguments: [String(repeating: "r", count: 600), "shared/a/1\u{0}b", ""])
  func `a call may name a resource that no entry can have`(resource: String) async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    let events = ImpossibleEvent.call(for: resource)
    try await log.append(events)
    #expect(try Self.parkedPositions(in: log) == [2])
    let ledger = LedgerView(log)
    let settled = try log.read { (transaction) throws(LogError) in
      try ledger.meter(ImpossibleEvent.pages[0], in: transaction)[.settled]
    }
    #expect(settled == 7)
  }

  @Test func `a text longer than a row's field is cut between characters`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    var added = CredentialAdded()
    added.credential = "main"
    var changed = CredentialStatusChanged()
    changed.credential = "main"
    changed.detail = "x" + String(repeating: "é", count: 40_000)
    try await log.append([.credentialAdded(added), .credentialStatusChanged(changed)])
    let ledger = LedgerView(log)
    let found = try log.read { (transaction) throws(LogError) in
      try ledger.credential("main", in: transaction)
    }
    #expect(found?.detail == "x" + String(repeating: "é", count: 32_767))
  }
}
