import Foundation
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Random but valid histories over a small world, with a model of what the views must then say.
///
/// Each step is what one decision appends: a fetch begun, its answer with bodies and charge, a failure with a retry, a
/// doubt resolved, reads tallied, entries swept. The steps must be appended in their order, to a log that nobody else
/// writes to, since events name positions.
package struct EventGenerator: Sendable {
  /// The events of one decision, with the bodies that they name.
  package struct Step: Sendable {
    package var events: [Event] = []
    package var bodies: [Body] = []
    /// Bodies that an event removes.
    package var prunedBodies: [[UInt8]] = []
  }

  /// What the views must say after all steps so far.
  package private(set) var model = LogModel()
  /// The last position that a step has.
  package private(set) var head: Position = 0

  private var random: SeededGenerator
  private var openFetches: [OpenFetch] = []
  private var time = Timestamp.testStart
  private var step = Step()

  private struct OpenFetch {
    var fetch: Position
    var attempt: UInt32 = 1
    var meter: LogModel.MeterName
    var account: String
    var operation: String
    var resources: [String]
    var contentSet: UInt8
    var bound: Int64
    var expected: Int64

    var hold: LogModel.HoldKey { .init(fetch: fetch, attempt: attempt) }
  }

  // The same letters in two encodings: texts that are equal to Swift and not to the store.
  private static let composed = "caf\u{e9}"
  private static let decomposed = "cafe\u{301}"
  private static let credentials = ["main", composed, decomposed]
  private static let accounts = ["acme", "zeta", composed, decomposed]
  private static let operations = ["keepa.product", "keepa.discovery"]
  private static let contentSets: [UInt8] = [0, 1, 2, 3, 5, 7, 15]
  private static let resources =
    (0..<10).map { "shared/keepa.product/1/B00000000\($0)" }
    + ["shared/keepa.discovery/\(composed)", "shared/keepa.discovery/\(decomposed)"]
    + ["shared/keepa.product/3/" + String(repeating: "x", count: 457)]

  package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// Makes up the next decision, for a commit of that time. Times must not fall.
  package mutating func next(at time: Timestamp) -> Step {
    self.time = time
    step = Step()
    if head == 0 {
      begin()
    } else {
      // Some actions find nothing to do; then another is tried.
      while step.events.isEmpty { act() }
    }
    return step
  }

  private mutating func act() {
    switch random.int(0...99) {
    case 0..<24: startFetch()
    case 24..<46: succeed()
    case 46..<57: fail()
    case 57..<63: resolve()
    case 63..<66: resolveByHand()
    case 66..<71: observe(randomMeter(), fetch: 0)
    case 71..<79: tally()
    case 79..<86: sweep()
    case 86..<88: purge()
    case 88..<90: prune()
    case 90..<94: refuse()
    case 94..<97: changeCredential()
    case 97: noteSnapshot()
    default: restart()
    }
  }

  @discardableResult
  private mutating func emit(_ event: Event) -> Position {
    head += 1
    step.events.append(event)
    model.count(event.kind)
    return head
  }

  private mutating func randomMeter() -> LogModel.MeterName {
    .init(credential: Array(random.pick(Self.credentials).utf8), unit: Array("tokens".utf8))
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

// MARK: Fetching

extension EventGenerator {
  private mutating func startFetch() {
    let resources = Array(Self.resources.shuffled(using: &random).prefix(random.int(1...4)))
    let meter = randomMeter()
    var event = FetchStarted()
    event.operation = random.pick(Self.operations)
    event.credential = text(meter.credential)
    event.account = random.pick(Self.accounts)
    event.unit = text(meter.unit)
    event.resources = resources
    event.contentSet = UInt32(random.pick(Self.contentSets))
    event.bound = random.int64(1...9) * Int64(resources.count)
    event.expected = random.int64(0...event.bound)
    let fetch = emit(.fetchStarted(event))
    let open = OpenFetch(
      fetch: fetch, meter: meter, account: event.account, operation: event.operation,
      resources: resources, contentSet: UInt8(event.contentSet), bound: event.bound,
      expected: event.expected)
    openFetches.append(open)
    model.reserve(open.hold, hold(for: open))
    model.count(.fetchesStarted, 1, at: time)
    model.count(.readsBought, Int64(resources.count), at: time)
  }

  private func hold(for open: OpenFetch) -> LogModel.Hold {
    LogModel.Hold(
      state: .reserved, tokens: open.bound, meter: open.meter, account: Array(open.account.utf8),
      operation: Array(open.operation.utf8), since: time)
  }

  private mutating func takeOpenFetch() -> OpenFetch? {
    guard !openFetches.isEmpty else { return nil }
    return openFetches.remove(at: random.int(0...openFetches.count - 1))
  }

  private mutating func succeed() {
    guard let open = takeOpenFetch() else { return }
    let found = open.resources.map { _ in random.chance(85) }
    var event = FetchSucceeded()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.found = UInt32(found.count { $0 })
    event.absent = UInt32(found.count { !$0 })
    event.durationMs = UInt32(random.int(20...3_000))
    event.receivedBytes = UInt64(random.int(100...60_000))
    emit(.fetchSucceeded(event))
    model.count(.fetchesSucceeded, 1, at: time)
    model.count(.resourcesFound, Int64(event.found), at: time)
    model.count(.resourcesAbsent, Int64(event.absent), at: time)
    model.count(.bytesReceived, Int64(event.receivedBytes), at: time)
    // Sometimes the upstream charges above the bound.
    let tokens = random.int64(0...open.bound + 3)
    let weights = open.resources.map { _ in random.int64(0...5) }
    let shares = allot(tokens, over: weights)
    for (index, resource) in open.resources.enumerated() {
      write(resource, of: open, isPresent: found[index], tokens: shares[index])
    }
    switch random.int(0...9) {
    case 0: release(open)
    case 1: doubt(open)
    default: charge(open, tokens, shares)
    }
    if random.chance(40) { observe(open.meter, fetch: open.fetch) }
  }

  private mutating func write(
    _ resource: String, of open: OpenFetch, isPresent: Bool, tokens: Int64
  ) {
    let fetched = time.advanced(byMilliseconds: -random.int64(0...2_000))
    let fresh = fetched.advanced(byMilliseconds: random.int64(1...180) * 60_000)
    let grace = fresh.advanced(byMilliseconds: random.int64(0...60) * 60_000)
    let errorGrace = grace.advanced(byMilliseconds: random.int64(0...60) * 60_000)
    let keep = fresh.advanced(byMilliseconds: random.int64(0...400) * 60_000)
    // Few different contents, so that a body is bought twice.
    let content = Array("{\"name\":\"\(resource)\",\"n\":\(random.int(0...2))}".utf8)
    let body = isPresent ? Body(content) : nil
    if let body { step.bodies.append(body) }
    var event = CacheWritten()
    event.resource = resource
    event.contentSet = UInt32(open.contentSet)
    event.presence = isPresent ? .present : .absent
    event.fetch = open.fetch
    event.body = Data(body?.digest ?? [])
    event.bodyBytes = isPresent ? UInt32(content.count) : 0
    event.fetchedMs = fetched.milliseconds
    event.freshUntilMs = fresh.milliseconds
    event.graceUntilMs = grace.milliseconds
    event.errorGraceUntilMs = errorGrace.milliseconds
    event.keepUntilMs = keep.milliseconds
    event.upstreamUpdatedMs = random.chance(50) ? fetched.milliseconds - 90_000 : 0
    event.tokens = tokens
    event.summary = Data(random.bytes(random.int(0...24)))
    let written = emit(.cacheWritten(event))
    model.write(
      .init(resource: Array(resource.utf8), contentSet: open.contentSet),
      LogModel.Entry(
        isPresent: isPresent, written: written, fetched: fetched, freshUntil: fresh,
        graceUntil: grace, errorGraceUntil: errorGrace, keepUntil: keep,
        upstreamUpdated: event.upstreamUpdatedMs == 0
          ? nil : Timestamp(milliseconds: event.upstreamUpdatedMs),
        tokens: tokens, bodyBytes: Int64(event.bodyBytes), digest: body?.digest ?? [],
        summary: Array(event.summary)), at: time)
  }

  private mutating func fail() {
    guard var open = takeOpenFetch() else { return }
    switch random.int(0...2) {
    case 0: release(open)
    case 1: charge(open, random.int64(1...open.bound), [])
    default: doubt(open)
    }
    if random.chance(30) { observe(open.meter, fetch: open.fetch) }
    var event = FetchAttemptFailed()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.reason = random.pick([.notSent, .timedOut, .connectionLost, .unreadable, .upstreamError])
    event.status = random.pick([0, 500, 503])
    event.detail = "made up"
    let isRetrying = random.chance(60)
    if isRetrying {
      event.nextAttempt = open.attempt + 1
      event.nextBound = open.bound
      event.credential = text(open.meter.credential)
      event.unit = text(open.meter.unit)
      event.account = open.account
      event.operation = open.operation
    }
    emit(.fetchAttemptFailed(event))
    model.count(.attemptsFailed, 1, at: time)
    if isRetrying {
      open.attempt += 1
      model.reserve(open.hold, hold(for: open))
      openFetches.append(open)
    } else {
      giveUp(open, event.reason)
    }
  }

  private mutating func giveUp(_ open: OpenFetch, _ reason: FailureReason) {
    var event = FetchFailed()
    event.fetch = open.fetch
    event.attempts = open.attempt
    event.reason = reason
    emit(.fetchFailed(event))
    model.count(.fetchesFailed, 1, at: time)
  }
}

// MARK: Ledger

extension EventGenerator {
  private mutating func release(_ open: OpenFetch) {
    var event = ReservationReleased()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.credential = text(open.meter.credential)
    event.unit = text(open.meter.unit)
    event.tokens = open.bound
    emit(.reservationReleased(event))
    model.drop(open.hold)
    model.count(.tokensReleased, open.bound, at: time)
  }

  private mutating func charge(_ open: OpenFetch, _ tokens: Int64, _ shares: [Int64]) {
    var event = TokensCharged()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.credential = text(open.meter.credential)
    event.unit = text(open.meter.unit)
    event.account = open.account
    event.operation = open.operation
    event.tokens = tokens
    event.reserved = open.bound
    event.expected = open.expected
    event.shares = zip(open.resources, shares).map { resource, tokens in
      var share = Share()
      share.resource = resource
      share.tokens = tokens
      return share
    }
    event.windows = ["day \(time.day)"]
    emit(.tokensCharged(event))
    model.drop(open.hold)
    model.charge(
      .init(
        meter: open.meter, account: Array(open.account.utf8),
        operation: Array(open.operation.utf8), day: time.day, tokens: tokens))
    model.count(.tokensCharged, tokens, at: time)
    model.count(.tokensExpected, open.expected, at: time)
  }

  private mutating func doubt(_ open: OpenFetch) {
    let sent = time.advanced(byMilliseconds: -random.int64(0...30_000))
    var event = ChargeInDoubt()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.credential = text(open.meter.credential)
    event.unit = text(open.meter.unit)
    event.tokens = open.bound
    event.sentMs = sent.milliseconds
    emit(.chargeInDoubt(event))
    model.doubt(open.hold, sent: sent)
    model.count(.tokensInDoubt, open.bound, at: time)
  }

  /// Holds of a state, in an order that does not depend on how a dictionary is laid out.
  private func holds(_ isWanted: (LogModel.Hold) -> Bool) -> [LogModel.HoldKey] {
    model.holds.filter { isWanted($0.value) }.keys
      .sorted { ($0.fetch, $0.attempt) < ($1.fetch, $1.attempt) }
  }

  /// Closes all doubts of a meter, as a reading does.
  private mutating func resolve() {
    let meter = randomMeter()
    let keys = holds { $0.meter == meter && $0.state == .inDoubt }
    guard !keys.isEmpty else { return }
    let evidence = random.pick([Evidence.reading, .bucketFull, .unexplained])
    close(keys, of: meter, evidence: evidence) { tokens, random in
      guard evidence == .reading else { return (0, tokens) }
      return (random.int64(0...tokens), 0)
    }
  }

  /// Closes one doubt or one unprovable hold, or a part of it.
  private mutating func resolveByHand() {
    let keys = holds { $0.state != .reserved }
    guard !keys.isEmpty else { return }
    let key = random.pick(keys)
    guard let hold = model.holds[key] else { return }
    close([key], of: hold.meter, evidence: .operator) { tokens, random in
      let settled = random.int64(0...tokens)
      return (settled, random.chance(30) ? random.int64(0...tokens - settled) : 0)
    }
  }

  private mutating func close(
    _ keys: [LogModel.HoldKey], of meter: LogModel.MeterName, evidence: Evidence,
    _ decide: (_ tokens: Int64, inout SeededGenerator) -> (settled: Int64, unprovable: Int64)
  ) {
    var event = ChargeResolved()
    event.credential = text(meter.credential)
    event.unit = text(meter.unit)
    event.evidence = evidence
    event.windows = ["day \(time.day)"]
    for key in keys {
      guard let hold = model.holds[key] else { continue }
      let (settled, unprovable) = decide(hold.tokens, &random)
      var doubt = ResolvedDoubt()
      doubt.fetch = key.fetch
      doubt.attempt = key.attempt
      doubt.account = text(hold.account)
      doubt.operation = text(hold.operation)
      doubt.tokens = hold.tokens
      doubt.settled = settled
      doubt.unprovable = unprovable
      doubt.released = hold.tokens - settled - unprovable
      doubt.wasUnprovable = hold.state == .unprovable
      event.doubts.append(doubt)
      event.difference += settled
      if settled > 0 {
        model.charge(
          .init(
            meter: meter, account: hold.account, operation: hold.operation, day: time.day,
            tokens: settled))
        model.count(.tokensCharged, settled, at: time)
      }
      if doubt.wasUnprovable { model.post(unexplained: doubt.released, on: meter) }
      if unprovable > 0 {
        model.keepUnprovable(key, tokens: unprovable)
      } else {
        model.drop(key)
      }
    }
    emit(.chargeResolved(event))
  }

  private mutating func observe(_ meter: LogModel.MeterName, fetch: Position) {
    var event = BalanceObserved()
    event.credential = text(meter.credential)
    event.unit = text(meter.unit)
    event.reading.balance = random.int64(-20...300)
    event.reading.upstreamMs = time.milliseconds + random.int64(-500...500)
    event.reading.nextRefillMs = event.reading.upstreamMs + random.int64(1...60_200)
    event.reading.observedMs = time.milliseconds
    event.refillRate = random.pick([5, 20])
    event.flowReductionThousandths = random.pick([0, 0, 250])
    event.slack = random.int64(0...5)
    event.fetch = fetch
    if let last = model.readings[meter] {
      event.previous.balance = last.balance
      event.previous.upstreamMs = last.upstream.milliseconds
      event.previous.nextRefillMs = last.nextRefill.milliseconds
      event.previous.observedMs = last.observed.milliseconds
      event.ticks = UInt32(random.int(0...10))
      event.refill = Int64(event.ticks) * event.refillRate
      event.unexplained = random.chance(25) ? random.int64(-15...15) : 0
    }
    emit(.balanceObserved(event))
    model.observe(
      meter, granting: event.hasPrevious ? event.refill : event.reading.balance,
      unexplained: event.unexplained,
      reading: LogModel.Reading(
        balance: event.reading.balance,
        upstream: Timestamp(milliseconds: event.reading.upstreamMs),
        nextRefill: Timestamp(milliseconds: event.reading.nextRefillMs),
        observed: time, refillRate: event.refillRate,
        flowReductionThousandths: event.flowReductionThousandths, slack: event.slack))
    model.count(.tokensUnexplained, event.unexplained, at: time)
  }

  private mutating func refuse() {
    let meter = randomMeter()
    var event = SpendRefused()
    event.account = random.pick(Self.accounts)
    event.operation = random.pick(Self.operations)
    event.credential = text(meter.credential)
    event.unit = text(meter.unit)
    event.wanted = random.int64(1...500)
    event.available = random.int64(-10...event.wanted)
    event.resources = UInt32(random.int(1...50))
    event.reason = random.pick([.insufficientTokens, .requestLimit, .storageReserve])
    event.retryMs = random.chance(50) ? time.milliseconds + 60_000 : 0
    emit(.spendRefused(event))
    model.count(.refusals, 1, at: time)
    model.count(.resourcesRefused, Int64(event.resources), at: time)
  }
}

// MARK: Cache

extension EventGenerator {
  private mutating func tally() {
    var event = ReadsTallied()
    for _ in 0..<random.int(1...6) {
      let resource = random.pick(Self.resources)
      let contentSet = random.pick(Self.contentSets)
      var row = ReadTally()
      row.resource = resource
      row.contentSet = UInt32(contentSet)
      row.account = random.pick(Self.accounts)
      if random.chance(30) { row.maxAgeSeconds = UInt32(random.int(0...3_600)) }
      row.firstReadMs = time.milliseconds - random.int64(500...1_000)
      row.lastReadMs = time.milliseconds - random.int64(0...500)
      row.fresh = UInt32(random.int(0...50))
      row.stale = UInt32(random.int(0...5))
      row.joined = UInt32(random.int(0...5))
      event.rows.append(row)
      model.read(
        .init(resource: Array(resource.utf8), contentSet: contentSet),
        times: Int(row.fresh + row.stale + row.joined),
        last: Timestamp(milliseconds: row.lastReadMs))
      model.count(.readsFresh, Int64(row.fresh), at: time)
      model.count(.readsStale, Int64(row.stale), at: time)
      model.count(.readsJoined, Int64(row.joined), at: time)
    }
    emit(.readsTallied(event))
  }

  private mutating func sweep() {
    let due = model.entries.sorted { $0.value.written < $1.value.written }
      .prefix(random.int(1...5))
    for (key, entry) in due {
      if !entry.isMarkedExpired, entry.freshUntil <= time {
        var event = CacheExpired()
        event.resource = text(key.resource)
        event.contentSet = UInt32(key.contentSet)
        event.written = entry.written
        event.freshUntilMs = entry.freshUntil.milliseconds
        emit(.cacheExpired(event))
        model.markExpired(key)
        model.count(.entriesExpired, 1, at: time)
      } else if entry.isMarkedExpired, entry.keepUntil <= time {
        var event = CacheEvicted()
        event.resource = text(key.resource)
        event.contentSet = UInt32(key.contentSet)
        event.written = entry.written
        event.keepUntilMs = entry.keepUntil.milliseconds
        emit(.cacheEvicted(event))
        model.evict(key, at: time)
        model.count(.entriesEvicted, 1, at: time)
      }
    }
  }
}

// MARK: Purging

extension EventGenerator {
  /// Purges some entries, mostly softly, fresh ones and others.
  private mutating func purge() {
    let isHard = random.chance(30)
    let all = model.entries.sorted { $0.value.written < $1.value.written }
    for (key, entry) in all.shuffled(using: &random).prefix(random.int(1...4)) {
      var event = CachePurged()
      event.resource = text(key.resource)
      event.contentSet = UInt32(key.contentSet)
      event.written = entry.written
      event.hard = isHard
      event.tokens = entry.tokens
      event.staleFromMs = isHard ? 0 : time.milliseconds
      event.note = "made up"
      emit(.cachePurged(event))
      model.purge(key, isHard: isHard, at: time)
      model.count(.entriesPurged, 1, at: time)
    }
  }

  /// Removes some of the bodies that no entry names.
  private mutating func prune() {
    let released = model.released.keys.sorted { $0.lexicographicallyPrecedes($1) }
    guard !released.isEmpty else { return }
    let pruned = Array(released.shuffled(using: &random).prefix(random.int(1...3)))
    var event = BodiesPruned()
    event.bodies = pruned.map { Data($0) }
    event.storedBytes = UInt64(pruned.count * 80)
    emit(.bodiesPruned(event))
    for digest in pruned { model.prune(digest) }
    model.count(.bodiesPruned, Int64(pruned.count), at: time)
    step.prunedBodies += pruned
  }
}

// MARK: Running

extension EventGenerator {
  private mutating func noteSnapshot() {
    var event = SnapshotTaken()
    event.file = "tollbook-\(head).snapshot"
    event.position = head
    emit(.snapshotTaken(event))
  }

  private mutating func begin() {
    var event = ServiceStarted()
    event.version = "0.1.0"
    event.simulated = true
    emit(.serviceStarted(event))
    add(Self.credentials[0])
    observe(
      .init(credential: Array(Self.credentials[0].utf8), unit: Array("tokens".utf8)), fetch: 0)
  }

  private mutating func add(_ credential: String) {
    var event = CredentialAdded()
    event.credential = credential
    event.upstream = "keepa"
    event.unit = "tokens"
    emit(.credentialAdded(event))
    model.credentials[Array(credential.utf8)] = .init(upstream: "keepa", unit: "tokens")
  }

  private mutating func changeCredential() {
    let credential = random.pick(Self.credentials)
    let key = Array(credential.utf8)
    guard model.credentials[key] != nil, random.chance(90) else { return add(credential) }
    var event = CredentialStatusChanged()
    event.credential = credential
    event.status = random.pick([.accepted, .rejected])
    event.detail = random.pick(["", "the upstream says no: \(random.int(0...9))"])
    emit(.credentialStatusChanged(event))
    model.credentials[key]?.status = event.status
    model.credentials[key]?.detail = event.detail
  }

  /// The process ended with calls under way, and began anew; sometimes from what was restored.
  private mutating func restart() {
    if random.chance(20) {
      var restored = LogRestored()
      restored.position = head
      restored.restoredMs = time.milliseconds
      emit(.logRestored(restored))
      model.restore()
    }
    var started = ServiceStarted()
    started.version = "0.1.0"
    started.simulated = true
    emit(.serviceStarted(started))
    guard !openFetches.isEmpty else { return }
    var event = ServiceRecovered()
    for open in openFetches {
      event.fetches += 1
      event.tokensInDoubt += open.bound
      doubt(open)
      giveUp(open, .processEnded)
    }
    openFetches = []
    emit(.serviceRecovered(event))
  }
}
