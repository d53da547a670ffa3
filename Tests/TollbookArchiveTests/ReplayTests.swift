import Foundation
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

@Suite struct ReplayTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func `a replay up to a position says what the views said then`(seed: UInt64) async throws {
    let lab = try SnapshotLab(seed: seed)
    let log = try lab.open()
    defer { log.close() }
    var then: [(position: Position, state: StateDigest)] = []
    for _ in 0..<12 {
      try await lab.append(20, to: log)
      then.append((log.head, try log.stateDigest()))
    }
    let source = LogSource(log)
    let whole = try ScratchReplay(of: source, loadBase: ScratchReplay.refuseBase)
    for (position, state) in then {
      try whole.run(to: position)
      let digests = try whole.digests()
      #expect(
        StateDigest(
          position: position, root: try source.root(at: position), views: digests) == state)
      let single = try ScratchReplay(of: source, loadBase: ScratchReplay.refuseBase)
      try single.run(to: position)
      #expect(try single.digests() == digests)
    }
  }

  @Test func `one view alone is replayed as with the others`() async throws {
    let lab = try SnapshotLab(seed: 5)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(200, to: log)
    let whole = try ScratchReplay(of: LogSource(log), loadBase: ScratchReplay.refuseBase)
    try whole.run(to: 150)
    for (index, fold) in allFolds.enumerated() {
      let alone = try ScratchReplay(
        of: LogSource(log), folds: [fold], loadBase: ScratchReplay.refuseBase)
      try alone.run(to: 150)
      #expect(try alone.digests() == [whole.digests()[index]])
    }
  }

  @Test func `nothing of a scratch folder is left, whenever it is given up`() async throws {
    let lab = try SnapshotLab(seed: 5)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(50, to: log)
    let scratch = lab.path("scratch")
    try FileManager.default.createDirectory(
      atPath: scratch, withIntermediateDirectories: true)
    let replay = try ScratchReplay(
      of: LogSource(log), in: scratch, loadBase: ScratchReplay.refuseBase)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty)
    try replay.run(to: 50)
    #expect(try replay.digests().count == allFolds.count)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty)
  }

  @Test func `a replay stops when it is told to, and goes on from there`() async throws {
    let lab = try SnapshotLab(seed: 5)
    let log = try lab.open()
    defer { log.close() }
    for _ in 0..<5 { try await log.append((0..<5_000).map { _ in .serviceStarted(.init()) }) }
    let replay = try ScratchReplay(of: LogSource(log), loadBase: ScratchReplay.refuseBase)
    try replay.run(to: log.head) { _ in false }
    #expect(replay.position > 0)
    #expect(replay.position < log.head)
    try replay.run(to: log.head)
    #expect(replay.position == log.head)
    #expect(try replay.digests() == log.viewDigests())
  }
}

extension EventLog {
  fileprivate func viewDigests() throws(LogError) -> [ViewDigest] {
    try read { (transaction) throws(LogError) in
      try ViewDigest.all(
        of: allFolds, tables: { tables(of: $0) }, log: tables, in: transaction)
    }
  }
}
