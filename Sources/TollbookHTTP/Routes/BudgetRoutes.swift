import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `POST /admin/budgets`, `PATCH` and `DELETE /admin/budgets/{name}`, and `GET /budgets?account=`.
  func addBudgets(to router: Router<TollbookContext>) {
    router.route(
      "/admin/budgets", scope: .admin,
      post: { request, context in
        try await makeBudget(
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["name", "scope", "unit", "limit", "window", "hard", "paused", "thresholds"]),
          by: context.principal)
      })
    router.route(
      "/admin/budgets/{name}", scope: .admin,
      patch: { request, context in
        try await changeBudget(
          Self.name(context, "name"),
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["limit", "hard", "paused", "thresholds"]),
          by: context.principal)
      },
      delete: { _, context in
        let name = Self.name(context, "name")
        try await refusing {
          try await RemoveBudget(name, actor: context.principal.actor).run(on: log)
        }
        return removed("name", name)
      })
    router.route(
      "/budgets", query: QueryNames(["account"]),
      get: { request, context in
        let principal = context.principal
        let account = try principal.account(named: QueryParameters(request)["account"])
        let budgets = try gateway.budgets(of: account).filter { principal.sees($0.row.scope) }
        return .object(position: log.head, capacity: 512 * (budgets.count + 1)) { json in
          json.array("budgets", budgets) { json, budget in
            json.object { json in budget.write(to: &json) }
          }
        }
      })
  }

  private func makeBudget(
    _ fields: JSONFields, by principal: Principal
  ) async throws -> Response {
    let name = try JSONFields.require(fields.string("name"), "name", "the budget's short name")
    let unit = try JSONFields.require(
      fields.string("unit"), "unit", "what is counted, such as tokens")
    let limit = try JSONFields.require(
      fields.limit(unit), "limit", "how much may be spent in the window")
    let window = try JSONFields.require(
      fields.window(), "window",
      "minute, hour, day, week, month, total, or {\"rolling_seconds\": n}")
    let units = try gateway.units()
    try await refusing {
      let order = try BudgetOrder(
        name: name, scope: fields.scope(), unit: unit, limit: limit, window: window,
        isHard: fields.flag("hard") ?? true, isPaused: fields.flag("paused") ?? false,
        thresholds: fields.thresholds() ?? BudgetOrder.usualThresholds, units: units,
        upstreams: gateway.upstreamNames)
      try await SetBudget(order, now: log.time.now(), actor: principal.actor)
        .run(on: log, default: gateway.settings.account)
    }
    return try budgetAnswer(name).created(at: "/budgets")
  }

  private func changeBudget(
    _ name: String, _ fields: JSONFields, by principal: Principal
  ) async throws -> Response {
    let accounts = accounts
    let known = try log.read { (reading) throws(LogError) in
      try accounts.budget(name, in: reading)
    }
    let limit = try fields.limit(known?.unit ?? "")
    try await refusing {
      try await ChangeBudget(
        name, limit: limit, isHard: fields.flag("hard"), isPaused: fields.flag("paused"),
        thresholds: fields.thresholds(), now: log.time.now(), actor: principal.actor
      ).run(on: log)
    }
    return try budgetAnswer(name)
  }

  private func budgetAnswer(_ name: String) throws -> Response {
    let accounts = accounts
    let row = try log.read { (reading) throws(LogError) in
      try accounts.budget(name, in: reading)
    }
    guard let row else { throw Problem(.notFound, "there is no budget \(name)", field: "name") }
    let standings = try gateway.budgets().filter { $0.name == name }
    return .object(position: log.head) { json in
      if let one = standings.first, standings.count == 1, one.tag.isEmpty {
        one.write(to: &json)
      } else {
        row.write(name, to: &json)
      }
    }
  }
}

// MARK: What is sent

extension JSONFields {
  /// The limit: a whole number of units, or of money a decimal text.
  func limit(_ unit: String) throws(Problem) -> Int64? {
    guard Amount.isMoney(unit) else { return try integer("limit", in: 0 ... .max) }
    guard let text = try string("limit") else { return nil }
    guard let amount = DecimalText.nanoUnits(text) else {
      throw Problem(
        .invalidField,
        "limit is “\(text.inOneLine(atMost: 50))”; write money as text with up to nine decimals,"
          + " such as \"12.50\"", field: "limit")
    }
    return amount
  }

  fileprivate func window() throws(Problem) -> BudgetOrder.Window? {
    guard let value = value("window") else { return nil }
    if let word = value.string, let window = BudgetOrder.Window(word: word) { return window }
    if let members = value.members.map(Array.init), members.count == 1,
      members[0].name == "rolling_seconds", let seconds = members[0].value.int64
    {
      return .rolling(seconds: seconds)
    }
    let shown = value.string.map { "is “\($0.inOneLine(atMost: 40))”; it " } ?? ""
    throw Problem(
      .invalidField,
      "window \(shown)must be minute, hour, day, week, month, total or {\"rolling_seconds\": n}",
      field: "window")
  }

  fileprivate func scope() throws(Problem) -> BudgetRow.Scope {
    var scope = BudgetRow.Scope()
    guard let value = value("scope") else { return scope }
    guard let members = value.members else {
      throw Problem(.invalidField, "scope must be an object, not \(value.kind)", field: "scope")
    }
    var seen: Set<String> = []
    for member in members {
      let name = member.name
      guard seen.insert(name).inserted else {
        throw Problem(.invalidField, "\(name) stands twice in scope", field: "scope")
      }
      if name == "tag" {
        scope.tag = try Self.tag(member.value)
        continue
      }
      guard let text = member.value.string, !text.isEmpty else {
        throw Problem(
          .invalidField, "\(name.inOneLine(atMost: 50)) in scope must be a name", field: "scope")
      }
      switch name {
      case "account": scope.account = text
      case "access_key": scope.accessKey = text
      case "credential": scope.credential = text
      case "upstream": scope.upstream = text
      case "operation": scope.operation = text
      default:
        throw Problem(
          .invalidField,
          "“\(name.inOneLine(atMost: 50))” is no member of scope; it takes account, access_key,"
            + " credential, upstream, operation, tag", field: "scope")
      }
    }
    return scope
  }

  /// `{"user": "ann"}`, or with a star each value by itself.
  private static func tag(_ value: JSONValue) throws(Problem) -> String {
    guard let members = value.members.map(Array.init), members.count == 1,
      let text = members[0].value.string
    else {
      throw Problem(
        .invalidField, "tag in scope is one name with a value, such as {\"user\": \"ann\"}",
        field: "scope")
    }
    return "\(members[0].name)=\(text)"
  }

  fileprivate func thresholds() throws(Problem) -> [UInt32]? {
    guard let value = value("thresholds") else { return nil }
    guard let elements = value.array, elements.count <= 64 else {
      throw Problem(
        .invalidField, "thresholds must be an array of percentages", field: "thresholds")
    }
    var found: [UInt32] = []
    for element in elements {
      guard let percent = element.int64, let number = UInt32(exactly: percent) else {
        throw Problem(
          .invalidField, "thresholds must be an array of percentages", field: "thresholds")
      }
      found.append(number)
    }
    return found
  }
}

// MARK: What is answered

extension BudgetRow {
  fileprivate func write(_ name: String, to json: inout JSONWriter) {
    json.field("name", name)
    json.object("scope") { json in
      json.fieldIfPresent("account", scope.account.isEmpty ? nil : scope.account)
      json.fieldIfPresent("access_key", scope.accessKey.isEmpty ? nil : scope.accessKey)
      json.fieldIfPresent("credential", scope.credential.isEmpty ? nil : scope.credential)
      json.fieldIfPresent("upstream", scope.upstream.isEmpty ? nil : scope.upstream)
      json.fieldIfPresent("operation", scope.operation.isEmpty ? nil : scope.operation)
      if !scope.tag.isEmpty {
        let parts = scope.tag.split(separator: "=", maxSplits: 1).map(String.init)
        json.object("tag") { json in
          json.field(parts[0], parts.count > 1 ? parts[1] : "")
        }
      }
    }
    json.field("unit", unit)
    if span == .rolling {
      json.object("window") { json in json.field("rolling_seconds", rollingSeconds) }
    } else {
      json.field("window", word)
    }
    json.amount("limit", limit, unit)
    json.field("hard", !isSoft)
    json.field("paused", isPaused)
    json.array("thresholds", thresholds) { json, percent in json.integer(Int64(percent)) }
    json.field("since", since)
  }

  private var word: String {
    switch span {
    case .minute: "minute"
    case .hour: "hour"
    case .day: "day"
    case .week: "week"
    case .month: "month"
    case .rolling, .total, .UNRECOGNIZED: "total"
    }
  }
}

extension BudgetStanding {
  func write(to json: inout JSONWriter) {
    row.write(name, to: &json)
    json.field("tag", tag.isEmpty ? nil : tag)
    json.field("in", window.isEmpty ? nil : window)
    let amounts = [
      ("settled", settled), ("reserved", reserved), ("in_doubt", inDoubt),
      ("unprovable", unprovable), ("free", free),
    ]
    for (name, amount) in amounts { json.amount(name, amount, row.unit) }
    json.field("frees_at", frees)
    json.field("forecast_empty_at", runsDry)
  }
}
