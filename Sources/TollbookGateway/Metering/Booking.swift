import LMDB
import TollbookEvents
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

  /// The move that ends a reservation, on its page.
  init(ending reservation: Move, amount: Int64, reserved: Int64 = 0) {
    self.init()
    meter = reservation.meter
    window = reservation.window
    limitOnly = reservation.limitOnly
    self.amount = amount
    self.reserved = reserved
  }
}

extension Attempt {
  /// What ends all that is reserved, as it was reserved.
  var ends: [Move] { moves.map { Move(ending: $0, amount: $0.amount) } }

  /// The moves of a charge.
  ///
  /// The upstream tells the cost on the first meter. One that only limits a cost is charged what is charged on the
  /// meter of its unit. On every other meter nobody tells a cost: it settles by the price list.
  func charges(ofFirst cost: Int64) -> [Move] {
    var amounts: [Amount] = []
    var charges: [Move] = []
    for (index, reservation) in moves.enumerated() where !reservation.limitOnly {
      amounts.add(index == 0 ? cost : reservation.expected, reservation.meter.unit)
    }
    for (index, reservation) in moves.enumerated() {
      let unit = reservation.meter.unit
      let limited =
        reservation.limitOnly ? amounts.first { $0.unit.utf8.elementsEqual(unit.utf8) } : nil
      let amount = limited?.count ?? (index == 0 ? cost : reservation.expected)
      var move = Move(ending: reservation, amount: amount, reserved: reservation.amount)
      move.expected = reservation.expected
      move.basis = index == 0 || reservation.limitOnly ? .told : .price
      charges.append(move)
    }
    return charges
  }
}

/// Books kept while the events of one decision are put together: the pages as each event leaves them.
struct Booking {
  private(set) var events: [Event] = []
  /// The page whose readings are taken in.
  private let key: MeterKey
  private let settledBefore: Int64
  private var pages: [(key: MeterKey, meter: Meter)] = []

  /// - Parameter moves: reservations that the decision may end; it changes their pages.
  init(
    _ key: MeterKey, _ moves: [Move], _ ledger: LedgerView,
    _ state: borrowing ReadTransaction
  ) throws(LMDBError) {
    self.key = key
    let first = try ledger.meter(key, in: state)
    settledBefore = first[.settled]
    pages = [(key, first)]
    for move in moves { _ = try page(MeterKey(move.meter, window: move.window), ledger, state) }
  }

  /// The page whose readings are taken in, as the events leave it.
  var meter: Meter { pages[0].meter }

  mutating func append(_ event: Event) {
    events.append(event)
    guard event.hasPostings else { return }
    for index in pages.indices { pages[index].meter.apply(event, to: pages[index].key) }
  }

  private mutating func page(
    _ key: MeterKey, _ ledger: LedgerView, _ state: borrowing ReadTransaction
  ) throws(LMDBError) -> Meter {
    if let known = pages.first(where: { $0.key == key }) { return known.meter }
    let meter = try ledger.meter(key, in: state)
    pages.append((key, meter))
    return meter
  }

  /// How meters stand, as the events leave them.
  mutating func standings(
    of uses: [MeterUse], at now: Timestamp, _ ledger: LedgerView,
    _ state: borrowing ReadTransaction
  ) throws(LMDBError) -> [MeterStanding] {
    var standings: [MeterStanding] = []
    for use in uses {
      let windows = use.rule.windows(at: now)
      var meters: [Meter] = []
      for window in windows {
        meters.append(try page(use.meter.inWindow(window.name), ledger, state))
      }
      standings.append(MeterStanding(use, at: now, windows.last ?? .none, meters))
    }
    return standings
  }

  /// What an attempt cost: charged if the upstream told it, in doubt if it was sent and nobody knows, else released. On
  /// each meter in the window of its reservation, whatever the time is now.
  ///
  /// - Parameters:
  ///   - results: what became of each item; empty: it brought nothing. Where it brought something a cost of nothing is
  ///     a charge too.
  ///   - ended: when it was over, by our clock. When it was really sent only the connection knows: not after that.
  mutating func end(
    _ attempt: Attempt, _ charge: UpstreamCharge, results: [Attempt.Result], ended: Timestamp,
    day: String
  ) {
    switch charge {
    case .known(let cost) where cost > 0 || !results.isEmpty:
      let payers = attempt.payers
      var event = TokensCharged()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = attempt.terms.meter.owner
      event.operation = attempt.terms.operation
      event.moves = attempt.charges(ofFirst: cost)
      event.payers = payers
      event.shares = attempt.shares(
        of: event.moves.filter { !$0.limitOnly }.map(\.amount), payers, results)
      event.windows = [day]
      append(.tokensCharged(event))
    case .none, .known:
      var event = ReservationReleased()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = attempt.terms.meter.owner
      event.moves = attempt.ends
      append(.reservationReleased(event))
    case .unknown:
      append(.chargeInDoubt(ChargeInDoubt(of: attempt, sent: ended)))
    }
  }

  /// Takes in a reading, if there is one.
  mutating func observe(
    _ reading: UpstreamReading?, to question: BalanceReconciliation.Question,
    at observed: Timestamp, fetch: Position, day: String, _ ledger: LedgerView,
    _ state: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard let reading = reading?.believable else { return }
    var reconciliation = BalanceReconciliation(
      of: key, meter: meter, settledBefore: settledBefore, reading: reading, question: question,
      observed: observed, fetch: fetch)
    let doubts = try openDoubts(ledger, state)
    for event in reconciliation.events(doubts: doubts, windows: [day]) { append(event) }
  }

  /// The doubts that a reading may settle. One that this very decision opens is too young, and keeps the others open.
  private func openDoubts(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction
  ) throws(LMDBError) -> [Hold] {
    guard meter[.inDoubt] > 0, !events.contains(where: { $0.kind == .chargeInDoubt }) else {
      return []
    }
    let key = key
    return try ledger.holds(in: state).filter { $0.state == .inDoubt && $0.meter == key }
  }

  /// Notes that the upstream takes or refuses the key, if that is news.
  mutating func noteKey(
    _ status: CredentialStatus, detail: String = "", _ ledger: LedgerView,
    _ state: borrowing ReadTransaction
  ) throws(LMDBError) {
    let known = try ledger.credential(key.owner, in: state)
    guard known?.status != status || known?.detail != detail else { return }
    var event = CredentialStatusChanged()
    event.credential = key.owner
    event.status = status
    event.detail = detail
    append(.credentialStatusChanged(event))
  }
}

extension ChargeInDoubt {
  init(of attempt: Attempt, sent: Timestamp) {
    self.init()
    fetch = attempt.fetch
    self.attempt = attempt.number
    credential = attempt.terms.meter.owner
    operation = attempt.terms.operation
    moves = attempt.ends
    payers = attempt.payers
    sentMs = sent.milliseconds
  }
}
