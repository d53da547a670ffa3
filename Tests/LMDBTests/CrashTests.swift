import Bytes
import Foundation
import Glibc
import LMDB
import Testing

// Other processes: what they leave behind when they are killed, and what they see while this one
// has the environment open.
@Suite struct CrashTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `a commit survives a kill, an unfinished transaction does not`() async throws {
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment(directory: path)
      let table = try environment.openTables(["events"])[0]
      try environment.put("1", for: "committed", in: table)
      try Self.dieWriting(environment, table)
    }

    let environment = try folder.open()
    let table = try environment.openTables(["events"])[0]
    let entries = try environment.withReadTransaction { txn in try txn.entries(of: table) }
    #expect(entries == ["committed=1"])
  }

  @Test func `the writer's lock is free again after a kill`() async throws {
    let environment = try folder.open()
    let table = try environment.openTables(["events"])[0]
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment(directory: path)
      try Self.dieWriting(environment, environment.openTables(["events"])[0])
    }

    try environment.put("1", for: "key", in: table)

    #expect(try environment.text(for: "key", in: table) == "1")
  }

  @Test func `the slot of a killed reader is cleared`() async throws {
    let environment = try folder.open()
    _ = try environment.openTables(["events"])
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment(
        directory: path, options: EnvironmentOptions(isReadOnly: true))
      try environment.withReadTransaction { _ in _ = kill(getpid(), SIGKILL) }
    }

    #expect(try environment.statistics().readersInUse == 1)
    #expect(try environment.checkReaders() == 1)
    #expect(try environment.checkReaders() == 0)
    #expect(try environment.statistics().readersInUse == 0)
  }

  @Test func `another process reads beside the owner and cannot write`() async throws {
    let environment = try folder.open()
    let table = try environment.openTables(["events"])[0]
    try environment.put("1", for: "key", in: table)
    let path = folder.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      let environment = try Environment(
        directory: path, options: EnvironmentOptions(isReadOnly: true))
      let table = try environment.openTables(["events"])[0]
      #expect(try environment.text(for: "key", in: table) == "1")
      #expect(throws: LMDBError(.notFound, .openTable, table: "missing")) {
        try environment.openTables(["missing"])
      }
      #expect(throws: LMDBError(.inputOutput(errno: EACCES), .begin)) {
        try environment.put("2", for: "key", in: table)
      }
    }
    #expect(try environment.text(for: "key", in: table) == "1")
  }

  @Test func `a write that finds no space is refused, and works once there is some`() async {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      let folder = try TemporaryFolder()
      let environment = try folder.open(mapSize: 1 << 24)
      let table = try environment.openTables(["events"])[0]
      try environment.put("1", for: "kept", in: table)

      try Self.limitFileSize(to: 64 * 1024)
      let error = #expect(throws: LMDBError.self) {
        try Self.fill(environment, table, bytes: 1_000_000)
      }
      #expect(error == LMDBError(.noSpace, .commit))
      #expect(error?.isOutOfSpace == true)
      #expect(try environment.text(for: "kept", in: table) == "1")

      try Self.limitFileSize(to: 1 << 30)
      try Self.fill(environment, table, bytes: 1_000_000)
      #expect(try environment.text(for: "kept", in: table) == "1")
    }
  }

  @Test func `a write cut short by the limit for files is a want of space, no broken disk`() async {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      let folder = try TemporaryFolder()
      let environment = try folder.open(mapSize: 1 << 26)
      let table = try environment.openTables(["events"])[0]
      try environment.put("1", for: "kept", in: table)
      // The middle of a page, so that a write ends in the middle.
      try Self.limitFileSize(to: (1 << 21) + 100)
      #expect(environment.fileLimit == (1 << 21) + 100)
      let used = try environment.statistics().usedBytes
      #expect(try environment.reserve(1 << 20, behind: used))
      #expect(try !environment.reserve(1 << 21, behind: used))
      for bytes in [5_000_000, 2_200_000, 2_100_000] {
        let error = #expect(throws: LMDBError.self) {
          try Self.fill(environment, table, bytes: bytes)
        }
        #expect(error?.isOutOfSpace == true, "\(String(describing: error))")
      }
      #expect(try environment.text(for: "kept", in: table) == "1")
    }
  }

  @Test func `a write transaction inside another is a mistake that stops the process`() async {
    await #expect(processExitsWith: .failure) {
      let folder = try TemporaryFolder()
      let environment = try folder.open()
      let table = try environment.openTables(["events"])[0]
      try Self.nest(environment, table)
    }
  }

  private static func dieWriting(_ environment: Environment, _ table: Table) throws {
    try environment.withWriteTransaction { txn in
      try txn.put("2".utf8.span, forKey: "unfinished".utf8.span, in: table)
      kill(getpid(), SIGKILL)
    }
  }

  private static func nest(_ environment: Environment, _ table: Table) throws {
    try environment.withWriteTransaction { _ in
      try environment.put("1", for: "key", in: table)
    }
  }

  private static func fill(_ environment: Environment, _ table: Table, bytes: Int) throws {
    let value = [UInt8](repeating: 1, count: 2000)
    try environment.withWriteTransaction { txn in
      for position in 0..<UInt64(bytes / 2000) {
        try txn.put(value.span, forKey: position.bigEndianBytes.span, in: table)
      }
    }
  }

  private static func limitFileSize(to bytes: UInt) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = min(bytes, limit.rlim_max)
    try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
  }
}
