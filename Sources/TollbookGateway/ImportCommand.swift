package import TollbookEvents
package import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Something that was bought elsewhere and earlier: it is kept as if it had been bought here then, and costs nothing.
package struct ImportedEntry: Sendable {
  package var write: Write
  package var fetched: Timestamp

  package init(_ write: Write, fetched: Timestamp) {
    self.write = write
    self.fetched = fetched
  }
}

/// Keep what was bought elsewhere. What the cache has younger, or would remove at once, is left out.
struct ImportCommand: Sendable {
  var entries: [(entry: ImportedEntry, body: Body?)]
  var kinds: [ResourceKind]
  var now: Timestamp

  /// - Returns: how many were kept.
  func decide(
    _ cache: CacheView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Int> {
    var events: [Event] = []
    var bodies: [Body] = []
    for (entry, body) in entries where entry.write.resource.isPossible {
      let write = entry.write
      let before = try cache.all(of: write.resource, in: state)
      let isCovered = before.contains {
        $0.contentSet & write.parts == write.parts && $0.fetched >= entry.fetched
      }
      guard !isCovered else { continue }
      let kind = kinds.first { $0.name == write.resource.kind }
      let event = CacheWritten(
        write, body, in: kind, fetch: 0, fetched: entry.fetched, costs: [], after: before)
      guard now < Timestamp(milliseconds: event.keepUntilMs) else { continue }
      events.append(.cacheWritten(event))
      if let body { bodies.append(body) }
    }
    return Decision(events: events, bodies: bodies, answer: events.count)
  }
}

extension Gateway {
  /// The most entries that are imported in one commit.
  package static let mostImported = 1_000

  /// Keeps what was bought elsewhere, each resource once.
  ///
  /// - Returns: how many entries were kept: not those of which the cache has a younger one, nor those too old to keep.
  package func keep(_ entries: [ImportedEntry]) async throws(LogError) -> Int {
    let command = ImportCommand(
      entries: await Self.compressed(entries), kinds: importedKinds, now: log.time.now())
    let cache = cache
    return try await log.decide { (state, _) throws(LogError) in
      try command.decide(cache, state)
    }.answer
  }

  /// Work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private static func compressed(
    _ entries: [ImportedEntry]
  ) async -> [(entry: ImportedEntry, body: Body?)] {
    var seen: Set<ResourceKey> = []
    return entries.prefix(mostImported).filter { seen.insert($0.write.resource).inserted }.map {
      entry in (entry, entry.write.body.map { Body($0, cuts: entry.write.cuts) })
    }
  }
}
