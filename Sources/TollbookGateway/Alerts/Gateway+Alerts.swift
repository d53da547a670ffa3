import Synchronization
import TollbookEvents
package import TollbookLog
import TollbookUpstreams
import TollbookViews

extension Gateway {
  /// Deliveries under way at once; of one webhook one.
  static let deliveriesAtOnce = 4

  /// Raises and clears the alerts that are due.
  ///
  /// - Returns: what is to be told to whoever runs the service.
  package func lookForAlerts() async throws(LogError) -> [HouseNote] {
    let watch = AlertWatch(
      upstreams: purchasers.flatMap(\.members.upstreams),
      lowBalance: settings.lowBalance, books: PurchaseBooks(log), alerts: alerts,
      index: log.index, reader: log.reader, now: log.time.now())
    let state = alertState.withLock { $0 }
    let findings = try log.read { (reading) throws(LogError) in
      try watch.look(from: state, reading)
    }
    var notes: [HouseNote] = []
    if !findings.raised.isEmpty || !findings.cleared.isEmpty {
      let (command, alerts) = (AlertCommand(findings: findings), alerts)
      notes = try await log.decide { (state, _) throws(LogError) in
        try command.decide(alerts, state)
      }.answer
    }
    // What could not be written down is looked at again.
    alertState.withLock { $0 = findings.state }
    return notes
  }

  /// Tells webhooks what is due, until nothing is. One that hangs holds up none but itself.
  ///
  /// - Returns: what is to be told to whoever runs the service.
  package func deliverAlerts() async throws(LogError) -> [HouseNote] {
    var problem: LogError?
    var notes: [HouseNote] = []
    await withTaskGroup(of: (webhook: String, end: Result<HouseNote?, LogError>).self) { group in
      var busy: Set<String> = []
      while true {
        while busy.count < Self.deliveriesAtOnce, problem == nil, !Task.isCancelled,
          log.writerState == .open
        {
          let due: (id: DeliveryID, delivery: DeliveryRow)?
          do throws(LogError) { due = try dueDelivery(busy: busy) } catch {
            problem = error
            break
          }
          guard let due else { break }
          busy.insert(due.id.webhook)
          group.addTask { [self] in
            do throws(LogError) {
              return (due.id.webhook, .success(try await attempt(due.id, due.delivery)))
            } catch { return (due.id.webhook, .failure(error)) }
          }
        }
        guard let (webhook, end) = await group.next() else { break }
        busy.remove(webhook)
        switch end {
        case .success(let note): if let note { notes.append(note) }
        // Without a note of the try the next look would find it due again.
        case .failure(let error): problem = error
        }
      }
    }
    if let problem { throw problem }
    return notes
  }

  private func dueDelivery(
    busy: Set<String>
  ) throws(LogError) -> (id: DeliveryID, delivery: DeliveryRow)? {
    let (alerts, now) = (alerts, log.time.now())
    return try log.read { (reading) throws(LogError) in
      try alerts.due(at: now, busy: busy, in: reading)
    }
  }

  /// Tries once, and writes down how it ended. What is broken off is not written down: it is sent again, as the same
  /// delivery.
  private func attempt(
    _ id: DeliveryID, _ delivery: DeliveryRow
  ) async throws(LogError) -> HouseNote? {
    let alerts = alerts
    let webhook = try log.read { (reading) throws(LogError) in
      try alerts.webhook(id.webhook, in: reading)
    }
    var event = NotificationSent()
    event.delivery = id.description
    event.webhook = id.webhook
    event.alert = id.alert
    event.attempt = delivery.attempts &+ 1
    if let webhook, let entry = webhookKeys.entry(of: id.webhook) {
      let notice = AlertNotice(id, delivery, to: webhook)
      let receipt = await send(notice.message(by: entry, at: log.time.now()))
      guard !Task.isCancelled else { return nil }
      event.status = UInt32(clamping: receipt.status)
      event.detail = receipt.detail
      if receipt.isTaken {
        event.outcome = .delivered
      } else if let next = Self.nextTry(
        after: Int(delivery.attempts), receipt, at: log.time.now())
      {
        event.outcome = .failed
        event.nextMs = next.milliseconds
      } else {
        event.outcome = .dead
      }
    } else {
      event.outcome = .dead
      event.detail =
        webhook == nil
        ? "the webhook was removed"
        : "its address and secret are lost: set the webhook anew"
    }
    event.atMs = log.time.now().milliseconds
    let sent = event
    _ = try await log.decide { (state, _) throws(LogError) in
      // A removal of the webhook in the meantime changes nothing: it was told.
      let known = try alerts.delivery(id, in: state)
      let isStill = known?.attempts == delivery.attempts && known?.isDead == false
      return Decision(events: isStill ? [.notificationSent(sent)] : [], answer: ())
    }
    guard event.outcome == .dead else { return nil }
    return .deliveryGivenUp("\(id): \(event.end)")
  }
}
