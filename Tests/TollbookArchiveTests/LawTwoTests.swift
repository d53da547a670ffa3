import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

@Suite struct LawTwoTests {
  private static let seeds = 1...200 as ClosedRange<UInt64>

  /// What a live log came to.
  private struct Live {
    var tables: [String: TableDump]
    var state: StateDigest
    var taken: SnapshotManifest
    var head: Position
  }

  @Test(.timeLimit(.minutes(30)), arguments: seeds)
  func `Law 2: a snapshot and the tail give the same tables byte for byte`(
    seed: UInt64
  ) async throws {
    let lab = try SnapshotLab(seed: seed)
    let live = try await Self.live(in: lab, before: 20 + seed, after: 150)

    let complete = try lab.restore(
      snapshot: "a.snapshot", export: "all.export", to: "complete")
    #expect(complete.state == live.state)
    #expect(complete.head == live.head)
    #expect(complete.base == nil)
    #expect(complete.events == live.head)
    let rebuilt = try lab.dump("complete")
    #expect(
      differences(live.tables, rebuilt).filter { !$0.hasPrefix("\(LogTables.originName):") } == [])

    let based = try lab.restore(snapshot: "a.snapshot", export: "tail.export", to: "based")
    #expect(based.state == live.state)
    #expect(based.head == live.head)
    #expect(based.base?.position == live.taken.position)
    #expect(based.events == live.head - live.taken.position)
    let tables = try lab.dump("based")
    #expect(
      differences(live.tables.filter { isViewTable($0.key) }, tables.filter { isViewTable($0.key) })
        == [])
    // Of the log itself, what came after the snapshot.
    #expect(tables[LogTables.eventsName]?.rows == Int(live.head - live.taken.position))
  }

  /// A history with a snapshot in its middle and exports at its end; closed again.
  private static func live(
    in lab: SnapshotLab, before: UInt64, after: UInt64
  ) async throws -> Live {
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(before, to: log)
    let taken = try lab.write(log, bodies: true)
    try await lab.append(after, to: log)
    try lab.export(log, name: "all.export")
    try lab.export(log, from: taken.position + 1, name: "tail.export")
    return Live(
      tables: try log.environment.dump(), state: try log.stateDigest(), taken: taken,
      head: log.head)
  }
}
