import Synchronization
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

/// A gateway to the toll alone.
final class TollWorld: Sendable {
  let folder: TemporaryFolder
  let time = ManualTime()
  let toll = TollUpstream()
  let log: EventLog
  let gateway: Gateway

  init(_ change: (inout GatewaySettings) -> Void = { _ in }) async throws {
    folder = try TemporaryFolder()
    log = try folder.openLog(folds: allFolds, time: time.source)
    var settings = GatewaySettings()
    change(&settings)
    gateway = Gateway(
      log: log, upstreams: [RegisteredUpstream("toll", toll, absence: "no key")],
      settings: settings, random: { 0.5 })
    try await gateway.start(version: "test")
  }

  func setBudget(
    _ name: String, limit: Int64, _ window: BudgetOrder.Window = .total, account: String = "",
    tag: String = ""
  ) async throws {
    var scope = BudgetRow.Scope()
    (scope.account, scope.tag) = (account, tag)
    let order = try BudgetOrder(
      name: name, scope: scope, unit: "coins", limit: limit, window: window, units: ["coins"],
      upstreams: ["toll"])
    try await SetBudget(order, now: time.now, actor: "test").run(on: log, default: "default")
  }

  func ask(
    _ names: [String], account: String = "default", tags: [String] = [], wait: Int64 = 0
  ) async -> DemandAnswer {
    await gateway.answer(
      ResourceDemand(
        "toll.gate", names.map { TollUpstream.gate($0) }, wait: wait, account: account, tags: tags))
  }

  func events(after position: Position = 0) throws -> [(position: Position, event: Event)] {
    try log.read { (reading) throws(LogError) in
      var events: [(position: Position, event: Event)] = []
      try log.reader.scan(after: position, in: reading) { (recorded) throws(LogError) in
        events.append((recorded.position, recorded.event))
        return .next
      }
      return events
    }
  }

  func holds() throws -> [Hold] {
    let ledger = LedgerView(log)
    return try log.read { (reading) throws(LogError) in try ledger.holds(in: reading) }
  }

  func standing(_ name: String) throws -> BudgetStanding? {
    try gateway.budgets().first { $0.name == name }
  }

  /// Lets calls go on and the clock too until that is so.
  func run(until isDone: () -> Bool) async {
    while !isDone() {
      toll.letGo()
      await log.settle()
      if time.sleeperCount > 0 { time.advance(byMilliseconds: 1_000) }
      await Task.yield()
    }
  }
}
