import Bytes
import LMDB
import Testing

@Suite struct ScanTests {
  let folder: TemporaryFolder
  let environment: Environment
  let table: Table

  init() throws {
    folder = try TemporaryFolder()
    environment = try folder.open()
    table = try environment.openTables(["words"])[0]
    try environment.withWriteTransaction { [table] txn in
      for word in ["a", "ab", "abc", "abd", "ac", "b"] {
        try txn.put("".utf8.span, forKey: word.utf8.span, in: table)
      }
    }
  }

  /// The keys of a scan, joined by blanks.
  private func keys(
    from bound: String? = nil, prefix: String? = nil, descending: Bool = false, most: Int = .max
  ) throws -> String {
    var found: [String] = []
    let visit = { (key: RawSpan, _: RawSpan) -> ScanStep in
      found.append(key.utf8String ?? "?")
      return found.count < most ? .next : .stop
    }
    try environment.withReadTransaction { txn in
      switch (bound, prefix) {
      case (nil, nil): try txn.scan(table, descending: descending, visit)
      case (let bound?, nil):
        try txn.scan(table, from: bound.utf8.span, descending: descending, visit)
      case (nil, let prefix?):
        try txn.scan(table, prefix: prefix.utf8.span, descending: descending, visit)
      case (let bound?, let prefix?):
        try txn.scan(
          table, from: bound.utf8.span, prefix: prefix.utf8.span, descending: descending, visit)
      }
    }
    return found.joined(separator: " ")
  }

  @Test func `a scan shows all keys in both directions and stops when told`() throws {
    #expect(try keys() == "a ab abc abd ac b")
    #expect(try keys(descending: true) == "b ac abd abc ab a")
    #expect(try keys(most: 2) == "a ab")
    #expect(try keys(descending: true, most: 1) == "b")
  }

  @Test func `a bound is included and need not be there`() throws {
    #expect(try keys(from: "abd") == "abd ac b")
    #expect(try keys(from: "abca") == "abd ac b")
    #expect(try keys(from: "c") == "")
    #expect(try keys(from: "abd", descending: true) == "abd abc ab a")
    #expect(try keys(from: "abca", descending: true) == "abc ab a")
    #expect(try keys(from: "z", descending: true) == "b ac abd abc ab a")
    #expect(try keys(from: "A", descending: true) == "")
  }

  @Test func `a prefix ends the scan by itself`() throws {
    #expect(try keys(prefix: "ab") == "ab abc abd")
    #expect(try keys(prefix: "ab", descending: true) == "abd abc ab")
    #expect(try keys(prefix: "b", descending: true) == "b")
    #expect(try keys(prefix: "aa") == "")
    #expect(try keys(prefix: "aa", descending: true) == "")
    #expect(try keys(prefix: "") == "a ab abc abd ac b")
  }

  @Test func `a scan within a prefix goes on from a bound`() throws {
    #expect(try keys(from: "abc", prefix: "ab") == "abc abd")
    #expect(try keys(from: "a", prefix: "ab") == "ab abc abd")
    #expect(try keys(from: "ac", prefix: "ab") == "")
    #expect(try keys(from: "abc", prefix: "ab", descending: true) == "abc ab")
    #expect(try keys(from: "ac", prefix: "ab", descending: true) == "abd abc ab")
    #expect(try keys(from: "a", prefix: "ab", descending: true) == "")
  }

  @Test func `a prefix of the greatest bytes has no end and is scanned all the same`() throws {
    try environment.withWriteTransaction { txn in
      try txn.put("".utf8.span, forKey: [0xff, 0xff].span, in: table)
      try txn.put("".utf8.span, forKey: [0xff, 0xff, 1].span, in: table)
    }
    var found: [[UInt8]] = []

    try environment.withReadTransaction { txn in
      try txn.scan(table, prefix: [0xff, 0xff].span, descending: true) { key, _ in
        found.append([UInt8](copying: key))
        return .next
      }
    }

    #expect(found == [[0xff, 0xff, 1], [0xff, 0xff]])
  }

  @Test func `what the body throws ends the scan and comes out`() throws {
    struct Enough: Error {}
    var seen = 0

    #expect(throws: Enough.self) {
      try environment.withReadTransaction { txn in
        try txn.scan(table) { _, _ in
          seen += 1
          throw Enough()
        }
      }
    }

    #expect(seen == 1)
    #expect(try environment.statistics().readersInUse == 0)
  }

  @Test func `an empty bound is refused`() throws {
    #expect(throws: LMDBError(.badValueSize, .moveCursor, table: "words")) {
      try keys(from: "")
    }
  }
}
