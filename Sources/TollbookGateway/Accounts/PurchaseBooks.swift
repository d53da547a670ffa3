import TollbookLog
import TollbookViews

/// What a purchase is decided by, beside the cache: what is spent and held, what limits of our own there are, and what
/// there was before them.
struct PurchaseBooks: Sendable {
  let ledger: LedgerView
  let accounts: AccountsView
  let rollups: RollupView
  let credentials: CredentialsView
  let budgets = BudgetMemo()

  init(_ log: EventLog) {
    ledger = LedgerView(log)
    accounts = AccountsView(log)
    rollups = RollupView(log)
    credentials = CredentialsView(log)
  }
}
