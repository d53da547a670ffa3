import Synchronization
import TollbookLog
import TollbookViews

/// Budgets as they were read from their rows before: each decision asks for the same ones.
///
/// A budget is taken from here only if its row is the same, byte for byte.
final class BudgetMemo: Sendable {
  /// More are not remembered: what there was is forgotten.
  private static let most = 20_000

  private let known = Mutex<[String: (row: [UInt8], budget: Budget?)]>([:])

  /// The budgets that name an account; for the empty one those that name none.
  func budgets(
    ofAccount account: String, _ accounts: AccountsView, _ state: borrowing LogReading
  ) throws(LogError) -> [Budget] {
    var rows: [(name: String, row: [UInt8])] = []
    try accounts.scanBudgets(ofAccount: account, in: state) { (name, row) throws(LogError) in
      rows.append((name, row))
    }
    var budgets: [Budget] = []
    for (name, row) in rows {
      let found = known.withLock { $0[name] }
      if let found, found.row == row {
        if let budget = found.budget { budgets.append(budget) }
        continue
      }
      let budget = try accounts.budget(name, in: state).flatMap { Budget(name, $0) }
      known.withLock { known in
        if known.count >= Self.most { known = [:] }
        known[name] = (row, budget)
      }
      if let budget { budgets.append(budget) }
    }
    return budgets
  }
}
