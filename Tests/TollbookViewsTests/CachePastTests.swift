import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct CachePastTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What the live view held after each commit, without the reads, which the past does not know.
  private struct Moment {
    let position: Position
    let entries: [ResourceKey: [CacheEntry]]
  }

  @Test(.timeLimit(.minutes(30)), arguments: 1...4 as ClosedRange<UInt64>)
  func `entries as of any commit are those that the view held then`(seed: UInt64) async throws {
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    let cache = CacheView(log)
    var moments: [Moment] = []
    var resources: Set<ResourceKey> = []
    while log.head < 1_500 {
      for step in history.nextGroup(upTo: 12) {
        try await log.append(step.events, bodies: step.bodies, prunedBodies: step.prunedBodies)
        let page = try log.read { (transaction) throws(LogError) in
          try cache.page(after: nil, limit: .max, in: transaction) { _ in true }
        }
        let entries = Dictionary(grouping: page.entries.map(\.withoutReads), by: \.resource)
        resources.formUnion(entries.keys)
        moments.append(Moment(position: log.head, entries: entries))
      }
    }
    var removals = 0
    try log.read { (transaction) throws(LogError) in
      for (before, moment) in zip(moments, moments.dropFirst()) {
        removals += before.entries.count { resource, held in
          let left = moment.entries[resource] ?? []
          // Gone, and not because another one took its place.
          return left.count < held.count && left.allSatisfy(held.contains)
        }
        for resource in resources {
          let found = try cache.past(
            of: resource, asOf: moment.position, index: log.index, reader: log.reader,
            in: transaction)
          #expect(
            found == moment.entries[resource] ?? [], "\(resource) at \(moment.position)")
        }
      }
    }
    #expect(moments.count > 300)
    #expect(resources.count > 5)
    #expect(removals > 0)
  }
}
