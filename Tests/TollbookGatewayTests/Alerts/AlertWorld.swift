import Foundation
import Keepa
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

/// A gateway whose webhooks are told by a closure, on a folder that outlives it.
final class AlertWorld: Sendable {
  let folder: TemporaryFolder
  let time = ManualTime()
  let keepa: FakeKeepa
  private let outside = Outside()
  private let settings: GatewaySettings
  private let running: Mutex<(log: EventLog, gateway: Gateway)?>

  /// All that is not Tollbook.
  private final class Outside: Sendable {
    /// What webhooks were told, in order.
    let told = Mutex<[OutgoingMessage]>([])
    let answering = Mutex<MessageSender.Send>({ _ in MessageReceipt(status: 200) })
    let lookedUp = Mutex("198.18.0.1")
  }

  static let secret = "canary-secret"
  static let url = "https://hooks.example:8443/canary-path?token=canary-query"

  init(
    balance: Int64 = 1_200, _ change: (inout GatewaySettings) -> Void = { _ in }
  ) async throws {
    folder = try TemporaryFolder()
    keepa = FakeKeepa(time: time, balance: balance)
    var settings = GatewaySettings()
    settings.webhookHosts = ["hooks.example", "slow.example"]
    change(&settings)
    self.settings = settings
    running = Mutex(nil)
    try await open()
  }

  var log: EventLog { live.log }
  var gateway: Gateway { live.gateway }

  private var live: (log: EventLog, gateway: Gateway) {
    guard let running = running.withLock({ $0 }) else { fatalError("the world stands still") }
    return running
  }

  private func open() async throws {
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let gateway = Gateway(
      log: log, upstreams: [.keepa((keepa, "main"), settings)], settings: settings,
      random: { 0 }, lookUp: { [outside] _, _ in outside.lookedUp.withLock { $0 } },
      send: { [outside] message in
        outside.told.withLock { $0.append(message) }
        return await outside.answering.withLock { $0 }(message)
      })
    try await gateway.start(version: "test")
    running.withLock { $0 = (log, gateway) }
  }

  /// Ends as SIGKILL does for the log, and starts again.
  func crash(meanwhile: (TemporaryFolder) throws -> Void = { _ in }) async throws {
    log.close()
    await gateway.stop()
    weak let environment = log.environment
    running.withLock { $0 = nil }
    while environment != nil { await Task.yield() }
    try meanwhile(folder)
    try await open()
  }

  func answer(_ send: @escaping MessageSender.Send) { outside.answering.withLock { $0 = send } }
  func lookUp(gives address: String) { outside.lookedUp.withLock { $0 = address } }

  var messages: [OutgoingMessage] { outside.told.withLock { $0 } }
  var bodies: [String] { messages.map { String(decoding: $0.body, as: UTF8.self) } }
  func header(_ name: String) -> [String?] {
    messages.map { message in message.headers.first { $0.name == name }?.value }
  }

  /// Buys products that were not bought before.
  func buy(_ range: Range<Int>, tags: [String] = []) async {
    var request = ProductsRequest(asins: asins(range).compactMap { KeepaASIN($0) })
    request.principal = Principal(account: "default", tags: tags)
    _ = await gateway.products(request)
    await gateway.writeTallies()
  }

  func setBudget(
    _ name: String = "daily", limit: Int64 = 10, window: BudgetOrder.Window = .day,
    scope: BudgetRow.Scope = .init()
  ) async throws {
    let order = try BudgetOrder(
      name: name, scope: scope, unit: "tokens", limit: limit, window: window, units: ["tokens"],
      upstreams: ["keepa"])
    try await SetBudget(order, now: time.now, actor: "test").run(on: log, default: "default")
  }

  @discardableResult
  func addWebhook(
    _ events: [String] = ["alert.raised", "alert.cleared"], url: String = AlertWorld.url,
    format: String = "signed", secret: String? = AlertWorld.secret
  ) async throws -> AddWebhook {
    let command = try AddWebhook(
      url: url, secret: secret, format: format, events: events, actor: "test")
    try await gateway.add(command)
    return command
  }

  func look() async throws { _ = try await gateway.lookForAlerts() }
  func deliver() async throws { _ = try await gateway.deliverAlerts() }

  /// The alerts that are open, each with its share.
  func open() throws -> [String] {
    let alerts = gateway.alerts
    return try log.read { (reading) throws(LogError) in
      try alerts.alerts(limit: 1_000, in: reading)
    }.map { "\($0.alert.name) \($0.alert.percent)" }
  }

  func events(_ kind: EventKind) throws -> [Event] {
    let log = log
    return try log.read { (reading) throws(LogError) in
      var found: [Event] = []
      try log.reader.scan(after: 0, in: reading) { (recorded) throws(LogError) in
        if recorded.event.kind == kind { found.append(recorded.event) }
        return .next
      }
      return found
    }
  }

  func raised() throws -> [Alert] {
    try events(.alertRaised).compactMap { event in
      if case .alertRaised(let event) = event { event.alert } else { nil }
    }
  }

  func cleared() throws -> [String] {
    try events(.alertCleared).compactMap { event in
      if case .alertCleared(let event) = event { event.reason } else { nil }
    }
  }

  func sent() throws -> [NotificationSent] {
    try events(.notificationSent).compactMap { event in
      if case .notificationSent(let event) = event { event } else { nil }
    }
  }

  func deliveries(isDead: Bool? = nil) throws -> [DeliveryID] {
    let alerts = gateway.alerts
    return try log.read { (reading) throws(LogError) in
      try alerts.deliveries(isDead: isDead, limit: 1_000, in: reading)
    }.map(\.id)
  }
}
