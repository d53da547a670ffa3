import Bytes
import Glibc
import LMDB
import Testing

private enum LogError: StorageFailure, Equatable {
  case storage(LMDBError)
  case refused
}

@Suite struct TransactionTests {
  let folder: TemporaryFolder
  let environment: Environment
  let table: Table

  init() throws {
    folder = try TemporaryFolder()
    environment = try folder.open(mapSize: 1 << 20)
    table = try environment.openTables(["events"])[0]
  }

  @Test func `a refused commit leaves nothing behind`() throws {
    try environment.put("1", for: "kept", in: table)

    #expect(throws: LogError.refused) {
      try environment.withWriteTransaction { (txn) throws(LogError) in
        try LogError.absorbing(try txn.put("2".utf8.span, forKey: "kept".utf8.span, in: table))
        try LogError.absorbing(try txn.put("2".utf8.span, forKey: "gone".utf8.span, in: table))
        throw .refused
      }
    }

    let entries = try environment.withReadTransaction { txn in try txn.entries(of: table) }
    #expect(entries == ["kept=1"])
  }

  @Test func `a storage failure arrives in the caller's kind of error`() throws {
    let storage = LMDBError(.badValueSize, .put, table: "events")
    #expect(throws: LogError.storage(storage)) {
      try environment.withWriteTransaction { (txn) throws(LogError) in
        let empty: [UInt8] = []
        try LogError.absorbing(try txn.put("1".utf8.span, forKey: empty.span, in: table))
      }
    }
    #expect(storage.label.description == "bad_value_size")
    #expect(storage.description.hasPrefix("mdb_put on table events: "))
  }

  @Test func `appending needs a greater key`() throws {
    try environment.withWriteTransaction { txn in
      for position: UInt64 in [1, 2, 300] {
        try txn.append("event".utf8.span, forKey: position.bigEndianBytes.span, in: table)
      }
    }

    for position: UInt64 in [3, 300] {
      #expect(throws: LMDBError(.keyExists, .put, table: "events")) {
        try environment.withWriteTransaction { txn in
          try txn.append("event".utf8.span, forKey: position.bigEndianBytes.span, in: table)
        }
      }
    }
    try environment.withReadTransaction { (txn) throws in
      #expect(try txn.count(in: table) == 3)
      #expect(try txn.lastKey(in: table) == [0, 0, 0, 0, 0, 0, 1, 44])
      #expect(try txn.firstKey(in: table) == [0, 0, 0, 0, 0, 0, 0, 1])
    }
  }

  @Test func `inserting keeps the value that is there`() throws {
    let inserted = try environment.withWriteTransaction { txn in
      [
        try txn.insert("1".utf8.span, forKey: "key".utf8.span, in: table),
        try txn.insert("2".utf8.span, forKey: "key".utf8.span, in: table),
      ]
    }

    #expect(inserted == [true, false])
    #expect(try environment.text(for: "key", in: table) == "1")
  }

  @Test func `deleting tells whether there was something`() throws {
    try environment.put("1", for: "key", in: table)

    let deleted = try environment.withWriteTransaction { txn in
      [
        try txn.delete(key: "key".utf8.span, in: table),
        try txn.delete(key: "key".utf8.span, in: table),
      ]
    }

    #expect(deleted == [true, false])
    #expect(try environment.text(for: "key", in: table) == nil)
  }

  @Test func `an empty table has no ends, an empty value is a value`() throws {
    try environment.withReadTransaction { (txn) throws in
      #expect(try txn.firstKey(in: table) == nil)
      #expect(try txn.lastKey(in: table) == nil)
      #expect(try txn.lastEntry(in: table) == nil)
    }

    try environment.put("", for: "key", in: table)

    try environment.withReadTransaction { (txn) throws in
      #expect(try txn.value(forKey: "key".utf8.span, in: table) == [])
      #expect(try txn.contains(key: "key".utf8.span, in: table))
      #expect(try !txn.contains(key: "other".utf8.span, in: table))
      #expect(try txn.lastEntry(in: table)?.key == bytes("key"))
    }
  }

  @Test func `a write transaction reads what it wrote, others do not`() throws {
    try environment.withWriteTransaction { txn in
      try txn.put("1".utf8.span, forKey: "key".utf8.span, in: table)
      #expect(try txn.reading.entries(of: table) == ["key=1"])
      #expect(try environment.text(for: "key", in: table) == nil)
    }
    #expect(try environment.text(for: "key", in: table) == "1")
  }

  @Test func `a read transaction keeps its view`() throws {
    try environment.put("1", for: "key", in: table)

    try environment.withReadTransaction { txn in
      try environment.put("2", for: "key", in: table)
      #expect(try txn.entries(of: table) == ["key=1"])
    }

    #expect(try environment.text(for: "key", in: table) == "2")
  }

  @Test func `a full map is told apart, and reading and writing go on`() throws {
    try environment.put("1", for: "kept", in: table)
    let value = [UInt8](repeating: 0, count: 4000)

    let error = #expect(throws: LMDBError.self) {
      try environment.withWriteTransaction { txn in
        for position in 0..<UInt64(1000) {
          try txn.put(value.span, forKey: position.bigEndianBytes.span, in: table)
        }
      }
    }

    #expect(error?.kind == .mapFull)
    #expect(error?.isOutOfSpace == true)
    #expect(try environment.text(for: "kept", in: table) == "1")
    try environment.put("2", for: "kept", in: table)
    #expect(try environment.text(for: "kept", in: table) == "2")
  }

  @Test func `readers on many threads see whole commits only`() async throws {
    let twin = try environment.openTables(["twin"])[0]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...3 {
        group.addTask { [environment, table] in
          for _ in 1...300 {
            try environment.withReadTransaction { (txn) throws in
              #expect(try txn.count(in: table) == txn.count(in: twin))
            }
            await Task.yield()
          }
        }
      }
      for position in 1...UInt64(100) { try appendToBoth(position, twin) }
      try await group.waitForAll()
    }
  }

  private func appendToBoth(_ position: UInt64, _ twin: Table) throws {
    try environment.withWriteTransaction { txn in
      try txn.append("1".utf8.span, forKey: position.bigEndianBytes.span, in: table)
      try txn.append("2".utf8.span, forKey: position.bigEndianBytes.span, in: twin)
    }
  }
}
