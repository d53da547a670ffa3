import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct ReplayTests {
  private static let seeds = 1...200 as ClosedRange<UInt64>
  private static let events: UInt64 = 500

  @Test(arguments: seeds)
  func `Law 1: replay from nothing gives the live views byte for byte`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let live = try await Self.live(in: folder, seed: seed)
    let replayed = try Self.replayed(in: folder)

    #expect(differences(live, replayed) == [])
    // Every fold is there with its tables, and the dump has them all.
    let tables = (allFolds + [EventIndex.fold]).flatMap(\.tables)
    #expect(Set(tables).isSubset(of: live.keys))
    #expect(live["parked"]?.rows == 0)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>, [EventGenerator.Formats.first, .second])
  func `Law 1: so it is of events of one format`(
    seed: UInt64, formats: EventGenerator.Formats
  ) async throws {
    let folder = try TemporaryFolder()
    let live = try await Self.live(in: folder, seed: seed, formats)
    #expect(differences(live, try Self.replayed(in: folder)) == [])
    #expect(live["parked"]?.rows == 0)
  }

  /// Runs a history, compares the views with the model on the way, and dumps them.
  private static func live(
    in folder: TemporaryFolder, seed: UInt64, _ formats: EventGenerator.Formats = .mixed
  ) async throws -> [String: TableDump] {
    var history = History(seed: seed, formats: formats)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    for _ in 0..<2 {
      try await history.append(events / 2, to: log)
      try expectViews(of: log, toBe: history.generator.model)
    }
    #expect(log.head == history.generator.head)
    return try log.environment.dump()
  }

  private static func replayed(in folder: TemporaryFolder) throws -> [String: TableDump] {
    let directory = try folder.own()
    _ = try Rebuild.allViews(of: directory, folds: allFolds, options: .scratch) { _, _ in }
    return try Environment(directory: directory.path).dump()
  }

  @Test func `the histories of all seeds reach every kind of event`() {
    var reached: [EventKind: Int64] = [:]
    for seed in Self.seeds {
      var history = History(seed: seed)
      while history.generator.head < Self.events { _ = history.nextGroup(upTo: 12) }
      reached.merge(history.generator.model.kinds, uniquingKeysWith: +)
    }
    for kind in EventKind.allCases {
      let count = reached[kind] ?? 0
      print("\(kind.name): \(count)")
      #expect(count > 0, "\(kind.name) was never reached")
    }
  }

  @Test func `the histories of all seeds reach every way in which amounts move`() {
    var reached = WaysReached()
    for seed in Self.seeds {
      var history = History(seed: seed)
      reached.beginHistory()
      while history.generator.head < Self.events {
        for step in history.nextGroup(upTo: 12) {
          for event in step.events { reached.note(event, at: history.clock.now()) }
        }
      }
    }
    for way in WaysReached.Way.allCases {
      print("\(way.rawValue): \(reached.counts[way] ?? 0)")
      #expect(reached.counts[way] ?? 0 > 0, "\(way.rawValue) was never reached")
    }
  }

  @Test func `a history of one format has no events of the other`() {
    for formats in [EventGenerator.Formats.first, .second] {
      var history = History(seed: 1, formats: formats)
      var postings = 0
      var firsts = 0
      while history.generator.head < 2_000 {
        for event in history.nextGroup(upTo: 12).flatMap(\.events) {
          guard event.hasPostings else { continue }
          postings += 1
          if event.isOfFirstFormat { firsts += 1 }
        }
      }
      #expect(firsts == (formats == .first ? postings : 0))
      #expect(postings > 100)
    }
  }

  @Test func `a fold that joins later catches up to what it would have been`() async throws {
    let folder = try TemporaryFolder()
    let early = try await Self.grown(in: folder, folds: [], then: allFolds)
    let other = try TemporaryFolder()
    let always = try await Self.grown(in: other, folds: allFolds, then: allFolds)

    #expect(differences(early, always) == [])
  }

  /// A log that is opened twice, with other folds the second time.
  private static func grown(
    in folder: TemporaryFolder, folds first: [Fold], then second: [Fold]
  ) async throws -> [String: TableDump] {
    var history = History(seed: 7)
    for folds in [first, second] {
      let log = try folder.openLog(folds: folds, time: history.clock)
      defer { log.close() }
      try await history.append(200, to: log)
    }
    let log = try folder.openLog(folds: second, time: history.clock)
    defer { log.close() }
    return try log.environment.dump()
  }
}
