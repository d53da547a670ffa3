import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@Suite struct SpaceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func options(mapSize: Int) -> EventLog.Options {
    var options = EventLog.Options.scratch
    options.mapSize = mapSize
    options.reserveBytes = 256 << 10
    return options
  }

  /// Appends bodies that do not compress until space runs out, and returns the texts that were acknowledged.
  private static func fill(_ log: EventLog) async throws -> [String] {
    var random = SeededGenerator(seed: 1)
    var acknowledged: [String] = []
    var stoppedAdmitting: Int?
    while true {
      let number = acknowledged.count
      if stoppedAdmitting == nil, try !log.headroom().admits { stoppedAdmitting = number }
      let body = Body(random.bytes(5_000))
      do throws(LogError) {
        try await log.append([note("\(number)")], bodies: [body])
        acknowledged.append("\(number)")
      } catch {
        guard case .readOnly(let reason) = error else { throw error }
        #expect(reason.contains("map is full"))
        break
      }
    }
    // The reserve was there for those after it.
    let admitted = try #require(stoppedAdmitting)
    #expect(admitted > 0)
    #expect(acknowledged.count - admitted >= 10)
    return acknowledged
  }

  @Test func `a full map closes the writer, and reads go on`() async throws {
    let log = try folder.openLog(options: Self.options(mapSize: 1 << 20))
    defer { log.close() }
    let acknowledged = try await Self.fill(log)

    guard case .readOnly = log.writerState else {
      Issue.record("the writer is \(log.writerState)")
      return
    }
    #expect(log.head == UInt64(acknowledged.count))
    #expect(try log.events().map { text(of: $0.event) } == acknowledged)
    #expect(try LogVerifier(log).verify().damages == [])
    #expect(try !log.headroom().admits)
    let error = await #expect(throws: LogError.self) { try await log.append([note("no")]) }
    guard case .readOnly = error else {
      Issue.record("refused with \(error.debugDescription)")
      return
    }
    // There is no room, so asking for it changes nothing.
    log.reopenIfThereIsSpace()
    guard case .readOnly = log.writerState else {
      Issue.record("the writer is \(log.writerState)")
      return
    }
    #expect(try log.events().count == acknowledged.count)
  }

  @Test func `a full map is continued with a larger one`() async throws {
    let acknowledged = try await fillAndClose()
    let log = try folder.openLog(options: Self.options(mapSize: 4 << 20))
    defer { log.close() }
    #expect(try log.headroom().admits)
    #expect(try log.events().map { text(of: $0.event) } == acknowledged)
    try await log.append([note("on")])
    #expect(try LogVerifier(log).verify().damages == [])
  }

  private func fillAndClose() async throws -> [String] {
    let log = try folder.openLog(options: Self.options(mapSize: 1 << 20))
    defer { log.close() }
    return try await Self.fill(log)
  }

  @Test func `the writer opens again when there is space, from where it was`() async throws {
    let ballast = Fold(name: "ballast", version: 1, tables: ["rows"], cadence: .eachCommit) {
      _, _, _ in []
    }
    let log = try folder.openLog(folds: [ballast], options: Self.options(mapSize: 2 << 20))
    defer { log.close() }
    let table = log.tables(of: ballast)[0]
    try Self.putBallast(in: table, of: log)
    let acknowledged = try await Self.fill(log)

    try Self.throwBallastOut(of: table, in: log)
    #expect(try log.headroom().admits)
    log.reopenIfThereIsSpace()
    while log.writerState != .open { await Task.yield() }

    #expect(
      try await log.append([note("on")]).answer == UInt64(acknowledged.count) + 1)
    #expect(try log.events().map { text(of: $0.event) } == acknowledged + ["on"])
    #expect(try LogVerifier(log).verify().damages == [])
  }

  private static func putBallast(in table: Table, of log: EventLog) throws {
    let row = [UInt8](repeating: 1, count: 3_000)
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      for number in UInt64(0)..<250 {
        try transaction.put(row.span, forKey: number.bigEndianBytes.span, in: table)
      }
    }
  }

  private static func throwBallastOut(of table: Table, in log: EventLog) throws {
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.clear(table)
    }
  }

  @Test func `decisions that wait when space runs out are all told, and none is kept`()
    async throws
  {
    let log = try folder.openLog(options: Self.options(mapSize: 1 << 20))
    defer { log.close() }
    var random = SeededGenerator(seed: 2)
    let bodies = (0..<300).map { _ in Body(random.bytes(5_000)) }
    let results = await log.decideTogether(
      bodies.enumerated().map { number, body -> Decider<Int> in
        { _, _ in
          Decision(events: [note("\(number)")], bodies: [body], answer: number)
        }
      })
    for result in results {
      guard case .failure(.readOnly) = result else {
        Issue.record("answered \(result)")
        return
      }
    }
    #expect(log.head == 0)
    #expect(try log.events().isEmpty)
    #expect(try LogVerifier(log).verify().bodies == 0)
  }
}
