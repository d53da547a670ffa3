import Keepa
import TollbookEvents
import TollbookUpstreams

@testable import TollbookGateway
@testable import TollbookViews

/// Books kept on paper: a meter, its holds and the model bucket, without a log. Each method appends what the gateway's
/// deciders append, and checks after every event that nothing is left over.
struct Paper {
  struct Open {
    var fetch: Position
    var bound: Int64
    var cost: Int64
    var question: BalanceReconciliation.Question

    var asked: Timestamp { question.asked }
  }

  var now = Timestamp(milliseconds: 1_795_248_000_000)
  var bucket: ModelBucket
  var meter = Meter()
  var holds: [Hold] = []
  /// Everything that happened.
  var events: [Event] = []
  /// What the upstream has charged to our calls.
  var charged: Int64 = 0
  var foreign: Int64 = 0
  /// The worst residual that any prefix showed.
  var worstResidual: Int64 = 0
  private var position: Position = 0

  init(rate: Int64 = 20, balance: Int64 = 600) {
    bucket = ModelBucket(rate: rate, balance: balance, at: now.milliseconds)
    observe()
  }

  mutating func append(_ event: Event) {
    position += 1
    events.append(event)
    meter.apply(event, to: World.key)
    worstResidual = max(worstResidual, abs(meter.residual))
  }

  mutating func wait(_ milliseconds: Int64) {
    now = now.advanced(byMilliseconds: milliseconds)
    bucket.advance(to: now.milliseconds)
  }

  func hold(_ fetch: Position) -> Hold? { holds.first { $0.fetch == fetch } }

  var doubts: [Hold] { holds.filter { $0.state == .inDoubt } }

  // MARK: A call

  mutating func begin(bound: Int64, cost: Int64) -> Open {
    var event = FetchStarted()
    event.moves = [Move(World.key, bound)]
    append(.fetchStarted(event))
    holds.append(
      Hold(
        fetch: position, attempt: 1, state: .reserved, amount: bound, meter: World.key,
        isLimitOnly: false, payers: [Payer(account: "a")], operation: "o", since: now))
    return Open(fetch: position, bound: bound, cost: cost, question: question)
  }

  /// The upstream does the work.
  mutating func work(_ call: Open) {
    bucket.charge(call.cost, at: now.milliseconds)
    charged += call.cost
  }

  mutating func answered(_ call: Open, reading: UpstreamReading?) {
    let settled = meter[.settled]
    var event = TokensCharged()
    event.fetch = call.fetch
    event.moves = [Move(World.key, call.cost, reserved: call.bound)]
    append(.tokensCharged(event))
    holds.removeAll { $0.fetch == call.fetch }
    if let reading { observe(reading, to: call.question, settledBefore: settled) }
  }

  mutating func released(_ call: Open) {
    var event = ReservationReleased()
    event.moves = [Move(World.key, call.bound)]
    append(.reservationReleased(event))
    holds.removeAll { $0.fetch == call.fetch }
  }

  mutating func doubted(_ call: Open) {
    var event = ChargeInDoubt()
    event.fetch = call.fetch
    event.moves = [Move(World.key, call.bound)]
    event.sentMs = now.milliseconds
    append(.chargeInDoubt(event))
    if let index = holds.firstIndex(where: { $0.fetch == call.fetch }) {
      holds[index].state = .inDoubt
    }
  }

  // MARK: The upstream

  mutating func spendElsewhere(_ tokens: Int64) {
    bucket.charge(tokens, at: now.milliseconds)
    foreign += tokens
  }

  /// What the upstream says now, by a clock that may be wrong.
  mutating func reading(skew: Int64 = 0, reduction: Int64 = 0) -> UpstreamReading {
    bucket.advance(to: now.milliseconds)
    return UpstreamReading(
      balance: bucket.balance, upstreamMilliseconds: now.milliseconds + skew,
      nextRefillMilliseconds: bucket.nextTick + skew, refillRate: bucket.rate,
      flowReductionThousandths: reduction)
  }

  /// A question that is begun now.
  var question: BalanceReconciliation.Question { .init(asked: now, meter: meter) }

  @discardableResult
  mutating func observe() -> [Event] { observe(reading(), to: question) }

  @discardableResult
  mutating func observe(
    _ reading: UpstreamReading, to question: BalanceReconciliation.Question,
    settledBefore: Int64? = nil
  ) -> [Event] {
    var reconciliation = BalanceReconciliation(
      of: World.key, meter: meter, settledBefore: settledBefore ?? meter[.settled],
      reading: reading, question: question, observed: now, bucket: KeepaUpstream.bucket())
    let events = reconciliation.events(doubts: doubts, windows: [])
    for event in events {
      append(event)
      guard case .chargeResolved(let event) = event else { continue }
      for doubt in event.doubts { close(doubt) }
    }
    return events
  }

  private mutating func close(_ doubt: ResolvedDoubt) {
    guard let index = holds.firstIndex(where: { $0.fetch == doubt.fetch }) else { return }
    if doubt.unprovable > 0 {
      holds[index].state = .unprovable
      holds[index].amount = doubt.unprovable
    } else {
      holds.remove(at: index)
    }
  }
}

extension [Event] {
  var observation: BalanceObserved? {
    for case .balanceObserved(let event) in self { return event }
    return nil
  }

  var resolution: ChargeResolved? {
    for case .chargeResolved(let event) in self { return event }
    return nil
  }
}
