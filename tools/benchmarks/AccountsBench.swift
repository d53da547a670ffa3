import ArgumentParser
import Foundation
import Keepa
import LMDB
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// What budgets cost: decisions over ten meters beside decisions over one.
struct AccountsBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accounts", abstract: "Decides about purchases on one meter and on ten.")

  @Option(help: "How many decisions are measured at once.") var decisions = 3_000
  @Option(help: "How many purchases are measured at once.") var purchases = 300
  @Option(help: "How often each is measured, in turns.") var rounds = 9

  func run() async throws {
    let one = try await Self.world(budgets: 0)
    let ten = try await Self.world(budgets: 9)
    var decided: [(one: Double, ten: Double)] = []
    var bought: [(one: Double, ten: Double)] = []
    for round in 0..<rounds {
      decided.append((try decide(one, round), try decide(ten, round)))
      bought.append((try await buy(one, round), try await buy(ten, round)))
    }
    printTable(
      "Budgets: rates on ten meters beside one (\(rounds) rounds in turns, medians)",
      [
        row("decisions, nothing written", decided, limit: ", limit: 0.50"),
        row("purchases of one product, kept", bought, limit: ""),
      ])
  }

  private func row(
    _ name: String, _ rates: [(one: Double, ten: Double)], limit: String
  ) -> Row {
    let ratio = median(rates.map { $0.ten / $0.one })
    return Row(
      name, "\(grouped(median(rates.map(\.one))))/s and \(grouped(median(rates.map(\.ten))))/s",
      String(format: "%.2f ×", ratio) + limit)
  }

  private func median(_ numbers: [Double]) -> Double { numbers.sorted()[numbers.count / 2] }

  private static func world(budgets: Int) async throws -> WhatIfWorld {
    let world = try await WhatIfWorld(FreshnessPolicy(), rate: 1_000_000, isIdle: { _ in true })
    _ = await world.gateway.products(products(from: 999_999_999))
    for number in 0..<budgets {
      let windows: [BudgetOrder.Window] = [.total, .day, .hour]
      let order = try BudgetOrder(
        name: "budget-\(number)", scope: BudgetRow.Scope(), unit: "tokens", limit: 1_000_000_000,
        window: windows[number % windows.count], units: ["tokens"], upstreams: ["keepa"])
      try await SetBudget(order, now: world.time.now, actor: "").run(
        on: world.log, default: "default")
    }
    _ = await world.gateway.products(products(from: 999_999_998))
    return world
  }

  private static func products(from number: Int) -> ProductsRequest {
    let text = "B" + String(number).suffix(9)
    let padded = text + String(repeating: "0", count: 10 - text.count)
    return ProductsRequest(asins: [padded].compactMap { KeepaASIN($0) })
  }

  /// Decisions a second.
  private func decide(_ world: WhatIfWorld, _ round: Int) throws -> Double {
    let demand = Self.products(from: 900_000_000 + round).demand
    return Double(decisions)
      / (try seconds {
        for _ in 0..<decisions {
          guard case .success(let preview) = world.gateway.preview(demand), preview.calls == 1
          else {
            throw ExitCode.failure
          }
        }
      })
  }

  /// Purchases a second, one after the other.
  private func buy(_ world: WhatIfWorld, _ round: Int) async throws -> Double {
    Double(purchases)
      / (try await seconds {
        for number in 0..<purchases {
          let answer = await world.gateway.products(
            Self.products(from: 100_000_000 + round * purchases + number))
          guard answer.outcomes.first?.source == .keepa else { throw ExitCode.failure }
        }
      })
  }
}

/// Opens many accounts, each with a budget and an access key.
struct FillAccounts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fill-accounts", abstract: "Makes a simulated data directory with many accounts.")

  @Argument(help: "The folder to make.") var folder: String
  @Option(help: "How many accounts.") var accounts = 10_000

  func run() async throws {
    var options = EventLog.Options()
    options.unsafeWithoutSync = true
    let log = try EventLog(
      DataDirectory.own(folder, mode: .simulated), folds: allFolds, time: .system, options: options
    ) { error in print("failed: \(error)") }
    let now = log.time.now()
    for number in 0..<accounts {
      let account = "account-\(number)"
      try await OpenAccount(id: account, actor: "").run(on: log)
      var scope = BudgetRow.Scope()
      scope.account = account
      let order = try BudgetOrder(
        name: "budget-\(number)", scope: scope, unit: "tokens", limit: 500, window: .day,
        units: ["tokens"], upstreams: ["keepa"])
      try await SetBudget(order, now: now, actor: "").run(on: log, default: "default")
    }
    log.close()
    try log.environment.sync()
    print("\(accounts) accounts")
  }
}
