import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// Reads from the events what was asked for, when, and what came of it: of what the operations of one upstream buy,
/// whose prices are known. Of other calls it sums up what they cost.
struct DemandReader {
  /// The kinds that say something about it.
  static let kinds: Set<EventKind> = [
    .fetchStarted, .fetchAttemptFailed, .fetchSucceeded, .fetchFailed, .cacheWritten,
    .cacheEvicted, .cachePurged, .entriesSwept, .readsTallied, .tokensCharged,
    .reservationReleased, .chargeInDoubt, .chargeResolved, .chargeCorrected, .balanceObserved,
    .spendRefused,
  ]

  private let kind: WhatIfKind
  private(set) var demand = RecordedDemand()
  /// What the calls that are not played have cost.
  private(set) var unplayed = UnplayedSpend()
  private(set) var recorded = WhatIfOutcome(name: "as recorded")
  private(set) var policy = FreshnessPolicy()
  /// Reads and refusals of which a log of an earlier time does not say enough.
  private(set) var unclearReads: Int64 = 0
  private(set) var unclearRefusals: Int64 = 0
  private(set) var ownLimitRefusals: Int64 = 0
  private(set) var otherMeterRefusals: Int64 = 0
  private(set) var mixedReads: Int64 = 0

  /// Whether what comes now is part of the period.
  var isInPeriod = false

  private var numbers: [ResourceKey: Int32] = [:]
  private var callNumbers: [Position: Int32] = [:]
  /// The operations of calls that are not played, or that cost something in other units too.
  private var unplayedCalls: [Position: String] = [:]
  /// The unit of the bucket from which the calls that are played are paid; nil before the first one.
  private var playedUnit: String?
  /// The meters in that unit that calls were paid from.
  private var buckets: Set<MeterKey> = []
  private var units: [MeterKey: String] = [:]
  /// The purchase that brought the newest entry of a resource.
  private var latest: [Int32] = []
  /// When entries were fetched, the newest and the one before.
  private var fetches: [EntryName: (newest: Int64, before: Int64)] = [:]
  private var writes: [(resource: Int32, time: Int64, isPresent: Bool)] = []
  private var readings: [MeterReading] = []
  private var bookedStale: Int64 = 0
  private var ages = AgeHistogram()

  init(_ kind: WhatIfKind) { self.kind = kind }

  private struct EntryName: Hashable {
    var resource: Int32
    var contentSet: UInt64
  }

  /// A balance that was told.
  private struct MeterReading {
    var meter: MeterKey
    var time: Int64
    var balance: Int64
    var rate: Int64
    var nextRefill: Int64
  }

  /// The unit in which the demand is played.
  var unit: String { playedUnit ?? Amount.firstUnit }

  /// The log begins with the state of a snapshot, which is not in the events.
  mutating func goOn(from base: Timestamp) { demand.unknownBefore = base.milliseconds }

  mutating func read(_ recorded: RecordedEvent) {
    switch recorded.event {
    case .fetchStarted(let event): if isInPeriod { start(event, recorded) }
    case .fetchAttemptFailed(let event):
      if event.nextAttempt > 0 { change(event.fetch) { $0.attempts += 1 } }
    case .fetchSucceeded(let event):
      change(event.fetch) { call in
        call.hasSucceeded = true
        call.end = recorded.time.milliseconds
      }
    case .fetchFailed(let event):
      change(event.fetch) { call in
        call.failure = event.reason
        call.end = recorded.time.milliseconds
      }
    case .cacheWritten(let event): write(event)
    case .cacheEvicted(let event): remove(event.resource, event.contentSet)
    case .entriesSwept(let event):
      for entry in event.entries where entry.evicted { remove(entry.resource, entry.contentSet) }
    case .cachePurged(let event): purge(event, recorded)
    case .readsTallied(let event):
      guard isInPeriod else { return }
      for row in event.rows { tally(row) }
      for row in event.unmet { tally(row) }
    case .spendRefused(let event): if isInPeriod { refuse(event, recorded) }
    case .balanceObserved(let event): observe(event, recorded)
    default: break
    }
    book(recorded)
  }

  // MARK: Costs

  /// Follows what calls cost, each unit by itself.
  private mutating func book(_ recorded: RecordedEvent) {
    guard recorded.event.hasPostings, !callNumbers.isEmpty || !unplayedCalls.isEmpty else { return }
    var attempted: [String] = []
    for posting in recorded.event.postings(at: recorded.position) where !posting.isLimitOnly {
      guard let spending = posting.spending else { continue }
      let unit = unit(of: posting.page)
      if let call = callNumbers[posting.fetch] {
        let played = playedUnit ?? unit
        if unit == played {
          playedUnit = played
          buckets.insert(posting.page)
          demand.calls[Int(call)].cost += spending
          continue
        }
        if case .fetchStarted(let event) = recorded.event {
          unplayedCalls[recorded.position] = event.operation
        }
      }
      guard let operation = unplayedCalls[posting.fetch] else { continue }
      var calls: Int64 = 0
      if case .reserved = posting.change, !attempted.contains(unit) {
        attempted.append(unit)
        calls = 1
      }
      unplayed.add(spending, calls: calls, of: operation, in: unit)
    }
  }

  private mutating func unit(of page: MeterKey) -> String {
    if let known = units[page] { return known }
    let unit = page.unit
    units[page] = unit
    return unit
  }

  private mutating func change(_ fetch: Position, _ body: (inout RecordedCall) -> Void) {
    guard let number = callNumbers[fetch] else { return }
    body(&demand.calls[Int(number)])
  }

  private mutating func number(_ resource: String) -> Int32 {
    let key = ResourceKey(stored: resource)
    if let known = numbers[key] { return known }
    let number = Int32(numbers.count)
    numbers[key] = number
    latest.append(-1)
    demand.presence.append(0)
    return number
  }

  // MARK: Purchases

  private mutating func start(_ event: FetchStarted, _ recorded: RecordedEvent) {
    guard isPlayed(operation: event.operation), !event.resources.isEmpty else {
      unplayedCalls[recorded.position] = event.operation
      return
    }
    let now = recorded.time.milliseconds
    let call = Int32(demand.calls.count)
    let first = Int32(demand.purchases.count)
    let demands = event.allDemands
    let numbers = event.resources.indices.map { index in
      min(event.demand(ofResource: index), demands.count - 1)
    }
    let asked = demands.map { $0.askedMs == 0 ? now : $0.askedMs }
    let last = numbers.map { asked[$0] }.max() ?? now
    let isBehind = numbers.allSatisfy { demands[$0].isBehind }
    callNumbers[recorded.position] = call
    demand.calls.append(
      RecordedCall(
        start: now, items: first..<first + Int32(event.resources.count),
        contentSet: event.contentSet))
    for (name, number) in zip(event.resources, numbers) {
      let resource = self.number(name)
      let wish = demands[number]
      demand.probes.append(
        Probe(
          time: last, earliest: asked[number], maximumAge: wish.maximumAgeMilliseconds,
          wanted: wish.contentSet, resource: resource, weight: wish.isBehind ? 0 : 1,
          link: Int32(demand.purchases.count), kind: isBehind ? .refreshed : .bought))
      demand.purchases.append(
        RecordedPurchase(
          resource: resource, call: call, contentSet: event.contentSet, isBehind: wish.isBehind))
      if !wish.isBehind { self.recorded.requests += 1 }
    }
  }

  private mutating func write(_ event: CacheWritten) {
    guard isPlayed(resource: event.resource) else { return }
    let resource = number(event.resource)
    let isPresent = event.presence == .present
    let contentSet = event.contentSet
    policy.learn(from: event)
    writes.append((resource, event.fetchedMs, isPresent))
    demand.presence[Int(resource)] |= isPresent ? 1 : 2
    let key = EntryName(resource: resource, contentSet: contentSet)
    fetches[key] = (event.fetchedMs, fetches[key]?.newest ?? .min)
    if isInPeriod, let call = callNumbers[event.fetch] {
      for index in demand.calls[Int(call)].items
      where demand.purchases[Int(index)].resource == resource {
        demand.purchases[Int(index)].fetched = event.fetchedMs
        demand.purchases[Int(index)].isPresent = isPresent
        demand.purchases[Int(index)].contentSet = contentSet
        latest[Int(resource)] = index
      }
      return
    }
    var held = demand.initial[resource] ?? []
    held.removeAll { $0.contentSet & contentSet == $0.contentSet }
    held.append(
      Held(
        low: event.fetchedMs, high: event.fetchedMs, contentSet: contentSet, isPresent: isPresent))
    demand.initial[resource] = held
  }

  private mutating func remove(_ name: String, _ contentSet: UInt64) {
    guard !isInPeriod, let resource = numbers[ResourceKey(stored: name)] else { return }
    demand.initial[resource]?.removeAll { $0.contentSet == contentSet }
  }

  private mutating func purge(_ event: CachePurged, _ recorded: RecordedEvent) {
    guard isPlayed(resource: event.resource) else { return }
    let resource = number(event.resource)
    let purge = RecordedPurge(
      contentSet: event.contentSet, isHard: event.hard, staleFrom: event.staleFromMs)
    guard isInPeriod else {
      var held = demand.initial[resource] ?? []
      held.apply(purge)
      demand.initial[resource] = held
      return
    }
    demand.probes.append(
      Probe(
        time: recorded.time.milliseconds, earliest: recorded.time.milliseconds,
        resource: resource, link: Int32(demand.purges.count), kind: .purged))
    demand.purges.append(purge)
  }

  // MARK: Reads and refusals

  private mutating func tally(_ row: ReadTally) {
    guard
      row.operation.isEmpty
        ? isPlayed(resource: row.resource) : isPlayed(operation: row.operation)
    else { return }
    let isPeek = row.peek || row.ageBasis == .neverBuy
    let resource = number(row.resource)
    let wanted = row.hasWantedContentSet ? row.wantedContentSet : row.contentSet
    let unbooked = Int64(row.stale) - Int64(min(row.booked, row.stale))
    let count = Int64(row.fresh) + Int64(row.joined) + unbooked + Int64(row.unmet)
    if !row.hasWantedContentSet { unclearReads += Int64(row.fresh) + Int64(row.stale) }
    recorded.requests += count
    recorded.hits += Bounds(Int64(row.fresh))
    recorded.stale += Bounds(Int64(row.stale))
    recorded.unanswered += Bounds(Int64(row.unmet))
    bookedStale += Int64(row.stale) - unbooked
    var probe = Probe(
      time: row.lastReadMs, earliest: row.firstReadMs,
      maximumAge: row.maximumAgeMilliseconds, wanted: wanted, resource: resource,
      kind: isPeek ? .peek : .read)
    note(row)
    let kinds = (row.fresh > 0 ? 1 : 0) + (row.joined > 0 ? 1 : 0) + (row.stale > 0 ? 1 : 0)
    if kinds > 1, row.firstReadMs < row.lastReadMs { mixedReads += count }
    if isPeek {
      probe.weight = Int32(clamping: count)
      if count > 0 { demand.probes.append(probe) }
      return
    }
    if row.fresh > 0 { add(probe, times: Int32(clamping: row.fresh)) }
    if row.joined > 0 {
      probe.kind = .joined
      probe.weight = Int32(clamping: row.joined)
      probe.link = latest[Int(resource)]
      if probe.link >= 0 {
        // Whoever joined had asked since the call was begun.
        let call = demand.calls[Int(demand.purchases[Int(probe.link)].call)]
        probe.earliest = min(probe.earliest, max(call.start, probe.earliest - 600_000))
      }
      demand.probes.append(probe)
    }
    let failed = unbooked + Int64(row.unmet)
    if failed > 0 {
      probe.kind = .failed
      probe.link = -1
      probe.weight = Int32(clamping: failed)
      demand.probes.append(probe)
    }
  }

  /// The first and the last of some reads are known exactly.
  private mutating func add(_ probe: Probe, times: Int32) {
    guard times > 1, probe.earliest < probe.time else {
      var probe = probe
      probe.weight = times
      probe.earliest = probe.time
      demand.probes.append(probe)
      return
    }
    var first = probe
    first.time = probe.earliest
    demand.probes.append(first)
    var rest = probe
    rest.weight = times - 1
    if times == 2 { rest.earliest = rest.time }
    demand.probes.append(rest)
  }

  private mutating func note(_ row: ReadTally) {
    let number = numbers[ResourceKey(stored: row.resource)] ?? 0
    let key = EntryName(resource: number, contentSet: row.contentSet)
    guard let fetched = fetches[key] else { return }
    let answered = Int64(row.fresh) + Int64(row.stale) + Int64(row.joined)
    guard answered > 0 else { return }
    func age(_ time: Int64) -> Int64 {
      time - (fetched.newest <= time || fetched.before == .min ? fetched.newest : fetched.before)
    }
    if answered > 1 { ages.add(milliseconds: age(row.firstReadMs), times: 1) }
    ages.add(milliseconds: age(row.lastReadMs), times: max(1, answered - 1))
  }

  private mutating func refuse(_ event: SpendRefused, _ recorded: RecordedEvent) {
    guard event.operation.isEmpty || isPlayed(operation: event.operation) else { return }
    // Of a long request, or of many, only the first are named.
    unclearRefusals += max(0, Int64(event.resources) - Int64(event.refused.count))
    guard !event.refused.isEmpty else { return }
    let wish = event.anyDemand
    let asked = wish.askedMs == 0 ? recorded.time.milliseconds : wish.askedMs
    switch event.reason {
    case .requestLimit: ownLimitRefusals += Int64(event.refused.count)
    case .meter: otherMeterRefusals += Int64(event.refused.count)
    case .insufficientTokens: buckets.insert(MeterKey(event.refusingWant.meter))
    default: break
    }
    for name in event.refused {
      demand.probes.append(
        Probe(
          time: asked, earliest: asked, maximumAge: wish.maximumAgeMilliseconds,
          wanted: wish.contentSet, resource: number(name), weight: wish.isBehind ? 0 : 1,
          link: Int32(demand.refusals.count), kind: wish.isBehind ? .refreshRefused : .refused))
    }
    demand.refusals.append(RecordedRefusal(reason: event.reason))
    guard !wish.isBehind else { return }
    self.recorded.requests += Int64(event.refused.count)
    self.recorded.refused += Bounds(Int64(event.refused.count))
  }

  private mutating func observe(_ event: BalanceObserved, _ recorded: RecordedEvent) {
    guard let meter = recorded.event.postings(at: recorded.position).first?.page else { return }
    let reduction = (event.flowReductionThousandths + 999) / 1_000
    let reading = MeterReading(
      meter: meter, time: event.reading.observedMs, balance: event.reading.balance,
      rate: max(0, event.refillRate - reduction),
      nextRefill: event.reading.observedMs
        + max(0, event.reading.nextRefillMs - event.reading.upstreamMs))
    if !isInPeriod { readings.removeAll { $0.meter == meter } }
    readings.append(reading)
  }

  // MARK: What is played

  /// The operations whose prices are known, and their kinds of resources.
  private func isPlayed(operation: String) -> Bool {
    operation.utf8.starts(with: kind.system.utf8)
  }

  private func isPlayed(resource: String) -> Bool {
    let text = resource.utf8
    guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { return false }
    return text[text.index(after: slash)...].starts(with: kind.system.utf8)
  }

  // MARK: The end

  /// Puts together what only shows at the end.
  mutating func finish() {
    demand.resources = numbers.count
    settleCalls()
    findOutages()
    findPresenceChanges()
    demand.probes.sort {
      ($0.time, $0.kind.rawValue, $0.link) < ($1.time, $1.kind.rawValue, $1.link)
    }
    countRecorded()
    addRefills()
  }

  private mutating func settleCalls() {
    for index in demand.calls.indices {
      demand.calls[index].cost.high = max(
        demand.calls[index].cost.low, demand.calls[index].cost.high)
      let call = demand.calls[index]
      let ones = Array(repeating: Int64(1), count: call.items.count)
      let low = allot(max(0, call.cost.low), over: ones)
      let spread = allot(max(0, call.cost.high - call.cost.low), over: ones)
      for (place, item) in call.items.enumerated() {
        demand.purchases[Int(item)].cost = Bounds(low: low[place], high: low[place] + spread[place])
      }
    }
  }

  private mutating func findOutages() {
    var lastGood: Int64?
    var began: Int64?
    var shortest = Int64.max
    for call in demand.calls.sorted(by: { $0.start < $1.start }) where call.end != .max {
      if call.hasSucceeded {
        if let from = began {
          demand.outages.append(from...max(from, call.start))
          began = nil
        }
        lastGood = call.start
        for item in call.items {
          let fetched = demand.purchases[Int(item)].fetched
          guard fetched != .min else { continue }
          shortest = min(shortest, max(0, fetched - call.start))
          demand.longestAnswer = max(demand.longestAnswer, fetched - call.start)
        }
      } else if began == nil, call.failure.isOfUpstream {
        began = lastGood ?? call.start - 3_600_000
      }
    }
    if let began { demand.outages.append(began ... .max) }
    demand.shortestAnswer = shortest == .max ? 0 : shortest
    if shortest == .max { demand.longestAnswer = 30_000 }
  }

  private mutating func findPresenceChanges() {
    for write in writes where demand.presence[Int(write.resource)] == 3 {
      demand.presenceChanges[write.resource, default: []].append((write.time, write.isPresent))
    }
    for resource in demand.presenceChanges.keys {
      demand.presenceChanges[resource]?.sort { $0.time < $1.time }
    }
    writes = []
  }

  private mutating func countRecorded() {
    var failed: Int64 = 0
    for call in demand.calls {
      recorded.calls += Bounds(Int64(call.attempts))
      recorded.cost += call.cost
      for item in call.items {
        let purchase = demand.purchases[Int(item)]
        if purchase.fetched != .min {
          recorded.bought += Bounds(1)
          if !purchase.isBehind { ages.add(milliseconds: 0, times: 1) }
        } else if !purchase.isBehind {
          failed += 1
        }
      }
    }
    let unanswered = recorded.refused.low + failed - bookedStale
    recorded.unanswered += Bounds(max(0, unanswered))
    recorded.medianAge = ages.percentile(0.5).map {
      Bounds(low: $0.lowerBound, high: $0.upperBound)
    }
    recorded.highAge = ages.percentile(0.95).map { Bounds(low: $0.lowerBound, high: $0.upperBound) }
  }

  /// Follows the balance as it was recorded: what could be spent at each step, and the refills between the readings.
  private mutating func addRefills() {
    let (buckets, unit) = (buckets, unit)
    readings.removeAll { reading in
      buckets.isEmpty ? reading.meter.unit != unit : !buckets.contains(reading.meter)
    }
    guard !readings.isEmpty else { return }
    readings.sort { $0.time < $1.time }
    var merged: [Probe] = []
    merged.reserveCapacity(demand.probes.count + readings.count * 2)
    var track = BalanceTrack(bucket: kind.bucket)
    var nextReading = 0
    var index = 0
    while index < demand.probes.count {
      let time = demand.probes[index].time
      while nextReading < readings.count, readings[nextReading].time <= time {
        let reading = readings[nextReading]
        track.refill(until: reading.time, &demand, &merged)
        track.balance = reading.balance
        track.rate = reading.rate
        track.next = reading.nextRefill
        track.isKnown = true
        nextReading += 1
      }
      track.refill(until: time, &demand, &merged)
      // All products of a call are decided upon together.
      var end = index + 1
      let probe = demand.probes[index]
      let isPurchase = probe.kind == .bought || probe.kind == .refreshed
      if isPurchase {
        let call = demand.calls[Int(demand.purchases[Int(probe.link)].call)]
        end = min(demand.probes.count, index + call.items.count)
      }
      for place in index..<end {
        demand.probes[place].available = track.isKnown ? track.balance : .max
        merged.append(demand.probes[place])
      }
      if isPurchase {
        let call = demand.calls[Int(demand.purchases[Int(probe.link)].call)]
        track.balance -= call.cost.low
      }
      index = end
    }
    demand.probes = merged
  }
}

extension [Held] {
  mutating func apply(_ purge: RecordedPurge) {
    if purge.isHard {
      removeAll { $0.contentSet == purge.contentSet }
    } else {
      for index in indices where self[index].contentSet == purge.contentSet {
        self[index].staleFrom = Swift.min(self[index].staleFrom, purge.staleFrom)
      }
    }
  }
}

extension FreshnessPolicy {
  /// Takes over the windows that an entry was written under.
  fileprivate mutating func learn(from event: CacheWritten) {
    let windows = FreshnessWindows(
      fresh: event.freshUntilMs - event.fetchedMs, grace: event.graceUntilMs - event.freshUntilMs,
      errorGrace: event.errorGraceUntilMs - event.freshUntilMs,
      keep: event.keepUntilMs - event.fetchedMs)
    if event.presence == .present { present = windows } else { absent = windows }
  }
}

extension Posting {
  /// What it says about what a call cost: a reservation may be spent until it ends, and so may a doubt. Nil: nothing.
  fileprivate var spending: Bounds? {
    switch change {
    case .reserved(let amount): Bounds(low: 0, high: amount)
    case .charged(let amount, let reserved): Bounds(low: amount, high: amount - reserved)
    case .released(let amount): Bounds(low: 0, high: -amount)
    case .closed(let doubt):
      Bounds(low: doubt.settled, high: doubt.settled + doubt.unprovable - doubt.amount)
    case .corrected(let difference): Bounds(difference)
    case .doubted, .observed: nil
    }
  }
}

extension TollbookEvents.Demand {
  /// The oldest data that would do, as a probe has it.
  fileprivate var maximumAgeMilliseconds: Int64 {
    milliseconds(hasMaxAgeSeconds ? maxAgeSeconds : nil, ageBasis)
  }
}

extension ReadTally {
  fileprivate var maximumAgeMilliseconds: Int64 {
    milliseconds(hasMaxAgeSeconds ? maxAgeSeconds : nil, ageBasis)
  }
}

private func milliseconds(_ seconds: UInt32?, _ basis: AgeBasis) -> Int64 {
  basis == .live ? 0 : seconds.map { Int64($0) * 1_000 } ?? -1
}

extension FailureReason {
  /// Whether whoever had asked at that time would have failed too.
  fileprivate var isOfUpstream: Bool {
    switch self {
    case .requestRejected, .insufficientTokens, .processEnded, .retryRefused: false
    default: true
    }
  }
}
