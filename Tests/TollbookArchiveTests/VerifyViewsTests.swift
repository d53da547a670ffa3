import Bytes
import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

@Suite(.timeLimit(.minutes(30))) struct VerifyViewsTests {
  private func verify(
    _ log: EventLog, options: Verification.Options = .init(),
    loadBase: BaseLoader = ScratchReplay.refuseBase
  ) throws -> Verification.Outcome {
    try Verification(log.environment, options: options).run(loadBase: loadBase)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `Law 1: the views of a sound log are what a replay gives`(seed: UInt64) async throws {
    let lab = try SnapshotLab(seed: seed)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(300, to: log)

    let outcome = try verify(log)

    #expect(outcome.damages == [])
    #expect(outcome.views.map(\.view) == allFolds.map(\.id))
    #expect(outcome.viewPosition == log.head)
    #expect(outcome.state == (try log.stateDigest()))
  }

  @Test func `Law 1: replay from a base gives the live views byte for byte`() async throws {
    let lab = try SnapshotLab(seed: 4)
    do {
      let log = try lab.open()
      defer { log.close() }
      try await lab.append(120, to: log)
      try lab.write(log)
      let base = log.head
      try await lab.append(120, to: log)
      try lab.export(log, from: base + 1)
    }
    try lab.restore(snapshot: "a.snapshot", export: "log.export")
    let log = try lab.open("restored")
    defer { log.close() }
    let load = ScratchReplay.loadBase(from: lab.path("restored"))

    let outcome = try verify(log, loadBase: load)
    #expect(outcome.damages == [])
    #expect(outcome.state == (try log.stateDigest()))
    #expect(outcome.log.start > 0)

    let replay = try ScratchReplay(of: LogSource(log), loadBase: load)
    try replay.run(to: log.head)
    let live = try log.environment.dump()
    let replayed = try replay.environment.dump()
    for table in allFolds.flatMap(\.tables) + [LogTables.parkedName] {
      #expect(live[table] == replayed[table], "\(table)")
    }
    // Without the snapshot nobody knows where to begin, and that is said.
    try FileManager.default.removeItem(atPath: lab.path("restored/snapshots"))
    #expect(try verify(log, loadBase: load).damages.map(\.table) == [LogTables.originName])
  }

  @Test func `Law 5: every flipped bit in a row of a view is found and located`() async throws {
    let lab = try SnapshotLab(seed: 6)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(14, to: log)
    let source = LogSource(log)
    let replay = try ScratchReplay(of: source, loadBase: ScratchReplay.refuseBase)
    try replay.run(to: log.head)
    func compare(_ fold: Fold) throws -> [Damage] {
      var comparison = ViewComparison(source, Verification.Watch())
      let found = try log.read { (transaction) throws(LogError) in
        try comparison.compare(fold, log.viewTables(of: fold), with: replay, in: transaction)
      }
      guard case .different(let damages) = found else { return [] }
      return damages
    }
    var flips = 0
    for fold in allFolds {
      #expect(try compare(fold) == [])
      for table in log.tables(of: fold) {
        let rows = try log.environment.rows(of: table)
        for (key, value) in rows {
          for bit in 0..<(key.count + value.count) * 8 {
            var row = key + value
            row[bit / 8] ^= 1 << UInt8(bit % 8)
            let (badKey, badValue) = (Array(row[..<key.count]), Array(row[key.count...]))
            try log.environment.replace(key, by: badKey, badValue, in: table)
            let damages = try compare(fold)
            let isFound = damages.count == 1 && damages.first?.table == table.name
            #expect(isFound, "bit \(bit) of \(key) in \(table.name): \(damages)")
            try log.environment.replace(badKey, by: key, value, in: table)
            // The flipped key may have been that of another row.
            if let other = rows.first(where: { $0.key == badKey }) {
              try log.environment.replace(badKey, by: badKey, other.value, in: table)
            }
            flips += 1
          }
        }
      }
      #expect(try compare(fold) == [])
    }
    print("views: \(flips) flips")
    #expect(flips > 5_000)
  }

  @Test func `a row too many, a missing one and a wrong note are found by name`() async throws {
    let lab = try SnapshotLab(seed: 6)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(60, to: log)
    let meters = log.tables(of: LedgerFold.fold)[0]
    let (key, value) = try #require(try log.environment.rows(of: meters).first)

    try log.environment.replace(key, by: [0, 1], value, in: meters)
    let moved = try verify(log)
    #expect(moved.damages.map(\.table) == [meters.name])
    #expect(moved.damages.first?.problem.contains(#""\x00\x01" is too many"#) == true)
    #expect(moved.views.count == allFolds.count - 1)
    #expect(moved.state == nil)
    try log.environment.replace([0, 1], by: key, value, in: meters)

    let parked = LogTables.parkedKey(fold: LedgerFold.fold.id, position: 3)
    try log.environment.replace([9], by: parked, [1], in: log.tables.parked)
    #expect(try verify(log).damages.map(\.table) == [LogTables.parkedName])
    try log.environment.replace(parked, by: [255], [1], in: log.tables.parked)

    let note = ViewRow(position: 5).bytes
    let id = Array(MetricsFold.fold.id.utf8)
    try log.environment.replace(id, by: id, note, in: log.tables.views)
    let noted = try verify(log)
    #expect(noted.viewsBehind.isEmpty)
    #expect(!noted.damages.isEmpty)
    #expect(noted.damages.allSatisfy { $0.problem.contains(MetricsFold.fold.id) })
    let late = ViewRow(position: log.head + 1).bytes
    try log.environment.replace(id, by: id, late, in: log.tables.views)
    #expect(try verify(log).damages.map(\.table) == [LogTables.viewsName])
  }

  @Test func `views that lag behind the log are told as such, and are right so far`() async throws {
    let lab = try SnapshotLab(seed: 6)
    do {
      let log = try lab.open()
      defer { log.close() }
      try await lab.append(60, to: log)
    }
    // As a start leaves them that was cut short: the log goes on and they do not.
    let log = try lab.folder.openLog(time: lab.time.source)
    let reached = log.head
    try await lab.append(30, to: log)
    let outcome = try verify(log)
    #expect(outcome.damages == [])
    #expect(outcome.views.isEmpty && outcome.state == nil)
    #expect(outcome.viewsBehind.map(\.view) == allFolds.map(\.id))
    #expect(outcome.viewsBehind.allSatisfy { $0.position == reached })

    // One that is wrong so far is damaged all the same.
    let meters = try #require(try log.environment.openTables(LedgerFold.fold.tables).first)
    let (key, value) = try #require(try log.environment.rows(of: meters).first)
    try log.environment.replace(key, by: [0, 1], value, in: meters)
    let wrong = try verify(log)
    #expect(wrong.damages.map(\.table) == [meters.name])
    #expect(wrong.viewsBehind.count == allFolds.count - 1)
    try log.environment.replace([0, 1], by: key, value, in: meters)
    log.close()
  }

  @Test func `the next start catches up with what lagged`() async throws {
    let lab = try SnapshotLab(seed: 6)
    do {
      let log = try lab.open()
      defer { log.close() }
      try await lab.append(60, to: log)
    }
    do {
      let log = try lab.folder.openLog(time: lab.time.source)
      defer { log.close() }
      try await lab.append(30, to: log)
    }
    let log = try lab.open()
    defer { log.close() }
    let outcome = try verify(log)
    #expect(outcome.damages == [] && outcome.viewsBehind.isEmpty)
    #expect(outcome.state == (try log.stateDigest()))
  }

  @Test func `a log whose records are damaged is not compared with a replay`() async throws {
    let lab = try SnapshotLab(seed: 6)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(60, to: log)
    let key = Array(repeating: UInt8(0), count: 7) + [20]
    let record = try #require(
      try log.environment.rows(of: log.tables.events).first { $0.key == key })
    var damaged = record.value
    damaged[12] ^= 1
    try log.environment.replace(key, by: key, damaged, in: log.tables.events)

    let outcome = try verify(log)
    #expect(outcome.damages.map(\.table) == [LogTables.eventsName])
    #expect(outcome.damages.map(\.position) == [20])
    #expect(outcome.views.isEmpty && outcome.state == nil)
  }

  @Test func `a log is verified with its views while it grows`() async throws {
    let lab = try SnapshotLab(seed: 9)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(400, to: log)
    let growing = Task {
      for _ in 0..<400 { try await log.append([.serviceStarted(ServiceStarted())]) }
    }
    let outcomes = try (0..<4).map { _ in try verify(log) }
    try await growing.value
    for outcome in outcomes {
      #expect(outcome.damages == [])
      #expect(outcome.views.count == allFolds.count)
    }
    #expect(try verify(log).viewPosition == log.head)
  }

  @Test func `whoever is asked to stop says that it was cut short`() async throws {
    let lab = try SnapshotLab(seed: 9)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(100, to: log)
    var watch = Verification.Watch()
    watch.isCancelled = { true }
    let outcome = try Verification(log.environment, watch: watch).run()
    #expect(outcome.log.isCutShort)
    #expect(outcome.state == nil)
  }

  @Test func `the fast way leaves the views out`() async throws {
    let lab = try SnapshotLab(seed: 9)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(100, to: log)
    try log.environment.replace([9], by: [9], [9], in: log.tables(of: CacheFold.fold)[0])
    #expect(try verify(log).damages.count == 1)
    #expect(try verify(log, options: .fast).damages == [])
  }
}

extension Environment {
  fileprivate func rows(of table: Table) throws(LMDBError) -> [(key: [UInt8], value: [UInt8])] {
    try withReadTransaction { (transaction) throws(LMDBError) in
      var rows: [(key: [UInt8], value: [UInt8])] = []
      try transaction.scan(table) { (key, value) throws(LMDBError) in
        rows.append(([UInt8](copying: key), [UInt8](copying: value)))
        return .next
      }
      return rows
    }
  }

  /// Puts a row where another one was, which need not have been there.
  fileprivate func replace(
    _ old: [UInt8], by new: [UInt8], _ value: [UInt8], in table: Table
  ) throws {
    try withWriteTransaction { (transaction) throws(LMDBError) in
      _ = try transaction.delete(key: old.span, in: table)
      try transaction.put(value.span, forKey: new.span, in: table)
    }
  }
}
