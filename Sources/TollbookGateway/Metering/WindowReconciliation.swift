package import TollbookEvents
package import TollbookViews

/// What an upstream says of a window: one figure for all calls of all who use it.
package struct WindowUsage: Hashable, Sendable {
  package var used: Int64
  /// Nil: it does not tell.
  package var limit: Int64?
  /// Nil: it does not tell.
  package var ends: Timestamp?

  package init(used: Int64, limit: Int64? = nil, ends: Timestamp? = nil) {
    self.used = used
    self.limit = limit
    self.ends = ends
  }
}

/// What a total that an upstream tells for a whole window means for the ledger.
///
/// 1. Each call has settled by its price. So the use is predicted as an interval: what is settled and unexplained, up
///    to that plus all that is held, or sent so near the turn that the upstream may count it here.
/// 2. What exceeds the interval somebody else has used: it is posted as unexplained.
/// 3. Totals of a window only grow, and answers may arrive in another order than they were given: the largest
///    counts, and a smaller one says nothing.
/// 4. A total below the interval gives something back only if it must have been complete: nothing is held, and nothing
///    was booked since it was asked for.
/// 5. Doubts end together, as on a refill bucket, by a total that was asked for late enough.
package struct WindowReconciliation: Sendable {
  private let page: MeterKey
  private var meter: Meter
  private let rule: MeterRule
  private let usage: WindowUsage
  private let question: Question
  private let observed: Timestamp
  private let fetch: Position
  private let turning: Int64
  /// Whether nothing was booked between the question and the answer but the call's own end.
  private let isUndisturbed: Bool

  /// What was known when the call was begun that brought the total.
  package struct Question: Sendable, Hashable {
    package let asked: Timestamp
    fileprivate let settled: Int64
    fileprivate let unexplained: Int64

    /// - Parameter meter: the window's page as it stood then.
    package init(asked: Timestamp, meter: Meter) {
      self.asked = asked
      settled = meter[.settled]
      unexplained = meter[.unexplained]
    }
  }

  /// - Parameters:
  ///   - page: of the window that the total is about: see `window(of:)`.
  ///   - meter: that page after all events before this reading, those of the same commit included.
  ///   - settledBefore: what was settled before the events of the same commit; nil: as much as after them.
  ///   - turning: as of a ``MeterUse``.
  package init(
    of page: MeterKey, meter: Meter, rule: MeterRule, usage: WindowUsage, question: Question,
    observed: Timestamp, fetch: Position = 0, settledBefore: Int64? = nil, turning: Int64 = 0
  ) {
    isUndisturbed =
      question.settled == settledBefore ?? meter[.settled]
      && question.unexplained == meter[.unexplained]
    self.page = page
    self.meter = meter
    self.rule = rule
    self.usage = usage
    self.question = question
    self.observed = observed
    self.fetch = fetch
    self.turning = max(0, turning)
  }

  /// The window that a total is about: that of the question and of the answer. Nil if a window turned in between or
  /// nearby, since the clocks differ: nobody knows which one the upstream meant.
  ///
  /// - Parameter margin: by how much the clocks may differ, in milliseconds.
  package static func window(
    of rule: MeterRule, asked: Timestamp, observed: Timestamp, margin: Int64 = 2_000
  ) -> MeterWindow? {
    let first = rule.window(at: asked.advanced(byMilliseconds: -margin))
    let last = rule.window(at: observed.advanced(byMilliseconds: margin))
    return first == last ? first : nil
  }

  /// The events to append: doubts that the total settles, then the total. None if it says nothing new.
  ///
  /// - Parameter doubts: the holds of this page that are in doubt.
  package mutating func events(doubts: [Hold], windows: [String]) -> [Event] {
    if let last = meter.use, usage.used < last.used { return [] }
    var events: [Event] = []
    if var resolution = resolution(of: doubts) {
      resolution.windows = windows
      events.append(.chargeResolved(resolution))
      meter.apply(.chargeResolved(resolution), to: page)
    }
    let observation = observation
    let isNews =
      meter.use?.used != usage.used || observation.unexplained != 0 || observation.granted != 0
      || observation.limit != meter.use?.limit ?? 0
    if isNews { events.append(.windowObserved(observation)) }
    return events
  }

  /// What we count as used for certain.
  private var counted: Int128 { Int128(meter[.settled]) + Int128(meter[.unexplained]) }

  private var observation: WindowObserved {
    let held =
      Int128(meter[.reserved]) + Int128(meter[.inDoubt]) + Int128(meter[.unprovable])
    let most = counted + max(0, held) + Int128(turning)
    var event = WindowObserved()
    event.meter = page.name
    event.window = page.window
    event.used = usage.used
    if let last = meter.use { event.previousUsed = last.used }
    event.limit = usage.limit ?? 0
    let window = rule.window(at: question.asked)
    let ends = usage.ends ?? (window.name == page.window ? window.ends : nil)
    event.windowEndsMs = ends?.milliseconds ?? 0
    event.observedMs = observed.milliseconds
    event.predictedLow = Int64(clamping: counted)
    event.predictedHigh = Int64(clamping: most)
    event.granted = rule.granted(on: meter)
    event.fetch = fetch
    if Int128(usage.used) > most {
      event.unexplained = Int64(clamping: Int128(usage.used) - most)
    } else if Int128(usage.used) < counted, isComplete {
      event.unexplained = Int64(clamping: Int128(usage.used) - counted)
    }
    return event
  }

  /// Whether the total includes everything that we count.
  private var isComplete: Bool {
    meter[.reserved] == 0 && meter[.inDoubt] == 0 && turning == 0 && isUndisturbed
  }

  /// Closes all doubts together if this total can tell: nothing else is under way, nothing may be counted elsewhere,
  /// and it is young enough.
  private func resolution(of doubts: [Hold]) -> ChargeResolved? {
    guard !doubts.isEmpty, meter[.reserved] == 0, turning == 0, isUndisturbed,
      let sent = meter.lastDoubtSent,
      question.asked >= sent.advanced(byMilliseconds: DoubtRule.settlesAfter)
    else { return nil }
    let difference = Int64(clamping: Int128(usage.used) - counted - Int128(meter[.unprovable]))
    return ChargeResolved(doubts, on: page, spent: difference, by: .reading)
  }
}

/// Calls that were sent so near the turn of a window that nobody knows in which window the upstream counts them. Until
/// the other one is over they count in both: in the books where they were reserved, and beside the books in the other.
package struct TurningCalls: Hashable, Sendable {
  private struct Call: Hashable, Sendable {
    var amount: Int64
    /// The page of a window in which it is not booked.
    var other: MeterKey
    var ends: Timestamp?
  }

  private var calls: [Call] = []

  package init() {}

  /// Notes a call when it is sent, if that is near a turn.
  ///
  /// - Parameters:
  ///   - booked: the name of the window in which it was reserved.
  ///   - amount: the most that it may cost.
  ///   - margin: by how much the clocks may differ, in milliseconds.
  package mutating func note(
    _ meter: MeterKey, _ rule: MeterRule, amount: Int64, booked: String, sent: Timestamp,
    margin: Int64 = 2_000
  ) {
    let near = [-margin, 0, margin].map { rule.window(at: sent.advanced(byMilliseconds: $0)) }
    for window in Set(near) where window.name != booked {
      calls.append(
        Call(amount: max(0, amount), other: meter.inWindow(window.name), ends: window.ends))
    }
  }

  /// Forgets calls that may have been counted in windows that are over.
  package mutating func forget(before now: Timestamp) {
    calls.removeAll { $0.ends.map { $0 <= now } ?? false }
  }

  /// What may be counted on pages, and is booked on others.
  package var amounts: [MeterKey: Int64] {
    calls.reduce(into: [:]) { amounts, call in
      let (sum, isTooMuch) = (amounts[call.other] ?? 0).addingReportingOverflow(call.amount)
      amounts[call.other] = isTooMuch ? .max : sum
    }
  }
}
