import Bytes
import Glibc
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
  ///
  /// - Parameter problem: what is said then.
  private static func fill(
    _ log: EventLog, until problem: String = "map is full"
  ) async throws -> [String] {
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
        #expect(reason.contains(problem))
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

  @Test func `a limit for files leaves the reserve, then closes the writer; reads go on`()
    async throws
  {
    let path = folder.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      let folder = TemporaryFolder(keeping: path)
      signal(SIGXFSZ, SIG_IGN)
      try Self.limitFileSize(to: 1 << 20)
      // Twice: the next start finds what this one left.
      for _ in 0..<2 {
        let log = try folder.openLog(options: Self.options(mapSize: 1 << 30))
        defer { log.close() }
        let before = log.head
        if before == 0 {
          #expect(try log.headroom().admits)
          let acknowledged = try await Self.fill(log, until: "no space is left")
          #expect(try log.events().map { text(of: $0.event) } == acknowledged)
        }
        let headroom = try log.headroom()
        #expect(!headroom.admits && headroom.fileLimit == 1 << 20)
        let shortage = try #require(headroom.shortage)
        #expect(shortage.contains("the data file has"))
        #expect(shortage.contains("longer than 1 MiB (ulimit -f)"))
        #expect(try LogVerifier(log).verify().damages == [])
      }
      // Where files may become longer it goes on.
      try Self.limitFileSize(to: 1 << 30)
      let log = try folder.openLog(options: Self.options(mapSize: 1 << 29))
      defer { log.close() }
      #expect(try log.headroom().admits && log.headroom().fileLimit == nil)
      try await log.append([note("on")])
    }
  }

  @Test func `the reserve is the data file's own while the log is open, and given back then`()
    async throws
  {
    var options = Self.options(mapSize: 1 << 30)
    options.reserveBytes = 8 << 20
    let log = try folder.openLog(options: options)
    try await log.append([note("1")])
    let before = try blocks()
    #expect(try log.headroom().admits)
    let held = try blocks()
    #expect(held.bytes >= before.bytes + 8 << 20)
    // No longer for it, and no more of it the next time.
    #expect(held.size == before.size)
    #expect(try log.headroom().admits)
    #expect(try blocks().bytes == held.bytes)
    log.close()
    #expect(try blocks().bytes < before.bytes + 1 << 20)
  }

  /// How long the data file is, and what it takes of the disk.
  private func blocks() throws -> (size: Int, bytes: Int) {
    var status = stat()
    try #require(stat("\(folder.path)/data/data.mdb", &status) == 0)
    return (Int(status.st_size), Int(status.st_blocks) * 512)
  }

  private static func limitFileSize(to bytes: UInt) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = min(bytes, limit.rlim_max)
    try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
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
