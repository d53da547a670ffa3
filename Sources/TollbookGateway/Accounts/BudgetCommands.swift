package import TollbookEvents
package import TollbookLog
package import TollbookViews

/// How a budget is to be, as an operator says it.
package struct BudgetOrder: Hashable, Sendable {
  /// The window in which it counts, as the HTTP API says it.
  package enum Window: Hashable, Sendable {
    case total, minute, hour, day, week, month
    case rolling(seconds: Int64)

    /// Of the words `minute`, `hour`, `day`, `week`, `month` and `total`.
    package init?(word: String) {
      switch word {
      case "total": self = .total
      case "minute": self = .minute
      case "hour": self = .hour
      case "day": self = .day
      case "week": self = .week
      case "month": self = .month
      default: return nil
      }
    }
  }

  /// There can be so many.
  package static let most = 10_000
  package static let longestRolling: Int64 = 366 * 86_400
  package static let usualThresholds: [UInt32] = [50, 80, 95, 100]
  private static let mostThresholds = 16

  package var name: String
  package var scope: BudgetRow.Scope
  package var unit: String
  package var limit: Int64
  package var window: Window
  package var isHard: Bool
  package var isPaused: Bool
  package var thresholds: [UInt32]

  /// - Parameters:
  ///   - units: those in which the upstreams count.
  ///   - upstreams: the names of those that there are.
  package init(
    name: String, scope: BudgetRow.Scope, unit: String, limit: Int64, window: Window,
    isHard: Bool = true, isPaused: Bool = false, thresholds: [UInt32] = Self.usualThresholds,
    units: [String], upstreams: [String]
  ) throws(AccountRefusal) {
    try GivenName.check(name, "name")
    guard units.contains(unit) else {
      throw AccountRefusal(
        .invalid, "unit",
        "nothing is spent in “\(unit.inOneLine(atMost: 100))”; units are"
          + " \(units.joined(separator: ", "))")
    }
    guard scope.upstream.isEmpty || upstreams.contains(scope.upstream) else {
      throw AccountRefusal(
        .invalid, "scope",
        "there is no upstream “\(scope.upstream.inOneLine(atMost: 100))”; upstreams are"
          + " \(upstreams.joined(separator: ", "))")
    }
    try Self.check(scope)
    if case .rolling(let seconds) = window, !(60...Self.longestRolling).contains(seconds) {
      throw AccountRefusal(
        .invalid, "window",
        "rolling_seconds is \(seconds); it must be 60 to \(Self.longestRolling)")
    }
    self.name = name
    self.scope = scope
    self.unit = unit
    self.limit = limit
    self.window = window
    self.isHard = isHard
    self.isPaused = isPaused
    self.thresholds = thresholds
    try check()
  }

  /// Checks what may be changed later.
  fileprivate func check() throws(AccountRefusal) {
    guard limit >= 0 else {
      throw AccountRefusal(.invalid, "limit", "limit is \(limit); it must be 0 or more")
    }
    guard thresholds.count <= Self.mostThresholds, thresholds.allSatisfy({ (1...1_000) ~= $0 })
    else {
      throw AccountRefusal(
        .invalid, "thresholds",
        "thresholds are up to \(Self.mostThresholds) percentages of 1 to 1000")
    }
  }

  private static func check(_ scope: BudgetRow.Scope) throws(AccountRefusal) {
    for text in [scope.account, scope.accessKey, scope.credential, scope.operation]
    where text.utf8.count > 100 || text.utf8.contains(where: { $0 <= 0x20 }) {
      throw AccountRefusal(
        .invalid, "scope", "“\(text.inOneLine(atMost: 100))” in scope can be no name")
    }
    guard !scope.tag.isEmpty else { return }
    do throws(TagProblem) { _ = try Tags.checked(scope.tag) } catch {
      throw AccountRefusal(.invalid, "scope", error.description)
    }
  }

  /// The budget as an event tells it.
  fileprivate func event(zone: String, now: Timestamp, by actor: String) -> BudgetSet {
    var event = BudgetSet()
    event.budget = name
    event.scope.account = scope.account
    event.scope.accessKey = scope.accessKey
    event.scope.credential = scope.credential
    event.scope.upstream = scope.upstream
    event.scope.operation = scope.operation
    event.scope.tag = scope.tag
    event.unit = unit
    event.limit = limit
    event.timeZone = zone
    event.soft = !isHard
    event.paused = isPaused
    event.thresholds = thresholds
    event.setMs = now.milliseconds
    event.actor = actor
    switch window {
    case .total: event.span = .total
    case .minute: event.span = .minute
    case .hour: event.span = .hour
    case .day: event.span = .day
    case .week: event.span = .week
    case .month: event.span = .month
    case .rolling(let seconds):
      event.span = .rolling
      event.rollingSeconds = seconds
    }
    return event
  }

  fileprivate init(_ name: String, _ row: BudgetRow) {
    self.name = name
    scope = row.scope
    unit = row.unit
    limit = row.limit
    window =
      switch row.span {
      case .total, .UNRECOGNIZED: .total
      case .minute: .minute
      case .hour: .hour
      case .day: .day
      case .week: .week
      case .month: .month
      case .rolling: .rolling(seconds: row.rollingSeconds)
      }
    isHard = !row.isSoft
    isPaused = row.isPaused
    thresholds = row.thresholds
  }
}

/// Make a budget. It counts what its window has seen already.
package struct SetBudget: Sendable {
  package var order: BudgetOrder
  package var now: Timestamp
  package var actor: String

  package init(_ order: BudgetOrder, now: Timestamp, actor: String) {
    self.order = order
    self.now = now
    self.actor = actor
  }

  /// - Parameter known: the account that needs no opening.
  func decide(
    _ accounts: AccountsView, default known: String, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    if try accounts.budget(order.name, in: state) != nil {
      return .refused(
        .conflict, "name", "there is a budget \(order.name) already; change it, or remove it")
    }
    let scope = order.scope
    var zone = "UTC"
    if !scope.account.isEmpty {
      if let refusal = try accounts.refusal(ofAccount: scope.account, default: known, in: state) {
        return .refused(refusal)
      }
      zone = try accounts.account(scope.account, in: state)?.timeZone ?? zone
    }
    if !scope.accessKey.isEmpty, try accounts.accessKey(scope.accessKey, in: state) == nil {
      return .refused(
        .notFound, "scope",
        "there is no access key \(scope.accessKey.inOneLine(atMost: 100))")
    }
    // Those that are there are counted only where removed ones might make the difference.
    let most = BudgetOrder.most
    if try accounts.budgetCount(in: state) >= most,
      try accounts.budgets(limit: most, in: state).count >= most
    {
      return .refused(.conflict, "name", "there are \(most) budgets already; remove one first")
    }
    return Decision(
      events: [.budgetSet(order.event(zone: zone, now: now, by: actor))], answer: .success(()))
  }

  package func run(on log: EventLog, default known: String) async throws {
    let accounts = AccountsView(log)
    try await log.decide { (state, _) throws(LogError) in
      try decide(accounts, default: known, state)
    }.answer.get()
  }
}

/// Change a budget, from the next decision on.
package struct ChangeBudget: Sendable {
  package var name: String
  /// Nil: as it is.
  package var limit: Int64?
  package var isHard: Bool?
  package var isPaused: Bool?
  package var thresholds: [UInt32]?
  package var now: Timestamp
  package var actor: String

  package init(
    _ name: String, limit: Int64? = nil, isHard: Bool? = nil, isPaused: Bool? = nil,
    thresholds: [UInt32]? = nil, now: Timestamp, actor: String
  ) {
    self.name = name
    self.limit = limit
    self.isHard = isHard
    self.isPaused = isPaused
    self.thresholds = thresholds
    self.now = now
    self.actor = actor
  }

  func decide(
    _ accounts: AccountsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    guard let row = try accounts.budget(name, in: state) else {
      return .refused(.noBudget(name))
    }
    var order = BudgetOrder(name, row)
    order.limit = limit ?? order.limit
    order.isHard = isHard ?? order.isHard
    order.isPaused = isPaused ?? order.isPaused
    order.thresholds = thresholds ?? order.thresholds
    do throws(AccountRefusal) { try order.check() } catch {
      return .refused(error)
    }
    guard order != BudgetOrder(name, row) else { return Decision(answer: .success(())) }
    return Decision(
      events: [.budgetSet(order.event(zone: row.timeZone, now: now, by: actor))],
      answer: .success(()))
  }

  package func run(on log: EventLog) async throws {
    let accounts = AccountsView(log)
    try await log.decide { (state, _) throws(LogError) in try decide(accounts, state) }
      .answer.get()
  }
}

/// Remove a budget: it counts nothing any more. What it has seen stays in the books.
package struct RemoveBudget: Sendable {
  package var name: String
  package var actor: String

  package init(_ name: String, actor: String) {
    self.name = name
    self.actor = actor
  }

  func decide(
    _ accounts: AccountsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    guard try accounts.budget(name, in: state) != nil else {
      return .refused(.noBudget(name))
    }
    var event = BudgetRemoved()
    event.budget = name
    event.actor = actor
    return Decision(events: [.budgetRemoved(event)], answer: .success(()))
  }

  package func run(on log: EventLog) async throws {
    let accounts = AccountsView(log)
    try await log.decide { (state, _) throws(LogError) in try decide(accounts, state) }
      .answer.get()
  }
}

extension AccountRefusal {
  fileprivate static func noBudget(_ name: String) -> AccountRefusal {
    AccountRefusal(.notFound, "name", "there is no budget \(name.inOneLine(atMost: 100))")
  }
}
