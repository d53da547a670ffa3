import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /alerts`, webhooks under `/admin/webhooks`, and what is told them under `/admin/deliveries`.
  func addAlerts(to router: Router<TollbookContext>) {
    router.route(
      "/alerts",
      get: { _, context in try listAlerts(by: context.principal) })
    router.route(
      "/admin/webhooks", scope: .admin,
      get: { _, _ in try listWebhooks() },
      post: { request, context in
        try await addWebhook(
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["url", "secret", "format", "events"]),
          by: context.principal)
      })
    router.route(
      "/admin/webhooks/{id}", scope: .admin,
      delete: { _, context in
        let id = Self.name(context, "id")
        try await refusing {
          try await gateway.remove(RemoveWebhook(id, actor: context.principal.actor))
        }
        return removed("id", id)
      })
    router.route(
      "/admin/deliveries", query: QueryNames(["state", "cursor", "limit"]), scope: .admin,
      get: { request, _ in try listDeliveries(QueryParameters(request)) })
    router.route(
      "/admin/deliveries/{id}/resend", scope: .admin, mayBeEmpty: true,
      post: { _, context in
        let id = Self.name(context, "id")
        try await refusing {
          try await gateway.resend(
            ResendDelivery(id, now: log.time.now(), actor: context.principal.actor))
        }
        return .object(position: log.head) { json in
          json.field("id", id)
          json.field("state", "waiting")
        }
      })
  }

  private func listAlerts(by principal: Principal) throws -> Response {
    let alerts = gateway.alerts
    let isAdmin = principal.may(.admin)
    let rows = try log.read { (reading) throws(LogError) in
      try alerts.alerts(limit: Self.mostAlerts, in: reading)
    }.filter { isAdmin || $0.alert.account == principal.account }
    return .object(position: log.head, capacity: 512 * (rows.count + 1)) { json in
      json.array("alerts", rows) { json, row in
        json.object { json in
          row.alert.write(to: &json)
          json.field("position", row.position)
          json.field("text", row.alert.sentence.inOneLine(atMost: 500))
        }
      }
    }
  }

  /// Open alerts that are looked at.
  private static let mostAlerts = 10_000

  private func addWebhook(_ fields: JSONFields, by principal: Principal) async throws -> Response {
    let url = try JSONFields.require(fields.string("url"), "url", "where alerts are sent to")
    let events = try fields.strings("events", limit: 16) ?? [WebhookRow.raised, WebhookRow.cleared]
    let command = try await refusing {
      let command = try AddWebhook(
        url: url, secret: fields.string("secret"), format: fields.string("format") ?? "signed",
        events: events, actor: principal.actor)
      try await gateway.add(command)
      return command
    }
    let alerts = gateway.alerts
    let row = try log.read { (reading) throws(LogError) in
      try alerts.webhook(command.id, in: reading)
    }
    guard let row else { throw Problem(.notFound, "the webhook was removed", field: "id") }
    let response = Response.object(position: log.head) { json in
      row.write(command.id, isKnown: true, to: &json)
      json.fieldIfPresent("secret", command.isSecretMade ? command.secret : nil)
    }
    return response.created(at: "/admin/webhooks/\(command.id)")
  }

  private func listWebhooks() throws -> Response {
    let alerts = gateway.alerts
    let rows = try log.read { (reading) throws(LogError) in try alerts.webhooks(in: reading) }
    return .object(position: log.head) { json in
      json.array("webhooks", rows) { json, row in
        json.object { json in
          row.webhook.write(
            row.id, isKnown: gateway.webhookKeys.entry(of: row.id) != nil, to: &json)
        }
      }
    }
  }

  private func listDeliveries(_ query: QueryParameters) throws -> Response {
    let limit = try query.limit()
    let isDead: Bool?
    switch query["state"] {
    case nil: isDead = nil
    case "waiting": isDead = false
    case "dead": isDead = true
    case let state?:
      throw Problem(
        .invalidParameter, "state is “\(state.inOneLine(atMost: 50))”; it is waiting or dead",
        field: "state")
    }
    var after: DeliveryID?
    if let cursor = query["cursor"], !cursor.isEmpty {
      guard let id = DeliveryID(cursor) else {
        throw Problem(
          .invalidParameter, "cursor is not one that an answer gave as next", field: "cursor")
      }
      after = id
    }
    let (alerts, place) = (gateway.alerts, after)
    let rows = try log.read { (reading) throws(LogError) in
      try alerts.deliveries(isDead: isDead, after: place, limit: limit, in: reading)
    }
    return .object(position: log.head) { json in
      json.array("deliveries", rows) { json, row in
        json.object { json in row.delivery.write(row.id, to: &json) }
      }
      json.field("next", rows.count == limit ? rows.last?.id.description : nil)
    }
  }
}

extension WebhookRow {
  /// - Parameter isKnown: whether its address and its secret are there.
  fileprivate func write(_ id: String, isKnown: Bool, to json: inout JSONWriter) {
    json.field("id", id)
    // What follows may be a password.
    json.field("url", place + "/…")
    json.field("format", format == .slack ? "slack" : "signed")
    json.array("events", events) { json, event in json.string(event) }
    json.field("set_at", set)
    json.field("status", isKnown ? "active" : "lost")
    json.fieldIfPresent(
      "detail",
      isKnown
        ? nil : "its address and secret are not in webhooks.key; put the file back, or set it anew")
  }
}

extension DeliveryRow {
  fileprivate func write(_ id: DeliveryID, to json: inout JSONWriter) {
    json.field("id", id.description)
    json.field("webhook", id.webhook)
    json.field("position", id.alert)
    json.field("state", isDead ? "dead" : "waiting")
    json.field("alert", alert.name)
    json.field("cleared", isCleared)
    json.field("attempts", Int64(attempts))
    json.field("next_at", isDead ? nil : next)
    json.field("last_status", status == 0 ? nil : Int64(status))
    json.field("last_detail", detail.isEmpty ? nil : detail)
  }
}
