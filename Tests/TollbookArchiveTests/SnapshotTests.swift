import Bytes
import Foundation
import LMDB
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

@Suite struct SnapshotTests {
  @Test func `a snapshot says of itself what the log and its views say`() async throws {
    let lab = try SnapshotLab(seed: 1)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(200, to: log)
    let state = try log.stateDigest()
    let head = log.head
    let root = log.root

    let taken = try await log.takeSnapshot(SnapshotRequest(isPortable: true, note: "before"))

    #expect(taken.file == "tollbook-\(String(repeating: "0", count: 9))\(head).snapshot")
    #expect(taken.manifest.position == head)
    #expect(taken.manifest.commit.root == root)
    #expect(taken.manifest.state == state)
    #expect(taken.manifest.note == "before")
    #expect(taken.manifest.mode == .simulated)
    #expect(taken.manifest.taken == lab.time.now)
    let bodies = try #require(taken.manifest.bodies)
    #expect(bodies.stored > 0 && bodies.absent == 0)
    let reader = try SnapshotReader(path: taken.path)
    #expect(reader.manifest == taken.manifest)
    try reader.readAll()
    #expect(reader.digest == taken.digest)
    #expect(reader.size == taken.bytes)
  }

  @Test func `taking one ends in an event that tells of it`() async throws {
    let lab = try SnapshotLab(seed: 2)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(100, to: log)

    let taken = try await log.takeSnapshot(SnapshotRequest(isAutomatic: true))

    let last = try log.read { (transaction) throws(LogError) in
      try log.reader.event(at: log.head, in: transaction)
    }
    guard case .snapshotTaken(let event)? = last?.event else {
      Issue.record("\(String(describing: last))")
      return
    }
    #expect(log.head == taken.manifest.position + 1)
    #expect(event.file == taken.file)
    #expect(event.position == taken.manifest.position)
    #expect(Array(event.root) == taken.manifest.commit.root)
    #expect(Array(event.digest) == taken.digest)
    #expect(event.bytes == taken.bytes)
    #expect(event.rows == taken.manifest.rows)
    #expect(event.automatic)
  }

  @Test func `rows are handed out as they stand in the tables, bodies as they were stored`()
    async throws
  {
    let lab = try SnapshotLab(seed: 3)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(300, to: log)
    try lab.write(log, bodies: true)

    var rows: [String: [SnapshotRow]] = [:]
    var bodies: [Body] = []
    let reader = try SnapshotReader(path: lab.path("a.snapshot"))
    while let portion = try reader.next() {
      switch portion {
      case .rows(let view, let table, let found):
        rows[reader.manifest.views[view].tables[table].name, default: []] += found
      case .bodies(let found): bodies += found
      }
    }

    for fold in allFolds {
      for (name, table) in zip(fold.tables, log.tables(of: fold)) {
        var expected: [SnapshotRow] = []
        try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
          try transaction.scan(table) { (key, value) throws(LMDBError) in
            expected.append(
              SnapshotRow(key: [UInt8](copying: key), value: [UInt8](copying: value)))
            return .next
          }
        }
        #expect(rows[name, default: []] == expected, "\(name)")
      }
    }
    for body in bodies {
      let stored = try log.read { (transaction) throws(LogError) in
        try log.reader.body(digest: body.digest, in: transaction)
      }
      #expect(stored == body)
    }
    #expect(UInt64(bodies.count) == reader.manifest.bodies?.stored)
  }

  @Test func `nothing is taken of a log without events`() async throws {
    let lab = try SnapshotLab(seed: 4)
    let log = try lab.open()
    defer { log.close() }

    await #expect(throws: SnapshotProblem.nothingToTake) { try await log.takeSnapshot() }
    #expect(try SnapshotShelf(directory: lab.path("data")).list().isEmpty)
    #expect(log.head == 0)
  }

  @Test func `a take that is cut short leaves nothing that is taken for a snapshot`() async throws {
    let lab = try SnapshotLab(seed: 5)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(100, to: log)
    let shelf = SnapshotShelf(directory: lab.path("data"))
    let whole = try await log.takeSnapshot(SnapshotRequest(isPortable: true))
    let seen = Mutex<[[String]]>([])

    // What would be there if the process ended at that moment.
    _ = try await log.takeSnapshot(SnapshotRequest(isPortable: true)) {
      _ throws(SnapshotProblem) in
      let listed = try shelf.list().map(\.file)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: shelf.folder)) ?? []
      #expect(names.contains { $0.hasSuffix(".partial") })
      seen.withLock { $0.append(listed) }
    }
    #expect(seen.withLock { $0.count } >= 3)
    #expect(seen.withLock { $0.allSatisfy { $0 == [whole.file] } })

    // And what a killed process leaves, however far it came, goes with the next take.
    let bytes = try Data(contentsOf: URL(fileURLWithPath: whole.path))
    for length in [0, 10, bytes.count / 2, bytes.count] {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: shelf.partial))
      let before = try shelf.list().map(\.file)
      #expect(before.allSatisfy { shelf.partial != "\(shelf.folder)/\($0)" })
      let next = try await log.takeSnapshot()
      let after = try FileManager.default.contentsOfDirectory(atPath: shelf.folder)
      #expect(Set(after) == Set(before + [next.file]))
    }
  }

  @Test func `a take that is stopped leaves nothing and notes nothing`() async throws {
    let lab = try SnapshotLab(seed: 6)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(100, to: log)
    let head = log.head

    await #expect(throws: SnapshotProblem.stopped) {
      _ = try await log.takeSnapshot { _ throws(SnapshotProblem) in throw .stopped }
    }

    #expect(log.head == head)
    let folder = SnapshotShelf(directory: lab.path("data")).folder
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test func `a take whose task is cancelled ends as one that is stopped`() async throws {
    let lab = try SnapshotLab(seed: 6)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(100, to: log)
    let head = log.head
    let take = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await log.takeSnapshot()
    }
    take.cancel()
    await #expect(throws: SnapshotProblem.stopped) { _ = try await take.value }
    #expect(log.head == head)
  }

  @Test func `snapshots of one position stand beside each other`() async throws {
    let lab = try SnapshotLab(seed: 7)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(50, to: log)
    let taken = try await log.takeSnapshot()
    let shelf = SnapshotShelf(directory: lab.path("data"))

    #expect(
      shelf.freeName(of: taken.manifest.position)
        == taken.file.replacing(".snapshot", with: "-2.snapshot"))
    #expect(shelf.freeName(of: 7) == "tollbook-000000000007.snapshot")
  }

  @Test func `two snapshots are compared table by table`() async throws {
    let lab = try SnapshotLab(seed: 8)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(150, to: log)
    let old = try lab.write(log, to: "old.snapshot")
    let before = try log.environment.dump()
    let same = try SnapshotDiff(from: lab.path("old.snapshot"), to: lab.path("old.snapshot"))
    #expect(same.isSame)
    #expect(same.tables.reduce(0) { $0 + $1.same } == old.rows)

    try await lab.append(150, to: log)
    try lab.write(log, bodies: true, to: "new.snapshot")
    let after = try log.environment.dump()
    let diff = try SnapshotDiff(from: lab.path("old.snapshot"), to: lab.path("new.snapshot"))

    #expect(!diff.isSame)
    for table in diff.tables where !table.name.hasSuffix("parked") {
      #expect(
        Int(table.same + table.changed + table.removed) == before[table.name]?.rows,
        "\(table.name)")
      #expect(
        Int(table.same + table.changed + table.added) == after[table.name]?.rows, "\(table.name)")
      #expect(table.isSame == (before[table.name] == after[table.name]), "\(table.name)")
      #expect(table.examples.count == Int(min(3, table.added + table.changed + table.removed)))
    }
    let entries = try #require(diff.tables.first)
    #expect(entries.name == CacheFold.fold.tables[0])
    #expect(entries.examples.allSatisfy { $0.key.hasPrefix("shared/keepa.") })
  }

  @Test func `a key is shown as text where it is text`() {
    #expect(SnapshotDiff.text(Array("acme\0keepa".utf8)) == "acme · keepa")
    #expect(SnapshotDiff.text([0, 1, 65, 0xff]) == "\\x00\\x01A\\xff")
  }

  @Test func `events that a view parked go with it`() async throws {
    let lab = try SnapshotLab(seed: 9)
    let log = try lab.open()
    defer { log.close() }
    var expired = CacheExpired()
    expired.resource = "shared/keepa.product/1/B000000001"
    expired.written = 77
    try await log.append([.cacheExpired(expired)])
    let manifest = try lab.write(log)
    #expect(manifest.views[0].parked == 1)

    let restored = try lab.restore(snapshot: "a.snapshot")

    #expect(restored.state == manifest.state)
    let parked = try lab.dump("restored")[LogTables.parkedName]
    #expect(parked?.rows == 1)
    #expect(parked == (try log.environment.dump())[LogTables.parkedName])
  }
}
