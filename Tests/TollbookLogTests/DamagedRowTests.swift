import LMDB
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// A row of a view that cannot be decoded, met by folds and by deciders.
@Suite struct DamagedRowTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let damage = LMDBError(.undecodable, .get, table: "bad@1.rows")

  /// Keeps the texts of events, but for one that meets a damaged row.
  private static let fold = Fold(
    name: "bad", version: 1, tables: ["rows"], cadence: .eachCommit
  ) { (events, tables, transaction) throws(LMDBError) in
    if events.contains(where: { text(of: $0.event) == "damaged" }) { throw damage }
    for event in events {
      let row = Array((text(of: event.event) ?? "").utf8)
      try transaction.put(row.span, forKey: LogTables.key(event.position).span, in: tables[0])
    }
    return []
  }

  @Test func `only the events that meet the row are parked, and appends go on`() async throws {
    let log = try folder.openLog(folds: [Self.fold])
    defer { log.close() }
    try await log.append(["a", "b", "damaged", "c", "damaged"].map(note))
    try await log.append([note("d")])

    #expect(log.head == 6)
    #expect(log.writerState == .open)
    let (parked, rows) = try log.read { (transaction) throws(LogError) in
      let parked = try log.reader.parked(of: Self.fold, after: 0, through: 6, in: transaction)
      let table = log.tables(of: Self.fold)[0]
      return (parked, try LogError.absorbing(try transaction.count(in: table)))
    }
    #expect(parked == [3, 5])
    #expect(rows == 4)
  }

  @Test func `a decider that meets the row is told so, and its neighbours are decided`()
    async throws
  {
    let log = try folder.openLog()
    defer { log.close() }
    let sound: Decider<Position> = { (_, context) throws(LogError) in
      Decision(events: [note("sound")], answer: context.next)
    }
    let damaged: Decider<Position> = { (_, _) throws(LogError) in
      throw .storage(Self.damage)
    }

    let results = await log.decideTogether([sound, damaged, sound])

    #expect(try results[0].get().answer == 1)
    #expect(throws: LogError.storage(Self.damage)) { try results[1].get() }
    #expect(try results[2].get().answer == 2)
    #expect(log.head == 2)
    #expect(log.writerState == .open)
    let message = LogError.storage(Self.damage).description
    #expect(message.contains("bad@1.rows"))
    #expect(message.contains("tollbook rebuild"))
  }

  @Test(arguments: [
    LogError.damaged(Damage(table: "events", position: 7, problem: "a record is damaged")),
    .beforeBase(7), .noView("bad@1"),
  ])
  func `a decider that fails in another way fails alone, and nothing is written by it`(
    _ failure: LogError
  ) async throws {
    let log = try folder.openLog()
    defer { log.close() }
    let sound: Decider<Position> = { (_, context) throws(LogError) in
      Decision(events: [note("sound")], answer: context.next)
    }
    let failing: Decider<Position> = { (_, _) throws(LogError) in throw failure }

    let results = await log.decideTogether([sound, failing, sound])

    #expect(try results[0].get().answer == 1)
    #expect(throws: failure) { try results[1].get() }
    #expect(try results[2].get().answer == 2)
    #expect(log.head == 2)
    #expect(log.writerState == .open)
    await #expect(throws: failure) { _ = try await log.decide(failing) }
    #expect(log.head == 2)
    #expect(try await log.decide(sound).answer == 3)
  }
}
