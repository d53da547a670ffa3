import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Expects accounts, access keys and budgets to be what the model says, in the order of their names, and found by them.
func expectAccounts(of log: EventLog, toBe model: LogModel) throws {
  let view = AccountsView(log)
  try log.read { (reading) throws(LogError) in
    let accounts = try view.accounts(limit: .max, in: reading)
    expectOrder(accounts.map(\.id))
    let foundAccounts = accounts.map { (Array($0.id.utf8), LogModel.Account($0.account)) }
    #expect(Dictionary(uniqueKeysWithValues: foundAccounts) == model.accounts)

    let keys = try view.accessKeys(limit: .max, in: reading)
    expectOrder(keys.map(\.id))
    let foundKeys = keys.map { (Array($0.id.utf8), LogModel.AccessKey($0.key)) }
    #expect(Dictionary(uniqueKeysWithValues: foundKeys) == model.accessKeys)
    let hasKeys = try view.hasAccessKeys(in: reading)
    #expect(hasKeys == !model.accessKeys.isEmpty)

    let budgets = try view.budgets(limit: .max, in: reading)
    expectOrder(budgets.map(\.name))
    #expect(found(budgets) == model.openBudgets)

    for (id, account) in model.accounts {
      let row = try view.account(String(decoding: id, as: UTF8.self), in: reading)
      #expect(row.map { LogModel.Account($0) } == account)
    }
    for (id, key) in model.accessKeys {
      let row = try view.accessKey(String(decoding: id, as: UTF8.self), in: reading)
      #expect(row.map { LogModel.AccessKey($0) } == key)
    }
    for (name, budget) in model.budgets {
      let row = try view.budget(String(decoding: name, as: UTF8.self), in: reading)
      #expect(row.map { LogModel.Budget($0) } == (budget.isRemoved ? nil : budget))
    }
    try expectBudgetsOfAccounts(view, toBe: model, reading)
    guard let middle = keys.dropFirst(keys.count / 2).first else { return }
    let rest = try view.accessKeys(after: middle.id, limit: 2, in: reading)
    #expect(rest.map(\.id) == keys.dropFirst(keys.count / 2 + 1).prefix(2).map(\.id))
  }
}

/// Each budget stands with the account that it names, and with no other.
private func expectBudgetsOfAccounts(
  _ view: AccountsView, toBe model: LogModel, _ reading: borrowing LogReading
) throws(LogError) {
  let accounts = Set(model.budgets.values.map { $0.scope[0] }).union([[], Array("nobody".utf8)])
  for account in accounts {
    var names: [String] = []
    try view.scanBudgets(
      ofAccount: String(decoding: account, as: UTF8.self), in: reading
    ) { (name, row) throws(LogError) in
      names.append(name)
      #expect(!row.isEmpty)
    }
    var budgets: [(name: String, budget: BudgetRow)] = []
    for name in names {
      if let budget = try view.budget(name, in: reading) { budgets.append((name, budget)) }
    }
    #expect(budgets.map(\.name) == names)
    expectOrder(budgets.map(\.name))
    #expect(found(budgets) == model.openBudgets.filter { $0.value.scope[0] == account })
  }
}

private func found(
  _ budgets: [(name: String, budget: BudgetRow)]
) -> [LogModel.Text: LogModel.Budget] {
  Dictionary(
    uniqueKeysWithValues: budgets.map { (Array($0.name.utf8), LogModel.Budget($0.budget)) })
}

/// By their bytes, and none twice.
func expectOrder(_ names: [String]) {
  let names = names.map { Array($0.utf8) }
  #expect(names == names.sorted { $0.lexicographicallyPrecedes($1) })
  #expect(Set(names).count == names.count)
}
