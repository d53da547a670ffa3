import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `POST /admin/access-keys`, `POST /admin/access-keys/{id}/rotate`, `DELETE /admin/access-keys/{id}`, and `GET
  /// /admin/access-keys`. A key is told once, where it is made.
  func addAccessKeys(to router: Router<TollbookContext>) {
    router.route(
      "/admin/access-keys", query: QueryNames(["cursor", "limit"]), scope: .admin,
      get: { request, _ in try listKeys(QueryParameters(request)) },
      post: { request, context in
        try await issueKey(
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["account", "scopes", "kinds", "expires_at", "requests_per_minute"]),
          by: context.principal)
      })
    router.route(
      "/admin/access-keys/{id}/rotate", scope: .admin,
      post: { request, context in
        try await rotateKey(
          Self.name(context, "id"),
          JSONFields(of: request, limit: context.maxUploadSize, names: ["overlap_seconds"]),
          by: context.principal)
      })
    router.route(
      "/admin/access-keys/{id}", scope: .admin,
      delete: { _, context in
        let id = Self.name(context, "id")
        try await refusing {
          try await RevokeAccessKey(
            id: id, now: log.time.now(), actor: context.principal.actor
          ).run(on: log)
        }
        return try keyAnswer(id)
      })
  }

  private func issueKey(_ fields: JSONFields, by principal: Principal) async throws -> Response {
    let account = try JSONFields.require(fields.string("account"), "account", "who pays")
    let scopes = try JSONFields.require(
      fields.strings("scopes", limit: 16), "scopes", "what the key may do: read, fetch, admin")
    let kinds = try fields.strings("kinds", limit: 64) ?? []
    var expires: Timestamp?
    if let text = try fields.string("expires_at") {
      guard let time = Timestamp(rfc3339: text) else {
        throw Problem(
          .invalidField,
          "expires_at is “\(text.inOneLine(atMost: 50))”; write it as 2027-01-31T12:00:00Z",
          field: "expires_at")
      }
      expires = time
    }
    let rate = try fields.integer("requests_per_minute", in: 1...1_000_000) ?? 0
    let key = AccessKey()
    try await refusing {
      try await IssueAccessKey(
        key, account: account, scopes: scopes, kinds: kinds, known: gateway.kindNames,
        expires: expires, requestsPerMinute: UInt32(rate), now: log.time.now(),
        actor: principal.actor
      ).run(on: log, default: gateway.settings.account)
    }
    return try keyAnswer(key.id, key: key.text).created(at: "/admin/access-keys/\(key.id)")
  }

  private func rotateKey(
    _ id: String, _ fields: JSONFields, by principal: Principal
  ) async throws -> Response {
    let overlap = try fields.integer("overlap_seconds", in: 0 ... .max) ?? 0
    let key = AccessKey()
    try await refusing {
      _ = try await RotateAccessKey(
        id: id, key, overlap: overlap, now: log.time.now(), actor: principal.actor
      ).run(on: log)
    }
    return try keyAnswer(key.id, key: key.text).created(at: "/admin/access-keys/\(key.id)")
  }

  private func keyAnswer(_ id: String, key: String? = nil) throws -> Response {
    let accounts = accounts
    let row = try log.read { (reading) throws(LogError) in
      try accounts.accessKey(id, in: reading)
    }
    guard let row else { throw Problem(.notFound, "there is no access key \(id)", field: "id") }
    let now = log.time.now()
    return .object(position: log.head) { json in row.write(id, key: key, at: now, to: &json) }
  }

  private func listKeys(_ query: QueryParameters) throws -> Response {
    let limit = try query.limit()
    let after = query["cursor"] ?? ""
    let accounts = accounts
    let rows = try log.read { (reading) throws(LogError) in
      try accounts.accessKeys(after: after, limit: limit, in: reading)
    }
    let now = log.time.now()
    return .object(position: log.head) { json in
      json.array("access_keys", rows) { json, row in
        json.object { json in row.key.write(row.id, key: nil, at: now, to: &json) }
      }
      json.field("next", rows.count == limit ? rows.last?.id : nil)
    }
  }
}

extension AccessKeyRow {
  /// - Parameter key: what the client shows; told once, when it is made.
  fileprivate func write(
    _ id: String, key: String?, at now: Timestamp, to json: inout JSONWriter
  ) {
    json.field("id", id)
    json.fieldIfPresent("key", key)
    json.field("account", account)
    json.array("scopes", scopes) { json, scope in json.string(scope) }
    json.array("kinds", kinds) { json, kind in json.string(kind) }
    json.field("status", status(at: now))
    json.field("issued_at", issued)
    json.field("expires_at", expires)
    json.field("revoked_at", revoked)
    json.field("requests_per_minute", requestsPerMinute == 0 ? nil : Int64(requestsPerMinute))
    json.field("replaces", replaces.isEmpty ? nil : replaces)
  }

  private func status(at now: Timestamp) -> String {
    if let revoked, revoked <= now { return "revoked" }
    if let expires, expires <= now { return "expired" }
    return revoked == nil ? "active" : "ending"
  }
}
