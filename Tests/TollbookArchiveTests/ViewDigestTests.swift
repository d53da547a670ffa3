import Crypto
import LMDB
import Testing
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct ViewDigestTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What is hashed, put together as the format is written down and not as the code does it.
  private static func content(
    _ tables: [(name: String, rows: [(key: [UInt8], value: [UInt8])])]
  ) -> [UInt8] {
    func number(_ value: Int, _ bytes: Int) -> [UInt8] {
      (0..<bytes).reversed().map { UInt8(value >> ($0 * 8) & 255) }
    }
    var content: [UInt8] = []
    for table in tables {
      content += number(table.name.utf8.count, 2)
      content += Array(table.name.utf8)
      for row in table.rows {
        content += number(row.key.count, 4)
        content += number(row.value.count, 4)
        content += row.key
        content += row.value
      }
      content += [255, 255, 255, 255]
      content += number(table.rows.count, 8)
    }
    return content
  }

  /// Fold of two tables that copies what a test writes, so that rows are known.
  private static let fold = Fold(
    name: "known", version: 3, tables: ["one", "two"], cadence: .eachCommit
  ) { (events, tables, transaction) throws(LMDBError) in
    for event in events {
      let (value, nine) = ([7, 8] as [UInt8], [9] as [UInt8])
      let key = LogTables.key(event.position)
      try transaction.put(value.span, forKey: key.span, in: tables[0])
      // Rows larger than what is hashed at a time.
      let large = [UInt8](repeating: 5, count: 100_000)
      try transaction.put(large.span, forKey: nine.span, in: tables[1])
    }
    return events.map { Fold.Parked(position: $0.position, reason: "so") }
  }

  @Test func `a digest is the hash of what the format says`() async throws {
    let log = try folder.openLog(folds: [Self.fold])
    defer { log.close() }
    try await log.append([.serviceStarted(ServiceStarted()), .serviceStarted(ServiceStarted())])
    let digests = try digests(of: log, [Self.fold])

    let keys = [1, 2].map { Array(repeating: UInt8(0), count: 7) + [$0] }
    let content = Self.content([
      ("known@3.one", keys.map { ($0, [7, 8]) }),
      ("known@3.two", [([9], [UInt8](repeating: 5, count: 100_000))]),
      ("parked", keys.map { ($0, Array("so".utf8)) }),
    ])
    #expect(
      digests == [
        ViewDigest(view: "known@3", rows: 3, digest: Array(SHA256.hash(data: content)))
      ])
  }

  @Test func `a state digest is the hash of position, root and views in the order of names`() {
    let views = [
      ViewDigest(view: "b@1", rows: 0, digest: [UInt8](repeating: 2, count: 32)),
      ViewDigest(view: "a@1", rows: 0, digest: [UInt8](repeating: 1, count: 32)),
    ]
    let root = [UInt8](repeating: 9, count: 32)
    var content = Array("tollbook state 1\n".utf8) + [0, 0, 0, 0, 0, 0, 1, 2] + root
    for (id, byte) in [("a@1", UInt8(1)), ("b@1", 2)] {
      content += [0, 3] + Array(id.utf8) + [UInt8](repeating: byte, count: 32)
    }
    let digest = StateDigest(position: 258, root: root, views: views)
    #expect(digest.bytes == Array(SHA256.hash(data: content)))
    #expect(digest.description.count == 64)
  }

  @Test func `every changed row changes the digest of its view and of no other`() async throws {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    var generator = EventGenerator(seed: 3)
    while generator.head < 60 {
      let step = generator.next(at: .testStart)
      try await log.append(step.events, bodies: step.bodies)
    }
    let before = try digests(of: log, allFolds)
    #expect(Set(before.map(\.digest)).count == allFolds.count)
    var changes = 0
    for (index, fold) in allFolds.enumerated() {
      for table in log.tables(of: fold) {
        guard let (key, value) = try Self.firstRow(of: table, in: log) else { continue }
        for changed in [value + [0], Array(value.dropLast()), nil] {
          guard changed != value else { continue }
          try Self.set(changed, for: key, of: table, in: log)
          let after = try digests(of: log, allFolds)
          for other in allFolds.indices {
            #expect((after[other] == before[other]) == (other != index), "\(table.name)")
          }
          changes += 1
        }
        try Self.set(value, for: key, of: table, in: log)
      }
    }
    #expect(try digests(of: log, allFolds) == before)
    #expect(changes > 15)
  }

  private func digests(of log: EventLog, _ folds: [Fold]) throws(LogError) -> [ViewDigest] {
    try log.read { (transaction) throws(LogError) in
      try ViewDigest.all(
        of: folds, tables: { log.tables(of: $0) }, log: log.tables, in: transaction)
    }
  }

  private static func firstRow(
    of table: Table, in log: EventLog
  ) throws -> (key: [UInt8], value: [UInt8])? {
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.lastEntry(in: table)
    }
  }

  private static func set(
    _ value: [UInt8]?, for key: [UInt8], of table: Table, in log: EventLog
  ) throws {
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      if let value {
        try transaction.put(value.span, forKey: key.span, in: table)
      } else {
        _ = try transaction.delete(key: key.span, in: table)
      }
    }
  }
}
