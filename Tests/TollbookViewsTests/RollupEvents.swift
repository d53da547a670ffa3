import TollbookEvents
import TollbookTestSupport

/// Random events that mean something to the rollups, whether a gateway would write them in this order or not: many
/// refreshes, few entries, steps of time on both sides of how long reads are waited for, and now and then a clock that is
/// set ahead or back.
struct RollupEvents {
  private(set) var events: [RecordedEvent] = []
  private var random: SeededGenerator
  /// What the clock says; and the time of the commits, which never falls.
  private var wall = Timestamp.testStart
  private var time = Timestamp.testStart
  private var doubts: [Doubt] = []

  private struct Doubt {
    var fetch: Position
    var unit: String
    var since: Timestamp
    var amount: Int64
    var isUnprovable = false
  }

  // The same letters in two encodings: texts that are equal to Swift and not to the store.
  private static let names = ["acme", "caf\u{e9}", "cafe\u{301}"]
  private static let tags = [[], ["batch"], ["batch", "caf\u{e9}"], ["cafe\u{301}"]]
  private static let resources = [
    "shared/keepa.product/1/A", "shared/keepa.product/1/B", "shared/keepa.discovery/A", "A", "",
  ]
  private static let units = ["tokens", "requests", "EUR"]

  init(seed: UInt64, count: Int) {
    random = SeededGenerator(seed: seed)
    while events.count < count { step() }
  }

  private mutating func step() {
    let pause: ClosedRange<Int64> = random.chance(70) ? 0...2_500 : 0...1_800_000
    wall = wall.advanced(byMilliseconds: random.int64(pause))
    if random.chance(4) { wall = wall.advanced(byMilliseconds: random.clockJump()) }
    time = max(time, wall)
    switch random.int(0...21) {
    case 0: start()
    case 1: retry()
    case 2: keep()
    case 3..<6: write()
    case 6..<11: charge()
    case 11..<14: tally()
    case 14..<16: end()
    case 16: doubt()
    case 17, 18: close()
    case 19: random.chance(50) ? observe() : observeWindow()
    case 20: random.chance(70) ? correct() : bill()
    default: random.chance(70) ? refuse() : firstFormat()
    }
  }

  private mutating func emit(_ event: Event) {
    events.append(
      RecordedEvent(
        position: Position(events.count + 1), time: time, wall: wall, event: event))
  }

  private mutating func make<Message>(
    _ message: Message, _ fill: (inout Message, inout SeededGenerator) -> Void
  ) -> Message {
    var message = message
    fill(&message, &random)
    return message
  }

  /// A position that may be that of an entry.
  private mutating func somePosition() -> Position {
    guard random.chance(95) else { return 0 }
    let last = events.count
    return Position(random.int(max(1, last - 25)...max(1, last)))
  }

  private mutating func payers() -> [Payer] {
    (0..<random.int(1...3)).map { _ in
      Payer(
        account: random.pick(Self.names), tags: random.pick(Self.tags),
        kind: random.pick(["keepa.product", "keepa.discovery", ""]), weight: random.int64(0...3))
    }
  }

  private mutating func demand() -> Demand {
    make(Demand()) { demand, random in
      demand.account = random.pick(Self.names)
      demand.tags = random.pick(Self.tags)
      demand.refresh = random.pick([.none, .grace, .warm])
    }
  }

  private mutating func operation() -> String { random.pick(["keepa.product", "gemini.embed"]) }

  /// One to three meters of different units; what follows one of the same unit only limits.
  private mutating func moves() -> [Move] {
    var moves: [Move] = []
    for _ in 0..<random.int(1...4) {
      var move = Move()
      move.meter = MeterName(quotaGroup: "key", unit: random.pick(Self.units))
      move.limitOnly = moves.contains { $0.meter.unit == move.meter.unit }
      move.amount = random.int64(0...9)
      move.reserved = random.int64(0...9)
      move.expected = random.chance(60) ? move.amount : random.int64(0...9)
      moves.append(move)
    }
    return moves
  }
}

// MARK: Calls

extension RollupEvents {
  private mutating func start() {
    var event = FetchStarted()
    event.operation = operation()
    event.demands = (0..<random.int(1...2)).map { _ in demand() }
    event.resources = Array(Self.resources.shuffled(using: &random).prefix(random.int(0...4)))
    if event.demands.count > 1 {
      event.demandOf = event.resources.map { _ in UInt32(random.int(0...1)) }
    }
    event.weights = event.resources.map { _ in random.int64(0...3) }
    event.moves = moves()
    emit(.fetchStarted(event))
  }

  private mutating func retry() {
    var event = FetchAttemptFailed()
    event.operation = operation()
    event.nextAttempt = UInt32(random.int(0...2))
    if event.nextAttempt > 0 {
      event.moves = moves()
      event.payers = payers()
    }
    emit(.fetchAttemptFailed(event))
  }

  private mutating func keep() {
    var event = FetchSucceeded()
    event.operation = operation()
    event.payers = payers()
    emit(.fetchSucceeded(event))
  }

  private mutating func charge() {
    var event = TokensCharged()
    event.operation = operation()
    event.moves = moves()
    event.payers = payers()
    let told = event.moves.filter { !$0.limitOnly }
    if random.chance(90) {
      let weights = (0..<random.int(1...4)).map { _ in random.int64(0...3) }
      let parts = told.map { allot($0.amount, over: weights) }
      event.shares = weights.indices.map { index in
        var share = Share()
        share.resource = random.pick(Self.resources)
        share.amounts = parts.map { $0[index] }
        share.payer = UInt32(random.int(0...event.payers.count - 1))
        share.use = random.pick([
          .refreshed, .refreshed, .refreshed, .served, .duplicate, .unchanged, .failed, .handedOn,
          .unspecified,
        ])
        if share.use == .refreshed { share.written = somePosition() }
        return share
      }
    }
    emit(.tokensCharged(event))
  }

  private mutating func refuse() {
    var event = SpendRefused()
    event.operation = operation()
    event.demand = demand()
    event.payers = payers()
    emit(.spendRefused(event))
  }
}

// MARK: Cache

extension RollupEvents {
  private mutating func write() {
    var event = CacheWritten()
    event.costs = [Cost(Amount(random.int64(0...9), random.pick(Self.units)))]
    event.replaced = (0..<random.int(0...2)).map { _ in somePosition() }
    emit(.cacheWritten(event))
  }

  private mutating func end() {
    switch random.int(0...3) {
    case 0:
      let written = somePosition()
      emit(.cacheExpired(make(CacheExpired()) { event, _ in event.written = written }))
    case 1:
      let written = somePosition()
      emit(.cacheEvicted(make(CacheEvicted()) { event, _ in event.written = written }))
    case 2:
      let written = somePosition()
      emit(
        .cachePurged(
          make(CachePurged()) { event, random in
            event.written = written
            event.hard = random.chance(50)
          }))
    default:
      var event = EntriesSwept()
      event.entries = (0..<random.int(1...3)).map { _ in
        var entry = SweptEntry()
        entry.written = somePosition()
        entry.evicted = random.chance(30)
        return entry
      }
      emit(.entriesSwept(event))
    }
  }

  private mutating func tally() {
    var event = ReadsTallied()
    event.rows = (0..<random.int(1...3)).map { _ in
      var row = someTally()
      row.written = somePosition()
      row.fresh = UInt32(random.pick([0, 0, 2]))
      row.stale = UInt32(random.pick([0, 1]))
      row.joined = UInt32(random.pick([0, 0, 1]))
      row.booked = row.stale
      if random.chance(80) {
        row.costs = [Cost(Amount(random.int64(0...9), random.pick(Self.units)))]
      }
      return row
    }
    if random.chance(30) {
      var row = someTally()
      row.unmet = 3
      event.unmet = [row]
    }
    emit(.readsTallied(event))
  }

  private mutating func someTally() -> ReadTally {
    var row = ReadTally()
    row.resource = random.pick(Self.resources)
    row.account = random.pick(Self.names)
    row.tags = random.pick(Self.tags)
    row.operation = operation()
    return row
  }
}

// MARK: Doubts and readings

extension RollupEvents {
  private mutating func doubt() {
    var event = ChargeInDoubt()
    event.fetch = Position(events.count + 1)
    event.operation = operation()
    event.moves = moves()
    event.payers = payers()
    emit(.chargeInDoubt(event))
    for move in event.moves where !move.limitOnly {
      doubts.append(
        Doubt(fetch: event.fetch, unit: move.meter.unit, since: time, amount: move.amount))
    }
  }

  private mutating func close() {
    guard !doubts.isEmpty else { return }
    let open = doubts.remove(at: random.int(0...doubts.count - 1))
    var doubt = ResolvedDoubt()
    doubt.fetch = open.fetch
    doubt.tokens = open.amount
    doubt.settled = random.int64(0...open.amount)
    doubt.unprovable = random.chance(40) ? random.int64(0...open.amount - doubt.settled) : 0
    doubt.released = open.amount - doubt.settled - doubt.unprovable
    doubt.wasUnprovable = open.isUnprovable
    doubt.sinceMs = random.chance(90) ? open.since.milliseconds : 0
    doubt.operation = operation()
    doubt.payers = payers()
    var event = ChargeResolved()
    event.meter = MeterName(quotaGroup: "key", unit: open.unit)
    event.doubts = [doubt]
    emit(.chargeResolved(event))
    guard doubt.unprovable > 0 else { return }
    doubts.append(
      Doubt(
        fetch: open.fetch, unit: open.unit, since: open.since, amount: doubt.unprovable,
        isUnprovable: true))
  }

  private mutating func observe() {
    var event = BalanceObserved()
    event.meter = MeterName(quotaGroup: "key", unit: random.pick(Self.units))
    event.unexplained = random.chance(50) ? random.int64(-9...9) : 0
    event.restoreGap = random.chance(20)
    emit(.balanceObserved(event))
  }

  private mutating func observeWindow() {
    var event = WindowObserved()
    event.meter = MeterName(quotaGroup: "key", unit: random.pick(Self.units))
    event.unexplained = random.chance(50) ? random.int64(-9...9) : 0
    emit(.windowObserved(event))
  }

  private mutating func correct() {
    var event = ChargeCorrected()
    event.charge = somePosition()
    event.operation = operation()
    event.payers = payers()
    event.moves = moves()
    for index in event.moves.indices { event.moves[index].amount = random.int64(-9...9) }
    emit(.chargeCorrected(event))
  }

  private mutating func bill() {
    var event = InvoicePosted()
    event.meter = MeterName(quotaGroup: "key", unit: random.pick(Self.units))
    event.unexplained = random.int64(-9...9)
    emit(.invoicePosted(event))
  }

  /// Events of format 1, which are in no row, and starts of the service.
  private mutating func firstFormat() {
    switch random.int(0...6) {
    case 0: emit(.fetchStarted(make(FetchStarted()) { event, _ in event.bound = 5 }))
    case 1:
      emit(
        .tokensCharged(
          make(TokensCharged()) { event, _ in (event.account, event.tokens) = ("acme", 5) }))
    case 2: emit(.chargeInDoubt(make(ChargeInDoubt()) { event, _ in event.tokens = 5 }))
    case 3:
      var row = ReadTally()
      (row.account, row.fresh) = ("acme", 5)
      emit(.readsTallied(make(ReadsTallied()) { event, _ in event.rows = [row] }))
    case 4: emit(.balanceObserved(make(BalanceObserved()) { event, _ in event.unexplained = 5 }))
    case 5: emit(.spendRefused(make(SpendRefused()) { event, _ in event.resources = 5 }))
    default:
      emit(
        .serviceStarted(
          make(ServiceStarted()) { event, random in event.format = random.pick([0, 2]) }))
    }
  }
}
