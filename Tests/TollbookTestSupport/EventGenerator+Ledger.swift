import TollbookEvents
import TollbookViews

extension EventGenerator {
  /// What becomes of what an attempt reserved on one page.
  struct End: Sendable {
    var use: Use
    var isCharged = false
    var charged: Int64 = 0
    /// So much of the reservation ends with the charge.
    var reserved: Int64 = 0
    var released: Int64?
    var doubted: Int64?

    static func charged(_ amount: Int64, _ use: Use) -> End {
      End(use: use, isCharged: true, charged: amount, reserved: use.bound)
    }

    /// The upstream told at least so much; the rest is in doubt.
    static func charged(atLeast amount: Int64, _ use: Use) -> End {
      End(
        use: use, isCharged: true, charged: amount, reserved: amount,
        doubted: use.bound - amount)
    }

    static func released(_ use: Use) -> End { End(use: use, released: use.bound) }

    static func doubted(_ use: Use) -> End { End(use: use, doubted: use.bound) }
  }

  /// How an attempt ends: mostly on all pages in the same way.
  mutating func ends(of open: OpenFetch, isAnswered: Bool) -> [End] {
    let roll = random.int(0...99)
    if roll < (isAnswered ? 70 : 30) { return charges(of: open) }
    if roll < (isAnswered ? 75 : 55) { return open.uses.map { .released($0) } }
    if roll < (isAnswered ? 82 : 80) { return open.uses.map { .doubted($0) } }
    guard !open.isFirst else { return charges(of: open) }
    return open.uses.map { use in
      switch random.int(0...3) {
      case 0: .charged(charge(of: use), use)
      case 1 where use.bound > 1: .charged(atLeast: random.int64(1...use.bound - 1), use)
      case 2: .released(use)
      default: .doubted(use)
      }
    }
  }

  /// What only limits a cost is charged what the cost is.
  private mutating func charges(of open: OpenFetch) -> [End] {
    var ends: [End] = []
    for use in open.uses {
      let cost = ends.first { use.isLimitOnly && $0.use.unit == use.unit }
      ends.append(.charged(cost?.charged ?? charge(of: use), use))
    }
    return ends
  }

  /// Sometimes the upstream charges above the bound.
  private mutating func charge(of use: Use) -> Int64 {
    let (most, isTooLarge) = use.bound.addingReportingOverflow(3)
    return random.int64(0...(isTooLarge ? .max : most))
  }

  /// Books how an attempt ended, in an event for each kind of end.
  ///
  /// - Parameters:
  ///   - shares: whether a charge tells what of it is whose resource's.
  ///   - written: of each resource the position of its entry, where the call brought any.
  mutating func book(
    _ open: OpenFetch, _ ends: [End], shares: Bool, written: [Position] = []
  ) {
    let charged = ends.filter(\.isCharged)
    let released = ends.filter { $0.released != nil }
    let doubted = ends.filter { $0.doubted != nil }
    let isReleasedFirst = random.chance(50)
    if isReleasedFirst, !released.isEmpty { release(open, released) }
    if !charged.isEmpty { charge(open, charged, shares: shares, written) }
    if !doubted.isEmpty { doubt(open, doubted) }
    if !isReleasedFirst, !released.isEmpty { release(open, released) }
  }

  private mutating func release(_ open: OpenFetch, _ ends: [End]) {
    var event = ReservationReleased()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.credential = open.credential
    if open.isFirst {
      event.unit = text(ends[0].use.unit)
      event.tokens = ends[0].released ?? 0
    } else {
      event.moves = ends.map { move($0.use, amount: $0.released ?? 0) }
    }
    emit(.reservationReleased(event))
    book(on: ends) { model, end in
      model.ledger.end(end.released ?? 0, of: open.key(of: end.use))
    }
    count(.amountsReleased, ends) { $0.released ?? 0 }
  }

  private mutating func charge(
    _ open: OpenFetch, _ ends: [End], shares isSharing: Bool, _ written: [Position]
  ) {
    var event = TokensCharged()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.credential = open.credential
    event.operation = open.operation
    event.windows = spendWindows()
    let costs = ends.filter { !$0.use.isLimitOnly }
    let shares = costs.map { allot($0.charged, over: open.wanted.map(\.weight)) }
    if isSharing {
      event.shares = open.wanted.indices.map { index in
        var share = Share()
        share.resource = open.wanted[index].resource
        guard !open.isFirst else {
          share.tokens = shares.first?[index] ?? 0
          return share
        }
        share.amounts = shares.map { $0[index] }
        share.payer = UInt32(open.wanted[index].payer)
        share.written = written.isEmpty ? 0 : written[index]
        share.use = written.isEmpty ? .failed : share.written == 0 ? .handedOn : someUse()
        return share
      }
    }
    if open.isFirst {
      event.unit = text(ends[0].use.unit)
      event.account = text(open.payers[0].account)
      event.tokens = ends[0].charged
      event.reserved = ends[0].reserved
      event.expected = ends[0].use.expected
    } else {
      event.moves = ends.map { end in
        var move = move(end.use, amount: end.charged)
        move.reserved = end.reserved
        move.basis = random.pick([.told, .price])
        return move
      }
      event.payers = payers(open.payers)
      if random.chance(20) {
        var count = UsageCount()
        count.name = "thoughts"
        count.count = random.int64(0...900)
        event.counts = [count]
      }
    }
    let position = emit(.tokensCharged(event))
    note(event, at: position, open, costs.first)
    book(on: ends) { model, end in
      model.ledger.end(end.reserved, of: open.key(of: end.use))
      var parts = allot(end.charged, over: open.payers.map(\.weight))
      if isSharing, let cost = costs.firstIndex(where: { $0.use.page == end.use.page }) {
        parts = parts.indices.map { payer in
          zip(open.wanted, shares[cost]).filter { $0.0.payer == payer }.reduce(0) { $0 + $1.1 }
        }
      }
      if !end.use.isLimitOnly { model.charge(open.payers, parts, of: end.use.unit) }
      model.ledger.charge(
        LogModel.Charge(
          amount: end.charged, isLimitOnly: end.use.isLimitOnly,
          operation: Array(open.operation.utf8), parts: byAccount(open.payers, parts),
          windows: event.windows), on: end.use.page)
    }
    count(.amountsCharged, ends) { $0.charged }
    count(.amountsExpected, ends) { $0.use.expected }
  }

  private mutating func someUse() -> TollbookEvents.Use {
    random.pick([.served, .served, .refreshed, .duplicate, .unchanged])
  }

  private mutating func doubt(_ open: OpenFetch, _ ends: [End]) {
    let sent = time.advanced(byMilliseconds: -random.int64(0...30_000))
    var event = ChargeInDoubt()
    event.fetch = open.fetch
    event.attempt = open.attempt
    event.credential = open.credential
    event.sentMs = sent.milliseconds
    if open.isFirst {
      event.unit = text(ends[0].use.unit)
      event.tokens = ends[0].doubted ?? 0
    } else {
      event.moves = ends.map { move($0.use, amount: $0.doubted ?? 0) }
      event.payers = payers(open.payers)
      event.operation = open.operation
    }
    emit(.chargeInDoubt(event))
    book(on: ends) { [time] model, end in
      let key = open.key(of: end.use)
      // Format 1 does not tell since when it is doubtful.
      let since = open.isFirst ? model.ledger.hold(key)?.since : time
      model.ledger.doubt(key, at: since ?? time, sent: sent)
    }
    count(.amountsInDoubt, ends) { $0.doubted ?? 0 }
  }

  /// Books what the last event says of some pages.
  private mutating func book(on ends: [End], _ body: (inout LogModel, End) -> Void) {
    let pages = ends.map(\.use.page)
    model.ledger.open(pages, at: head)
    for end in ends { body(&model, end) }
    model.ledger.closeOld(like: pages)
  }

  private mutating func count(
    _ series: MetricSeries, _ ends: [End], _ amount: (End) -> Int64
  ) {
    for end in ends where !end.use.isLimitOnly {
      model.count(series, amount(end), of: end.use.unit, at: time)
    }
  }

  mutating func spendWindows() -> [String] {
    let day = time.day
    return ["day \(day)"] + (random.chance(30) ? ["month \(day.prefix(7))"] : [])
  }
}

/// Parts of payers by their accounts.
func byAccount(_ payers: [LogModel.Payer], _ parts: [Int64]) -> [[UInt8]: Int64] {
  Dictionary(zip(payers.map(\.account), parts), uniquingKeysWith: &+)
}

// MARK: Doubts

extension EventGenerator {
  /// Holds of a state, in an order that does not depend on how a dictionary is laid out.
  private func holds(
    _ isWanted: (LogModel.HoldKey, LogModel.Hold) -> Bool
  ) -> [LogModel.HoldKey] {
    model.ledger.holds.filter { isWanted($0.key, $0.value) }.keys.sorted {
      ($0.fetch, $0.attempt) == ($1.fetch, $1.attempt)
        ? $0.page.order.lexicographicallyPrecedes($1.page.order)
        : ($0.fetch, $0.attempt) < ($1.fetch, $1.attempt)
    }
  }

  /// Closes all doubts of a meter, in whichever windows, as a reading does.
  mutating func resolve() {
    let doubtful = holds { $1.state == .inDoubt }
    guard !doubtful.isEmpty else { return }
    let meter = random.pick(doubtful).page.meter
    let evidence = random.pick([Evidence.reading, .bucketFull, .unexplained])
    close(doubtful.filter { $0.page.meter == meter }, evidence: evidence) { amount, random in
      guard evidence == .reading else { return (0, amount) }
      return (random.int64(0...amount), 0)
    }
  }

  /// Closes one doubt or one unprovable hold, or a part of it.
  mutating func resolveByHand() {
    let keys = holds { $1.state != .reserved }
    guard !keys.isEmpty else { return }
    close([random.pick(keys)], evidence: .operator) { amount, random in
      let settled = random.int64(0...amount)
      return (settled, random.chance(30) ? random.int64(0...amount - settled) : 0)
    }
  }

  /// Closes holds of one meter.
  private mutating func close(
    _ keys: [LogModel.HoldKey], evidence: Evidence,
    _ decide: (_ amount: Int64, inout SeededGenerator) -> (settled: Int64, unprovable: Int64)
  ) {
    let meter = keys[0].page.meter
    let isFirst = keys.allSatisfy { isOfFirstFormat($0) } && choosesFirstFormat()
    var event = ChargeResolved()
    event.evidence = evidence
    event.windows = spendWindows()
    if isFirst {
      event.credential = text(meter.owner)
      event.unit = text(meter.unit)
    } else {
      event.meter = name(meter)
      if evidence == .operator { event.actor = "somebody" }
    }
    var closed: [(key: LogModel.HoldKey, hold: LogModel.Hold, doubt: ResolvedDoubt)] = []
    for key in keys {
      guard let hold = model.ledger.hold(key) else { continue }
      let (settled, unprovable) = decide(hold.amount, &random)
      var doubt = ResolvedDoubt()
      doubt.fetch = key.fetch
      doubt.attempt = key.attempt
      doubt.operation = text(hold.operation)
      doubt.tokens = hold.amount
      doubt.settled = settled
      doubt.unprovable = unprovable
      doubt.released = hold.amount - settled - unprovable
      doubt.wasUnprovable = hold.state == .unprovable
      if isFirst {
        doubt.account = text(hold.payers[0].account)
      } else {
        doubt.payers = payers(hold.payers)
        doubt.window = text(key.page.window)
        doubt.sinceMs = hold.doubted?.milliseconds ?? 0
        doubt.limitOnly = hold.isLimitOnly
      }
      event.doubts.append(doubt)
      event.difference &+= settled
      closed.append((key, hold, doubt))
    }
    emit(.chargeResolved(event))
    let pages = closed.map(\.key.page)
    model.ledger.open(pages, at: head)
    for (key, hold, doubt) in closed { note(doubt, of: key, hold, event.windows) }
    model.ledger.noteClosed(pages)
    model.ledger.closeOld(like: pages)
  }

  /// Whether format 1 has the words for it: the meter of a credential, one account that pays.
  private func isOfFirstFormat(_ key: LogModel.HoldKey) -> Bool {
    guard let hold = model.ledger.hold(key), hold.payers.count == 1, !hold.isLimitOnly,
      hold.payers[0].job == nil
    else { return false }
    return key.page.window.isEmpty && key.page.meter.dimensions.isEmpty
      && key.page.meter.ownerKind == OwnerKind.quotaGroup.rawValue
  }

  private mutating func note(
    _ doubt: ResolvedDoubt, of key: LogModel.HoldKey, _ hold: LogModel.Hold, _ windows: [String]
  ) {
    if doubt.settled > 0 {
      let parts = allot(doubt.settled, over: hold.payers.map(\.weight))
      model.ledger.charge(
        LogModel.Charge(
          amount: doubt.settled, isLimitOnly: hold.isLimitOnly, operation: hold.operation,
          parts: byAccount(hold.payers, parts), windows: windows), on: key.page)
      if !hold.isLimitOnly {
        model.charge(hold.payers, parts, of: key.page.meter.unit)
        model.count(.amountsCharged, doubt.settled, of: key.page.meter.unit, at: time)
      }
    }
    if doubt.wasUnprovable { model.ledger.post(unexplained: doubt.released, on: key.page) }
    if doubt.unprovable > 0 {
      model.ledger.keepUnprovable(doubt.unprovable, of: key)
    } else {
      model.ledger.end(hold.amount, of: key)
    }
  }
}

// MARK: Readings and refusals

extension EventGenerator {
  mutating func observeSomeBalance() {
    observeBalance(
      random.pick(Self.plans.filter { $0.isReadable && $0.windows == .none }), fetch: 0)
  }

  mutating func observeSomeWindow() {
    guard formats != .first else { return }
    observeWindow(random.pick(Self.plans.filter { $0.isReadable && $0.windows != .none }), fetch: 0)
  }

  /// The upstream tells what is left, or how much of a window is used.
  mutating func observe(_ plan: MeterPlan, fetch: Position) {
    if plan.windows == .none {
      observeBalance(plan, fetch: fetch)
    } else {
      observeWindow(plan, fetch: fetch)
    }
  }

  mutating func observeBalance(_ plan: MeterPlan, fetch: Position) {
    let page = plan.page(at: time)
    let isFirst = plan.name.dimensions.isEmpty && choosesFirstFormat()
    guard isFirst || formats != .first else { return }
    var event = BalanceObserved()
    if isFirst {
      event.credential = text(plan.name.owner)
      event.unit = text(plan.name.unit)
    } else {
      event.meter = name(plan.name)
    }
    event.reading.balance = amount(-20...300)
    event.reading.upstreamMs = time.milliseconds + random.int64(-500...500)
    event.reading.nextRefillMs = event.reading.upstreamMs + random.int64(1...60_200)
    event.reading.observedMs = time.milliseconds
    event.refillRate = random.pick([5, 20])
    event.flowReductionThousandths = random.pick([0, 0, 250])
    event.slack = random.int64(0...5)
    event.fetch = fetch
    if let last = model.ledger.pages[page]?.reading {
      event.previous.balance = last.balance
      event.previous.upstreamMs = last.upstream.milliseconds
      event.previous.nextRefillMs = last.nextRefill.milliseconds
      event.previous.observedMs = last.observed.milliseconds
      event.ticks = UInt32(random.int(0...10))
      event.refill = Int64(event.ticks) * event.refillRate
      event.unexplained = random.chance(25) ? amount(-15...15) : 0
    }
    emit(.balanceObserved(event))
    model.ledger.open([page], at: head)
    model.ledger.grant(event.hasPrevious ? event.refill : event.reading.balance, on: page)
    model.ledger.post(unexplained: event.unexplained, on: page)
    model.ledger.read(
      page,
      LogModel.Reading(
        balance: event.reading.balance,
        upstream: Timestamp(milliseconds: event.reading.upstreamMs),
        nextRefill: Timestamp(milliseconds: event.reading.nextRefillMs),
        observed: time, refillRate: event.refillRate,
        flowReductionThousandths: event.flowReductionThousandths, slack: event.slack))
    model.count(.amountsUnexplained, event.unexplained, of: plan.name.unit, at: time)
  }

  private mutating func observeWindow(_ plan: MeterPlan, fetch: Position) {
    let page = plan.page(at: time)
    let isNew = model.ledger.pages[page] == nil
    var event = WindowObserved()
    event.meter = name(plan.name)
    event.window = text(page.window)
    event.used = amount(0...plan.limit + 5)
    if let last = model.ledger.pages[page]?.use { event.previousUsed = last.used }
    event.limit = random.chance(80) ? plan.limit : 0
    if random.chance(70) { event.windowEndsMs = plan.end(at: time)?.milliseconds ?? 0 }
    event.observedMs = time.milliseconds
    event.predictedLow = random.int64(0...plan.limit)
    event.predictedHigh = event.predictedLow + random.int64(0...9)
    event.granted = isNew ? plan.limit : random.chance(10) ? random.int64(-9...9) : 0
    event.unexplained = random.chance(40) ? amount(-15...15) : 0
    event.fetch = fetch
    emit(.windowObserved(event))
    model.ledger.open([page], at: head)
    model.ledger.grant(
      event.granted, on: page,
      until: event.windowEndsMs == 0 ? nil : Timestamp(milliseconds: event.windowEndsMs))
    model.ledger.post(unexplained: event.unexplained, on: page)
    model.ledger.read(
      page, LogModel.WindowReading(used: event.used, limit: event.limit, observed: time))
    model.ledger.closeOld(like: [page])
    model.count(.amountsUnexplained, event.unexplained, of: plan.name.unit, at: time)
  }

  mutating func refuse() {
    var event = SpendRefused()
    event.operation = random.pick(Self.operations)
    event.credential = random.pick(Self.credentials)
    event.resources = UInt32(random.int(1...50))
    if choosesFirstFormat() {
      event.account = random.pick(Self.accounts)
      event.unit = Amount.firstUnit
      event.wanted = random.int64(1...500)
      event.available = random.int64(-10...event.wanted)
      event.reason = random.pick([.insufficientTokens, .requestLimit, .storageReserve])
      event.retryMs = random.chance(50) ? time.milliseconds + 60_000 : 0
    } else {
      event.reason = random.pick([.insufficientTokens, .meter, .storageReserve])
      event.demand = demand(for: random.pick(Self.contentSets))
      event.wants = plans.shuffled(using: &random).prefix(random.int(1...3)).map { plan in
        var want = Want()
        want.meter = name(plan.name)
        want.window = text(plan.page(at: time).window)
        want.wanted = random.int64(1...500)
        want.available = random.int64(-10...want.wanted)
        want.retryMs = random.chance(50) ? time.milliseconds + 60_000 : 0
        return want
      }
      event.refusedBy = UInt32(random.int(0...event.wants.count - 1))
      event.payers = [
        Payer(
          account: event.demand.account, tags: event.demand.tags, kind: "keepa.product",
          weight: Int64(event.resources))
      ]
    }
    emit(.spendRefused(event))
    model.count(.refusals, 1, at: time)
    model.count(.resourcesRefused, Int64(event.resources), at: time)
  }
}
