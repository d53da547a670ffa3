import Synchronization
import TollbookEvents

/// Reads, counted in memory until they are written down together.
package final class ReadTallies: Sendable {
  /// How a read was answered.
  enum Outcome: Sendable {
    case fresh, stale, joined
    /// Stale, and an event tells of the purchase that was tried.
    case staleAndBooked
    /// Not at all, and no event tells of it.
    case unmet
  }

  /// What a reader asked for.
  struct Demand: Hashable {
    let resource: ResourceKey
    let wanted: UInt8
    let account: String
    let maximumAgeSeconds: UInt32?
    /// Whether it only looks, and would never buy.
    let isPeek: Bool

    /// - Parameter maximumAge: in milliseconds.
    init(
      _ resource: ResourceKey, wanted: UInt8, account: String, maximumAge: Int64? = nil,
      isPeek: Bool = false
    ) {
      self.resource = resource
      self.wanted = wanted
      self.account = account
      self.isPeek = isPeek
      maximumAgeSeconds = maximumAge.map { UInt32(clamping: $0 / 1_000) }
    }
  }

  fileprivate struct Key: Hashable {
    let demand: Demand
    /// Of the entry that answered; nil: none did.
    let contentSet: UInt8?
  }

  /// The most rows in one event.
  static let rowsPerEvent = 1_000

  private let rows = Mutex<[Key: ReadTally]>([:])

  /// Counts a read.
  ///
  /// - Parameter contentSet: of the entry that answered; nil if none did.
  func record(
    _ outcome: Outcome, _ demand: Demand, contentSet: UInt8? = nil, at now: Timestamp
  ) {
    let key = Key(demand: demand, contentSet: contentSet)
    rows.withLock { rows in
      var row = rows[key] ?? ReadTally(key, now)
      row.firstReadMs = min(row.firstReadMs, now.milliseconds)
      row.lastReadMs = max(row.lastReadMs, now.milliseconds)
      switch outcome {
      case .fresh: row.fresh += 1
      case .stale: row.stale += 1
      case .staleAndBooked:
        row.stale += 1
        row.booked += 1
      case .joined: row.joined += 1
      case .unmet: row.unmet += 1
      }
      rows[key] = row
    }
  }

  /// How many answered reads are counted and not yet written down.
  package var pendingReads: Int64 {
    rows.withLock { rows in
      rows.values.reduce(0) { $0 + Int64($1.fresh) + Int64($1.stale) + Int64($1.joined) }
    }
  }

  /// Takes all rows out as events, sorted, so that the same reads make the same events.
  func drain() -> [Event] {
    let drained = rows.withLock { rows in
      defer { rows.removeAll() }
      return Array(rows)
    }
    let sorted = drained.sorted { $0.key < $1.key }
    return stride(from: 0, to: sorted.count, by: Self.rowsPerEvent).map { start in
      let rows = sorted[start..<min(start + Self.rowsPerEvent, sorted.count)]
      var event = ReadsTallied()
      event.rows = rows.filter { $0.key.contentSet != nil }.map(\.value)
      event.unmet = rows.filter { $0.key.contentSet == nil }.map(\.value)
      return .readsTallied(event)
    }
  }

  /// Puts rows back whose writing was refused, so that they are counted with the next.
  func restore(_ events: [Event]) {
    for case .readsTallied(let event) in events {
      for row in event.rows { restore(row, contentSet: UInt8(clamping: row.contentSet)) }
      for row in event.unmet { restore(row, contentSet: nil) }
    }
  }

  private func restore(_ row: ReadTally, contentSet: UInt8?) {
    let key = Key(demand: Demand(row), contentSet: contentSet)
    rows.withLock { rows in
      guard var merged = rows[key] else {
        rows[key] = row
        return
      }
      merged.fresh += row.fresh
      merged.stale += row.stale
      merged.joined += row.joined
      merged.booked += row.booked
      merged.unmet += row.unmet
      merged.firstReadMs = min(merged.firstReadMs, row.firstReadMs)
      merged.lastReadMs = max(merged.lastReadMs, row.lastReadMs)
      rows[key] = merged
    }
  }
}

extension ReadTallies.Key: Comparable {
  /// By resource first; every field counts.
  static func < (left: Self, right: Self) -> Bool {
    let (a, b) = (left.demand, right.demand)
    if a.resource != b.resource { return a.resource.description < b.resource.description }
    let first = (left.contentSet.map(Int.init) ?? -1, a.wanted, a.account)
    let second = (right.contentSet.map(Int.init) ?? -1, b.wanted, b.account)
    if first != second { return first < second }
    return (a.maximumAgeSeconds.map(Int64.init) ?? -1, a.isPeek ? 1 : 0)
      < (b.maximumAgeSeconds.map(Int64.init) ?? -1, b.isPeek ? 1 : 0)
  }
}

extension ReadTallies.Demand {
  fileprivate init(_ row: ReadTally) {
    resource = ResourceKey(stored: row.resource)
    wanted = UInt8(clamping: row.wantedContentSet)
    account = row.account
    maximumAgeSeconds = row.hasMaxAgeSeconds ? row.maxAgeSeconds : nil
    isPeek = row.peek
  }
}

extension ReadTally {
  fileprivate init(_ key: ReadTallies.Key, _ now: Timestamp) {
    self.init()
    resource = key.demand.resource.description
    contentSet = UInt32(key.contentSet ?? key.demand.wanted)
    account = key.demand.account
    if let seconds = key.demand.maximumAgeSeconds { maxAgeSeconds = seconds }
    firstReadMs = now.milliseconds
    lastReadMs = now.milliseconds
    wantedContentSet = UInt32(key.demand.wanted)
    peek = key.demand.isPeek
  }
}
