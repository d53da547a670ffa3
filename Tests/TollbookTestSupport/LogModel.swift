package import TollbookEvents
package import TollbookViews

/// What the views have to say after a generated history, kept in plain dictionaries.
///
/// It is told what happens (so many tokens reserved, such an entry written) and never sees an event. Terms of a meter
/// are sums over what is held and was charged, not running figures as in the folds. Texts stand as bytes, since Swift
/// takes different bytes for equal texts.
package struct LogModel: Sendable {
  package typealias Text = [UInt8]

  // MARK: Cache

  package struct EntryKey: Hashable, Sendable {
    package var resource: Text
    package var contentSet: UInt8

    package init(resource: Text, contentSet: UInt8) {
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
    package var tokens: Int64
    package var isMarkedExpired = false
    package var isPurged = false
    package var hits: UInt64 = 0
    package var lastRead: Timestamp?
    package var bodyBytes: Int64
    package var digest: [UInt8]
    package var summary: [UInt8]
  }

  package private(set) var entries: [EntryKey: Entry] = [:]
  /// Bodies that were named once and are not now, by digest: since when.
  package private(set) var released: [[UInt8]: Timestamp] = [:]

  /// How many entries name each body.
  package var references: [[UInt8]: Int] {
    Dictionary(
      entries.values.map(\.digest).filter { !$0.isEmpty }.map { ($0, 1) }, uniquingKeysWith: +)
  }

  mutating func write(_ key: EntryKey, _ entry: Entry, at time: Timestamp) {
    change(at: time) { entries in
      for other in entries.keys
      where other.resource == key.resource && other.contentSet | key.contentSet == key.contentSet {
        entries[other] = nil
      }
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

  mutating func read(_ key: EntryKey, times: Int, last: Timestamp) {
    guard var entry = entries[key] else { return }
    entry.hits += UInt64(times)
    entry.lastRead = max(entry.lastRead ?? entry.fetched, last)
    entries[key] = entry
  }

  // MARK: Ledger

  package struct MeterName: Hashable, Sendable {
    package var credential: Text
    package var unit: Text

    package init(credential: Text, unit: Text) {
      self.credential = credential
      self.unit = unit
    }
  }

  package struct HoldKey: Hashable, Sendable {
    package var fetch: Position
    package var attempt: UInt32

    package init(fetch: Position, attempt: UInt32) {
      self.fetch = fetch
      self.attempt = attempt
    }
  }

  package struct Hold: Hashable, Sendable {
    package var state: TollbookViews.Hold.State
    package var tokens: Int64
    package var meter: MeterName
    package var account: Text
    package var operation: Text
    package var since: Timestamp
    /// When it was sent, once it is in doubt.
    package var sent: Timestamp?
  }

  package struct Charge: Hashable, Sendable {
    package var meter: MeterName
    package var account: Text
    package var operation: Text
    package var day: String
    package var tokens: Int64
  }

  package struct Slice: Hashable, Sendable {
    package var account: Text
    package var operation: Text

    package init(account: Text, operation: Text) {
      self.account = account
      self.operation = operation
    }
  }

  package struct Amount: Hashable, Sendable {
    package var tokens: Int64
    package var charges: Int64
  }

  package struct Reading: Hashable, Sendable {
    package var balance: Int64
    package var upstream: Timestamp
    package var nextRefill: Timestamp
    package var observed: Timestamp
    package var refillRate: Int64
    package var flowReductionThousandths: Int64
    package var slack: Int64
  }

  package struct Credential: Hashable, Sendable {
    package var upstream: String
    package var unit: String
    package var status: CredentialStatus
    package var detail: String

    package init(
      upstream: String, unit: String, status: CredentialStatus = .unspecified,
      detail: String = ""
    ) {
      self.upstream = upstream
      self.unit = unit
      self.status = status
      self.detail = detail
    }
  }

  package private(set) var holds: [HoldKey: Hold] = [:]
  package private(set) var charges: [Charge] = []
  package private(set) var granted: [MeterName: Int64] = [:]
  package private(set) var unexplained: [MeterName: Int64] = [:]
  package internal(set) var readings: [MeterName: Reading] = [:]
  package internal(set) var credentials: [Text: Credential] = [:]
  /// Meters that have a row.
  package private(set) var meters: Set<MeterName> = []
  /// Meters that were not read since the log was restored.
  package private(set) var unreadSinceRestore: Set<MeterName> = []

  mutating func restore() { unreadSinceRestore = meters }

  mutating func reserve(_ key: HoldKey, _ hold: Hold) {
    precondition(holds[key] == nil)
    holds[key] = hold
    meters.insert(hold.meter)
  }

  /// Ends a hold.
  mutating func drop(_ key: HoldKey) { holds[key] = nil }

  mutating func doubt(_ key: HoldKey, sent: Timestamp) {
    holds[key]?.state = .inDoubt
    holds[key]?.sent = sent
  }

  mutating func keepUnprovable(_ key: HoldKey, tokens: Int64) {
    holds[key]?.state = .unprovable
    holds[key]?.tokens = tokens
  }

  mutating func post(unexplained amount: Int64, on meter: MeterName) {
    unexplained[meter, default: 0] += amount
  }

  mutating func charge(_ charge: Charge) { charges.append(charge) }

  mutating func observe(
    _ meter: MeterName, granting: Int64, unexplained amount: Int64,
    reading: Reading
  ) {
    granted[meter, default: 0] += granting
    unexplained[meter, default: 0] += amount
    readings[meter] = reading
    unreadSinceRestore.remove(meter)
    meters.insert(meter)
  }

  private func held(_ meter: MeterName, _ state: TollbookViews.Hold.State) -> Int64 {
    holds.values.filter { $0.meter == meter && $0.state == state }.reduce(0) { $0 + $1.tokens }
  }

  /// The terms of a meter; free is what the others leave.
  package func terms(of meter: MeterName) -> [LedgerTerm: Int64] {
    var terms: [LedgerTerm: Int64] = [
      .granted: granted[meter] ?? 0,
      .settled: charges.filter { $0.meter == meter }.reduce(0) { $0 + $1.tokens },
      .reserved: held(meter, .reserved),
      .inDoubt: held(meter, .inDoubt),
      .unprovable: held(meter, .unprovable),
      .unexplained: unexplained[meter] ?? 0,
    ]
    terms[.free] = terms.reduce(0) { $1.key == .granted ? $0 + $1.value : $0 - $1.value }
    return terms
  }

  /// What was charged on a day, or ever.
  package func spend(on day: String? = nil) -> [Slice: Amount] {
    var spend: [Slice: Amount] = [:]
    for charge in charges where day == nil || charge.day == day {
      let slice = Slice(account: charge.account, operation: charge.operation)
      spend[slice, default: Amount(tokens: 0, charges: 0)].tokens += charge.tokens
      spend[slice, default: Amount(tokens: 0, charges: 0)].charges += 1
    }
    return spend
  }

  package var days: Set<String> { Set(charges.map(\.day)) }

  // MARK: Metrics

  package private(set) var kinds: [EventKind: Int64] = [:]
  package private(set) var totals: [MetricSeries: Int64] = [:]
  package private(set) var minutes: [UInt64: [MetricSeries: Int64]] = [:]

  mutating func count(_ kind: EventKind) { kinds[kind, default: 0] += 1 }

  mutating func count(_ series: MetricSeries, _ amount: Int64, at time: Timestamp) {
    guard amount != 0 else { return }
    totals[series, default: 0] += amount
    minutes[UInt64(time.milliseconds / 60_000), default: [:]][series, default: 0] += amount
  }
}

extension LogModel.Amount {
  /// As the view has it.
  package init(_ spend: Spend) { self.init(tokens: spend.tokens, charges: spend.charges) }
}

extension LogModel.Reading {
  /// As the view has it.
  package init(_ reading: Meter.LastReading) {
    self.init(
      balance: reading.balance, upstream: reading.upstream, nextRefill: reading.nextRefill,
      observed: reading.observed, refillRate: reading.refillRate,
      flowReductionThousandths: reading.flowReductionThousandths, slack: reading.slack)
  }
}

extension LogModel.Entry {
  /// As the view has it.
  package init(_ entry: CacheEntry) {
    self.init(
      isPresent: entry.isPresent, written: entry.written, fetched: entry.fetched,
      freshUntil: entry.freshUntil, graceUntil: entry.graceUntil,
      errorGraceUntil: entry.errorGraceUntil, keepUntil: entry.keepUntil,
      upstreamUpdated: entry.upstreamUpdated, tokens: entry.tokens,
      isMarkedExpired: entry.isMarkedExpired, isPurged: entry.isPurged, hits: entry.hits,
      lastRead: entry.lastRead,
      bodyBytes: entry.bodyBytes, digest: entry.digest, summary: entry.summary)
  }
}
