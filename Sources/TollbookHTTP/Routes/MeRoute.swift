import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /me`, which tells a key what it is.
  func addMe(to router: Router<TollbookContext>) {
    router.route("/me", get: { _, context in try whoAmI(context.principal) })
  }

  /// What a key is, and what it may still spend.
  private func whoAmI(_ principal: Principal) throws -> Response {
    let accounts = accounts
    let (account, key) = try log.read { (reading) throws(LogError) in
      (
        try accounts.account(principal.account, in: reading),
        try accounts.accessKey(principal.accessKey, in: reading)
      )
    }
    let budgets = try gateway.budgets(of: principal.account)
      .filter { $0.row.scope.accessKey.isEmpty || $0.row.scope.accessKey == principal.accessKey }
      .filter { principal.sees($0.row.scope) }
    return .object(position: log.head) { json in
      json.field("account", principal.account)
      json.field("account_name", account?.name)
      json.field("time_zone", account?.timeZone ?? "UTC")
      json.field("access_key", principal.accessKey.isEmpty ? nil : principal.accessKey)
      json.array("scopes", principal.scopes.map(\.rawValue).sorted()) { json, scope in
        json.string(scope)
      }
      json.array("kinds", principal.kinds) { json, kind in json.string(kind) }
      json.field("expires_at", key?.expires ?? key?.revoked)
      json.field(
        "requests_per_minute",
        principal.requestsPerMinute == 0 ? nil : Int64(principal.requestsPerMinute))
      json.array("budgets", budgets) { json, budget in
        json.object { json in budget.write(to: &json) }
      }
    }
  }
}
