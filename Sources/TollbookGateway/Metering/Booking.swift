import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension Move {
  /// A move on a page.
  init(_ page: MeterKey, _ amount: Int64, expected: Int64 = 0, reserved: Int64 = 0) {
    self.init()
    meter = page.name
    window = page.window
    self.amount = amount
    self.expected = expected
    self.reserved = reserved
  }

  /// The move that ends a reservation, or a part of it, on its page.
  init(ending reservation: Move, amount: Int64, reserved: Int64 = 0) {
    self.init()
    meter = reservation.meter
    window = reservation.window
    limitOnly = reservation.limitOnly
    self.amount = amount
    self.reserved = reserved
  }

  var page: MeterKey { MeterKey(meter, window: window) }
}

/// How an attempt ended, as far as its cost goes.
struct AttemptEnd {
  /// As the exchange told them.
  var charges: [MeterKey: MeterCharge]
  var counts: [UsageCount] = []
  /// What holds of meters of which the exchange says nothing.
  var others: Others
  /// What became of each need; empty: it brought nothing. Where it brought something, a cost of nothing is a charge too.
  var results: [Attempt.Result] = []

  enum Others {
    /// It was answered: they settle by price.
    case byPrice
    /// It may have been sent.
    case unknown
    case notSent
  }

  /// What it cost on the meter of one of the reservations.
  ///
  /// A meter that only limits a cost is charged what the meter of its unit is charged.
  func charge(on index: Int, of moves: [Move]) -> MeterCharge {
    let move = moves[index]
    if let known = charges[MeterKey(move.meter)] {
      // An answer shows that it was sent, whatever it says about its cost.
      if known == .notSent, !results.isEmpty { return .unknown() }
      return known.believable
    }
    if move.limitOnly {
      let leader = moves.firstIndex {
        !$0.limitOnly && $0.meter.unit.utf8.elementsEqual(move.meter.unit.utf8)
      }
      if let leader { return charge(on: leader, of: moves) }
    }
    switch others {
    case .byPrice: return .byPrice(move.expected)
    case .unknown: return .unknown()
    case .notSent: return .notSent
    }
  }
}

extension Attempt {
  /// The moves that end its reservations: what is charged, what is in doubt, and what is given back.
  func ends(
    _ end: AttemptEnd
  ) -> (charged: [Move], doubted: [Move], released: [Move]) {
    var ends: (charged: [Move], doubted: [Move], released: [Move]) = ([], [], [])
    func charge(_ index: Int, _ amount: Int64, of reserved: Int64, _ basis: Basis) {
      let reservation = moves[index]
      var move = Move(ending: reservation, amount: amount, reserved: reserved)
      let isEstimated = index < call.uses.count && call.uses[index].isEstimated
      move.expected = isEstimated ? min(amount, reservation.amount) : reservation.expected
      move.basis = basis
      ends.charged.append(move)
    }
    for (index, reservation) in moves.enumerated() {
      let held = reservation.amount
      switch part(of: end.charge(on: index, of: moves), on: index) {
      case .notSent: ends.released.append(Move(ending: reservation, amount: held))
      case .told(0) where end.results.isEmpty:
        ends.released.append(Move(ending: reservation, amount: held))
      case .told(let cost): charge(index, cost, of: held, .told)
      case .byPrice(let cost): charge(index, cost, of: held, .price)
      case .unknown(let least):
        let known = min(max(0, least), held)
        if known > 0 { charge(index, known, of: known, .told) }
        if known < held || known == 0 {
          ends.doubted.append(Move(ending: reservation, amount: held - known))
        }
      }
    }
    return ends
  }

  /// What of a cost a meter counts: of a budget the shares of those needs that it is about.
  private func part(of charge: MeterCharge, on index: Int) -> MeterCharge {
    guard index < call.uses.count, !call.uses[index].counted.isEmpty else { return charge }
    let counted = call.uses[index].counted
    func part(_ cost: Int64) -> Int64 {
      zip(divided(cost), counted).reduce(0) { $1.1 ? $0 &+ $1.0 : $0 }
    }
    return switch charge {
    case .notSent: .notSent
    case .told(let cost): .told(part(cost))
    case .byPrice(let cost): .byPrice(part(cost))
    case .unknown(let least): .unknown(atLeast: part(least))
    }
  }

  /// What it cost on each meter but those that only limit, as far as is known; where it is not known, the bound.
  func costs(_ end: AttemptEnd) -> [Amount] {
    moves.indices.filter { !moves[$0].limitOnly }.map { index in
      let cost: Int64 =
        switch end.charge(on: index, of: moves) {
        case .notSent: 0
        case .told(let cost), .byPrice(let cost): cost
        case .unknown: moves[index].amount
        }
      return Amount(cost, moves[index].meter.unit)
    }
  }

  /// What it cost without bringing anything, for each need, on the first meter.
  func lost(_ end: AttemptEnd) -> [LostCost] {
    guard !moves.isEmpty else { return call.needs.map { _ in LostCost() } }
    var charged: Int64 = 0
    var doubted: Int64 = 0
    switch end.charge(on: 0, of: moves) {
    case .notSent: break
    case .told(let cost), .byPrice(let cost): charged = cost
    case .unknown(let least):
      charged = min(max(0, least), bound)
      doubted = bound - charged
    }
    return zip(divided(charged), divided(doubted)).map { LostCost(charged: $0, inDoubt: $1) }
  }

  /// What it leaves of a demand's own limit: what is in doubt counts as spent. Less than nothing if it cost more than
  /// its bound.
  func left(_ end: AttemptEnd) -> Int64 {
    guard !moves.isEmpty else { return 0 }
    return switch end.charge(on: 0, of: moves) {
    case .notSent: bound
    case .told(let cost), .byPrice(let cost): bound - cost
    case .unknown: 0
    }
  }
}

/// Books kept while the events of one decision are put together: the pages as each event leaves them.
struct Booking {
  private(set) var events: [Event] = []
  private let meters: [UpstreamMeter]
  /// For what pages of budgets open with; nil: no page is opened.
  private let rollups: RollupView?
  private var pages: [(key: MeterKey, before: Meter, meter: Meter)] = []
  /// Of those events that have any, as far as they are on the pages.
  private var posted: [(event: Event, postings: [Posting])] = []
  /// Events that are not on the pages yet: often nobody looks at them any more.
  private var unposted: [Event] = []
  /// Where the pages of a rule's windows stand among the pages.
  private var looked:
    [(meter: MeterKey, rule: MeterRule, now: Timestamp, last: MeterWindow, places: [Int])] = []

  init(_ upstream: any Upstream, _ rollups: RollupView? = nil) {
    self.init(meters: upstream.meters, rollups)
  }

  /// - Parameter meters: those that readings may be of.
  init(meters: [UpstreamMeter], _ rollups: RollupView? = nil) {
    self.meters = meters
    self.rollups = rollups
  }

  mutating func append(_ event: Event) {
    events.append(event)
    if event.hasPostings { unposted.append(event) }
  }

  /// Brings the pages up to the events.
  private mutating func post() {
    for event in unposted {
      let postings = event.postings(at: 0)
      posted.append((event, postings))
      for index in pages.indices {
        pages[index].meter.apply(event, postings: postings, to: pages[index].key)
      }
    }
    unposted = []
  }

  /// A page as the events leave it.
  mutating func page(
    _ key: MeterKey, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> Meter {
    pages[try place(of: key, ledger, state)].meter
  }

  /// Where a page stands that is as the events leave it.
  private mutating func place(
    of key: MeterKey, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> Int {
    post()
    if let known = pages.firstIndex(where: { $0.key == key }) { return known }
    let before = try ledger.meter(key, in: state)
    var meter = before
    for (event, postings) in posted { meter.apply(event, postings: postings, to: key) }
    pages.append((key, before, meter))
    return pages.count - 1
  }

  /// The places of the pages of a meter's windows at an instant, the oldest first, and the window of that instant.
  private mutating func places(
    of use: MeterUse, at now: Timestamp, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> (places: [Int], last: MeterWindow) {
    post()
    let known = looked.first { $0.now == now && $0.meter == use.meter && $0.rule == use.rule }
    if let known { return (known.places, known.last) }
    let windows = use.rule.windows(at: now)
    var places: [Int] = []
    for window in windows {
      places.append(try place(of: use.meter.inWindow(window.name), ledger, state))
    }
    let last = windows.last ?? .none
    looked.append((use.meter, use.rule, now, last, places))
    return (places, last)
  }

  private func before(_ key: MeterKey) -> Meter {
    pages.first { $0.key == key }?.before ?? Meter()
  }

  private func definition(_ key: MeterKey) -> UpstreamMeter? { meters.first { $0.key == key } }

  /// How meters stand, as the events leave them.
  ///
  /// - Parameter elsewhere: what is taken of pages and is not in the books.
  mutating func standings(
    of uses: [MeterUse], _ elsewhere: [MeterKey: Int64] = [:], at now: Timestamp,
    _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> [MeterStanding] {
    var standings: [MeterStanding] = []
    for var use in uses {
      let (places, last) = try places(of: use, at: now, ledger, state)
      let meters = places.map { pages[$0].meter }
      if !elsewhere.isEmpty {
        for place in places {
          let taken = elsewhere[pages[place].key] ?? 0
          use.turning = use.turning.addingReportingOverflow(taken).partialValue
        }
      }
      var opening: Int64 = 0
      if let rollups, let budget = use.budget, meters.allSatisfy({ $0 == Meter() }) {
        opening = try budget.opening(
          of: use.meter, at: now, ledger, rollups, state, after: events)
      }
      standings.append(
        MeterStanding(use, at: now, last, meters, opening: opening))
    }
    return standings
  }

  /// What an attempt cost: charged, held in doubt or released, on each meter for itself, and in the window of its
  /// reservation, whatever the time is now.
  ///
  /// - Parameter ended: when it was over, by our clock. When it was really sent only the connection knows: not after that.
  mutating func end(
    _ attempt: Attempt, _ end: AttemptEnd, ended: Timestamp, _ ledger: LedgerView,
    _ state: borrowing LogReading
  ) throws(LogError) {
    for move in attempt.moves { _ = try page(move.page, ledger, state) }
    let moves = attempt.ends(end)
    if !moves.charged.isEmpty {
      let payers = attempt.payers
      var event = TokensCharged()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = attempt.credential
      event.operation = attempt.operation
      event.moves = moves.charged
      event.payers = payers
      event.shares = attempt.shares(
        of: moves.charged.filter { !$0.limitOnly }.map(\.amount), payers, end.results)
      event.windows = [dayWindow(ended)]
      event.counts = end.counts
      append(.tokensCharged(event))
    }
    if !moves.doubted.isEmpty {
      var event = ChargeInDoubt()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = attempt.credential
      event.operation = attempt.operation
      event.moves = moves.doubted
      event.payers = attempt.payers
      event.sentMs = ended.milliseconds
      event.counts = moves.charged.isEmpty ? end.counts : []
      append(.chargeInDoubt(event))
    }
    if !moves.released.isEmpty {
      var event = ReservationReleased()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = attempt.credential
      event.moves = moves.released
      append(.reservationReleased(event))
    }
  }

  /// Takes in what an answer says of meters.
  ///
  /// - Parameters:
  ///   - asked: when the call was begun.
  ///   - known: the pages as they stood then.
  mutating func observe(
    _ readings: [MeterReading], asked: Timestamp, known: [MeterKey: Meter],
    elsewhere: [MeterKey: Int64] = [:], at observed: Timestamp, fetch: Position,
    _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) {
    let windows = [dayWindow(observed)]
    for reading in readings {
      guard let meter = definition(reading.meter) else { continue }
      switch (reading.figure, meter.rule) {
      case (.balance(let told), .refillBucket(let bucket)):
        guard let told = told.believable else { continue }
        let key = meter.key
        let stands = try page(key, ledger, state)
        var reconciliation = BalanceReconciliation(
          of: key, meter: stands, settledBefore: before(key)[.settled], reading: told,
          question: .init(asked: asked, meter: known[key] ?? stands), observed: observed,
          fetch: fetch, bucket: bucket)
        let doubts = try openDoubts(key, ledger, state)
        try append(reconciliation.events(doubts: doubts, windows: windows), ledger, state)
      case (.usage(let told), let rule):
        guard let told = told.believable,
          let window = WindowReconciliation.window(of: rule, asked: asked, observed: observed)
        else { continue }
        let key = meter.key.inWindow(window.name)
        let stands = try page(key, ledger, state)
        var reconciliation = WindowReconciliation(
          of: key, meter: stands, rule: rule, usage: told,
          question: .init(asked: asked, meter: known[key] ?? stands), observed: observed,
          fetch: fetch, settledBefore: before(key)[.settled], turning: elsewhere[key] ?? 0)
        let doubts = try openDoubts(key, ledger, state)
        try append(reconciliation.events(doubts: doubts, windows: windows), ledger, state)
      default: continue
      }
    }
  }

  /// Closes the doubts on windows that are over, where the meter's rule says so.
  mutating func endDoubts(
    ofWindowsBefore now: Timestamp, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) {
    let doubts = try ledger.holds(in: state).filter { $0.state == .inDoubt }
    for (key, doubts) in Dictionary(grouping: doubts, by: \.meter).sorted(by: { $0.key < $1.key }) {
      guard let meter = definition(key.inWindow("")) else { continue }
      let event = meter.doubt.end(
        ofWindow: try page(key, ledger, state), doubts, at: now, windows: [dayWindow(now)])
      if let event { try append([.chargeResolved(event)], ledger, state) }
    }
  }

  /// Appends events, and behind each that closes doubts the end of those that follow them.
  private mutating func append(
    _ events: [Event], _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) {
    for event in events {
      append(event)
      guard case .chargeResolved(let resolution) = event else { continue }
      try endBudgetDoubts(following: resolution, ledger, state)
      for meter in meters {
        guard case .follows = meter.doubt else { continue }
        let doubts = try ledger.holds(in: state).filter {
          $0.state == .inDoubt && $0.meter.inWindow("") == meter.key
        }
        let ends = meter.doubt.end(
          following: resolution, doubts, windows: resolution.windows)
        for end in ends {
          append(.chargeResolved(end))
          try endBudgetDoubts(following: end, ledger, state)
        }
      }
    }
  }

  /// The doubts on budgets end as those on the meter that tells the cost.
  private mutating func endBudgetDoubts(
    following resolution: ChargeResolved, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) {
    let leader = MeterKey(resolution.meter)
    var doubts: [Hold] = []
    for doubt in resolution.doubts where !doubt.limitOnly {
      doubts += try ledger.holds(fetch: doubt.fetch, attempt: doubt.attempt, in: state).filter {
        $0.state == .inDoubt && $0.meter.ownerKind == .budget
          && $0.meter.unit.utf8.elementsEqual(leader.unit.utf8)
      }
    }
    let ends = DoubtRule.follows(leader).end(
      following: resolution, doubts, windows: resolution.windows)
    for end in ends { append(.chargeResolved(end)) }
  }

  /// The doubts on a page that a reading may settle. One that this very decision opens is too young, and keeps the others
  /// open.
  private func openDoubts(
    _ key: MeterKey, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> [Hold] {
    let isYoung = events.contains { event in
      guard case .chargeInDoubt(let doubt) = event else { return false }
      return doubt.moves.contains { $0.page == key }
    }
    guard let stands = pages.first(where: { $0.key == key })?.meter, stands[.inDoubt] > 0, !isYoung
    else { return [] }
    return try ledger.holds(in: state).filter { $0.state == .inDoubt && $0.meter == key }
  }

  /// Notes that the upstream takes or refuses a credential, if that is news.
  mutating func noteKey(
    _ id: String, _ status: CredentialStatus, detail: String = "", _ ledger: LedgerView,
    _ state: borrowing LogReading
  ) throws(LogError) {
    let known = try ledger.credential(id, in: state)
    guard known?.status != status || known?.detail != detail else { return }
    var event = CredentialStatusChanged()
    event.credential = id
    event.status = status
    event.detail = detail
    append(.credentialStatusChanged(event))
  }
}
