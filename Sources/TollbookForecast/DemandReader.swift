import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// Reads from the events what was asked for, when, and what came of it: of the resources whose windows are tried. Of other
/// calls of the same upstream it sums up what they cost.
struct DemandReader {
  /// The kinds that say something about it.
  static let kinds: Set<EventKind> = [
    .fetchStarted, .fetchAttemptFailed, .fetchSucceeded, .fetchFailed, .cacheWritten,
    .cacheEvicted, .cachePurged, .entriesSwept, .readsTallied, .tokensCharged,
    .reservationReleased, .chargeInDoubt, .chargeResolved, .chargeCorrected, .balanceObserved,
    .windowObserved, .spendRefused,
  ]

  private let kind: WhatIfKind
  private(set) var demand = RecordedDemand()
  /// What the calls that are not played have cost.
  private(set) var unplayed = UnplayedSpend()
  private(set) var recorded = WhatIfOutcome(name: "as recorded")
  private(set) var policy: FreshnessPolicy
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
  private var readings: [BalanceReading] = []
  private var windows = WindowTrack()
  /// Of calls whose demands do not say when they were made: the number of the first probe.
  private var untold: [Int32: Int] = [:]
  private var groups: [String: Int32] = [:]
  private var bookedStale: Int64 = 0
  private var ages = AgeHistogram()

  init(_ kind: WhatIfKind) {
    self.kind = kind
    policy = kind.standard
  }

  private struct EntryName: Hashable {
    var resource: Int32
    var contentSet: UInt64
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
      date(event.fetch, recorded, duration: Int64(event.durationMs))
      change(event.fetch) { call in
        call.hasSucceeded = true
        call.end = recorded.time.milliseconds
      }
    case .fetchFailed(let event):
      change(event.fetch) { call in
        call.failure = event.reason
        call.end = recorded.time.milliseconds
      }
    case .cacheWritten(let event): write(event, recorded)
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
    for posting in recorded.postings where !posting.isLimitOnly {
      if posting.page.isOfWindow { track(posting) }
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

  /// Follows the windows of the limit that is played.
  private mutating func track(_ posting: Posting) {
    guard case .window = kind.limit, posting.page.ownerKind == .quotaGroup,
      playedUnit == nil || unit(of: posting.page) == playedUnit
    else { return }
    windows.add(posting)
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
    demand.terms.append(terms(of: key))
    if case .calls = kind.prices { demand.names.append(key) }
    return number
  }

  private mutating func terms(of key: ResourceKey) -> ResourceTerms {
    var terms = ResourceTerms()
    terms.window = kind.window(key)
    terms.group = group(of: key)
    return terms
  }

  private mutating func group(of key: ResourceKey) -> Int32 {
    guard case .calls(_, let group) = kind.prices, let name = group(key) else { return -1 }
    let number = groups[name] ?? Int32(groups.count)
    groups[name] = number
    return number
  }

  /// A call that is booked with its answer began earlier than its commit: when it was decided its demands say. An older
  /// log does not tell how long it waited for its turn, only how long the answer took.
  private mutating func date(_ fetch: Position, _ recorded: RecordedEvent, duration: Int64) {
    guard fetch + 1 == recorded.position, let number = callNumbers[fetch],
      demand.calls[Int(number)].start == recorded.time.milliseconds,
      let first = untold.removeValue(forKey: number)
    else { return }
    let asked = recorded.time.milliseconds - duration
    demand.calls[Int(number)].start = asked
    for place in demand.probes.indices.dropFirst(first) {
      demand.probes[place].time = asked
      demand.probes[place].earliest = asked
    }
  }

  // MARK: Purchases

  private mutating func start(_ event: FetchStarted, _ recorded: RecordedEvent) {
    let roles = event.resources.map(role)
    guard roles.contains(where: { $0 != .other }) else {
      unplayedCalls[recorded.position] = event.operation
      return
    }
    let now = recorded.time.milliseconds
    let call = Int32(demand.calls.count)
    let first = Int32(demand.purchases.count)
    let demands = event.allDemands
    let places = event.resources.indices.filter { roles[$0] == .tried }
    let numbers = places.map { index in
      min(event.demand(ofResource: index), demands.count - 1)
    }
    let asked = demands.map { $0.askedMs == 0 ? now : $0.askedMs }
    let last = (numbers.isEmpty ? asked : numbers.map { asked[$0] }).max() ?? now
    let isBehind = numbers.allSatisfy { demands[$0].isBehind }
    callNumbers[recorded.position] = call
    var recordedCall = RecordedCall(
      start: demands.allSatisfy { !$0.isBehind && $0.askedMs > 0 } ? last : now,
      items: first..<first + Int32(places.count), contentSet: event.contentSet)
    recordedCall.company = event.resources.indices.filter { roles[$0] != .tried }
      .map { ResourceKey(stored: event.resources[$0]) }
    untold = demands.allSatisfy { $0.askedMs == 0 } ? [call: demand.probes.count] : [:]
    if !recordedCall.company.isEmpty {
      recordedCall.group = group(of: recordedCall.company[0])
      demand.probes.append(
        Probe(time: last, earliest: last, resource: -1, weight: 0, link: call, kind: .company))
    }
    demand.calls.append(recordedCall)
    for (place, number) in zip(places, numbers) {
      let resource = self.number(event.resources[place])
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

  private mutating func write(_ event: CacheWritten, _ recorded: RecordedEvent) {
    switch role(event.resource) {
    case .tried: break
    case .company:
      let window = kind.window(ResourceKey(stored: event.resource))
      demand.lateness = window?.lateness(of: event) ?? demand.lateness
      return
    case .other: return
    }
    let resource = number(event.resource)
    let isPresent = event.presence == .present
    let contentSet = event.contentSet
    let known = policy.present.fresh
    policy.learn(from: event)
    if isPresent, let window = demand.terms[Int(resource)].window {
      // What ended at a turn does not tell how long it might have been fresh, nor what is never fresh for less.
      let fresh = event.freshUntilMs - event.fetchedMs
      policy.present.fresh = fresh > window.least ? max(known, fresh) : known
      if fresh < max(known, window.least) {
        demand.lateness = window.lateness(of: event) ?? demand.lateness
      }
    }
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
      if latest[Int(resource)] >= 0,
        demand.calls[Int(call)].items.contains(latest[Int(resource)])
      {
        return
      }
    }
    let entry = Held(
      low: event.fetchedMs, high: event.fetchedMs, contentSet: contentSet, isPresent: isPresent)
    guard !isInPeriod else {
      let now = recorded.time.milliseconds
      demand.probes.append(
        Probe(
          time: now, earliest: now, resource: resource, weight: 0,
          link: Int32(demand.brought.count), kind: .brought))
      demand.brought.append(entry)
      return
    }
    var held = demand.initial[resource] ?? []
    held.removeAll { $0.contentSet & contentSet == $0.contentSet }
    held.append(entry)
    demand.initial[resource] = held
  }

  private mutating func remove(_ name: String, _ contentSet: UInt64) {
    guard !isInPeriod, let resource = numbers[ResourceKey(stored: name)] else { return }
    demand.initial[resource]?.removeAll { $0.contentSet == contentSet }
  }

  private mutating func purge(_ event: CachePurged, _ recorded: RecordedEvent) {
    guard role(event.resource) == .tried else { return }
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
    guard !row.resource.isEmpty else {
      if kind.isOperation(row.operation) { cut(row) }
      return
    }
    guard role(row.resource) == .tried else { return }
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

  /// So many were read that the log does not tell what they read.
  private mutating func cut(_ row: ReadTally) {
    let fresh = Int64(row.fresh) + Int64(row.joined)
    let unbooked = Int64(row.stale) - Int64(min(row.booked, row.stale))
    demand.cut.fresh += fresh
    demand.cut.stale += unbooked
    demand.cut.unmet += Int64(row.unmet)
    bookedStale += Int64(row.stale) - unbooked
    recorded.requests += fresh + unbooked + Int64(row.unmet)
    recorded.hits += Bounds(fresh)
    recorded.stale += Bounds(Int64(row.stale))
    recorded.unanswered += Bounds(Int64(row.unmet))
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
    let refused = event.refused.filter { role($0) == .tried }
    // Of a long request, or of many, only the first are named.
    if event.operation.isEmpty || kind.isOperation(event.operation) {
      unclearRefusals += max(0, Int64(event.resources) - Int64(event.refused.count))
    }
    guard !refused.isEmpty else { return }
    let wish = event.anyDemand
    let asked = wish.askedMs == 0 ? recorded.time.milliseconds : wish.askedMs
    let isOfLimit =
      event.reason == .insufficientTokens
      || (event.reason == .meter && event.refusingWant.meter.ownerKind == .quotaGroup)
    switch event.reason {
    case .requestLimit: ownLimitRefusals += Int64(refused.count)
    case .meter where !isOfLimit: otherMeterRefusals += Int64(refused.count)
    case .insufficientTokens: buckets.insert(MeterKey(event.refusingWant.meter))
    default: break
    }
    for name in refused {
      demand.probes.append(
        Probe(
          time: asked, earliest: asked, maximumAge: wish.maximumAgeMilliseconds,
          wanted: wish.contentSet, resource: number(name), weight: wish.isBehind ? 0 : 1,
          link: Int32(demand.refusals.count), kind: wish.isBehind ? .refreshRefused : .refused))
    }
    demand.refusals.append(RecordedRefusal(reason: event.reason, isOfLimit: isOfLimit))
    guard !wish.isBehind else { return }
    self.recorded.requests += Int64(refused.count)
    self.recorded.refused += Bounds(Int64(refused.count))
  }

  private mutating func observe(_ event: BalanceObserved, _ recorded: RecordedEvent) {
    guard let meter = recorded.postings.first?.page else { return }
    let reduction = (event.flowReductionThousandths + 999) / 1_000
    let reading = BalanceReading(
      meter: meter, time: event.reading.observedMs, balance: event.reading.balance,
      rate: max(0, event.refillRate - reduction),
      nextRefill: event.reading.observedMs
        + max(0, event.reading.nextRefillMs - event.reading.upstreamMs))
    if !isInPeriod { readings.removeAll { $0.meter == meter } }
    readings.append(reading)
  }

  // MARK: What is played

  private func role(_ resource: String) -> WhatIfKind.Role {
    let key = ResourceKey(stored: resource)
    return numbers[key] == nil ? kind.role(key) : .tried
  }

  // MARK: The end

  /// Puts together what only shows at the end.
  mutating func finish() {
    demand.resources = numbers.count
    settleCalls()
    demand.price(kind)
    demand.findOutages(isBucket: kind.isBucket)
    findPresenceChanges()
    demand.probes.sort {
      ($0.time, $0.kind.rawValue, $0.link) < ($1.time, $1.kind.rawValue, $1.link)
    }
    countRecorded()
    switch kind.limit {
    case .bucket(let bucket):
      let (buckets, unit) = (buckets, unit)
      readings.removeAll { reading in
        buckets.isEmpty ? reading.meter.unit != unit : !buckets.contains(reading.meter)
      }
      demand.addRefills(readings.sorted { $0.time < $1.time }, of: bucket)
    case .window(let length): windows.apply(to: &demand, length: max(1, length))
    case .untold: break
    }
  }

  private mutating func settleCalls() {
    for index in demand.calls.indices {
      demand.calls[index].cost.high = max(
        demand.calls[index].cost.low, demand.calls[index].cost.high)
      demand.calls[index].fixed = demand.fixedCost(of: demand.calls[index], kind)
      let call = demand.calls[index]
      let own = call.cost - call.fixed
      let ones = Array(repeating: Int64(1), count: call.items.count)
      let low = allot(max(0, own.low), over: ones)
      let spread = allot(max(0, own.high - own.low), over: ones)
      for (place, item) in call.items.enumerated() {
        demand.purchases[Int(item)].cost = Bounds(low: low[place], high: low[place] + spread[place])
      }
    }
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
