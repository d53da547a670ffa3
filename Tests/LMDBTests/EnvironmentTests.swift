import Bytes
import Foundation
import Glibc
import LMDB
import Testing

@Suite struct EnvironmentTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `value bytes survive a reopen`() throws {
    let value = [UInt8](0...255) + [UInt8](repeating: 7, count: 10_000)
    try withExtendedLifetime(folder.open(durable: true)) { environment in
      let table = try environment.openTables(["bodies"])[0]
      try environment.withWriteTransaction { txn in
        try txn.put(value.span, forKey: UInt64(1).bigEndianBytes.span, in: table)
      }
    }

    let environment = try folder.open()
    let table = try environment.openTables(["bodies"])[0]
    let found = try environment.withReadTransaction { txn in
      try txn.value(forKey: UInt64(1).bigEndianBytes.span, in: table)
    }

    #expect(found == value)
  }

  @Test func `a second open of the same folder is refused, by any path to it`() throws {
    let first = try folder.open()
    let link = folder.path + "-link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
    defer { try? FileManager.default.removeItem(atPath: link) }

    for path in [
      folder.path, folder.path + "/../" + (folder.path as NSString).lastPathComponent, link,
    ] {
      #expect(throws: LMDBError(.alreadyOpen(path: path), .openEnvironment)) {
        try Environment(directory: path)
      }
    }
    withExtendedLifetime(first) {}
  }

  @Test func `a folder can be opened again once it was closed`() throws {
    for _ in 1...3 { _ = try folder.open() }
  }

  @Test func `a failed opening can be tried again`() throws {
    let file = folder.path + "/data.mdb"
    try Data(repeating: 0x55, count: 8192).write(to: URL(fileURLWithPath: file))
    #expect(throws: LMDBError(.invalid, .openEnvironment)) { try folder.open() }

    try FileManager.default.removeItem(atPath: file)

    let environment = try folder.open()
    #expect(try environment.tableNames() == [])
  }

  @Test func `a missing folder is told by errno`() {
    #expect(throws: LMDBError(.inputOutput(errno: ENOENT), .inspectFolder)) {
      try Environment(directory: "/nowhere/at/all")
    }
  }

  @Test func `tables are listed in the order of their names, open or not`() throws {
    try withExtendedLifetime(folder.open()) { _ = try $0.openTables(["b", "a", "view@2"]) }
    let environment = try folder.open()

    #expect(try environment.tableNames() == ["a", "b", "view@2"])
  }

  @Test func `the same name opens the same table`() throws {
    let environment = try folder.open()

    let tables = try environment.openTables(["a", "b", "a"])

    #expect(tables[0] == tables[2])
    #expect(tables[0] != tables[1])
    #expect(try environment.openTables(["b"]) == [tables[1]])
  }

  @Test func `too many tables are refused and leave none behind`() throws {
    let environment = try Environment(
      directory: folder.path,
      options: EnvironmentOptions(mapSize: 1 << 20, maximumTables: 2))

    #expect(throws: LMDBError(.tablesFull, .openTable, table: "c")) {
      try environment.openTables(["a", "b", "c"])
    }
    #expect(try environment.tableNames() == [])
    #expect(try environment.openTables(["a", "b"]).count == 2)
  }

  @Test func `closed tables can be deleted, whether they are there or not`() throws {
    try withExtendedLifetime(folder.open()) { environment in
      let tables = try environment.openTables(["old@1", "old@2", "kept"])
      for table in tables { try environment.put("value", for: "key", in: table) }
    }
    let environment = try folder.open()
    let kept = try environment.openTables(["kept"])[0]

    try environment.deleteTables(["old@1", "old@2", "missing"])

    #expect(try environment.tableNames() == ["kept"])
    #expect(try environment.text(for: "key", in: kept) == "value")
    let anew = try environment.openTables(["old@1"])[0]
    #expect(try environment.text(for: "key", in: anew) == nil)
  }

  @Test func `an open table is not deleted`() async {
    await #expect(processExitsWith: .failure) {
      let folder = try TemporaryFolder()
      let environment = try folder.open()
      _ = try environment.openTables(["a"])
      try environment.deleteTables(["a"])
    }
  }

  @Test func `the oldest reader lags by the commits made since it began`() throws {
    let environment = try folder.open()
    let table = try environment.openTables(["a"])[0]
    #expect(try environment.statistics().oldestReaderLag == nil)

    try environment.withReadTransaction { _ in
      #expect(try environment.statistics().oldestReaderLag == 0)
      for number in 1...3 {
        try environment.put("\(number)", for: "key", in: table)
        let statistics = try environment.statistics()
        #expect(statistics.oldestReaderLag == number)
        #expect(statistics.readersInUse == 1)
      }
    }

    #expect(try environment.statistics().oldestReaderLag == nil)
    #expect(try environment.statistics().readersInUse == 0)
  }

  @Test func `more readers than slots are refused by name`() throws {
    let environment = try Environment(
      directory: folder.path,
      options: EnvironmentOptions(mapSize: 1 << 20, maximumReaders: 1))

    let second = try environment.withReadTransaction { _ in
      #expect(throws: LMDBError.self) { try environment.withReadTransaction { $0.id } }
    }
    #expect(second == LMDBError(.readersFull, .begin))
    #expect(try environment.withReadTransaction { $0.id } == 0)
  }

  @Test func `statistics follow what is written`() throws {
    let environment = try folder.open(mapSize: 1 << 24)
    let table = try environment.openTables(["a"])[0]
    let before = try environment.statistics()

    let value = [UInt8](repeating: 1, count: 100_000)
    try environment.withWriteTransaction { txn in
      try txn.put(value.span, forKey: [1].span, in: table)
    }
    try environment.sync()

    let after = try environment.statistics()
    #expect(after.mapSize == 1 << 24)
    #expect(after.lastTransaction == before.lastTransaction + 1)
    #expect(after.usedBytes >= before.usedBytes + 100_000)
    try environment.withReadTransaction { (txn) throws in
      #expect(txn.id == after.lastTransaction)
      #expect(try txn.count(in: table) == 1)
      #expect(try txn.bytes(in: table) >= 100_000)
      #expect(try txn.reusableBytes() < 100_000)
    }
    try environment.withWriteTransaction { txn in try txn.clear(table) }
    let reusable = try environment.withReadTransaction { txn in try txn.reusableBytes() }
    #expect(reusable >= 100_000)
    #expect(try environment.availableDiskBytes() > 0)
  }

  @Test func `a folder that takes the place of a removed one is not taken for it`() throws {
    let first = try TemporaryFolder()
    let open = try first.open()
    try FileManager.default.removeItem(atPath: first.path)
    // A filesystem likes to give the number of a removed folder to the next one.
    for _ in 0..<50 {
      let next = try TemporaryFolder()
      _ = try next.open()
    }
    withExtendedLifetime(open) {}
  }
}
