import Foundation
package import TollbookEvents
package import TollbookLog
import TollbookViews

// Bodies that may not be kept as long as others once nothing names them, as a provider's licence may say.

extension Gateway {
  /// Removes the bodies of some kinds that entries named which are replaced, swept or purged, though their time to be kept
  /// is not over. One that another entry still names stays.
  ///
  /// - Parameters:
  ///   - kinds: the kinds of the entries that named them.
  ///   - position: where the look before has ended; what was let go of by then is not looked for again, nor what was let
  ///     go of so long ago that the housekeeping removes it anyway.
  /// - Returns: where this look has ended, and how many bodies it removed.
  package func removeReleasedBodies(
    of kinds: Set<String>, after position: Position
  ) async throws(LogError) -> (through: Position, bodies: Int) {
    let (head, reader) = (log.head, log.reader)
    let bound = PruneBodiesCommand(now: log.time.now(), retention: settings.bodyRetention).bound
    let pruned = try log.read { (reading) throws(LogError) in
      try reader.lastPosition(before: bound, in: reading)
    }
    let position = max(position, pruned)
    var removed = 0
    for kind in ReleasedBodies.events {
      var search = ReleasedBodies(kinds: kinds, kind: kind, after: position, through: head)
      while !search.isOver {
        let (index, cache) = (log.index, cache)
        let digests = try log.read { (reading) throws(LogError) in
          try search.next(index, cache, reader, in: reading)
        }
        guard !digests.isEmpty else {
          await Task.yield()
          continue
        }
        removed += try await log.decide { (state, _) throws(LogError) in
          try ReleasedBodies.remove(digests, cache, reader, state)
        }.answer
      }
    }
    return (head, removed)
  }
}

/// Looks through the events of a kind for bodies that they have let go of.
struct ReleasedBodies {
  /// The kinds of events that let go of bodies.
  static let events: [EventKind] = [.cacheWritten, .cachePurged, .entriesSwept]
  /// The most events in one look, so that none takes long.
  static let batch = 500

  private let kinds: Set<String>
  private let kind: EventKind
  private var after: Position
  private let through: Position
  private(set) var isOver = false

  init(kinds: Set<String>, kind: EventKind, after: Position, through: Position) {
    self.kinds = kinds
    self.kind = kind
    self.after = after
    self.through = through
  }

  /// The digests that the next events have let go of and that no entry names.
  mutating func next(
    _ index: EventIndex, _ cache: CacheView, _ reader: LogReader,
    in reading: borrowing LogReading
  ) throws(LogError) -> [[UInt8]] {
    let positions = try index.positions(of: kind, after: after, limit: Self.batch, in: reading)
    isOver = positions.count < Self.batch
    var digests: Set<[UInt8]> = []
    for position in positions {
      guard position <= through else {
        isOver = true
        break
      }
      after = position
      guard let event = try reader.event(at: position, in: reading)?.event else { continue }
      for written in released(by: event) {
        // What is not in a log that goes on from a snapshot was not restored either, or is named by nothing known.
        guard case .cacheWritten(let entry)? = try reader.event(at: written, in: reading)?.event
        else { continue }
        let digest = Array(entry.body)
        guard try cache.references(to: digest, in: reading) == 0 else { continue }
        digests.insert(digest)
      }
    }
    return digests.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The positions that wrote the entries that an event has ended.
  private func released(by event: Event) -> [Position] {
    func isMeant(_ resource: String) -> Bool {
      kinds.contains(ResourceKey(stored: resource).kind)
    }
    switch event {
    case .cacheWritten(let event): return isMeant(event.resource) ? event.replaced : []
    case .cachePurged(let event):
      return event.hard && isMeant(event.resource) ? [event.written] : []
    case .entriesSwept(let event):
      return event.entries.filter { $0.evicted && isMeant($0.resource) }.map(\.written)
    default: return []
    }
  }

  /// - Returns: how many are removed: those that nothing names at this instant either.
  static func remove(
    _ digests: [[UInt8]], _ cache: CacheView, _ reader: LogReader, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Int> {
    var event = BodiesPruned()
    var bodies: [[UInt8]] = []
    for digest in digests where try cache.references(to: digest, in: state) == 0 {
      bodies.append(digest)
      event.bodies.append(Data(digest))
      // One that was not restored takes nothing.
      event.storedBytes += UInt64(try reader.storedBytes(ofBody: digest, in: state) ?? 0)
    }
    guard !bodies.isEmpty else { return Decision(answer: 0) }
    return Decision(events: [.bodiesPruned(event)], prunedBodies: bodies, answer: bodies.count)
  }
}
