import TollbookEvents
import TollbookLog
import TollbookViews

/// Mark entries that stopped being fresh, and remove those whose time to be kept is over.
struct SweepCommand: Sendable {
  /// The most entries in one decision.
  static let batch = 1_000
  var now: Timestamp

  /// - Returns: how many entries it dealt with.
  func decide(
    _ cache: CacheView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Int> {
    var event = EntriesSwept()
    event.entries = try cache.dueEntries(at: now, limit: Self.batch, in: state).map { entry in
      let expires = !entry.isMarkedExpired && now >= entry.freshUntil
      var row = SweptEntry()
      row.resource = entry.resource.description
      row.contentSet = entry.contentSet
      row.written = entry.written
      row.untilMs = (expires ? entry.freshUntil : entry.keepUntil).milliseconds
      row.evicted = !expires
      return row
    }
    guard !event.entries.isEmpty else { return Decision(answer: 0) }
    return Decision(events: [.entriesSwept(event)], answer: event.entries.count)
  }
}
