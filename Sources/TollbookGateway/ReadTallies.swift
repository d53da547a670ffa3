import Synchronization
import TollbookEvents

/// Reads from the cache, counted in memory until they are written down together.
package final class ReadTallies: Sendable {
  /// How a read was answered.
  package enum Outcome: Sendable {
    case fresh, stale, joined
  }

  private struct Key: Hashable {
    let resource: ResourceKey
    let contentSet: UInt8
    let account: String
    let maximumAgeSeconds: UInt32?
  }

  /// The most rows in one event.
  static let rowsPerEvent = 1_000

  private let rows = Mutex<[Key: ReadTally]>([:])

  /// Counts a read.
  func record(
    _ outcome: Outcome, _ resource: ResourceKey, contentSet: UInt8, account: String,
    maximumAge: Int64?, at now: Timestamp
  ) {
    let seconds = maximumAge.map { UInt32(clamping: $0 / 1_000) }
    let key = Key(
      resource: resource, contentSet: contentSet, account: account, maximumAgeSeconds: seconds)
    rows.withLock { rows in
      var row = rows[key] ?? ReadTally(key.resource, contentSet, account, seconds, now)
      row.lastReadMs = max(row.lastReadMs, now.milliseconds)
      switch outcome {
      case .fresh: row.fresh += 1
      case .stale: row.stale += 1
      case .joined: row.joined += 1
      }
      rows[key] = row
    }
  }

  /// How many reads are counted and not yet written down.
  package var pendingReads: Int64 {
    rows.withLock { rows in
      rows.values.reduce(0) { $0 + Int64($1.fresh) + Int64($1.stale) + Int64($1.joined) }
    }
  }

  /// Takes all rows out as events, sorted, so that the same reads make the same events.
  func drain() -> [Event] {
    let drained = rows.withLock { rows in
      defer { rows.removeAll() }
      return Array(rows.values)
    }
    let sorted = drained.sorted {
      ($0.resource, $0.contentSet, $0.account, $0.hasMaxAgeSeconds ? 1 : 0, $0.maxAgeSeconds)
        < ($1.resource, $1.contentSet, $1.account, $1.hasMaxAgeSeconds ? 1 : 0, $1.maxAgeSeconds)
    }
    return stride(from: 0, to: sorted.count, by: Self.rowsPerEvent).map { start in
      var event = ReadsTallied()
      event.rows = Array(sorted[start..<min(start + Self.rowsPerEvent, sorted.count)])
      return .readsTallied(event)
    }
  }

  /// Puts rows back whose writing was refused, so that they are counted with the next.
  func restore(_ events: [Event]) {
    for case .readsTallied(let event) in events {
      for row in event.rows {
        let key = Key(
          resource: ResourceKey(stored: row.resource), contentSet: UInt8(clamping: row.contentSet),
          account: row.account,
          maximumAgeSeconds: row.hasMaxAgeSeconds ? row.maxAgeSeconds : nil)
        rows.withLock { rows in
          var merged = rows[key] ?? row
          if rows[key] != nil {
            merged.fresh += row.fresh
            merged.stale += row.stale
            merged.joined += row.joined
            merged.firstReadMs = min(merged.firstReadMs, row.firstReadMs)
            merged.lastReadMs = max(merged.lastReadMs, row.lastReadMs)
          }
          rows[key] = merged
        }
      }
    }
  }
}

extension ReadTally {
  fileprivate init(
    _ resource: ResourceKey, _ contentSet: UInt8, _ account: String, _ maxAge: UInt32?,
    _ now: Timestamp
  ) {
    self.init()
    self.resource = resource.description
    self.contentSet = UInt32(contentSet)
    self.account = account
    if let maxAge { maxAgeSeconds = maxAge }
    firstReadMs = now.milliseconds
    lastReadMs = now.milliseconds
  }
}
