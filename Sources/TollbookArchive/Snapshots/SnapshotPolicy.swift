package import TollbookEvents
package import TollbookLog

/// When a snapshot is taken by itself, and how many of those are kept.
package struct SnapshotPolicy: Hashable, Sendable {
  /// After so many events; 0: however many there are.
  package var events: UInt64
  /// After so much time in milliseconds; 0: however long it takes.
  package var interval: Int64
  /// How many automatic ones are kept.
  package var kept: Int

  package init(events: UInt64 = 1_000_000, interval: Int64 = 86_400_000, kept: Int = 7) {
    self.events = events
    self.interval = interval
    self.kept = kept
  }

  /// From where on events and time are counted: the last snapshot, or the beginning of the log.
  package struct Start: Hashable, Sendable {
    package var position: Position
    package var time: Timestamp
    /// Events after `position` that only say that a snapshot was taken.
    package var notes: UInt64

    package init(position: Position, time: Timestamp, notes: UInt64) {
      self.position = position
      self.time = time
      self.notes = notes
    }
  }

  /// Whether one is due. Never if nothing has happened since the last.
  package func isDue(since start: Start, head: Position, now: Timestamp) -> Bool {
    let counted = head > start.position ? head - start.position : 0
    let new = counted > start.notes ? counted - start.notes : 0
    guard new > 0 else { return false }
    if events > 0, new >= events { return true }
    return interval > 0 && now >= start.time.advanced(byMilliseconds: interval)
  }
}

/// Takes snapshots by itself, as its policy says.
package struct SnapshotKeeper: Sendable {
  /// What became of a look at whether one is due.
  package enum Outcome: Sendable {
    case notDue
    case taken(TakenSnapshot, removed: [String])
    case failed(SnapshotProblem)
  }

  /// Between two looks, in milliseconds.
  package static let pause: Int64 = 60_000

  private let log: EventLog
  private let policy: SnapshotPolicy

  package init(log: EventLog, policy: SnapshotPolicy) {
    self.log = log
    self.policy = policy
  }

  /// Takes a snapshot of all views, without bodies, if one is due, and removes those that are too old then.
  package func takeIfDue() async -> Outcome {
    do throws(SnapshotProblem) {
      guard policy.isDue(since: try start(), head: log.head, now: log.time.now()) else {
        return .notDue
      }
      let taken = try await log.takeSnapshot(SnapshotRequest(isAutomatic: true))
      let removed = try SnapshotShelf(directory: log.directory.path).prune(keep: policy.kept)
      return .taken(taken, removed: removed.map(\.file))
    } catch { return .failed(error) }
  }

  private func start() throws(SnapshotProblem) -> SnapshotPolicy.Start {
    let entries = try SnapshotShelf(directory: log.directory.path).list()
    let last = entries.last.flatMap { try? $0.manifest.get() }
    if let last {
      return SnapshotPolicy.Start(
        position: last.position, time: last.taken, notes: isNoted(last) ? 1 : 0)
    }
    do throws(LogError) {
      return try log.read { (transaction) throws(LogError) in
        let base = try log.reader.base(in: transaction)?.position ?? 0
        let first = try log.reader.commit(holding: base + 1, in: transaction)
        return SnapshotPolicy.Start(
          position: base, time: first?.time ?? log.time.now(), notes: 0)
      }
    } catch { throw .log(error) }
  }

  /// Whether the event after a snapshot is the one that says so.
  private func isNoted(_ manifest: SnapshotManifest) -> Bool {
    let event = try? log.read { (transaction) throws(LogError) in
      try log.reader.event(at: manifest.position + 1, in: transaction)
    }
    guard case .snapshotTaken? = event?.event else { return false }
    return true
  }
}
