import DequeModule
import TollbookEvents
import TollbookUpstreams

/// What waits to be bought from one upstream, what is under way, and what is to be done next: a pure state machine. It is
/// told what happened, and answers with actions; it has no clock, no task and no chance of its own.
///
/// 1. At most one flight per resource and parts. A richer flight serves those who want less, one that is live those who
///    would take what is there.
/// 2. At most as many calls are out as there are slots. A call that waits for its retry, or for its booking, holds none.
/// 3. One batch is decided at a time, so that what is admitted first in the log was first in the queue.
/// 4. Free slots go round robin over demands, first over those of callers: what goes on in the background has one turn
///    in five while callers wait. One whose call is out comes after all of its sort who came meanwhile:
///    so a long demand keeps nobody waiting for more than a call, and no crowd keeps it waiting for ever.
///    A call takes needs of several demands if they want the same.
///    What the upstream itself has refused until an instant is not sent before.
/// 5. Every demand is answered by its deadline, whatever is under way. The queue has a bound.
/// 6. Who comes first may wait a moment for more who want the same, and never longer than half of its own time.
/// 7. What is bought ahead, with what is lost otherwise, is refused nobody: who joins it and gets nothing asks anew, and
///    whom it leaves too little waits for the refill that makes up for it.
/// 8. After `stop` nothing is sent; what was reserved and not sent is released.
struct PurchaseQueue: Sendable {
  typealias DemandID = Int
  typealias CallID = Int

  /// Both clocks at one instant.
  struct Clock: Hashable, Sendable {
    var wall: Timestamp
    /// In milliseconds.
    var monotonic: Int64
  }

  /// A need of a demand, by its place.
  struct Seat: Hashable, Sendable {
    var demand: DemandID
    var place: Int
  }

  /// What somebody sleeps for.
  enum Wake: Hashable, Sendable {
    case refill(DemandID)
    case retry(CallID)
    /// For more who want the same.
    case gather
  }

  enum Action: Sendable {
    /// Decide on the writer what of it is bought, then tell ``decided(_:at:)``.
    case decide(Batch)
    /// Send the attempt of a call, then tell ``succeeded(_:at:)``,
    /// ``failed(_:_:left:others:random:at:)`` or ``unsent(_:_:at:)``.
    case send(CallID)
    /// Book the answer, then tell ``booked(_:_:at:)``.
    case settle(CallID)
    /// Book a failure, and reserve another attempt if that is wanted, then tell ``booked(_:_:at:)``.
    case fail(CallID, RetryWish)
    /// Book that a reserved attempt is not sent, and why, then tell ``booked(_:_:at:)``.
    case giveUp(CallID, PurchaseProblem)
    /// Sleep, then tell ``woken(_:at:)``.
    case pause(Wake, milliseconds: Int64)
    /// Write a refusal down.
    case record(RefusalNote)
    case answer(DemandID, [Purchase])
  }

  /// Whether another attempt is wanted after one that failed.
  enum RetryWish: Hashable, Sendable {
    case none
    /// It is wanted, and the demand's own limit does not allow it.
    case beyondLimit
    /// After so many milliseconds.
    case after(Int64)
  }

  /// Needs that are decided together.
  struct Batch: Sendable {
    /// Who asks, as the decider needs it.
    struct Asker: Sendable {
      var demand: Demand
      var age = AgeLimit.windows
      /// What is left of its own limit.
      var limit: Int64?
    }

    var needs: [Need]
    var askers: [Asker]
    /// Of each need the number of its asker.
    var askerOf: [Int]
    var mostCalls: Int
    var isProbe: Bool
    /// Whether all of it is bought, or nothing: then as many calls as it takes, of which those wait for a slot that have
    /// none.
    var isWhole = false
    /// Whether it leaves alone what is kept for those who wait for an answer.
    var isBackground = false
    /// Whether it only spends what is lost otherwise.
    var isAhead = false
    /// Of each need the seat; of a preview none.
    var seats: [Seat]

    init(mostCalls: Int, isProbe: Bool) {
      needs = []
      askers = []
      askerOf = []
      self.mostCalls = mostCalls
      self.isProbe = isProbe
      seats = []
    }

    /// All of an order at once, to see what would be decided.
    init(previewing order: PurchaseOrder) {
      self.init(mostCalls: .max, isProbe: false)
      needs = order.needs
      isWhole = order.isWhole
      isBackground = order.isBackground
      askers = [
        Asker(demand: order.demand, age: order.age, limit: order.limit)
      ]
      askerOf = needs.map { _ in 0 }
    }
  }

  /// What was decided about a batch. Needs that are named nowhere wait for the next.
  enum Decided: Sendable {
    case decided(BatchDecision)
    /// Nothing could be decided.
    case failed(PurchaseProblem)

    /// Whether a call is to be sent.
    fileprivate var startsCalls: Bool {
      if case .decided(let decision) = self { !decision.started.isEmpty } else { false }
    }
  }

  /// How the booking of an attempt's end ended.
  enum Booked: Sendable {
    /// What became of each need of the call, in its order.
    ///
    /// - Parameter left: what the demand's own limit gets back of the attempt.
    case ended([Purchase.End], lost: [LostCost], left: Int64)
    /// Another attempt is reserved, to be sent after so many milliseconds.
    case retry(Attempt, pause: Int64, lost: [LostCost])
  }

  /// A refusal that is final for a demand.
  struct RefusalNote: Sendable {
    var demand: Demand
    var needs: [Need]
    var refusal: ReserveRefusal
  }

  struct Settings: Sendable {
    /// Calls out at once.
    var slots: Int
    /// The most needs that wait for their turn.
    var mostWaiting: Int
    var retries: RetryPolicy
    /// How long the first of those who want the same waits for more, in milliseconds.
    var gatherTime: Int64 = 0
    /// The most needs that one call takes.
    var callSize: @Sendable (_ operation: String, _ parts: UInt64) -> Int
    /// What must be bought before.
    var prerequisite: @Sendable (_ operation: String, Timestamp) -> Need?
    /// As people write the upstream.
    var title: String
  }

  /// Turns in a row that callers have while something in the background waits.
  static let turnsOfCallers = 4
  /// The longest sleep before a look whether a refill has come by a clock that somebody has set, in milliseconds.
  static let longestSleep: Int64 = 1_000
  /// So long after it was spent a refill has made up for what was bought ahead, in milliseconds: those in which it is
  /// spent, and two for clocks that differ.
  static let makingUp: Int64 = 8_000
  /// The longest time for which an upstream's own refusal is taken for its word, in milliseconds.
  static let longestCooling: Int64 = 300_000

  struct OpenDemand {
    let order: PurchaseOrder
    let began: Clock
    var purchases: [Purchase?]
    var open: Int
    /// Places of needs whose turn has not come, in request order.
    var queue: Deque<Int> = []
    /// Places that wait until their meters free.
    var refused: [Int: Refused] = [:]
    var isPausing = false
    var limitLeft: Int64?
    /// Whether a batch is being decided within the limit.
    var isLimitLent = false
    /// Failures whose retry asks the limit meanwhile.
    var deferred: [(call: CallID, delay: Int64)] = []
    /// What the operation that waits for it is; nil: somebody asked.
    var prerequisiteOf: String?

    /// How long until it is answered at the latest.
    func timeLeft(at now: Clock) -> Int64 { order.deadline - (now.monotonic - began.monotonic) }

    /// How long it may still wait for refills.
    func patienceLeft(at now: Clock) -> Int64 {
      order.patience - (now.monotonic - began.monotonic)
    }
  }

  /// Why a need waits.
  struct Refused {
    var problem: PurchaseProblem
    /// What is written down if it waits in vain; nil: the upstream itself said no.
    var refusal: ReserveRefusal?
    /// Whether the log tells of it, or will.
    var isBooked: Bool
  }

  struct Flight {
    enum Phase: Equatable {
      case queued, deciding
      case called(CallID)
    }

    let need: Need
    var owner: Seat
    var joined: [Seat] = []
    var phase = Phase.queued
    /// Whether it is bought ahead, so that nobody waited for it at first.
    var isAhead = false
    /// What those who wait were told before it has ended, and those who come are told at once.
    var told: PurchaseProblem?
  }

  struct Call {
    enum Phase: Equatable { case sending, booking, sleeping, ready }

    var attempt: Attempt
    /// The flight of each need.
    let flights: [Int]
    var phase = Phase.sending
    /// When its first attempt was sent, by the monotonic clock.
    let began: Int64
    var lost: [LostCost]
    /// Those whose needs it was drafted for.
    let demands: Set<DemandID>
    /// The demand whose own limit it counts on.
    let limited: DemandID?
    /// Whether its next attempt has been taken from that limit.
    var isRetryTaken = false
    /// Why its last attempt brought nothing.
    var failure: UpstreamFailure?
    /// Whether it can be sent with other credentials too: then none of them speaks for the upstream.
    var hasOthers = false
  }

  let settings: Settings
  var breaker = CircuitBreaker()
  var demands: [DemandID: OpenDemand] = [:]
  var flights: [Int: Flight] = [:]
  var flightOf: [Seat: Int] = [:]
  var byResource: [ResourceKey: [Int]] = [:]
  var calls: [CallID: Call] = [:]
  /// Calls whose retry waits for a slot.
  var ready: Deque<CallID> = []
  /// Demands with a queue, in the order of their turns.
  var turn: Deque<DemandID> = []
  /// Turns that callers have had in a row.
  var callersInARow = 0
  var deciding: Batch?
  var waiting = 0
  private(set) var isStopping = false
  /// Whether what waits is left to wait for more of its kind.
  private(set) var isGathering = false
  /// The upstream has said no until then, by the monotonic clock: nothing is sent that it would refuse.
  var cooling: (until: Int64, problem: PurchaseProblem)?
  /// When the next refill has made up for what was bought ahead, by the monotonic clock; nil: nothing was.
  var madeUp: Int64?
  /// Operations that wait for what they need before.
  var prerequisites: [String: DemandID] = [:]
  /// Operations whose prerequisite was just bought: it is not asked for once more.
  var granted: Set<String> = []
  private var next = 0

  init(_ settings: Settings) { self.settings = settings }

  /// Whether nobody waits and nothing is under way.
  var isIdle: Bool { demands.isEmpty && calls.isEmpty && deciding == nil }

  /// Calls that are out.
  var out: Int { calls.values.count { $0.phase == .sending } }

  var freeSlots: Int { settings.slots - out - (deciding?.mostCalls ?? 0) }

  mutating func number() -> Int {
    next += 1
    return next
  }
}

// MARK: What happens

extension PurchaseQueue {
  /// Somebody wants something.
  mutating func submit(_ order: PurchaseOrder, at now: Clock) -> (DemandID, [Action]) {
    var actions: [Action] = []
    let id = open(order, at: now)
    for place in order.needs.indices { claim(Seat(demand: id, place: place), &actions) }
    gather(order, &actions)
    dispatch(now, &actions)
    return (id, actions)
  }

  /// Lets a demand that leaves room in its call wait a moment for more of its kind, if nothing else waits.
  private mutating func gather(_ order: PurchaseOrder, _ actions: inout [Action]) {
    guard settings.gatherTime > 0, !isGathering, !isStopping, deciding == nil,
      let turn = turn.first,
      demands[turn]?.queue.count == waiting, let need = order.needs.first,
      waiting < settings.callSize(need.operation, need.parts)
    else { return }
    isGathering = true
    actions.append(.pause(.gather, milliseconds: min(settings.gatherTime, order.deadline / 2)))
  }

  mutating func open(_ order: PurchaseOrder, at now: Clock) -> DemandID {
    let id = number()
    var demand = OpenDemand(
      order: order, began: now,
      purchases: Array(repeating: nil, count: order.needs.count), open: order.needs.count)
    demand.limitLeft = order.limit
    demands[id] = demand
    return id
  }

  /// The writer has decided about the batch.
  mutating func decided(_ answer: Decided, at now: Clock) -> [Action] {
    var actions: [Action] = []
    guard let batch = deciding else { return [] }
    deciding = nil
    let flights = batch.seats.map { flightOf[$0] }
    switch answer {
    case .failed(let problem):
      for case let flight? in flights { end(flight, .failed(problem), &actions) }
    case .decided(let decision):
      var rest = Set(batch.seats.indices)
      for attempt in decision.started {
        rest.subtract(attempt.call.places)
        start(attempt, batch, flights, now, &actions)
      }
      for place in decision.found {
        rest.remove(place)
        if let flight = flights[place] { end(flight, .found, &actions) }
      }
      for place in decision.unplanned {
        rest.remove(place)
        let problem = PurchaseProblem(.requestRejected, "no call of \(settings.title) brings it")
        if let flight = flights[place] { end(flight, .failed(problem), &actions) }
      }
      for refused in decision.refused {
        rest.subtract(refused.places)
        refuse(refused, flights, now, &actions)
      }
      let isStuck = rest.count == batch.seats.count
      for place in rest.sorted() {
        guard let flight = flights[place] else { continue }
        if isStuck {
          end(flight, .failed(.undecided), &actions)
        } else {
          requeue(flight, &actions)
        }
      }
    }
    if batch.isProbe, !answer.startsCalls { breaker.cancelProbe(at: now.monotonic) }
    returnLimit(batch, &actions)
    dispatch(now, &actions)
    return actions
  }

  /// A call was answered, and the answer is to be booked.
  mutating func succeeded(_ id: CallID, at now: Clock) -> [Action] {
    guard let call = calls[id], call.phase == .sending else { return [] }
    calls[id]?.phase = .booking
    rejoin(call)
    breaker.succeed()
    var actions: [Action] = [.settle(id)]
    dispatch(now, &actions)
    return actions
  }

  /// A call got no answer that it was sent for.
  ///
  /// - Parameters:
  ///   - left: what the demand's own limit gets back of the attempt.
  ///   - others: how many other credentials it can be sent with.
  ///   - random: from 0 up to, not including, 1, for the pause before another attempt.
  mutating func failed(
    _ id: CallID, _ failure: UpstreamFailure, left: Int64, others: Int = 0, random: Double,
    at now: Clock
  ) -> [Action] {
    guard let call = calls[id], call.phase == .sending else { return [] }
    calls[id]?.phase = .booking
    calls[id]?.failure = failure
    calls[id]?.hasOthers = others > 0
    rejoin(call)
    giveBack(left, to: call.limited)
    if RetryPolicy.isFault(failure.reason) {
      breaker.fail(at: now.monotonic)
    } else {
      breaker.succeed()
    }
    var actions: [Action] = []
    var delay: Int64?
    if isStopping || breaker.isOpen {
      delay = nil
    } else if RetryPolicy.isWorthRetrying(failure) {
      delay = settings.retries.delay(
        after: call.attempt.number, elapsed: now.monotonic - call.began,
        left: timeLeft(for: call, at: now), random: random)
    } else if RetryPolicy.isOfCredential(failure.reason), call.attempt.number <= others {
      // Each of the others once, and at once.
      delay =
        settings.retries.isInTime(
          elapsed: now.monotonic - call.began, left: timeLeft(for: call, at: now)) ? 0 : nil
    }
    if let delay {
      wishRetry(id, after: delay, &actions)
    } else {
      actions.append(.fail(id, .none))
    }
    dispatch(now, &actions)
    return actions
  }

  /// The end of an attempt is in the books, or could not be brought there.
  mutating func booked(_ id: CallID, _ booked: Booked, at now: Clock) -> [Action] {
    guard let call = calls[id], call.phase == .booking else { return [] }
    var actions: [Action] = []
    switch booked {
    case .ended(let ends, let lost, let left):
      giveBack(left + (call.isRetryTaken ? call.attempt.bound : 0), to: call.limited)
      calls[id] = nil
      let total = zip(call.lost, lost).map { $0 + $1 }
      if !call.hasOthers { for case .refused(let problem) in ends { cool(problem, now) } }
      for (index, flight) in call.flights.enumerated() {
        if case .refused(let problem) = ends[index] {
          refuse(flight, problem, isBooked: true, lost: total[index], now, &actions)
        } else {
          end(flight, ends[index], lost: total[index], isBooked: true, &actions)
        }
      }
    case .retry(let attempt, let pause, let lost):
      calls[id]?.attempt = attempt
      calls[id]?.isRetryTaken = false
      calls[id]?.lost = zip(call.lost, lost).map { $0 + $1 }
      calls[id]?.phase = .sleeping
      if isStopping {
        giveUp(id, .stopping, &actions)
      } else {
        actions.append(.pause(.retry(id), milliseconds: pause))
      }
    }
    dispatch(now, &actions)
    return actions
  }

  /// Those who wait for a call are told how it ends before it does: nobody buys it again until then.
  mutating func tell(_ id: CallID, _ problem: PurchaseProblem) -> [Action] {
    var actions: [Action] = []
    for flight in calls[id]?.flights ?? [] {
      guard let found = flights[flight] else { continue }
      finish(found.owner, Purchase(end: .failed(problem), isBooked: true), &actions)
      for seat in found.joined {
        flightOf[seat] = nil
        finish(seat, Purchase(end: .failed(problem), isJoined: true), &actions)
      }
      flights[flight]?.joined = []
      flights[flight]?.told = problem
    }
    return actions
  }

  /// Somebody has slept long enough, or as long as one sleeps at a time.
  mutating func woken(_ wake: Wake, at now: Clock) -> [Action] {
    var actions: [Action] = []
    switch wake {
    case .gather: isGathering = false
    case .retry(let id):
      guard calls[id]?.phase == .sleeping else { return [] }
      if breaker.isOpen {
        giveUp(id, paused(now), &actions)
      } else {
        calls[id]?.phase = .ready
        ready.append(id)
      }
    case .refill(let id):
      demands[id]?.isPausing = false
      wakeRefused(id, now, &actions)
    }
    dispatch(now, &actions)
    return actions
  }

  /// Time has passed: demands whose deadline is over are answered. To be told at least once a second.
  mutating func tick(at now: Clock) -> [Action] {
    var actions: [Action] = []
    for (id, demand) in demands.sorted(by: { $0.key < $1.key })
    where demand.timeLeft(at: now) <= 0 {
      expire(id, &actions)
    }
    dispatch(now, &actions)
    return actions
  }

  /// Nobody wants a demand any more: it is answered, and what of it is not under way is given up.
  mutating func withdraw(_ id: DemandID, at now: Clock) -> [Action] {
    var actions: [Action] = []
    expire(id, &actions)
    dispatch(now, &actions)
    return actions
  }

  /// Nothing more is sent. What waits is answered, what is out is waited for.
  mutating func stop(at now: Clock) -> [Action] {
    var actions: [Action] = []
    isStopping = true
    for (flight, value) in flights.sorted(by: { $0.key < $1.key }) where value.phase == .queued {
      end(flight, .failed(.stopping), &actions)
    }
    for (id, demand) in demands.sorted(by: { $0.key < $1.key }) where !demand.refused.isEmpty {
      endRefused(id, &actions)
    }
    for (id, call) in calls.sorted(by: { $0.key < $1.key })
    where call.phase == .sleeping || call.phase == .ready {
      giveUp(id, .stopping, &actions)
    }
    return actions
  }

  /// A call could not be sent, for a reason of our own.
  mutating func unsent(_ id: CallID, _ problem: PurchaseProblem, at now: Clock) -> [Action] {
    guard let call = calls[id], call.phase == .sending else { return [] }
    var actions: [Action] = []
    giveUp(id, problem, &actions)
    breaker.cancelProbe(at: now.monotonic)
    rejoin(call)
    dispatch(now, &actions)
    return actions
  }
}
