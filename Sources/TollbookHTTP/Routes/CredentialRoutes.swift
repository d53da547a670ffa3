import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `POST /admin/credentials`, `PATCH` and `DELETE /admin/credentials/{id}`, `POST /admin/pools`, and `GET /credentials`.
  /// A secret goes in, and never comes out. A limit that is changed to `null` is removed.
  func addCredentials(to router: Router<TollbookContext>) {
    router.route(
      "/admin/credentials", scope: .admin,
      post: { request, context in
        try await putIn(
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["upstream", "name", "account", "secret", "limit", "weight", "quota_group"]),
          by: context.principal)
      })
    router.route(
      "/admin/credentials/{id}", scope: .admin,
      patch: { request, context in
        let id = Self.name(context, "id")
        let fields = try await JSONFields(
          of: request, limit: context.maxUploadSize, names: ["status", "limit", "weight"])
        let unit = try gateway.credentials().first { $0.id == id }?.unit ?? ""
        try await refusing {
          try await gateway.changeCredential(
            id, status: fields.string("status"), limit: fields.limitChange(unit),
            weight: fields.integer("weight", in: .min ... .max), actor: context.principal.actor)
        }
        return try credentialAnswer(id)
      },
      delete: { _, context in
        let id = Self.name(context, "id")
        try await refusing {
          try await gateway.removeCredential(id, actor: context.principal.actor)
        }
        return removed("id", id)
      })
    router.route(
      "/admin/pools", scope: .admin,
      post: { request, context in
        let fields = try await JSONFields(
          of: request, limit: context.maxUploadSize, names: ["upstream", "account", "selection"])
        return try await setPool(fields, by: context.principal)
      })
    router.route(
      "/credentials", query: QueryNames(["account"]),
      get: { request, context in
        let principal = context.principal
        let account = try principal.account(named: QueryParameters(request)["account"])
        let found = try gateway.credentials(of: account)
        return .object(position: log.head, capacity: 512 * (found.count + 1)) { json in
          json.array("credentials", found) { json, credential in
            json.object { json in credential.write(to: &json) }
          }
        }
      })
  }

  private func putIn(_ fields: JSONFields, by principal: Principal) async throws -> Response {
    let upstream = try JSONFields.require(
      fields.string("upstream"), "upstream", "whose credential it is")
    let units = gateway.credentialUnits
    let secret = try JSONFields.require(fields.string("secret"), "secret", "the key itself")
    let limit = try fields.limit(units[upstream] ?? "")
    let id = try await refusing {
      let order = try CredentialOrder(
        upstream: upstream, name: fields.string("name") ?? "", account: fields.string("account"),
        secret: secret, limit: limit, weight: fields.integer("weight", in: .min ... .max),
        quotaGroup: fields.string("quota_group"), units: units)
      try await gateway.add(order, actor: principal.actor)
      return order.id
    }
    return try credentialAnswer(id).created(at: "/credentials")
  }

  private func setPool(_ fields: JSONFields, by principal: Principal) async throws -> Response {
    let upstream = try JSONFields.require(
      fields.string("upstream"), "upstream", "whose credentials are chosen from")
    let selection = try JSONFields.require(
      fields.string("selection"), "selection",
      "random, weighted, most_remaining, least_recently_limited or failover")
    let account = try fields.string("account")
    try await refusing {
      try await SetPool(
        upstream: upstream, account: account, selection: selection,
        upstreams: gateway.upstreamNames, actor: principal.actor
      ).run(on: log, default: gateway.settings.account)
    }
    return Response.object(position: log.head) { json in
      json.field("upstream", upstream)
      json.field("account", account)
      json.field("selection", selection)
    }.created(at: "/credentials")
  }

  private func credentialAnswer(_ id: String) throws -> Response {
    guard let found = try gateway.credentials().first(where: { $0.id == id }) else {
      throw Problem(.notFound, "there is no credential \(id.inOneLine(atMost: 100))", field: "id")
    }
    return .object(position: log.head) { json in found.write(to: &json) }
  }
}

extension JSONFields {
  /// What is to become of the limit; nil: it is left out.
  fileprivate func limitChange(_ unit: String) throws(Problem) -> LimitChange? {
    isNull("limit") ? .removed : try limit(unit).map { .set($0) }
  }
}

extension CredentialDescription {
  fileprivate func write(to json: inout JSONWriter) {
    json.field("id", id)
    json.field("name", row.flatMap { $0.name.isEmpty ? nil : $0.name })
    json.field("upstream", upstream)
    json.field("account", row.flatMap { $0.account.isEmpty ? nil : $0.account })
    json.field("status", standing.status.rawValue)
    json.field("detail", standing.detail.isEmpty ? nil : standing.detail.inOneLine(atMost: 500))
    json.field("unit", unit)
    json.amount("limit", row?.limit, unit)
    json.amount("used", standing.used, unit)
    json.amount("remaining", standing.remaining, unit)
    json.field("weight", row.map { Int64($0.weight) })
    json.field("quota_group", row?.quotaGroup ?? id)
    json.field("source", source.rawValue)
    json.field("has_secret", hasSecret && source != .keyless)
    json.field("cooling_until", standing.coolsUntil)
  }
}
