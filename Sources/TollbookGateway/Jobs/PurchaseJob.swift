import Synchronization
package import TollbookEvents
import TollbookLog
import TollbookViews

/// A kind of job that buys a list of resources part by part, or does step after step, for as long as it takes: it goes on
/// when meters free, when the upstream answers again, and after the process has ended.
package struct PurchaseJobKind: Sendable {
  let kind: JobKind
  /// How many may be open at once, those that wait for others among them.
  package let mostOpen: Int
  /// How many of them may be of one account.
  package let mostOfAccount: Int
  /// In which its limit counts: the unit of the first meter of its calls.
  package let unit: String
  /// What is to be bought, as the request in the log says; nil: it cannot be read.
  package let demand: @Sendable (_ request: [UInt8]) -> ResourceDemand?
  /// How the list is found, if the request does not hold it.
  package let finding: @Sendable (_ request: [UInt8]) -> ListFinding?
  /// What it does where it buys no list, by its request and who pays; nil: it buys a list.
  let steps: (@Sendable (_ request: [UInt8], _ account: String) -> JobSteps?)?

  package var name: String { kind.name }

  /// - Parameters:
  ///   - name: such as `atlas.warm`; it begins with the upstream's name.
  ///   - finding: how the list is found where the request does not hold it.
  ///   - demand: must read what every version of the system has ever written.
  package init(
    _ name: String, mostOpen: Int = 100, unit: String,
    finding: @escaping @Sendable (_ request: [UInt8]) -> ListFinding? = { _ in nil },
    demand: @escaping @Sendable (_ request: [UInt8]) -> ResourceDemand?
  ) {
    // One that was cancelled may still be at its last call when the next one comes.
    kind = JobKind(name, mostWaiting: mostOpen, remembered: 0)
    self.mostOpen = mostOpen
    mostOfAccount = mostOpen
    self.unit = unit
    self.demand = demand
    self.finding = finding
    steps = nil
  }

  /// One that does step after step. Several run at once: one that waits keeps no other waiting.
  ///
  /// - Parameters:
  ///   - name: such as `atlas.photos`; it begins with the upstream's name.
  ///   - mostOpen: all of them may run.
  ///   - unit: in which what it has cost counts.
  ///   - steps: must read what every version of the system has ever written; nil: it cannot be read.
  package init(
    _ name: String, mostOpen: Int, mostOfAccount: Int, unit: String,
    steps: @escaping @Sendable (_ request: [UInt8], _ account: String) -> JobSteps?
  ) {
    // As above: one that was cancelled may still be at its last call.
    kind = JobKind(name, atOnce: mostOpen, mostWaiting: mostOpen, remembered: 0)
    self.mostOpen = mostOpen
    self.mostOfAccount = mostOfAccount
    self.unit = unit
    demand = { _ in nil }
    finding = { _ in nil }
    self.steps = steps
  }
}

extension PurchaseJobKind {
  /// Why somebody may not have what a request names; nil: he may.
  func problem(with request: [UInt8], by principal: Principal) -> PurchaseProblem? {
    let wanted =
      (demand(request)?.resources ?? []) + (finding(request)?.ways.flatMap(\.resources) ?? [])
    return wanted.lazy.compactMap { principal.problem(with: $0) }.first
  }
}

/// How a list is found that is to be bought: a resource is bought first, and its body names the others.
package struct ListFinding: Sendable {
  /// What may be bought for it, each for one resource, the cheapest first: what is cached comes before.
  package var ways: [ResourceDemand]
  /// What the body of that resource names.
  package var resources: @Sendable (_ body: [UInt8]) -> [ResourceKey]

  package init(
    _ ways: [ResourceDemand], resources: @escaping @Sendable (_ body: [UInt8]) -> [ResourceKey]
  ) {
    self.ways = ways
    self.resources = resources
  }
}

/// One run of such a job.
///
/// 1. It goes on where the log says that it stopped.
/// 2. What it pays bears its tag, so that what is left of its limit is what the log says, also after a crash.
/// 3. It is over when everything was dealt with, its limit is used up, it was cancelled, or nothing can help.
///    Otherwise it waits and tries again.
/// 4. When the process ends it stays open, for the next one.
struct PurchaseJob: Sendable {
  /// How many resources are looked at together.
  static let portion = 100
  /// Before another try where nobody knows when it is worth one, in milliseconds.
  static let pause: Int64 = 30_000
  /// The longest sleep at a time, by a clock that somebody may set.
  static let longestPause: Int64 = 300_000

  let number: Position
  let kind: PurchaseJobKind
  let gateway: Gateway
  let tell: @Sendable (JobProgress) -> Void

  private var log: EventLog { gateway.log }

  func run() async -> JobEnding {
    let (view, alerts) = (JobsView(log), gateway.alerts)
    let command = BeginJobCommand(number: number, now: log.time.now())
    let begun = await insist { () throws(LogError) in
      try await log.decide { (state, _) throws(LogError) in
        try command.decide(view, alerts, state)
      }.answer
    }
    let (row, request): (JobRow, [UInt8])
    switch begun {
    case nil: return .cancelled
    case .over(let problem)?:
      gateway.expectations.withLock { $0[number] = nil }
      await gateway.removeKept(of: number)
      return problem.map { .failed($0) } ?? .cancelled
    case .begun(let found, request: let bytes)?: (row, request) = (found, bytes)
    }
    let reached: NoteJobCommand.Reached
    let end: NoteJobCommand.End?
    if let steps = kind.steps?(request, row.account) {
      (reached, end) = await take(steps, from: row)
    } else if let demand = kind.demand(request) {
      if let finding = kind.finding(request) {
        (reached, end) = await buy(demand, foundBy: finding, of: row)
      } else {
        (reached, end) = await buy(demand, from: row)
      }
    } else {
      reached = NoteJobCommand.Reached(done: row.done, failed: row.failed)
      end = NoteJobCommand.End(end: .failed, detail: "its request cannot be read")
    }
    await note(reached, end)
    gateway.expectations.withLock { $0[number] = nil }
    if end != nil { await gateway.removeKept(of: number) }
    return switch end?.end {
    case .done?: .done(end?.detail ?? "")
    case .failed?: .failed(end?.detail ?? "")
    default: .cancelled
    }
  }

  /// - Returns: how far it got, and how it ended; nil: it was told to end before.
  func buy(
    _ wanted: ResourceDemand, from row: JobRow
  ) async -> (NoteJobCommand.Reached, NoteJobCommand.End?) {
    var demand = wanted
    demand.principal = gateway.payer(of: number, row)
    demand.tags.append(JobsFold.tag(of: number))
    demand.wait = gateway.settings.longestWait
    demand.isBackground = true
    /// Up to the last portion that is over: there it goes on after a stop.
    var reached = NoteJobCommand.Reached(done: row.done, failed: row.failed)
    var problem = ""
    let outlook = await outlook(of: wanted, from: Int(reached.done))
    var portions = outlook?.portions[...] ?? []
    while reached.done < UInt64(wanted.resources.count) {
      let portion = wanted.resources.dropFirst(Int(reached.done)).prefix(Self.portion)
      demand.resources = Array(portion)
      var within = reached
      let rest = portions.dropFirst().reduce(0, &+)
      while !demand.resources.isEmpty {
        guard !Task.isCancelled, let spent = await spent(within: wanted.limit) else {
          return (reached, nil)
        }
        demand.limit = wanted.limit.map { max(0, $0 - spent) }
        await expect(demand, rest, outlook)
        say("buys", within, of: wanted)
        let look = PortionLook(await gateway.answer(demand))
        within.done += UInt64(look.dealtWith.count)
        within.failed += UInt64(look.failures)
        problem = look.problem ?? problem
        if let end = look.end(limit: wanted.limit, unit: kind.unit) { return (within, end) }
        demand.resources.removeAll { look.dealtWith.contains($0) }
        guard let later = look.later else { continue }
        await expect(demand, rest, outlook)
        say("waits: \(later.detail)", within, of: wanted)
        await sleep(until: later.retryAt)
      }
      reached = NoteJobCommand.Reached(
        done: reached.done + UInt64(portion.count), failed: within.failed)
      portions = portions.dropFirst()
      await note(reached, nil)
    }
    let detail =
      reached.failed == 0
      ? "" : "\(reached.failed) of \(wanted.resources.count) could not be bought: \(problem)"
    return (reached, NoteJobCommand.End(end: .done, detail: detail))
  }

  /// What all that is left is expected to cost, portion by portion; nil: it cannot be read now.
  private func outlook(of wanted: ResourceDemand, from start: Int) async -> DemandEstimate? {
    var rest = wanted
    rest.resources = Array(wanted.resources.dropFirst(start))
    return try? await gateway.estimate(rest)
  }

  /// Tells what it is still expected to cost.
  ///
  /// - Parameters:
  ///   - portion: what is left of the portion that it is at, within what is left of its limit.
  ///   - rest: what the portions after that are expected to cost.
  private func expect(
    _ portion: ResourceDemand, _ rest: Int64, _ outlook: DemandEstimate?
  ) async {
    guard let outlook, let now = try? await gateway.estimate(portion) else { return }
    let units = min(now.units &+ rest, portion.limit ?? .max)
    let expectation = gateway.expect(units, of: outlook, by: number)
    gateway.expectations.withLock { $0[number] = expectation }
  }

  /// What it has cost so far; 0 where no limit asks for it.
  ///
  /// - Returns: nil if the process ends before it can be read.
  func spent(within limit: Int64?) async -> Int64? {
    guard limit != nil else { return 0 }
    return await insist { () throws(LogError) in
      try gateway.row(of: number)?.spent(kind.unit) ?? 0
    }
  }

  private func say(_ step: String, _ reached: NoteJobCommand.Reached, of demand: ResourceDemand) {
    tell(JobProgress(step, done: reached.done, total: UInt64(demand.resources.count)))
  }

  func sleep(until time: Timestamp?) async {
    let wait = time.map { $0.milliseconds - log.time.now().milliseconds } ?? Self.pause
    try? await log.time.sleep(max(1_000, min(wait, Self.longestPause)))
  }

  /// Writes down how far it got, and its end. At a stop it is tried once: what is not written the next process finds out
  /// anew.
  private func note(_ reached: NoteJobCommand.Reached, _ end: NoteJobCommand.End?) async {
    let command = NoteJobCommand(
      number: number, reached: reached, end: end, now: log.time.now())
    await insist { () throws(LogError) in _ = try await gateway.note(command) }
  }

  /// Does what the log may not be able to do now, such as when it has no space, until it can.
  ///
  /// - Returns: nil if it was told to end before.
  @discardableResult
  func insist<Value: Sendable>(
    _ body: () async throws(LogError) -> Value
  ) async -> Value? {
    while true {
      do throws(LogError) { return try await body() } catch {
        guard !Task.isCancelled else { return nil }
        tell(JobProgress("waits: \(error)"))
        await sleep(until: nil)
      }
    }
  }
}

/// What became of a portion, as far as a job asks.
struct PortionLook: Sendable {
  /// Bought, in the cache, or never to be had.
  var dealtWith: Set<ResourceKey> = []
  /// Of those, the ones that are never to be had.
  var failures = 0
  /// Why the last of them is not.
  var problem: String?
  /// Why others may be had later.
  var later: PurchaseProblem?
  /// Why nothing more can be had.
  private var fatal: PurchaseProblem?
  private var isLimitReached = false

  init(_ answer: DemandAnswer) {
    for outcome in answer.outcomes {
      guard let problem = outcome.problem else {
        dealtWith.insert(outcome.resource)
        continue
      }
      switch problem.reason {
      case .budgetExceeded where problem.retryAt == nil: fatal = fatal ?? problem
      case .insufficientTokens, .limitReached, .budgetExceeded, .upstreamUnavailable, .tooLate,
        .storageFull, .storageFailed, .busy, .stopping:
        later = later ?? problem
      case .requestLimit: isLimitReached = true
      case .keyRejected, .notConfigured, .accountClosed, .notAllowed: fatal = fatal ?? problem
      case .incomplete, .requestRejected, .answerLost:
        dealtWith.insert(outcome.resource)
        failures += 1
        self.problem = problem.detail
      }
    }
  }

  /// How it ends the job; nil: it goes on.
  func end(limit: Int64?, unit: String) -> NoteJobCommand.End? {
    if let fatal { return NoteJobCommand.End(end: .failed, detail: fatal.detail) }
    guard isLimitReached else { return nil }
    let limit = limit.map { " of \(Amount($0, unit).inWords)" } ?? ""
    return NoteJobCommand.End(end: .done, detail: "its limit\(limit) buys nothing more")
  }
}
