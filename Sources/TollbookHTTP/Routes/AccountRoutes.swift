import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `POST /admin/accounts`, `DELETE /admin/accounts/{id}`, `POST /admin/accounts/{id}/shred`, and `GET /accounts`.
  func addAccounts(to router: Router<TollbookContext>) {
    router.route(
      "/admin/accounts", scope: .admin,
      post: { request, context in
        try await openAccount(
          JSONFields(
            of: request, limit: context.maxUploadSize, names: ["id", "name", "time_zone"]),
          by: context.principal)
      })
    router.route(
      "/admin/accounts/{id}", scope: .admin,
      delete: { _, context in
        let id = Self.name(context, "id")
        try await refusing {
          try await CloseAccount(id: id, actor: context.principal.actor).run(on: log)
        }
        return try accountAnswer(id)
      })
    router.route(
      "/admin/accounts/{id}/shred", scope: .admin, mayBeEmpty: true,
      post: { _, context in
        let id = Self.name(context, "id")
        // The account of all who show no key of their own has no row.
        if id != gateway.settings.account { _ = try accountAnswer(id) }
        let cost = try await refusing {
          try await gateway.shred(id, actor: context.principal.actor)
        }
        return .object(position: log.head) { json in
          json.field("account", id)
          json.field("shredded", true)
          json.field("entries", cost.entries)
          json.array("costs", cost.amounts) { json, amount in amount.write(to: &json) }
        }
      })
    router.route(
      "/accounts", query: QueryNames(["cursor", "limit"]),
      get: { request, context in
        try listAccounts(QueryParameters(request), by: context.principal)
      })
  }

  private func openAccount(
    _ fields: JSONFields, by principal: Principal
  ) async throws -> Response {
    let id = try JSONFields.require(fields.string("id"), "id", "the account's short name")
    let (name, zone) = (try fields.string("name"), try fields.string("time_zone"))
    try await refusing {
      try await OpenAccount(id: id, name: name, timeZone: zone, actor: principal.actor)
        .run(on: log)
    }
    return try accountAnswer(id).created(at: "/accounts")
  }

  private func accountAnswer(_ id: String) throws -> Response {
    let accounts = accounts
    let row = try log.read { (reading) throws(LogError) in
      try accounts.account(id, in: reading)
    }
    guard let row else { throw Problem(.notFound, "there is no account \(id)", field: "id") }
    return .object(position: log.head) { json in row.write(id, to: &json) }
  }

  private func listAccounts(
    _ query: QueryParameters, by principal: Principal
  ) throws -> Response {
    let limit = try query.limit()
    let after = query["cursor"] ?? ""
    let accounts = accounts
    let isAdmin = principal.may(.admin)
    let rows = try log.read { (reading) throws(LogError) in
      guard !isAdmin else { return try accounts.accounts(after: after, limit: limit, in: reading) }
      let own = try accounts.account(principal.account, in: reading)
      return own.map { [(id: principal.account, account: $0)] } ?? []
    }
    return .object(position: log.head) { json in
      json.array("accounts", rows) { json, row in
        json.object { json in row.account.write(row.id, to: &json) }
      }
      json.field("next", isAdmin && rows.count == limit ? rows.last?.id : nil)
    }
  }
}

extension AccountRow {
  fileprivate func write(_ id: String, to json: inout JSONWriter) {
    json.field("id", id)
    json.field("name", name)
    json.field("time_zone", timeZone)
    json.field("status", isOpen ? "open" : "closed")
    json.field("opened_at", opened)
    json.field("closed_at", closed)
  }
}
