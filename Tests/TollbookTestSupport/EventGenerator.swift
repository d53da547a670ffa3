package import TollbookEvents
package import TollbookLog

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

  /// Of which format the events are.
  package enum Formats: Sendable {
    /// One meter for each call, that of its credential.
    case first
    /// Any number of meters.
    case second
    /// Both, also for one call: begun in the first and ended in the second.
    case mixed
  }

  /// What the views must say after all steps so far.
  package internal(set) var model = LogModel()
  /// The last position that a step has.
  package private(set) var head: Position = 0

  let formats: Formats
  /// Whether some amounts are so large that sums of them wrap around.
  private let hasHugeAmounts: Bool
  var random: SeededGenerator
  var openFetches: [OpenFetch] = []
  /// Charges that may be corrected.
  var charges: [Booked] = []
  var alerts = Alerts()
  private(set) var time = Timestamp.testStart
  var step = Step()

  // The same letters in two encodings: texts that are equal to Swift and not to the store.
  package static let composed = "caf\u{e9}"
  static let decomposed = "cafe\u{301}"
  package static let credentials = ["main", composed, decomposed]
  package static let accounts = ["acme", "zeta", composed, decomposed]
  static let operations = ["keepa.product", "keepa.discovery"]
  static let firstContentSets: [UInt64] = [0, 1, 2, 3, 5, 7, 15]
  static let contentSets: [UInt64] =
    firstContentSets + [1 << 40, 1 << 40 | 1, 1 << 63 | 5, .max - 1, .max]
  static let resources =
    (0..<10).map { "shared/keepa.product/1/B00000000\($0)" }
    + ["shared/keepa.discovery/\(composed)", "shared/keepa.discovery/\(decomposed)"]
    + ["shared/keepa.product/3/" + String(repeating: "x", count: 457)]
  static let plans = MeterPlan.all(credentials: credentials, accounts: accounts)

  /// The meters of this world.
  let plans: [MeterPlan]

  /// - Parameters:
  ///   - furtherAccounts: accounts beside the few that always are there.
  ///   - budgetsEach: how many budgets each of those has.
  package init(
    seed: UInt64, formats: Formats = .mixed, hasHugeAmounts: Bool = false,
    furtherAccounts: Int = 0, budgetsEach: Int = 0
  ) {
    random = SeededGenerator(seed: seed)
    plans = Self.plans + MeterPlan.budgets(ofAccounts: furtherAccounts, each: budgetsEach)
    self.formats = formats
    self.hasHugeAmounts = hasHugeAmounts
  }

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
    case 0..<23: startFetch()
    case 23: random.chance(60) ? administer() : changePool()
    case 24..<45: succeed()
    case 45..<56: fail()
    case 56..<62: resolve()
    case 62..<64: resolveByHand()
    case 64: random.chance(70) ? correct() : postInvoice()
    case 65..<69: observeSomeBalance()
    case 69..<72: observeSomeWindow()
    case 72..<79: tally()
    case 79..<86: sweep()
    case 86..<88: purge()
    case 88..<90: prune()
    case 90..<94: refuse()
    case 94..<96: changeCredential()
    case 96: random.chance(50) ? moveSomeJob() : moveSomeRequest()
    case 97: random.chance(30) ? noteSnapshot() : alert()
    default: restart()
    }
  }

  @discardableResult
  mutating func emit(_ event: Event) -> Position {
    head += 1
    step.events.append(event)
    model.count(event.kind)
    return head
  }

  // MARK: Choices

  /// Whether an event that can be written in both formats is of the first one.
  mutating func choosesFirstFormat() -> Bool {
    switch formats {
    case .first: true
    case .second: false
    case .mixed: random.chance(50)
    }
  }

  /// An amount; now and then one that makes sums wrap around.
  mutating func amount(_ range: ClosedRange<Int64>) -> Int64 {
    hasHugeAmounts && random.chance(4) ? .max - random.int64(0...5) : random.int64(range)
  }

  func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  mutating func contentSet(isFirst: Bool) -> UInt64 {
    random.pick(isFirst ? Self.firstContentSets : Self.contentSets)
  }
}

// MARK: Running

extension EventGenerator {
  private mutating func noteSnapshot() {
    var event = SnapshotTaken()
    event.file = "tollbook-\(head).snapshot"
    event.position = head
    if !choosesFirstFormat() { event.actor = "somebody" }
    emit(.snapshotTaken(event))
  }

  private mutating func begin() {
    start(isFirst: formats != .second)
    add(Self.credentials[0])
    observeBalance(Self.plans[0], fetch: 0)
  }

  private mutating func start(isFirst: Bool) {
    var event = ServiceStarted()
    event.version = "0.1.0"
    event.simulated = true
    event.format = isFirst ? 0 : 2
    emit(.serviceStarted(event))
  }

  private mutating func add(_ credential: String) {
    var event = CredentialAdded()
    event.credential = credential
    event.upstream = "keepa"
    if choosesFirstFormat() {
      event.unit = "tokens"
    } else {
      event.quotaGroup = random.pick(["", "project"])
      event.actor = random.pick(["", "somebody"])
    }
    emit(.credentialAdded(event))
    model.ledger.credentials[bytes(credential)] = .init(upstream: "keepa", unit: event.unit)
  }

  private mutating func changeCredential() {
    let credential = random.pick(Self.credentials)
    let key = bytes(credential)
    guard model.ledger.credentials[key] != nil, random.chance(90) else { return add(credential) }
    var event = CredentialStatusChanged()
    event.credential = credential
    event.status = random.pick([.accepted, .rejected])
    event.detail = random.pick(["", "the upstream says no: \(random.int(0...9))"])
    if !choosesFirstFormat() { event.actor = "somebody" }
    emit(.credentialStatusChanged(event))
    model.ledger.credentials[key]?.status = event.status
    model.ledger.credentials[key]?.detail = event.detail
  }

  /// The process ended with calls under way, and began anew; sometimes from what was restored.
  private mutating func restart() {
    if random.chance(20) {
      var restored = LogRestored()
      restored.position = head
      restored.restoredMs = time.milliseconds
      emit(.logRestored(restored))
      model.ledger.restore()
    }
    start(isFirst: formats == .first)
    guard !openFetches.isEmpty else { return }
    let isFirst = choosesFirstFormat()
    var event = ServiceRecovered()
    var inDoubt: [Amount] = []
    for open in openFetches {
      event.fetches += 1
      for use in open.uses where !use.isLimitOnly {
        inDoubt.add(use.bound, text(use.page.meter.unit))
      }
      book(open, open.uses.map { .doubted($0) }, shares: false)
      giveUp(open, .processEnded)
    }
    openFetches = []
    if isFirst, inDoubt.allSatisfy({ $0.unit == Amount.firstUnit }) {
      event.tokensInDoubt = inDoubt.count(of: Amount.firstUnit)
    } else {
      event.inDoubt = inDoubt.map { Cost($0) }
    }
    emit(.serviceRecovered(event))
  }
}
