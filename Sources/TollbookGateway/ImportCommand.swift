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

/// What became of entries that were bought elsewhere.
package struct ImportOutcome: Hashable, Sendable {
  package var kept = 0
  /// Left out, since the cache has one that is as young and holds as much.
  package var known = 0
  /// Left out, since they would be removed at once.
  package var tooOld = 0

  package init() {}
}

/// Keep what was bought elsewhere. What the cache has younger, or would remove at once, is left out.
struct ImportCommand: Sendable {
  var entries: [(entry: ImportedEntry, body: Body?)]
  var kinds: [ResourceKind]
  var now: Timestamp

  func decide(
    _ cache: CacheView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<ImportOutcome> {
    var outcome = ImportOutcome()
    var events: [Event] = []
    var bodies: [Body] = []
    for (entry, body) in entries where entry.write.resource.isPossible {
      let write = entry.write
      let before = try cache.all(of: write.resource, in: state)
      let isCovered = before.contains {
        $0.contentSet & write.parts == write.parts && $0.fetched >= entry.fetched
      }
      guard !isCovered else {
        outcome.known += 1
        continue
      }
      let kind = kinds.first { $0.name == write.resource.kind }
      let event = CacheWritten(
        write, body, in: kind, fetch: 0, fetched: entry.fetched, costs: [], after: before)
      guard now < Timestamp(milliseconds: event.keepUntilMs) else {
        outcome.tooOld += 1
        continue
      }
      events.append(.cacheWritten(event))
      if let body { bodies.append(body) }
    }
    outcome.kept = events.count
    return Decision(events: events, bodies: bodies, answer: outcome)
  }
}

extension RegisteredUpstream {
  /// What would become of entries if nothing were cached yet.
  package func outcome(ofImporting entries: [ImportedEntry], now: Timestamp) -> ImportOutcome {
    var outcome = ImportOutcome()
    for entry in entries where entry.write.resource.isPossible {
      let kind = kinds.first { $0.name == entry.write.resource.kind }
      let body = entry.write.body.map { Body($0, cuts: entry.write.cuts) }
      let event = CacheWritten(
        entry.write, body, in: kind, fetch: 0, fetched: entry.fetched, costs: [], after: [])
      let isKept = now < Timestamp(milliseconds: event.keepUntilMs)
      if isKept { outcome.kept += 1 } else { outcome.tooOld += 1 }
    }
    return outcome
  }
}

extension Gateway {
  /// The most entries that are imported in one commit.
  package static let mostImported = 1_000

  /// Keeps what was bought elsewhere, of each resource the youngest.
  ///
  /// - Parameter isTrial: whether it is only told what would become of them.
  package func keep(
    _ entries: [ImportedEntry], isTrial: Bool = false
  ) async throws(LogError) -> ImportOutcome {
    let command = ImportCommand(
      entries: await Self.compressed(entries), kinds: importedKinds, now: log.time.now())
    let cache = cache
    if isTrial {
      return try log.read { (reading) throws(LogError) in
        try command.decide(cache, reading).answer
      }
    }
    return try await log.decide { (state, _) throws(LogError) in
      try command.decide(cache, state)
    }.answer
  }

  /// Work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private static func compressed(
    _ entries: [ImportedEntry]
  ) async -> [(entry: ImportedEntry, body: Body?)] {
    var youngest: [ResourceKey: Int] = [:]
    let entries = entries.prefix(mostImported)
    for (place, entry) in entries.enumerated() {
      let known = youngest[entry.write.resource]
      guard known.map({ entries[$0].fetched < entry.fetched }) ?? true else { continue }
      youngest[entry.write.resource] = place
    }
    return entries.enumerated().filter { youngest[$1.write.resource] == $0 }.map { _, entry in
      (entry, entry.write.body.map { Body($0, cuts: entry.write.cuts) })
    }
  }
}
