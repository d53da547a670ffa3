package import JSONText
package import TollbookEvents
package import TollbookUpstreams
package import TollbookViews

/// What a webhook is told of an alert, or of a job that has ended. The same over all tries, but for the signature, which
/// bears the instant of the try.
package struct AlertNotice: Sendable {
  package var id: DeliveryID
  package var delivery: DeliveryRow
  package var webhook: WebhookRow

  package init(_ id: DeliveryID, _ delivery: DeliveryRow, to webhook: WebhookRow) {
    self.id = id
    self.delivery = delivery
    self.webhook = webhook
  }

  /// The name by which the webhook asked to be told of it.
  package var event: String {
    if delivery.isCleared { return WebhookRow.cleared }
    return webhook.events.contains(delivery.alert.name) ? delivery.alert.name : WebhookRow.raised
  }

  package var body: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      switch webhook.format {
      case .slack: json.field("text", sentence)
      case .signed, .UNRECOGNIZED:
        json.field("event", event)
        delivery.alert.write(to: &json)
        json.fieldIfPresent("reason", delivery.reason.isEmpty ? nil : delivery.reason)
        json.field("text", sentence)
      }
    }
    return json.bytes
  }

  private var sentence: String {
    let text = delivery.alert.sentence.inOneLine(atMost: 500)
    return delivery.isCleared ? "Tollbook, over: \(text) (\(delivery.reason))" : "Tollbook: \(text)"
  }

  /// One try.
  package func message(by entry: WebhookKeys.Entry, at now: Timestamp) -> OutgoingMessage {
    OutgoingMessage(delivery: id.description, body, to: entry, at: now)
  }
}

extension Alert {
  /// The members of the JSON that tells it.
  package func write(to json: inout JSONWriter) {
    func present(_ text: String) -> String? { text.isEmpty ? nil : text }
    json.field("alert", name)
    json.field("at", "\(Timestamp(milliseconds: atMs))")
    json.fieldIfPresent("account", present(account))
    json.fieldIfPresent("budget", present(budget))
    json.fieldIfPresent("job", job)
    json.fieldIfPresent("tag", job == nil ? present(tag) : nil)
    json.fieldIfPresent("window", present(window))
    json.fieldIfPresent(
      "window_ends_at", windowEndsMs == 0 ? nil : "\(Timestamp(milliseconds: windowEndsMs))")
    json.fieldIfPresent("percent", percent == 0 ? nil : Int64(percent))
    json.fieldIfPresent("upstream", present(upstream))
    json.fieldIfPresent("credential", present(credential))
    if !unit.isEmpty {
      json.field("unit", unit)
      var amounts = [("limit", limit)]
      if !budget.isEmpty {
        amounts += [
          ("settled", settled), ("reserved", reserved), ("in_doubt", inDoubt),
          ("unprovable", unprovable),
        ]
      }
      for (name, amount) in amounts + [("free", free)] {
        if Amount.isMoney(unit) {
          json.field(name, DecimalText.text(nanoUnits: amount))
        } else {
          json.field(name, amount)
        }
      }
    }
    json.fieldIfPresent("detail", present(detail.inOneLine(atMost: 300)))
  }
}
