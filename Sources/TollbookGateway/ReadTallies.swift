import Algorithms
import Synchronization
import TollbookEvents
import TollbookViews

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
    let wanted: UInt64
    let account: String
    let tags: [String]
    /// What would have bought it.
    let operation: String
    let maximumAgeSeconds: UInt32?
    let ageBasis: AgeBasis
    /// Whether it only looks, and would never buy.
    let isPeek: Bool

    init(
      _ resource: ResourceKey, wanted: UInt64, account: String, tags: [String] = [],
      operation: String, age: AgeLimit = .windows, isPeek: Bool = false
    ) {
      self.resource = resource
      self.wanted = wanted
      self.account = account
      self.tags = tags
      self.operation = operation
      self.isPeek = isPeek
      maximumAgeSeconds = age.seconds
      ageBasis = age.basis
    }
  }

  fileprivate struct Key: Hashable {
    let demand: Demand
    /// The entry that answered: its content set, and the position that wrote it; nil: none did.
    let contentSet: UInt64?
    let written: Position

    /// What is left of it when there are too many.
    var withoutResource: Key {
      Key(
        demand: Demand(
          ResourceKey(stored: ""), wanted: 0, account: demand.account, tags: demand.tags,
          operation: demand.operation, isPeek: demand.isPeek),
        contentSet: contentSet == nil ? nil : 0, written: 0)
    }
  }

  /// How often it was read so.
  fileprivate struct Count {
    var first: Int64
    var last: Int64
    var fresh: UInt32 = 0
    var stale: UInt32 = 0
    var joined: UInt32 = 0
    var booked: UInt32 = 0
    var unmet: UInt32 = 0
    /// What the entry had cost.
    var costs: [Amount]

    init(costs: [Amount], at now: Int64) {
      (first, last) = (now, now)
      self.costs = costs
    }
  }

  /// The most rows in one event.
  static let rowsPerEvent = 1_000
  /// The most rows until they are written down. Reads beyond are counted without their resources and ages, so that no
  /// crowd of readers fills the memory or the log.
  static let mostRows = 10_000

  private let rows = Mutex<[Key: Count]>([:])

  /// Counts a read.
  ///
  /// - Parameter entry: the one that answered; nil if none did.
  func record(
    _ outcome: Outcome, _ demand: Demand, _ entry: CacheEntry? = nil, at now: Timestamp
  ) {
    var key = Key(demand: demand, contentSet: entry?.contentSet, written: entry?.written ?? 0)
    rows.withLock { rows in
      var costs = entry?.amounts ?? []
      if rows.count >= Self.mostRows, rows[key] == nil {
        key = key.withoutResource
        costs = []
      }
      rows[key, default: Count(costs: costs, at: now.milliseconds)]
        .note(outcome, at: now.milliseconds)
    }
  }

  /// How many answered reads are counted and not yet written down.
  package var pendingReads: Int64 {
    rows.withLock { rows in
      rows.values.reduce(0) { $0 + Int64($1.fresh) + Int64($1.stale) + Int64($1.joined) }
    }
  }

  /// The same of one kind of resources. Reads that were counted without their resources are of none.
  package func pendingReads(ofKind kind: String) -> Int64 {
    rows.withLock { rows in
      rows.reduce(0) { sum, row in
        guard row.key.demand.resource.kind == kind else { return sum }
        return sum + Int64(row.value.fresh) + Int64(row.value.stale) + Int64(row.value.joined)
      }
    }
  }

  /// Takes all rows out as events, sorted, so that the same reads make the same events.
  func drain() -> [Event] {
    let drained = rows.withLock { rows in
      defer { rows.removeAll() }
      return Array(rows)
    }
    let sorted = drained.sorted { $0.key < $1.key }
    return sorted.chunks(ofCount: Self.rowsPerEvent).map { rows in
      var event = ReadsTallied()
      event.rows = rows.filter { $0.key.contentSet != nil }.map { ReadTally($0.key, $0.value) }
      event.unmet = rows.filter { $0.key.contentSet == nil }.map { ReadTally($0.key, $0.value) }
      return .readsTallied(event)
    }
  }

  /// Puts rows back whose writing was refused, so that they are counted with the next.
  func restore(_ events: [Event]) {
    for case .readsTallied(let event) in events {
      for row in event.rows { restore(row, contentSet: row.contentSet) }
      for row in event.unmet { restore(row, contentSet: nil) }
    }
  }

  private func restore(_ row: ReadTally, contentSet: UInt64?) {
    var key = Key(demand: Demand(row), contentSet: contentSet, written: row.written)
    rows.withLock { rows in
      var costs = row.costs.map { Amount($0.amount, $0.unit) }
      if rows.count >= Self.mostRows, rows[key] == nil {
        key = key.withoutResource
        costs = []
      }
      rows[key, default: Count(costs: costs, at: row.firstReadMs)].add(row)
    }
  }
}

extension ReadTallies.Count {
  fileprivate mutating func note(_ outcome: ReadTallies.Outcome, at now: Int64) {
    first = min(first, now)
    last = max(last, now)
    switch outcome {
    case .fresh: fresh += 1
    case .stale: stale += 1
    case .staleAndBooked:
      stale += 1
      booked += 1
    case .joined: joined += 1
    case .unmet: unmet += 1
    }
  }

  fileprivate mutating func add(_ row: ReadTally) {
    first = min(first, row.firstReadMs)
    last = max(last, row.lastReadMs)
    fresh += row.fresh
    stale += row.stale
    joined += row.joined
    booked += row.booked
    unmet += row.unmet
  }
}

extension ReadTallies.Key: Comparable {
  /// By resource first; every field counts.
  static func < (left: Self, right: Self) -> Bool {
    let (a, b) = (left.demand, right.demand)
    if a.resource != b.resource { return a.resource.description < b.resource.description }
    let first = (left.contentSet.map { $0 &+ 1 } ?? 0, left.written, a.wanted, a.account)
    let second = (right.contentSet.map { $0 &+ 1 } ?? 0, right.written, b.wanted, b.account)
    if first != second { return first < second }
    let (tags, others) = (a.tags.joined(separator: "\u{1}"), b.tags.joined(separator: "\u{1}"))
    return (a.order, a.operation, tags) < (b.order, b.operation, others)
  }
}

extension ReadTallies.Demand {
  /// Its age and whether it is a peek, as a number.
  fileprivate var order: Int64 {
    let age = maximumAgeSeconds.map(Int64.init) ?? -1
    return ((age << 3) | Int64(ageBasis.rawValue & 7)) << 1 | (isPeek ? 1 : 0)
  }

  fileprivate init(_ row: ReadTally) {
    resource = ResourceKey(stored: row.resource)
    wanted = row.wantedContentSet
    account = row.account
    tags = row.tags
    operation = row.operation
    maximumAgeSeconds = row.hasMaxAgeSeconds ? row.maxAgeSeconds : nil
    ageBasis = row.ageBasis
    isPeek = row.peek
  }
}

extension ReadTally {
  fileprivate init(_ key: ReadTallies.Key, _ count: ReadTallies.Count) {
    self.init()
    resource = key.demand.resource.description
    contentSet = key.contentSet ?? key.demand.wanted
    account = key.demand.account
    tags = key.demand.tags
    operation = key.demand.operation
    written = key.written
    costs = count.costs.map { Cost($0) }
    if let seconds = key.demand.maximumAgeSeconds { maxAgeSeconds = seconds }
    ageBasis = key.demand.ageBasis
    firstReadMs = count.first
    lastReadMs = count.last
    fresh = count.fresh
    stale = count.stale
    joined = count.joined
    booked = count.booked
    unmet = count.unmet
    wantedContentSet = key.demand.wanted
    peek = key.demand.isPeek
  }
}
