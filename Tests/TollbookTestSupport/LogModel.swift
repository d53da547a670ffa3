package import TollbookEvents
package import TollbookViews

/// What the views have to say after a generated history, kept in plain dictionaries.
///
/// It is told what happens (so much reserved on a page, such an entry written) and never sees an event. Terms of a page
/// are sums over what is held and was charged, not running figures as in the folds. Texts stand as bytes, since Swift
/// takes different bytes for equal texts. Sums wrap around, as in the folds.
package struct LogModel: Sendable {
  package typealias Text = [UInt8]

  // MARK: Cache

  package struct EntryKey: Hashable, Sendable {
    package var resource: Text
    package var contentSet: UInt64

    package init(resource: Text, contentSet: UInt64) {
      self.resource = resource
      self.contentSet = contentSet
    }
  }

  package struct Entry: Hashable, Sendable {
    package var isPresent: Bool
    package var written: Position
    package var fetched: Timestamp
    package var freshUntil: Timestamp
    package var graceUntil: Timestamp
    package var errorGraceUntil: Timestamp
    package var keepUntil: Timestamp
    package var upstreamUpdated: Timestamp?
    /// What it cost, by unit.
    package var amounts: [Text: Int64]
    package var isMarkedExpired = false
    package var isPurged = false
    package var hits: UInt64 = 0
    package var lastRead: Timestamp?
    package var bodyBytes: Int64
    package var digest: [UInt8]
    package var summary: [UInt8]
    package var summaryForm: SummaryForm
  }

  package private(set) var entries: [EntryKey: Entry] = [:]
  /// Bodies that were named once and are not now, by digest: since when.
  package private(set) var released: [[UInt8]: Timestamp] = [:]

  /// How many entries name each body.
  package var references: [[UInt8]: Int] {
    Dictionary(
      entries.values.map(\.digest).filter { !$0.isEmpty }.map { ($0, 1) }, uniquingKeysWith: +)
  }

  /// The entries that one of that name and content set takes the place of.
  func superseded(by key: EntryKey) -> [EntryKey] {
    entries.keys.filter {
      $0.resource == key.resource && $0.contentSet | key.contentSet == key.contentSet
    }
  }

  mutating func write(_ key: EntryKey, _ entry: Entry, at time: Timestamp) {
    let superseded = superseded(by: key)
    change(at: time) { entries in
      for other in superseded { entries[other] = nil }
      entries[key] = entry
    }
  }

  /// Changes entries, and notes which bodies lost their last name by it.
  private mutating func change(at time: Timestamp, _ body: (inout [EntryKey: Entry]) -> Void) {
    let before = references
    body(&entries)
    let after = references
    for digest in before.keys where after[digest] == nil { released[digest] = time }
    for digest in after.keys { released[digest] = nil }
  }

  /// Takes the freshness from an entry, or the entry itself.
  mutating func purge(_ key: EntryKey, isHard: Bool, at time: Timestamp) {
    change(at: time) { entries in
      guard !isHard, var entry = entries[key] else {
        entries[key] = nil
        return
      }
      entry.isPurged = true
      entry.isMarkedExpired = true
      if entry.freshUntil > time { entry.freshUntil = time }
      if entry.graceUntil > time { entry.graceUntil = time }
      entries[key] = entry
    }
  }

  mutating func prune(_ digest: [UInt8]) { released[digest] = nil }

  mutating func markExpired(_ key: EntryKey) { entries[key]?.isMarkedExpired = true }

  mutating func evict(_ key: EntryKey, at time: Timestamp) { change(at: time) { $0[key] = nil } }

  /// - Parameter written: which entry it was, where that is known; one that is gone by now needs no count.
  mutating func read(_ key: EntryKey, written: Position?, times: Int, last: Timestamp) {
    guard var entry = entries[key], written == nil || written == entry.written else { return }
    entry.hits += UInt64(times)
    entry.lastRead = max(entry.lastRead ?? entry.fetched, last)
    entries[key] = entry
  }

  package internal(set) var ledger = Ledger()
  /// By the positions at which they were queued.
  package internal(set) var jobs: [Position: Job] = [:]
  package internal(set) var accounts: [Text: Account] = [:]
  package internal(set) var credentials: [Text: PutIn] = [:]
  /// By their keys.
  package internal(set) var requests: [Text: Request] = [:]
  /// By quota group.
  package internal(set) var cooling: [Text: Cooling] = [:]
  /// By upstream and account.
  package internal(set) var pools: [[Text]: Selection] = [:]
  /// By their ids.
  package internal(set) var accessKeys: [Text: AccessKey] = [:]
  /// By their names, those that were removed among them.
  package internal(set) var budgets: [Text: Budget] = [:]

  // MARK: Metrics

  /// A series, and the unit of one that has amounts.
  package struct Counter: Hashable, Sendable {
    package var series: MetricSeries
    package var unit: Text?

    package init(_ series: MetricSeries, _ unit: Text? = nil) {
      self.series = series
      self.unit = unit
    }
  }

  package private(set) var kinds: [EventKind: Int64] = [:]
  package private(set) var totals: [Counter: Int64] = [:]
  package private(set) var minutes: [UInt64: [Counter: Int64]] = [:]

  mutating func count(_ kind: EventKind) { kinds[kind, default: 0] += 1 }

  mutating func count(
    _ series: MetricSeries, _ amount: Int64, of unit: Text? = nil, at time: Timestamp
  ) {
    guard amount != 0 else { return }
    let counter = Counter(series, unit)
    totals[counter, default: 0] &+= amount
    minutes[UInt64(time.milliseconds / 60_000), default: [:]][counter, default: 0] &+= amount
  }
}

// MARK: As the views have it

extension LogModel.Entry {
  package init(_ entry: CacheEntry) {
    self.init(
      isPresent: entry.isPresent, written: entry.written, fetched: entry.fetched,
      freshUntil: entry.freshUntil, graceUntil: entry.graceUntil,
      errorGraceUntil: entry.errorGraceUntil, keepUntil: entry.keepUntil,
      upstreamUpdated: entry.upstreamUpdated, amounts: LogModel.byUnit(entry.amounts),
      isMarkedExpired: entry.isMarkedExpired, isPurged: entry.isPurged, hits: entry.hits,
      lastRead: entry.lastRead, bodyBytes: entry.bodyBytes, digest: entry.digest,
      summary: entry.summary, summaryForm: entry.summaryForm)
  }
}

extension LogModel {
  package static func byUnit(_ amounts: [Amount]) -> [Text: Int64] {
    Dictionary(amounts.map { (Array($0.unit.utf8), $0.count) }, uniquingKeysWith: &+)
  }
}
