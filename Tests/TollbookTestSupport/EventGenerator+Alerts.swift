import TollbookEvents

extension EventGenerator {
  /// What alerts there are, as far as the next event about them needs to know.
  struct Alerts: Sendable {
    var webhooks: Set<String> = []
    var open: [Alert] = []
    /// Positions of events of which webhooks were told.
    var told: [Position] = []
  }

  /// Something happens to a webhook, an alert or a delivery.
  mutating func alert() {
    guard formats != .first else { return }
    switch random.int(0...9) {
    case 0: setWebhook()
    case 1: removeWebhook()
    case 2, 3, 4: raise()
    case 5, 6: clear()
    case 7, 8: tellWebhook()
    default: sendAgain()
    }
  }

  private mutating func setWebhook() {
    var event = WebhookSet()
    event.webhook = random.pick(["wh1", "wh2", Self.composed, Self.decomposed])
    event.place = "https://ops.example:443"
    event.format = random.pick([.signed, .slack])
    event.events = random.pick([["alert.raised"], ["budget.threshold", "alert.cleared"]])
    event.actor = "somebody"
    emit(.webhookSet(event))
    alerts.webhooks.insert(event.webhook)
  }

  private mutating func removeWebhook() {
    guard let id = alerts.webhooks.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }).first
    else { return }
    var event = WebhookRemoved()
    event.webhook = id
    // In two encodings it is another one.
    guard alerts.webhooks.count == 1 else { return }
    emit(.webhookRemoved(event))
    alerts.webhooks.remove(id)
  }

  private mutating func raise() {
    var alert = Alert()
    alert.name = "budget.threshold"
    alert.budget = "budget-\(random.int(0...5))"
    alert.window = random.pick(["", "day 2026-11-21", "day 2026-11-22"])
    alert.percent = UInt32(random.pick([50, 80, 95, 100]))
    alert.unit = "tokens"
    alert.limit = 100
    alert.settled = random.int64(0...120)
    alert.free = 100 - alert.settled
    alert.atMs = time.milliseconds
    let isOpen = alerts.open.contains {
      $0.budget == alert.budget && $0.window == alert.window && $0.percent == alert.percent
    }
    guard !isOpen else { return }
    var event = AlertRaised()
    event.alert = alert
    event.looked = head
    alerts.told.append(emit(.alertRaised(event)))
    alerts.open.append(alert)
  }

  private mutating func clear() {
    guard !alerts.open.isEmpty else { return }
    var event = AlertCleared()
    event.alert = alerts.open.removeFirst()
    event.alert.atMs = time.milliseconds
    event.reason = random.pick(["its window is over", Self.composed])
    alerts.told.append(emit(.alertCleared(event)))
  }

  private mutating func tellWebhook() {
    guard let position = alerts.told.last else { return }
    var event = NotificationSent()
    event.webhook = random.pick(["wh1", "wh2"])
    event.delivery = "\(position)-\(event.webhook)"
    event.alert = position
    event.attempt = UInt32(random.int(1...8))
    event.status = UInt32(random.pick([0, 204, 500]))
    event.outcome = random.pick([.delivered, .failed, .dead])
    event.detail = random.pick(["", Self.decomposed])
    event.atMs = time.milliseconds
    event.nextMs = event.outcome == .failed ? time.milliseconds + 10_000 : 0
    emit(.notificationSent(event))
  }

  private mutating func sendAgain() {
    guard let position = alerts.told.last else { return }
    var event = NotificationRequeued()
    event.delivery = "\(position)-wh1"
    event.atMs = time.milliseconds
    event.actor = "somebody"
    emit(.notificationRequeued(event))
  }
}
