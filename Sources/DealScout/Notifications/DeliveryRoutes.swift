import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `GET /notifications/deliveries`, `POST /notifications/deliveries/{id}/resend`.
  func addDeliveries(_ desk: NotificationDesk, to router: Router<TollbookContext>) {
    router.route(
      "/notifications/deliveries",
      query: QueryNames(["account", "state", "cursor", "limit"]),
      get: { request, context in
        let query = QueryParameters(request)
        let account = try account(query["account"], context)
        return try listDeliveries(query, of: account, desk)
      })
    router.route(
      "/notifications/deliveries/{id}/resend", query: QueryNames(["account"]),
      mayBeEmpty: true,
      post: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let id = Self.name(context, "id")
        try await refusing { try await desk.resend(id, of: account, gateway) }
        return .object(position: log.head) { json in
          json.field("id", id)
          json.field("state", NotificationDelivery.State.waiting.rawValue)
        }
      })
  }

  private func listDeliveries(
    _ query: QueryParameters, of account: String, _ desk: NotificationDesk
  ) throws -> Response {
    var all = try desk.book(gateway).deliveries(of: account)
    if let name = query["state"] {
      guard let state = NotificationDelivery.State(rawValue: name) else {
        throw Problem(
          .invalidParameter,
          "state is “\(name.inOneLine(atMost: 50))”; it is waiting, sent or given_up",
          field: "state")
      }
      all.removeAll { $0.state != state }
    }
    let page = try ListPage(all, query, \.id)
    return .object(position: log.head, capacity: 512 * (page.rows.count + 1)) { json in
      json.array("deliveries", page.rows) { json, delivery in
        json.object { json in delivery.write(to: &json) }
      }
      json.field("next", page.next)
      json.field("left_out", desk.leftOut(of: account))
    }
  }
}
