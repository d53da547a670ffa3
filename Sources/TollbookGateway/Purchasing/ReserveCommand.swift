import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Decide what of a batch is bought: not what is fresh by now, the longest prefix of each call that fits on all its meters,
/// in request order, and of that as many calls as may be sent. What is reserved is reserved on every meter of a call, the
/// budgets that count it among them.
struct ReserveCommand: Sendable {
  let batch: PurchaseQueue.Batch
  /// The name of the upstream.
  var upstream: String
  /// What its calls can be sent with, in the order in which they were put in.
  var members: [CredentialMember]
  /// For a choice among them: from 0 up to, not including, 1.
  var draw: Double = 0
  /// What is taken of pages and is not in the books: by calls that are booked with their answer, and by calls that the
  /// upstream may count in another window than the one they were booked in.
  var elsewhere: [MeterKey: Int64] = [:]
  /// What of each budget is left for those who wait for an answer, in percent of its limit.
  var budgetReserve: Int64 = 0
  /// Whether what is fresh is not bought.
  var isCacheOn: Bool
  /// Whether storage has more than the reserve left.
  var storageAdmits: Bool
  /// Values of a tag that a budget counts each by itself.
  var mostBudgetValues = GatewaySettings().mostBudgetValues
  var now: Timestamp

  enum Answer: Sendable {
    case decided(BatchDecision)
    /// The upstream refuses all credentials; the first of them is named.
    case keyRejected(credential: String, detail: String)
    /// Nobody knows the balance of a credential yet, or not since the log was restored: ask for it first.
    case needsReading(credential: String)
  }

  /// What is decided so far.
  struct Draft {
    var decision = BatchDecision()
    var events: [Event] = []
    var booking: Booking
    /// Places of which a fresh entry has what is wanted, and which are bought all the same.
    var duplicates: Set<Int> = []
    /// Position of the first event.
    let next: Position
  }

  /// - Returns: the events of what has to be written down before it is sent, and what was decided. Without events nothing
  ///   has to be.
  func decide(
    _ cache: CacheView, _ books: PurchaseBooks, _ state: borrowing LogReading, next: Position
  ) throws(LogError) -> Decision<Answer> {
    var draft = Draft(booking: Booking(meters: [], books.rollups), next: next)
    var (wanted, fresh) = try look(cache, state)
    if isCacheOn {
      draft.decision.found = fresh.sorted()
      wanted.removeAll { fresh.contains($0) }
      fresh = []
    }
    draft.duplicates = fresh
    let closed = try ofClosedAccounts(wanted, books.accounts, state)
    if !closed.isEmpty {
      draft.decision.refused.append(
        RefusedNeeds(places: closed, refusal: ReserveRefusal(reason: .accountClosed)))
      wanted.removeAll { closed.contains($0) }
    }
    if let answer = try buy(wanted, &draft, books, state) { return Decision(answer: answer) }
    if batch.isWhole, !draft.decision.refused.isEmpty {
      return Decision(answer: .decided(draft.decision.refusingAll(wanted)))
    }
    return Decision(events: draft.events, answer: .decided(draft.decision))
  }

  /// Decides what of the places is bought with one credential: the longest prefix of each call that fits.
  ///
  /// - Returns: what the credential's own meters and limit refuse, which another one may take; and whether its balance is
  ///   not known, so that the rest is left for another batch.
  func buy(
    _ wanted: [Int], with member: CredentialMember, _ draft: inout Draft, _ books: PurchaseBooks,
    _ state: borrowing LogReading
  ) throws(LogError) -> (refused: [RefusedNeeds], isUnread: Bool) {
    let ledger = books.ledger
    let budgets = try BudgetBook(
      batch.askers.map(\.demand), upstream: upstream, credential: member.id, books, state)
    let (calls, beyond) = try plan(wanted, with: member, budgets, &draft, ledger, state)
    let isOwn = { (refused: RefusedNeeds) in refused.refusal.budget?.name == member.id }
    draft.decision.refused += beyond.filter { !isOwn($0) }
    let planned = Set(calls.flatMap(\.places))
    let refused = Set(beyond.flatMap(\.places))
    draft.decision.unplanned += wanted.filter { !planned.contains($0) && !refused.contains($0) }
    var refusals = Refusals()
    var isUnread = false
    for call in calls {
      if let refused = refusals.refusal(of: call) {
        refusals.add(call.places, call, to: refused)
        continue
      }
      guard batch.isWhole || draft.decision.started.count < batch.mostCalls else { continue }
      let standings = try draft.booking.standings(
        of: keepingReserve(call.uses), elsewhere, at: now, ledger, state
      ).closed(by: books.credentials, state)
      guard !standings.contains(where: \.needsReading) else {
        isUnread = true
        continue
      }
      let admission =
        storageAdmits
        ? Admission(on: standings, callSize: call.needs.count)
        : Admission(refusing: .storageReserve, on: standings)
      let admitted =
        call.isDivisible || admission.admitted == call.needs.count ? admission.admitted : 0
      if admitted > 0 {
        let attempt = Attempt(
          fetch: draft.next + UInt64(draft.events.count), credential: member.id,
          call: call.first(admitted),
          moves: standings.map { $0.reservation(of: 0..<admitted, isFirst: true) }, batch,
          duplicates: draft.duplicates)
        draft.booking.append(.fetchStarted(attempt.started))
        if Self.isDurable(call, member.upstream) {
          draft.events.append(.fetchStarted(attempt.started))
          draft.decision.started.append(attempt)
        } else {
          draft.decision.started.append(attempt.unwritten(decided: now))
        }
      }
      guard admitted < call.needs.count else { continue }
      refusals.append(
        Array(call.places[admitted...]),
        ReserveRefusal(admission, of: call, admitted: admitted, on: standings))
    }
    if batch.isWhole, !refusals.all.isEmpty {
      // All of it is refused then: so much was wanted.
      let refused = Set(refusals.all.flatMap(\.places))
      for call in calls where !call.places.contains(where: refused.contains) {
        refusals.add(call.places, call, to: 0)
      }
    }
    return (beyond.filter(isOwn).map { $0.ofCredential(member.id) } + refusals.all, isUnread)
  }

  /// Whether a call is written down before it is sent: if one of its meters asks for that.
  private static func isDurable(_ call: PlannedCall, _ upstream: any Upstream) -> Bool {
    let light = upstream.meters.filter { $0.durability == .withAnswer }.map(\.key)
    return call.uses.isEmpty || !call.uses.allSatisfy { light.contains($0.meter) }
  }

  /// All places, and those of which a fresh entry has what is wanted: somebody else may have bought it since the asker
  /// looked.
  private func look(
    _ cache: CacheView, _ state: borrowing LogReading
  ) throws(LogError) -> (all: [Int], fresh: Set<Int>) {
    var fresh: Set<Int> = []
    for (place, need) in batch.needs.enumerated() {
      guard let resource = need.resource,
        let entry = try cache.entry(resource, covering: need.parts, in: state)
      else { continue }
      let age = batch.askers[batch.askerOf[place]].age
      if Usability(of: entry, at: now, age) == .fresh { fresh.insert(place) }
    }
    return (Array(batch.needs.indices), fresh)
  }

  /// The places of those whose account was closed.
  private func ofClosedAccounts(
    _ wanted: [Int], _ accounts: AccountsView, _ state: borrowing LogReading
  ) throws(LogError) -> [Int] {
    var closed: Set<String> = []
    for account in Set(batch.askers.map(\.demand.account)) {
      if try accounts.account(account, in: state)?.isOpen == false { closed.insert(account) }
    }
    guard !closed.isEmpty else { return [] }
    return wanted.filter { closed.contains(batch.askers[batch.askerOf[$0]].demand.account) }
  }

  /// Cuts places into calls, without those that the askers' own limits or budgets forbid. Each asker has limits and budgets
  /// of its own, and shares calls with others: so they are asked before the meters of a call.
  private func plan(
    _ wanted: [Int], with member: CredentialMember, _ budgets: BudgetBook, _ draft: inout Draft,
    _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> (calls: [PlannedCall], beyond: [RefusedNeeds]) {
    var wanted = wanted
    var beyondLimit: [Int] = []
    var beyondBudgets: [RefusedNeeds] = []
    while true {
      var calls = member.upstream.plan(wanted.map { batch.needs[$0] })
      for index in calls.indices { calls[index].places = calls[index].places.map { wanted[$0] } }
      var over = overspending(calls, after: draft.decision.started)
      beyondLimit += over
      if over.isEmpty, !budgets.isEmpty {
        var values = TagValues(most: mostBudgetValues)
        for index in calls.indices {
          let uses = budgets.uses(
            of: calls[index],
            by: calls[index].places.map { batch.askers[batch.askerOf[$0]].demand })
          calls[index].uses += try values.counted(uses, ledger, state)
        }
        let refused = try beyond(calls, &draft.booking, &values, ledger, state)
        beyondBudgets += refused
        over = refused.flatMap(\.places)
      }
      guard !over.isEmpty else {
        let limited = RefusedNeeds(
          places: beyondLimit.sorted(), refusal: ReserveRefusal(reason: .requestLimit))
        return (calls, (beyondLimit.isEmpty ? [] : [limited]) + beyondBudgets)
      }
      wanted.removeAll { over.contains($0) }
    }
  }

  /// Of demands in the background: uses of budgets with less left, so that something stays for the others.
  private func keepingReserve(_ uses: [MeterUse]) -> [MeterUse] {
    guard batch.isBackground, budgetReserve > 0 else { return uses }
    return uses.map { use in
      guard let limit = use.budget?.row.limit else { return use }
      var use = use
      let kept = Int128(limit) * Int128(budgetReserve) / 100
      use.turning = Int64(clamping: Int128(use.turning) + kept)
      return use
    }
  }

  /// What does not fit what is left of a budget, in request order, and all that its asker wants later of what the budget
  /// counts.
  private func beyond(
    _ calls: [PlannedCall], _ booking: inout Booking, _ values: inout TagValues,
    _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> [RefusedNeeds] {
    var left: [MeterKey: Int128] = [:]
    var refused: [RefusedNeeds] = []
    var places: Set<Int> = []
    for call in calls {
      let uses = keepingReserve(call.uses.filter { $0.budget != nil && $0.refuses })
      let standings = try booking.standings(of: uses, elsewhere, at: now, ledger, state)
      for (index, place) in call.places.enumerated() {
        let counting = standings.filter { $0.use.counted.isEmpty || $0.use.counted[index] }
        let asker = batch.askerOf[place]
        let costs = counting.map { Int128($0.use.bounds[index..<index + 1]) }
        let crowded = try values.crowded(counting.map(\.use), ledger, state)
        let full =
          crowded
          ?? counting.indices.first { number in
            let meter = counting[number].use.meter
            let isRefused = refused.contains {
              $0.asker == asker
                && $0.refusal.meter.map {
                  $0.meterBytes == meter.meterBytes
                } ?? false
            }
            let available = left[meter] ?? Int128(counting[number].available)
            return costs[number] > available || isRefused
          }
        guard let full else {
          for (standing, cost) in zip(counting, costs) {
            left[standing.use.meter, default: Int128(standing.available)] -= cost
          }
          continue
        }
        places.insert(place)
        let standing = counting[full]
        let rest = left[standing.use.meter] ?? Int128(standing.available)
        let known = refused.firstIndex {
          $0.asker == asker && $0.refusal.meter == standing.page
        }
        if let known {
          refused[known].add(place, costs[full])
        } else {
          var refusal = ReserveRefusal(standing, wanted: costs[full], left: rest)
          if crowded != nil {
            refusal.mostValues = mostBudgetValues
            refusal.retryAt = nil
          }
          refused.append(RefusedNeeds(place, of: asker, refusal))
        }
      }
    }
    return refused
  }

  /// The places with which a limit is exceeded, and all later ones of the same asker. Asked before any meter: what the
  /// request itself forbids does not fit later either.
  ///
  /// - Parameter started: calls that were admitted before, and count on the same limits.
  private func overspending(_ calls: [PlannedCall], after started: [Attempt]) -> [Int] {
    var left = batch.askers.map { $0.limit.map { Int128($0) } }
    for call in started.map(\.call) {
      for (index, place) in call.places.enumerated() {
        let cost = Int128(call.uses.first?.bounds[index..<index + 1] ?? 0)
        left[batch.askerOf[place]] = left[batch.askerOf[place]].map { $0 - cost }
      }
    }
    var over: [Int] = []
    for call in calls {
      for (index, place) in call.places.enumerated() {
        let asker = batch.askerOf[place]
        guard let rest = left[asker] else { continue }
        let cost = Int128(call.uses.first?.bounds[index..<index + 1] ?? 0)
        if rest < cost {
          left[asker] = -1
          over.append(place)
        } else {
          left[asker] = rest - cost
        }
      }
    }
    return over
  }
}

/// What was decided about a batch, by places in it. Those that are named nowhere wait for the next.
struct BatchDecision: Sendable {
  /// Calls to be sent.
  var started: [Attempt] = []
  /// Fresh by now.
  var found: [Int] = []
  /// No call of the upstream brings them.
  var unplanned: [Int] = []
  var refused: [RefusedNeeds] = []
  /// The first credential of which the upstream has too little left.
  var shortOf: String?
}

extension BatchDecision {
  /// The same without anything that was started: all that was wanted is refused, for the first reason there was.
  fileprivate func refusingAll(_ wanted: [Int]) -> BatchDecision {
    var whole = self
    whole.started = []
    guard let first = refused.first else { return whole }
    let places = Set(wanted).subtracting(unplanned).union(refused.flatMap(\.places))
    whole.refused = [RefusedNeeds(places: places.sorted(), refusal: first.refusal)]
    return whole
  }
}

/// Needs that were refused for one reason.
struct RefusedNeeds: Sendable {
  var places: [Int]
  var refusal: ReserveRefusal
  /// Whose they are, where a refusal is one asker's alone.
  var asker: Int?

  init(places: [Int], refusal: ReserveRefusal) {
    self.places = places
    self.refusal = refusal
  }

  fileprivate init(_ place: Int, of asker: Int, _ refusal: ReserveRefusal) {
    places = [place]
    self.refusal = refusal
    self.asker = asker
  }

  /// Another need that the same page refuses.
  fileprivate mutating func add(_ place: Int, _ cost: Int128) {
    places.append(place)
    guard refusal.wants.indices.contains(refusal.refusedBy) else { return }
    refusal.wants[refusal.refusedBy].add(Int64(clamping: cost))
  }
}

/// Why needs were not reserved.
struct ReserveRefusal: Hashable, Sendable {
  var reason: RefusalReason
  var retryAt: Timestamp?
  /// What they wanted of each meter.
  var wants: [Admission.Wanted] = []
  /// The number of the meter that said no.
  var refusedBy = 0
  /// Set if a budget has no room for another value of its tag: so many it has.
  var mostValues: Int?
  /// For a person, where the meters do not tell why; empty: they do.
  var detail = ""

  init(reason: RefusalReason) { self.reason = reason }

  /// A budget says no.
  ///
  /// - Parameters:
  ///   - left: what those before have left of it.
  fileprivate init(_ standing: MeterStanding, wanted: Int128, left: Int128) {
    reason = standing.use.rule.refusal
    retryAt = standing.instant(ofHaving: wanted, left: left)
    wants = [
      Admission.Wanted(
        page: standing.page, wanted: Int64(clamping: wanted),
        available: Int64(clamping: left), retryAt: retryAt, budget: standing.use.budget)
    ]
  }

  /// - Parameter admitted: how many of the call's needs were taken; the rest is refused.
  init(
    _ admission: Admission, of call: PlannedCall, admitted: Int, on standings: [MeterStanding]
  ) {
    // A call that cannot be divided is refused as a whole.
    let whole =
      admitted == admission.admitted
      ? admission : Admission(on: standings.map(\.whole), callSize: 1)
    reason = whole.refusal ?? .meter
    retryAt = whole.retryAt
    wants = whole.wants
    refusedBy = whole.refusedBy
  }

  /// What was there of the meter that said no.
  var available: Int64 { wants.indices.contains(refusedBy) ? wants[refusedBy].available : 0 }
  /// The unit of the meter that said no.
  var unit: String { wants.indices.contains(refusedBy) ? wants[refusedBy].page.unit : "" }
  var meter: MeterKey? { wants.indices.contains(refusedBy) ? wants[refusedBy].page : nil }
  /// The budget that said no; nil: none did.
  var budget: Budget? { wants.indices.contains(refusedBy) ? wants[refusedBy].budget : nil }

  /// Until when the upstream has closed the meter that said no, where that is what is waited for; nil: it is not.
  var closedUntil: Timestamp? {
    guard wants.indices.contains(refusedBy), let until = wants[refusedBy].closedUntil,
      until == retryAt
    else { return nil }
    return until
  }

  /// When the needs may fit; nil: waiting does not help, or nobody knows.
  var frees: Timestamp? {
    reason == .insufficientTokens || reason == .meter ? retryAt : nil
  }
}

extension RefusedNeeds {
  /// What the limit of a credential refuses: it is no budget to those who ask.
  fileprivate func ofCredential(_ id: String) -> RefusedNeeds {
    var own = self
    own.refusal.reason = .insufficientTokens
    own.refusal.detail = "it does not fit what is left of the limit of the credential \(id)"
    for index in own.refusal.wants.indices { own.refusal.wants[index].budget = nil }
    own.refusal.retryAt = nil
    return own
  }
}

/// The refusals of one decision. What a meter has refused it refuses to all that come after, in request order.
private struct Refusals {
  private(set) var all: [RefusedNeeds] = []

  mutating func append(_ places: [Int], _ refusal: ReserveRefusal) {
    all.append(RefusedNeeds(places: places, refusal: refusal))
  }

  /// The refusal that holds for a call too.
  func refusal(of call: PlannedCall) -> Int? {
    let meters = Set(call.uses.map { $0.meter.meterBytes })
    return all.firstIndex { refused in
      refused.refusal.reason == .storageReserve
        || refused.refusal.meter.map { meters.contains($0.meterBytes) } ?? false
    }
  }

  mutating func add(_ places: [Int], _ call: PlannedCall, to index: Int) {
    all[index].places += places
    for use in call.uses {
      let place = all[index].refusal.wants.firstIndex {
        $0.page.meterBytes == use.meter.meterBytes
      }
      guard let place else { continue }
      all[index].refusal.wants[place].add(use.bounds[0..<use.bounds.count])
    }
  }
}

extension Admission.Wanted {
  fileprivate mutating func add(_ more: Int64) {
    let (sum, isTooMuch) = wanted.addingReportingOverflow(more)
    wanted = isTooMuch ? .max : sum
  }
}
