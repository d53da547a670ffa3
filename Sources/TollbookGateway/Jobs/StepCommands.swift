import Foundation
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Write down that a step of a job is over, what is kept of it, and what is not needed any more: in one commit. Of a job
/// that has ended nothing is written.
struct NoteStepCommand: Sendable {
  var number: Position
  /// How far the job is with it.
  var reached: NoteJobCommand.Reached
  var kept: [(write: Write, body: Body?)]
  var removed: [ResourceKey]
  var kinds: [ResourceKind]
  var now: Timestamp

  /// - Returns: whether it is written.
  func decide(
    _ jobs: JobsView, _ cache: CacheView, _ reader: LogReader, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Bool> {
    guard try jobs.job(number, in: state)?.state.isOpen == true else {
      return Decision(answer: false)
    }
    var events: [Event] = []
    for (write, body) in kept {
      let event = CacheWritten(
        write, body, in: kinds.first { $0.name == write.resource.kind }, fetch: 0, fetched: now,
        costs: [], after: try cache.all(of: write.resource, in: state))
      events.append(.cacheWritten(event))
    }
    var entries: [CacheEntry] = []
    for resource in removed { entries += try cache.all(of: resource, in: state) }
    let removal = try EntryRemoval(entries, cache, reader, state)
    events += removal.events
    var progressed = JobProgressed()
    progressed.job = number
    progressed.done = reached.done
    progressed.failed = reached.failed
    events.append(.jobProgressed(progressed))
    return Decision(
      events: events, bodies: kept.compactMap(\.body), prunedBodies: removal.bodies, answer: true)
  }
}

/// Remove what was kept for a job alone.
struct RemoveKeptCommand: Sendable {
  /// The most entries in one decision, and the most that one looks at.
  static let batch = 100

  /// What the names of the resources begin with.
  var prefix: String

  /// - Returns: whether there may be more.
  func decide(
    _ cache: CacheView, _ reader: LogReader, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Bool> {
    let page = try cache.page(
      prefix: prefix, after: nil, limit: Self.batch, scanLimit: Self.batch, in: state
    ) { _ in true }
    let removal = try EntryRemoval(page.entries, cache, reader, state)
    return Decision(
      events: removal.events, prunedBodies: removal.bodies,
      answer: page.entries.count >= Self.batch)
  }
}

/// Entries that are removed with their bodies at once: what only one job needed is not kept for those who may want it back.
private struct EntryRemoval {
  static let ofJob = "the job needs it no more"

  var events: [Event] = []
  /// Digests of those that no other entry names.
  var bodies: [[UInt8]] = []

  /// - Parameter note: why, for people who read the log.
  init(
    _ entries: [CacheEntry], note: String = ofJob, _ cache: CacheView, _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) {
    var pruned = BodiesPruned()
    for entry in entries {
      var event = CachePurged()
      event.resource = entry.resource.description
      event.contentSet = entry.contentSet
      event.written = entry.written
      event.hard = true
      event.costs = entry.amounts.map { Cost($0) }
      event.actor = "tollbook"
      event.note = note
      events.append(.cachePurged(event))
      guard try cache.references(to: entry.digest, in: state) == 1 else { continue }
      bodies.append(entry.digest)
      // One that was not restored takes nothing.
      pruned.storedBytes += UInt64(try reader.storedBytes(ofBody: entry.digest, in: state) ?? 0)
    }
    pruned.bodies = bodies.map { Data($0) }
    if !bodies.isEmpty { events.append(.bodiesPruned(pruned)) }
  }
}

extension Gateway {
  /// What writes down that a step is over.
  ///
  /// Compresses and seals: work for a processor, not for whoever else runs on this task's executor.
  ///
  /// - Returns: nil if something of it cannot be sealed now.
  @concurrent
  func noting(
    _ reached: NoteJobCommand.Reached, of number: Position, _ writes: [Write],
    _ removed: [ResourceKey]
  ) async -> NoteStepCommand? {
    let kinds = importedKinds
    var kept: [(write: Write, body: Body?)] = []
    for write in writes where write.resource.isPossible {
      guard let content = write.body else {
        kept.append((write, nil))
        continue
      }
      guard let stored = stored(content, as: write.resource) else { return nil }
      kept.append((write, Body(stored, cuts: write.cuts)))
    }
    return NoteStepCommand(
      number: number, reached: reached, kept: kept, removed: removed, kinds: kinds,
      now: log.time.now())
  }

  /// A content as it is kept; nil: it cannot be sealed.
  func stored(_ content: [UInt8], as resource: ResourceKey) -> [UInt8]? {
    let kind = importedKinds.first { $0.name == resource.kind }
    return kind?.isSealed == true ? dataKeys.seal(content, as: resource) : content
  }

  func note(_ command: NoteStepCommand) async throws(LogError) -> Bool {
    let (jobs, cache, reader) = (JobsView(log), cache, log.reader)
    return try await log.decide { (state, _) throws(LogError) in
      try command.decide(jobs, cache, reader, state)
    }.answer
  }

  /// Removes what was kept for a job alone, once the job has ended. What cannot be removed now goes when its time is over.
  func removeKept(of number: Position) async {
    guard let row = try? row(of: number), !row.state.isOpen,
      let kind = jobKinds.first(where: { $0.name == row.kind }), kind.steps != nil,
      let request = try? request(of: number), let steps = kind.steps?(request, row.account)
    else { return }
    try? await removeKept(steps.kept)
  }

  /// Removes what is kept under one name, and its body.
  ///
  /// - Parameter note: why, for people who read the log; nil: what needed it is over.
  /// - Returns: whether there was anything.
  package func removeKept(
    _ resource: ResourceKey, note: String? = nil
  ) async throws(LogError) -> Bool {
    let (cache, reader) = (cache, log.reader)
    return try await log.decide { (state, _) throws(LogError) in
      let entries = try cache.all(of: resource, in: state)
      let removal = try EntryRemoval(
        entries, note: note ?? EntryRemoval.ofJob, cache, reader, state)
      return Decision(
        events: removal.events, prunedBodies: removal.bodies, answer: !entries.isEmpty)
    }.answer
  }

  /// Removes the entries whose names begin so, and their bodies.
  package func removeKept(_ prefix: String) async throws(LogError) {
    guard !prefix.isEmpty else { return }
    let (command, cache, reader) = (RemoveKeptCommand(prefix: prefix), cache, log.reader)
    var isMore = true
    while isMore {
      isMore = try await log.decide { (state, _) throws(LogError) in
        try command.decide(cache, reader, state)
      }.answer
    }
  }
}
