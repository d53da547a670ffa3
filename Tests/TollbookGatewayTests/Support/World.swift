import Keepa
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

/// A gateway on a folder of its own, a fake Keepa and clocks that a test moves.
final class World: Sendable {
  struct Running: Sendable {
    let log: EventLog
    let gateway: Gateway
  }

  let folder: TemporaryFolder
  let time: ManualTime
  let keepa: FakeKeepa
  private let jitter: Double
  private let running: Mutex<Running?>

  /// - Parameters:
  ///   - jitter: what every draw of the retries' jitter gives.
  ///   - change: applied to the default settings.
  init(
    rate: Int64 = 20, balance: Int64 = 1_200, options: EventLog.Options = .scratch,
    isConfigured: Bool = true, jitter: Double = 0,
    _ change: (inout GatewaySettings) -> Void = { _ in }
  ) async throws {
    folder = try TemporaryFolder()
    time = ManualTime()
    keepa = FakeKeepa(time: time, rate: rate, balance: balance)
    self.jitter = jitter
    var settings = GatewaySettings()
    change(&settings)
    running = Mutex(nil)
    try await begin(settings, options, isConfigured)
  }

  var gateway: Gateway { live.gateway }
  var log: EventLog { live.log }

  private var live: Running {
    guard let running = running.withLock({ $0 }) else { fatalError("the world stands still") }
    return running
  }

  private func begin(
    _ settings: GatewaySettings, _ options: EventLog.Options, _ isConfigured: Bool
  ) async throws {
    let log = try folder.openLog(folds: allFolds, time: time.source, options: options)
    let gateway = Gateway(
      log: log, keepa: isConfigured ? (keepa, "main") : nil, settings: settings,
      random: { [jitter] in jitter })
    try await gateway.start(version: "test")
    running.withLock { $0 = Running(log: log, gateway: gateway) }
  }

  /// Ends as SIGTERM does, and starts again.
  func restart(_ options: EventLog.Options = .scratch) async throws {
    await end(orderly: true)
    try await reopen(options)
  }

  /// Ends as SIGKILL does for the log: what comes after that finds it closed. Calls held back at Keepa are let go.
  func crash(_ options: EventLog.Options = .scratch) async throws {
    await end(orderly: false)
    try await reopen(options)
  }

  /// Lets the clock go on, once what was under way has come to where it sleeps.
  func pass(_ milliseconds: Int64) async {
    await log.settle()
    if time.sleeperCount > 0 { time.advance(byMilliseconds: milliseconds) }
  }

  /// Waits until that many demands are with the purchaser.
  func waitForDemands(_ count: Int) async {
    while (gateway.keepaPurchaser?.openDemands ?? 0) < count { await Task.yield() }
  }

  /// Ends the gateway while the clock goes on, so that who sleeps wakes up and sees it.
  func end(orderly: Bool) async {
    if !orderly { log.close() }
    let gateway = gateway
    let isStopped = Flag()
    Task {
      await gateway.stop()
      isStopped.set()
    }
    keepa.letGo()
    while !isStopped.isSet {
      if time.sleeperCount > 0 { time.advance(byMilliseconds: 100) }
      await Task.yield()
    }
    log.close()
  }

  /// Opens the log anew. All clients must have had their answers: they hold the old one.
  ///
  /// - Parameter meanwhile: what is done to the folder while nobody has it open.
  func reopen(
    _ options: EventLog.Options = .scratch,
    meanwhile: (TemporaryFolder) throws -> Void = { _ in }
  ) async throws {
    let settings = gateway.settings
    weak let environment = log.environment
    running.withLock { $0 = nil }
    // A task that has just ended may hold it for another instant.
    while environment != nil { await Task.yield() }
    try meanwhile(folder)
    try await begin(settings, options, true)
  }
}

// MARK: Asking

extension World {
  func ask(
    _ asins: [String], _ change: (inout ProductsRequest) -> Void = { _ in }
  ) async -> ProductsAnswer {
    var request = ProductsRequest(asins: asins.compactMap { KeepaASIN($0) })
    change(&request)
    return await gateway.products(request)
  }

  /// Asks in a task of its own.
  func begin(
    _ asins: [String], _ change: @escaping @Sendable (inout ProductsRequest) -> Void = { _ in }
  ) -> Task<ProductsAnswer, Never> {
    Task { await ask(asins, change) }
  }
}

// MARK: Jobs

extension World {
  /// Takes on a job that keeps these products fresh.
  func warm(
    _ asins: [String], limit: Int64? = nil, by principal: Principal = Principal(account: "default")
  ) async throws -> JobID {
    let names = asins.map { "\"\($0)\"" }.joined(separator: ",")
    let rest = limit.map { ",\"limit_units\":\($0)" } ?? ""
    return try await gateway.queueJob(
      .warmKeepa, request: Array("{\"asins\":[\(names)]\(rest)}".utf8), total: asins.count,
      by: principal)
  }

  /// Those that outlive the process and have not ended.
  func openJobs() throws -> [JobID] {
    try gateway.recordedJobs(before: nil, limit: .max).filter(\.job.state.isOpen).map(\.job.id)
  }
}

// MARK: Looking

extension World {
  static let key = MeterKey(owner: "main", unit: "tokens")

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

  func count(_ kind: EventKind) throws -> Int { try events().count { $0.kind == kind } }

  /// The rows of all sweeps: entries that were noted as no longer fresh, and entries that were removed.
  func swept() throws -> (expired: Int, evicted: Int) {
    let rows = try events().flatMap { event -> [SweptEntry] in
      if case .entriesSwept(let event) = event { event.entries } else { [] }
    }
    return (rows.count { !$0.evicted }, rows.count { $0.evicted })
  }

  func meter() throws -> Meter {
    let ledger = LedgerView(log)
    return try log.read { (transaction) throws(LogError) in
      try ledger.meter(Self.key, in: transaction)
    }
  }

  func holds() throws -> [Hold] {
    let ledger = LedgerView(log)
    return try log.read { (transaction) throws(LogError) in
      try ledger.holds(in: transaction)
    }
  }
}

extension ProductsAnswer {
  var sources: [ProductOutcome.Source] { outcomes.map(\.source) }
  var tokens: [Int64] { outcomes.map(\.tokens) }
  var reasons: [PurchaseProblem.Reason?] { outcomes.map { $0.problem?.reason } }
}

/// `B000000000`, `B000000001` …
func asins(_ range: Range<Int>) -> [String] {
  range.map { "B" + String(String($0 + 1_000_000_000).suffix(9)) }
}

func asins(_ count: Int) -> [String] { asins(0..<count) }

let minute: Int64 = 60_000
let hour: Int64 = 3_600_000
let day: Int64 = 86_400_000
