import Keepa
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

extension World {
  func openAccount(_ id: String, zone: String = "UTC") async throws {
    try await OpenAccount(id: id, timeZone: zone, actor: "test").run(on: log)
  }

  /// Makes a budget in tokens.
  func setBudget(
    _ name: String, limit: Int64, _ window: BudgetOrder.Window = .total, account: String = "",
    accessKey: String = "", tag: String = "", isHard: Bool = true, isPaused: Bool = false
  ) async throws {
    var scope = BudgetRow.Scope()
    (scope.account, scope.accessKey, scope.tag) = (account, accessKey, tag)
    let order = try BudgetOrder(
      name: name, scope: scope, unit: "tokens", limit: limit, window: window, isHard: isHard,
      isPaused: isPaused, units: ["tokens"], upstreams: ["keepa"])
    try await SetBudget(order, now: time.now, actor: "test").run(on: log, default: "default")
  }

  func changeBudget(_ name: String, limit: Int64? = nil, isPaused: Bool? = nil) async throws {
    try await ChangeBudget(
      name, limit: limit, isPaused: isPaused, now: time.now, actor: "test"
    ).run(on: log)
  }

  func removeBudget(_ name: String) async throws {
    try await RemoveBudget(name, actor: "test").run(on: log)
  }

  /// How a budget stands.
  ///
  /// - Parameter tag: of one that counts each value of a tag by itself the value that is meant.
  func standing(_ name: String, tag: String = "") throws -> BudgetStanding? {
    try gateway.budgets().first { $0.name == name && $0.tag == tag }
  }

  /// Asks for what an account pays.
  func ask(_ asins: [String], as account: String, tags: [String] = []) async -> ProductsAnswer {
    await ask(asins) {
      $0.principal = Principal(account: account, scopes: [.fetch], tags: tags)
    }
  }

  /// The same in a task of its own.
  func begin(
    _ asins: [String], as account: String, tags: [String] = []
  ) -> Task<ProductsAnswer, Never> {
    begin(asins) { $0.principal = Principal(account: account, scopes: [.fetch], tags: tags) }
  }

  /// Of all pages, what conservation leaves over.
  func residual() throws -> Int64 {
    let ledger = LedgerView(log)
    return try log.read { (reading) throws(LogError) in
      try ledger.meters(in: reading).reduce(0) { $0 + abs($1.meter.residual) }
    }
  }
}

extension ProductsAnswer {
  /// The budgets that said no, one for each product.
  var budgets: [String?] { outcomes.map { $0.problem?.budget?.name } }
}
