import Foundation
import TollbookEvents
import TollbookLog
import TollbookViews

extension EventGenerator {
  /// What an attempt reserves on one page.
  struct Use: Sendable {
    var plan: MeterPlan
    var page: LogModel.Page
    var bound: Int64
    var expected: Int64
    var isLimitOnly: Bool

    var unit: [UInt8] { page.meter.unit }
  }

  /// A call that has not ended.
  struct OpenFetch: Sendable {
    struct Wanted: Sendable {
      var resource: String
      /// The number of its payer.
      var payer: Int
      var weight: Int64
    }

    var fetch: Position = 0
    var attempt: UInt32 = 1
    /// Whether its last reservation is an event of format 1.
    var isFirst: Bool
    var credential: String
    var operation: String
    var wanted: [Wanted]
    var contentSet: UInt64
    var payers: [LogModel.Payer]
    var uses: [Use]

    func key(of use: Use) -> LogModel.HoldKey {
      .init(fetch: fetch, attempt: attempt, page: use.page)
    }
  }

  mutating func startFetch() {
    let resources = Array(Self.resources.shuffled(using: &random).prefix(random.int(1...4)))
    if choosesFirstFormat() {
      startFirst(resources)
    } else {
      startSecond(resources)
    }
    model.count(.fetchesStarted, 1, at: time)
    model.count(.readsBought, Int64(resources.count), at: time)
  }

  private mutating func startFirst(_ resources: [String]) {
    var event = FetchStarted()
    event.operation = random.pick(Self.operations)
    event.credential = random.pick(Self.credentials)
    event.account = random.pick(Self.accounts)
    event.unit = Amount.firstUnit
    event.resources = resources
    event.contentSet = random.pick(Self.firstContentSets)
    event.bound = amount(1...9 * Int64(resources.count))
    event.expected = random.int64(0...event.bound)
    guard let plan = Self.plan(ofCredential: event.credential) else { return }
    var open = OpenFetch(
      isFirst: true, credential: event.credential, operation: event.operation,
      wanted: resources.map { .init(resource: $0, payer: 0, weight: random.int64(0...5)) },
      contentSet: event.contentSet,
      payers: [.init(account: bytes(event.account), tags: [], kind: [], weight: 1)],
      uses: [
        Use(
          plan: plan, page: plan.page(at: time), bound: event.bound, expected: event.expected,
          isLimitOnly: false)
      ])
    open.fetch = emit(.fetchStarted(event))
    reserve(open, [])
    openFetches.append(open)
  }

  /// The meter of format 1.
  static func plan(ofCredential credential: String) -> MeterPlan? {
    plans.first { $0.name.owner == Array(credential.utf8) && $0.name.unit == Array("tokens".utf8) }
  }

  private mutating func startSecond(_ resources: [String]) {
    var event = FetchStarted()
    event.operation = random.pick(Self.operations)
    event.credential = random.pick(Self.credentials)
    event.resources = resources
    event.contentSet = random.pick(Self.contentSets)
    event.demands = (0..<random.int(1...2)).map { _ in demand(for: event.contentSet) }
    if event.demands.count > 1 {
      event.demandOf = resources.map { _ in UInt32(random.int(0...1)) }
    }
    if random.chance(70) { event.weights = resources.map { _ in random.int64(0...5) } }
    let (wanted, payers) = payers(of: event)
    var open = OpenFetch(
      isFirst: false, credential: event.credential, operation: event.operation, wanted: wanted,
      contentSet: event.contentSet, payers: payers, uses: uses(for: resources.count))
    let openings = open.uses.map { opening(of: $0) }
    event.moves = zip(open.uses, openings).map { move($0, amount: $0.bound, $1) }
    open.fetch = emit(.fetchStarted(event))
    note(event.demands, begun: open.fetch)
    reserve(open, openings)
    openFetches.append(open)
  }

  mutating func demand(for contentSet: UInt64) -> Demand {
    var demand = Demand()
    demand.account = random.pick(Self.accounts)
    demand.tags = someTags()
    demand.accessKey = random.pick(["", "key-1"])
    demand.contentSet = contentSet
    demand.ageBasis = random.pick([.fetch, .upstream, .live])
    if random.chance(30) { demand.maxAgeSeconds = UInt32(random.int(0...3_600)) }
    demand.refresh = random.pick([.none, .none, .grace, .ahead, .warm])
    if demand.refresh == .grace { demand.askedMs = time.milliseconds - random.int64(0...900) }
    if random.chance(20) { demand.idempotency = someIdempotencyKey() }
    return demand
  }

  /// Who pays: for each demand and kind of resource one, with the weights of its resources.
  private func payers(
    of event: FetchStarted
  ) -> (wanted: [OpenFetch.Wanted], payers: [LogModel.Payer]) {
    var wanted: [OpenFetch.Wanted] = []
    var payers: [LogModel.Payer] = []
    var places: [String: Int] = [:]
    for (index, resource) in event.resources.enumerated() {
      let number = event.demandOf.isEmpty ? 0 : Int(event.demandOf[index])
      let weight = event.weights.isEmpty ? 1 : event.weights[index]
      let kind = String(resource.split(separator: "/")[1])
      if let place = places["\(number) \(kind)"] {
        payers[place].weight += weight
      } else {
        places["\(number) \(kind)"] = payers.count
        payers.append(
          .init(
            account: bytes(event.demands[number].account),
            tags: event.demands[number].tags.map { bytes($0) }, kind: bytes(kind),
            weight: weight))
      }
      wanted.append(
        .init(resource: resource, payer: places["\(number) \(kind)"] ?? 0, weight: weight))
    }
    return (wanted, payers)
  }

  /// One to three meters. The first of each unit tells a cost, the others limit it.
  private mutating func uses(for count: Int) -> [Use] {
    var uses: [Use] = []
    for plan in plans.shuffled(using: &random).prefix(random.int(1...3)) {
      let page = plan.page(at: time)
      if let cost = uses.first(where: { $0.unit == plan.name.unit && !$0.isLimitOnly }) {
        uses.append(
          Use(
            plan: plan, page: page, bound: cost.bound, expected: cost.expected,
            isLimitOnly: true))
        continue
      }
      let bound =
        switch text(plan.name.unit) {
        case "requests": 1 as Int64
        case "EUR": amount(1_000_000...3_000_000_000)
        default: amount(1...9 * Int64(count))
        }
      uses.append(
        Use(
          plan: plan, page: page, bound: bound, expected: random.int64(0...bound),
          isLimitOnly: false))
    }
    return uses
  }

  /// What a page of the books begins with.
  struct Opening: Sendable {
    var granted: Int64 = 0
    /// What its window had seen before.
    var carried: Int64 = 0
  }

  /// What is granted on a page when it is used: its limit when that is the first time, later what it changed by. The page of
  /// a budget may open with what its window has seen before.
  mutating func opening(of use: Use) -> Opening {
    guard use.plan.limit > 0 else { return Opening() }
    guard model.ledger.pages[use.page] == nil else {
      return Opening(granted: random.chance(6) ? random.int64(-40...60) : 0)
    }
    var opening = Opening(granted: amount(use.plan.limit...use.plan.limit + 9))
    if use.plan.name.ownerKind == OwnerKind.budget.rawValue, random.chance(60) {
      opening.carried = amount(1...use.plan.limit)
    }
    return opening
  }

  /// Notes that an attempt reserves.
  private mutating func reserve(_ open: OpenFetch, _ openings: [Opening]) {
    let pages = open.uses.map(\.page)
    model.ledger.open(pages, at: head)
    for (index, use) in open.uses.enumerated() {
      if !open.isFirst {
        model.ledger.grant(
          openings[index].granted, on: use.page, until: use.plan.end(at: time))
        model.ledger.carry(openings[index].carried, on: use.page)
      }
      model.ledger.reserve(
        open.key(of: use),
        LogModel.Hold(
          state: .reserved, amount: use.bound, isLimitOnly: use.isLimitOnly,
          payers: open.payers, operation: bytes(open.operation), since: time))
    }
    model.ledger.closeOld(like: pages)
  }

  /// One of the calls that have not ended. A newer version may end what an older one began.
  private mutating func takeOpenFetch() -> OpenFetch? {
    guard !openFetches.isEmpty else { return nil }
    var open = openFetches.remove(at: random.int(0...openFetches.count - 1))
    if open.isFirst, formats == .mixed, random.chance(25) { open.isFirst = false }
    return open
  }
}

// MARK: Answers

extension EventGenerator {
  mutating func succeed() {
    guard let open = takeOpenFetch() else { return }
    let found = open.wanted.map { _ in random.chance(85) }
    let isHandedOn = open.wanted.map { _ in !open.isFirst && random.chance(8) }
    var event = FetchSucceeded()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.found = UInt32(found.count { $0 })
    event.absent = UInt32(found.count { !$0 })
    event.durationMs = UInt32(random.int(20...3_000))
    event.receivedBytes = UInt64(random.int(100...60_000))
    if !open.isFirst {
      event.operation = open.operation
      event.payers = payers(open.payers).enumerated().map { number, payer in
        var payer = payer
        let written = zip(open.wanted, isHandedOn).count { $0.payer == number && !$1 }
        payer.weight = Int64(written)
        return payer
      }
      event.handedOn = zip(open.wanted, isHandedOn).filter(\.1).map { wanted, _ in
        var handedOn = HandedOn()
        handedOn.resource = wanted.resource
        handedOn.reason = random.pick([.incomplete, .unasked])
        return handedOn
      }
    }
    emit(.fetchSucceeded(event))
    model.count(.fetchesSucceeded, 1, at: time)
    model.count(.resourcesFound, Int64(event.found), at: time)
    model.count(.resourcesAbsent, Int64(event.absent), at: time)
    model.count(.bytesReceived, Int64(event.receivedBytes), at: time)

    let ends = ends(of: open, isAnswered: true)
    let costs = ends.filter { $0.isCharged && !$0.use.isLimitOnly }
    let shares = costs.map { allot($0.charged, over: open.wanted.map(\.weight)) }
    var written: [Position] = []
    for (index, wanted) in open.wanted.enumerated() {
      if isHandedOn[index] {
        written.append(0)
        continue
      }
      let amounts = zip(costs, shares).map { Amount($1[index], text($0.use.unit)) }
      written.append(write(wanted.resource, of: open, isPresent: found[index], amounts))
    }
    book(open, ends, shares: random.chance(85), written: written)
    if random.chance(40), let use = open.uses.first(where: { $0.plan.isReadable }) {
      observe(use.plan, fetch: open.fetch)
    }
  }

  private mutating func write(
    _ resource: String, of open: OpenFetch, isPresent: Bool, _ amounts: [Amount]
  ) -> Position {
    let fetched = time.advanced(byMilliseconds: -random.int64(0...2_000))
    let fresh = fetched.advanced(byMilliseconds: random.int64(1...180) * 60_000)
    let grace = fresh.advanced(byMilliseconds: random.int64(0...60) * 60_000)
    let errorGrace = grace.advanced(byMilliseconds: random.int64(0...60) * 60_000)
    let keep = fresh.advanced(byMilliseconds: random.int64(0...400) * 60_000)
    // Few different contents, so that a body is bought twice.
    let content = Array("{\"name\":\"\(resource)\",\"n\":\(random.int(0...2))}".utf8)
    let body = isPresent ? Body(content) : nil
    if let body { step.bodies.append(body) }
    let key = LogModel.EntryKey(resource: bytes(resource), contentSet: open.contentSet)
    var event = CacheWritten()
    event.resource = resource
    event.contentSet = open.contentSet
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
    event.summary = Data(random.bytes(random.int(0...24)))
    if open.isFirst {
      event.tokens = amounts.count(of: Amount.firstUnit)
    } else {
      event.costs = amounts.map { Cost($0) }
      event.summaryForm = random.pick([.public, .none, .sealed])
      event.replaced = model.superseded(by: key).compactMap { model.entries[$0]?.written }.sorted()
    }
    let written = emit(.cacheWritten(event))
    let noCost = [bytes(Amount.firstUnit): 0 as Int64]
    model.write(
      key,
      LogModel.Entry(
        isPresent: isPresent, written: written, fetched: fetched, freshUntil: fresh,
        graceUntil: grace, errorGraceUntil: errorGrace, keepUntil: keep,
        upstreamUpdated: event.upstreamUpdatedMs == 0
          ? nil : Timestamp(milliseconds: event.upstreamUpdatedMs),
        amounts: amounts.isEmpty ? noCost : LogModel.byUnit(amounts),
        bodyBytes: Int64(event.bodyBytes), digest: body?.digest ?? [],
        summary: Array(event.summary), summaryForm: event.summaryForm), at: time)
    return written
  }

  mutating func fail() {
    guard var open = takeOpenFetch() else { return }
    book(open, ends(of: open, isAnswered: false), shares: random.chance(50))
    if random.chance(30), let use = open.uses.first(where: { $0.plan.isReadable }) {
      observe(use.plan, fetch: open.fetch)
    }
    var event = FetchAttemptFailed()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.reason = random.pick([.notSent, .timedOut, .connectionLost, .unreadable, .upstreamError])
    event.status = random.pick([0, 500, 503])
    event.detail = "made up"
    guard random.chance(60) else {
      emit(.fetchAttemptFailed(event))
      model.count(.attemptsFailed, 1, at: time)
      giveUp(open, event.reason)
      return
    }
    retry(&open, &event)
    model.count(.attemptsFailed, 1, at: time)
    openFetches.append(open)
  }

  /// Reserves for the next attempt, in the windows of now.
  private mutating func retry(_ open: inout OpenFetch, _ event: inout FetchAttemptFailed) {
    open.attempt += 1
    for index in open.uses.indices { open.uses[index].page = open.uses[index].plan.page(at: time) }
    event.nextAttempt = open.attempt
    event.credential = open.credential
    event.operation = open.operation
    var openings: [Opening] = []
    if open.isFirst {
      event.nextBound = open.uses[0].bound
      event.unit = text(open.uses[0].unit)
      event.account = text(open.payers[0].account)
    } else {
      openings = open.uses.map { opening(of: $0) }
      event.moves = zip(open.uses, openings).map { move($0, amount: $0.bound, $1) }
      event.payers = payers(open.payers)
    }
    emit(.fetchAttemptFailed(event))
    reserve(open, openings)
  }

  mutating func giveUp(_ open: OpenFetch, _ reason: FailureReason) {
    var event = FetchFailed()
    event.fetch = open.fetch
    event.attempts = open.attempt
    event.reason = reason
    emit(.fetchFailed(event))
    model.count(.fetchesFailed, 1, at: time)
  }
}

// MARK: As events have it

extension EventGenerator {
  func name(_ meter: LogModel.MeterName) -> MeterName {
    var name = MeterName()
    name.ownerKind = OwnerKind(rawValue: meter.ownerKind) ?? .quotaGroup
    name.owner = text(meter.owner)
    name.dimensions = meter.dimensions.map {
      var dimension = Dimension()
      dimension.name = text($0[0])
      dimension.value = text($0[1])
      return dimension
    }
    name.unit = text(meter.unit)
    return name
  }

  func move(_ use: Use, amount: Int64, _ opening: Opening = Opening()) -> Move {
    var move = Move()
    move.meter = name(use.page.meter)
    move.window = text(use.page.window)
    move.amount = amount
    move.limitOnly = use.isLimitOnly
    move.granted = opening.granted
    move.carried = opening.carried
    move.expected = use.expected
    if let end = use.plan.end(at: time), use.page == use.plan.page(at: time) {
      move.windowEndsMs = end.milliseconds
    }
    return move
  }

  func payers(_ payers: [LogModel.Payer]) -> [Payer] {
    payers.map {
      Payer(
        account: text($0.account), tags: $0.tags.map { text($0) }, kind: text($0.kind),
        weight: $0.weight)
    }
  }
}
