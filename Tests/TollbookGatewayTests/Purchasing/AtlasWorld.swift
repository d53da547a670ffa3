import Keepa
import LMDB
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

/// A gateway to Keepa and to an upstream that does not exist, on one log.
final class AtlasWorld: Sendable {
  let folder: TemporaryFolder
  let time: ManualTime
  let keepa: FakeKeepa
  let atlas: AtlasUpstream
  private let running: Mutex<(log: EventLog, gateway: Gateway)?>

  init(needsPass: Bool = false, rate: Int64 = 20, balance: Int64 = 1_200) async throws {
    folder = try TemporaryFolder()
    // Not at the turn of a minute: there nobody knows which one a figure is about.
    time = ManualTime(Timestamp.testStart.advanced(byMilliseconds: 20_000))
    keepa = FakeKeepa(time: time, rate: rate, balance: balance)
    atlas = AtlasUpstream(time: time, needsPass: needsPass)
    running = Mutex(nil)
    try await begin()
  }

  var log: EventLog {
    guard let log = running.withLock({ $0?.log }) else { fatalError("the world stands still") }
    return log
  }

  var gateway: Gateway {
    guard let gateway = running.withLock({ $0?.gateway }) else {
      fatalError("the world stands still")
    }
    return gateway
  }

  var purchaser: Purchaser { gateway.purchasers[1] }

  private func begin() async throws {
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let settings = GatewaySettings()
    let gateway = Gateway(
      log: log,
      upstreams: [
        .keepa((keepa, "main"), settings), RegisteredUpstream("atlas", atlas, absence: "no key"),
      ], settings: settings, random: { 0.3 })
    try await gateway.start(version: "test")
    running.withLock { $0 = (log, gateway) }
  }

  /// Lets the clock go on, once what was under way has come to where it sleeps.
  func pass(_ milliseconds: Int64) async {
    await log.settle()
    if time.sleeperCount > 0 { time.advance(byMilliseconds: milliseconds) }
  }

  /// Opens the log anew. All clients must have had their answers: they hold the old one.
  func reopen() async throws {
    weak let environment = log.environment
    running.withLock { $0 = nil }
    while environment != nil { await Task.yield() }
    try await begin()
  }

  /// Ends as SIGKILL does for the log: what comes after that finds it closed.
  func end() async {
    let gateway = gateway
    log.close()
    let isStopped = Flag()
    Task {
      await gateway.stop()
      isStopped.set()
    }
    atlas.letGo()
    keepa.letGo()
    while !isStopped.isSet {
      if time.sleeperCount > 0 { time.advance(byMilliseconds: 100) }
      await Task.yield()
    }
  }

  /// Law 1: closes the log and folds it again.
  ///
  /// - Returns: the tables that are not what they were, byte for byte.
  func rebuilt() async throws -> [String] {
    let live = try log.environment.dump()
    log.close()
    weak let environment = log.environment
    running.withLock { $0 = nil }
    while environment != nil { await Task.yield() }
    let directory = try folder.own()
    _ = try Rebuild.allViews(of: directory, folds: allFolds, options: .scratch) { _, _ in }
    return differences(live, try Environment(directory: directory.path).dump())
  }

  func places(
    _ names: [String], _ change: (inout ResourceDemand) -> Void = { _ in }
  ) async -> DemandAnswer {
    var demand = ResourceDemand("atlas.place", names.map(AtlasUpstream.place), account: "acme")
    change(&demand)
    return await gateway.answer(demand)
  }

  func tick(_ name: String) async -> DemandAnswer {
    await gateway.answer(
      ResourceDemand("atlas.time", [AtlasUpstream.time(name)], account: "acme"))
  }

  // MARK: Looking

  func page(_ meter: MeterKey, _ rule: MeterRule) -> Meter {
    gateway.page(meter.inWindow(rule.window(at: time.now).name))
  }

  var weight: Meter { page(AtlasUpstream.weight, AtlasUpstream.weightRule) }
  var requests: Meter { page(AtlasUpstream.requests, AtlasUpstream.requestRule) }
  var money: Meter { page(AtlasUpstream.money, AtlasUpstream.moneyRule) }

  func events() throws -> [Event] {
    let log = log
    return try log.read { (transaction) throws(LogError) in
      var events: [Event] = []
      try log.reader.scan(after: 0, in: transaction) { (recorded) throws(LogError) in
        events.append(recorded.event)
        return .next
      }
      return events
    }
  }

  /// What conservation leaves over on any page, what is held, and what could not be applied.
  func books() throws -> (residual: Int64, reserved: Int64, parked: Int) {
    let ledger = LedgerView(log)
    let log = log
    return try log.read { (transaction) throws(LogError) in
      var pages = try ledger.meters(in: transaction).map(\.meter)
      for meter in [AtlasUpstream.weight, AtlasUpstream.requests] {
        pages += try log.closedPages(of: meter, in: transaction).map(\.meter)
      }
      return (
        pages.reduce(0) { $0 + abs($1.residual) }, pages.reduce(0) { $0 + $1[.reserved] },
        try log.reader.parkedCount(in: transaction)
      )
    }
  }
}

extension DemandAnswer {
  var sources: [ResourceOutcome.Source] { outcomes.map(\.source) }
  var reasons: [PurchaseProblem.Reason?] { outcomes.map { $0.problem?.reason } }
}
