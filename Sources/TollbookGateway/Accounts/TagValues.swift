import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// How many values of a tag have a limit of their own: there are so many at the most of each budget.
struct TagValues {
  let most: Int
  /// Values in the books, by budget.
  private var known: [String: Int] = [:]
  /// Values that this decision brings.
  private var new: [String: Set<MeterKey>] = [:]

  init(most: Int) { self.most = most }

  /// Whether there is room for the meter of a value. Looks at the others only where the value is new.
  mutating func admits(
    _ meter: MeterKey, of budget: Budget, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> Bool {
    guard budget.wildcard != nil, new[budget.name]?.contains(meter) != true,
      try !ledger.isUsed(meter, in: state)
    else { return true }
    if known[budget.name] == nil {
      let meters = try ledger.meters(ofBudget: budget.name, in: state).map(\.key)
        .filter { budget.owns($0) }
      known[budget.name] = Set(meters.map { $0.inWindow("") }).count
    }
    guard (known[budget.name] ?? 0) + (new[budget.name]?.count ?? 0) < most else { return false }
    new[budget.name, default: []].insert(meter)
    return true
  }

  /// Uses without those of budgets that refuse nothing and have no room: such a budget counts what it has room for.
  mutating func counted(
    _ uses: [MeterUse], _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> [MeterUse] {
    var counted: [MeterUse] = []
    for use in uses {
      if let budget = use.budget, !use.refuses,
        try !admits(use.meter, of: budget, ledger, state)
      {
        continue
      }
      counted.append(use)
    }
    return counted
  }

  /// The first of the uses whose budget refuses it for want of room for its value; nil: there is none.
  mutating func crowded(
    _ uses: [MeterUse], _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> Int? {
    for (number, use) in uses.enumerated() where use.refuses {
      guard let budget = use.budget else { continue }
      if try !admits(use.meter, of: budget, ledger, state) { return number }
    }
    return nil
  }
}
