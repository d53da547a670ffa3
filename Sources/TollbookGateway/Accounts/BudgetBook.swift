import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// The budgets that count what some demands want, as one decision sees them.
///
/// 1. A budget counts the needs of the demands that it is about, and no others of a call.
/// 2. It counts in the unit of a meter that the call uses; what costs nothing in its unit it does not count.
/// 3. The limit of the credential that sends the calls counts like a budget.
/// 4. A page of its books opens with what its window has seen before: see ``opening(of:_:_:)``.
struct BudgetBook {
  private let upstream: String
  private let credential: String
  /// Those that name no account.
  private var ofAll: [Budget] = []
  private var ofAccount: [String: [Budget]] = [:]

  /// - Parameter credential: the one that sends the calls.
  init(
    _ demands: [Demand], upstream: String, credential: String, _ books: PurchaseBooks,
    _ state: borrowing LogReading
  ) throws(LogError) {
    self.upstream = upstream
    self.credential = credential
    ofAll = try books.budgets.budgets(ofAccount: "", books.accounts, state)
    for account in Set(demands.map(\.account)).sorted() {
      ofAccount[account] = try books.budgets.budgets(ofAccount: account, books.accounts, state)
    }
    let row = try books.credentials.credential(credential, in: state)
    if let limit = row?.limitBudget(of: credential) { ofAll.append(limit) }
  }

  var isEmpty: Bool { ofAll.isEmpty && ofAccount.allSatisfy(\.value.isEmpty) }

  /// What a call takes of budgets: one use for each meter.
  ///
  /// - Parameter demands: of each need of the call who asked for it.
  func uses(of call: PlannedCall, by demands: [Demand]) -> [MeterUse] {
    guard !isEmpty else { return [] }
    var counted: [(meter: MeterKey, budget: Budget, needs: [Bool])] = []
    for (index, demand) in demands.enumerated() {
      let operation = call.needs[index].operation
      for budget in ofAll + (ofAccount[demand.account] ?? []) {
        let meter = budget.meter(
          of: demand, operation: operation, upstream: upstream, credential: credential)
        guard let meter else { continue }
        let place = counted.firstIndex { $0.meter == meter }
        if place == nil {
          counted.append((meter, budget, [Bool](repeating: false, count: demands.count)))
        }
        counted[place ?? counted.count - 1].needs[index] = true
      }
    }
    return counted.compactMap { meter, budget, needs in
      let leader = call.uses.first {
        !$0.isLimitOnly && $0.meter.unit.utf8.elementsEqual(budget.row.unit.utf8)
      }
      return leader.map { MeterUse(meter, budget, counting: needs, of: $0) }
    }
  }
}

extension MeterUse {
  /// What a budget counts of a call.
  ///
  /// - Parameter leader: the use of the meter that tells the cost.
  fileprivate init(
    _ meter: MeterKey, _ budget: Budget, counting needs: [Bool], of leader: MeterUse
  ) {
    let isAll = needs.allSatisfy(\.self)
    func part(_ costs: PrefixCosts) -> PrefixCosts {
      isAll
        ? costs : PrefixCosts(each: needs.indices.map { needs[$0] ? costs[$0..<$0 + 1] : 0 })
    }
    self.init(
      meter, budget.rule, bounds: part(leader.bounds), expected: part(leader.expected),
      isEstimated: leader.isEstimated, isLimitOnly: true)
    self.budget = budget
    counted = isAll ? [] : needs
  }
}

// MARK: What a window has seen before a budget counted in it

extension Budget {
  /// What a page opens with: all that was spent, or is held, in its window before the budget counted anything there. Of an
  /// access key and of a credential nobody has kept sums: such a budget begins with nothing.
  ///
  /// Sums are kept by hours: an hour that lies in the window in part counts whole. A window of a minute opens with
  /// nothing.
  ///
  /// - Parameters:
  ///   - meter: the budget's meter that is meant.
  ///   - now: the instant at which the page is first used.
  ///   - events: those of the same decision that come before: what they end is not held any more.
  func opening(
    of meter: MeterKey, at now: Timestamp, _ ledger: LedgerView, _ rollups: RollupView,
    _ state: borrowing LogReading, after events: [Event] = []
  ) throws(LogError) -> Int64 {
    let scope = row.scope
    guard scope.accessKey.isEmpty, scope.credential.isEmpty, row.span != .minute else { return 0 }
    // In a window that began later it has counted all there was.
    let began = rule.beginning(at: now)
    if let began, row.since < began { return 0 }
    let value = meter.dimensions.first { $0.name == wildcard }?.value
    let hours =
      (began.map { RollupKey.hour(of: $0) } ?? 0)..<RollupKey.hour(of: now) &+ 1
    var spent: Int64 = 0
    try rollups.scan(hours, in: state) { (key, sums) throws(LogError) in
      if counts(key.account, key.operation, key.tags, value), key.unit == row.unit {
        // What a correction takes off may be of a charge that this window did not see.
        let takenOff = began == nil ? 0 : sums[.correctedDown]
        spent = spent.clampedSum(sums[.certain].clampedSum(takenOff))
      }
      return .next
    }
    for hold in try ledger.holds(in: state)
    where !hold.isLimitOnly && hold.meter.unit == row.unit
      && began.map({ hold.since >= $0 }) != false
    {
      let amount = hold.amount(after: events)
      for (payer, part) in zip(hold.payers, hold.payers.dividing(amount))
      where counts(payer.account, hold.operation, payer.tags, value) {
        spent = spent.clampedSum(part)
      }
    }
    return max(0, spent)
  }

  /// Whether it counts what an account pays for an operation.
  func counts(
    _ account: String, _ operation: String, _ tags: [String], _ value: String?
  ) -> Bool {
    let scope = row.scope
    guard scope.account.isEmpty || scope.account == account,
      scope.upstream.isEmpty || operation.hasPrefix(scope.upstream + "."),
      scope.operation.isEmpty || scope.operation == operation
    else { return false }
    if scope.tag.isEmpty { return true }
    return tags.contains(wildcard.map { "\($0)=\(value ?? "")" } ?? scope.tag)
  }
}

extension Hold {
  /// What of it is spent or held when these events have happened too.
  fileprivate func amount(after events: [Event]) -> Int64 {
    var amount = amount
    for event in events where event.hasPostings {
      for posting in event.postings(at: 0)
      where posting.fetch == fetch && posting.attempt == attempt && posting.page == meter {
        switch posting.change {
        case .charged(let cost, let reserved): amount = amount &+ cost &- reserved
        case .released(let part): amount = amount &- part
        default: break
        }
      }
    }
    return amount
  }
}

extension Int64 {
  fileprivate func clampedSum(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
