package import TollbookEvents
import TollbookLog
package import TollbookUpstreams
import TollbookViews

/// Tell somebody of alerts from now on.
package struct AddWebhook: Sendable {
  /// There can be so many.
  package static let most = 100
  /// The names of what a webhook can be told of.
  package static let names =
    AlertName.allCases.map(\.rawValue) + [WebhookRow.raised, WebhookRow.cleared]

  package let id: String
  package let url: GivenURL
  package let format: WebhookFormat
  package let events: [String]
  /// Empty: nothing is signed.
  package let secret: String
  /// Whether the secret was made here, and is to be told once.
  package let isSecretMade: Bool
  private let actor: String

  /// - Parameters:
  ///   - secret: nil: one is made, where something is signed.
  ///   - random: makes bytes that nobody can guess, as many as it is asked for.
  package init(
    url: String, secret: String?, format: String, events: [String], actor: String,
    random: (Int) -> [UInt8] = AccessKey.systemRandom
  ) throws(AccountRefusal) {
    switch format {
    case "signed": self.format = .signed
    case "slack": self.format = .slack
    default:
      throw AccountRefusal(
        .invalid, "format", "format is “\(format.inOneLine(atMost: 50))”; it is signed or slack")
    }
    guard !events.isEmpty else {
      throw AccountRefusal(
        .invalid, "events", "events is empty; name some of \(Self.names.joined(separator: ", "))")
    }
    var wanted: [String] = []
    for event in events where !wanted.contains(event) {
      guard Self.names.contains(event) else {
        throw AccountRefusal(
          .invalid, "events",
          "there is no event “\(event.inOneLine(atMost: 100))”; events are"
            + " \(Self.names.joined(separator: ", "))")
      }
      wanted.append(event)
    }
    self.events = wanted
    let target = try WebhookTarget(
      url: url, secret: secret, isSigned: self.format == .signed, random: random)
    self.url = target.entry.url
    self.secret = target.entry.secret
    isSecretMade = target.isSecretMade
    id = "wh" + random(5).hexadecimal
    self.actor = actor
  }

  func decide(
    _ alerts: AlertsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    guard try alerts.webhooks(in: state).count < Self.most else {
      return .refused(.conflict, "url", "there are \(Self.most) webhooks already; remove one first")
    }
    var event = WebhookSet()
    event.webhook = id
    event.place = url.place
    event.format = format
    event.events = events
    event.actor = actor
    return Decision(events: [.webhookSet(event)], answer: .success(()))
  }
}

/// Tell a webhook nothing any more. What waits for it is given up.
package struct RemoveWebhook: Sendable {
  package var id: String
  package var actor: String

  package init(_ id: String, actor: String) {
    self.id = id
    self.actor = actor
  }

  func decide(
    _ alerts: AlertsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    guard try alerts.webhook(id, in: state) != nil else {
      return .refused(.notFound, "id", "there is no webhook \(id.inOneLine(atMost: 100))")
    }
    var event = WebhookRemoved()
    event.webhook = id
    event.actor = actor
    return Decision(events: [.webhookRemoved(event)], answer: .success(()))
  }
}

/// Send again what was given up.
package struct ResendDelivery: Sendable {
  package var id: String
  package var now: Timestamp
  package var actor: String

  package init(_ id: String, now: Timestamp, actor: String) {
    self.id = id
    self.now = now
    self.actor = actor
  }

  func decide(
    _ alerts: AlertsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    let shown = id.inOneLine(atMost: 100)
    guard let delivery = DeliveryID(id), let row = try alerts.delivery(delivery, in: state) else {
      return .refused(
        .notFound, "id",
        "no delivery \(shown) waits or was given up; what was delivered is not kept")
    }
    guard row.isDead else {
      return .refused(.conflict, "id", "the delivery \(shown) waits already")
    }
    guard try alerts.webhook(delivery.webhook, in: state) != nil else {
      return .refused(.conflict, "id", "the webhook \(delivery.webhook) was removed")
    }
    let waiting = try alerts.waitingCount(in: state)
    guard waiting < AlertsFold.mostWaiting else {
      return .refused(.conflict, "id", "\(waiting) deliveries wait already")
    }
    var event = NotificationRequeued()
    event.delivery = id
    event.atMs = now.milliseconds
    event.actor = actor
    return Decision(events: [.notificationRequeued(event)], answer: .success(()))
  }
}

extension Gateway {
  /// Tells somebody of alerts from now on. An address that may not be connected to is refused at once; it is looked at
  /// again at each try.
  package func add(_ command: AddWebhook) async throws {
    try await check(command.url)
    try webhookKeys.set(.init(url: command.url, secret: command.secret), of: command.id)
    do {
      let alerts = alerts
      try await log.decide { (state, _) throws(LogError) in try command.decide(alerts, state) }
        .answer.get()
    } catch {
      try? webhookKeys.remove(command.id)
      throw error
    }
  }

  package func remove(_ command: RemoveWebhook) async throws {
    let alerts = alerts
    try await log.decide { (state, _) throws(LogError) in try command.decide(alerts, state) }
      .answer.get()
    try webhookKeys.remove(command.id)
  }

  package func resend(_ command: ResendDelivery) async throws {
    let alerts = alerts
    try await log.decide { (state, _) throws(LogError) in try command.decide(alerts, state) }
      .answer.get()
  }
}
