import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `GET`, `POST /notifications/rules`, `DELETE /notifications/rules/{name}`.
  func addRules(_ scout: Scout, to router: Router<TollbookContext>) {
    let book = scout.notices.book(gateway)
    router.route(
      "/notifications/rules", query: QueryNames(["account"]),
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        return list("rules", try book.rules(of: account)) { $0.write(to: &$1) }
      },
      post: { request, context in try await addRule(request, context, scout) })
    router.route(
      "/notifications/rules/{name}", query: QueryNames(["account"]), scope: .fetch,
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let name = Self.name(context, "name")
        guard try await book.removeRule(name, of: account) else {
          throw Problem(
            .notFound, "there is no rule “\(name.inOneLine(atMost: 80))”", field: "name")
        }
        return removed("name", name)
      })
  }

  private func addRule(
    _ request: Request, _ context: TollbookContext, _ scout: Scout
  ) async throws -> Response {
    let account = try account(QueryParameters(request)["account"], context)
    let fields = try await JSONFields(
      of: request, limit: 16_384,
      names: [
        "name", "about", "search", "min_score", "min_percent", "alerts", "channel", "delivery",
      ], mostValues: 64)
    let book = scout.notices.book(gateway)
    let rule = try await Problem.ofNotices {
      try newRule(of: fields, account, isOperator: context.principal.may(.admin))
    }
    guard try book.channel(rule.channel, of: account) != nil else {
      throw Self.noChannel(rule.channel, "channel")
    }
    if let search = rule.search {
      guard try SearchBook(gateway: gateway).search(search, of: account) != nil else {
        throw Problem(
          .notFound, "there is no search “\(search.inOneLine(atMost: 100))”", field: "search")
      }
    }
    if rule.condition.kind == .newDeal, !scout.judges { throw Problem.notJudged("about") }
    try await keepNew(
      ("rule", "rules"), rule.name, beside: book.rules(of: account).count,
      atMost: scout.notices.limits.rules
    ) { () throws(PurchaseProblem) in try await book.add(rule) }
    scout.noteUse()
    return Response.object(position: log.head) { json in rule.write(to: &json) }
      .created(at: "/notifications/rules/\(rule.name)")
  }

  private func newRule(
    of fields: JSONFields, _ account: String, isOperator: Bool
  ) throws -> NotificationRule {
    let kinds = NotificationFact.Kind.ofRules.map(\.rawValue).joined(separator: ", ")
    let about = try JSONFields.require(fields.string("about"), "about", "one of \(kinds)")
    let alerts = try fields.strings("alerts", limit: NotificationRule.alerts.count)
    let score = try fields.integer("min_score", in: 0...100).map { Int($0) }
    let percent = try fields.integer("min_percent", in: 1...1_000).map { Int($0) }
    guard let kind = NotificationFact.Kind(rawValue: about),
      let condition = NotificationRule.Condition(
        kind, score: score, percent: percent, alerts: alerts)
    else {
      throw Problem(
        .invalidField, "about is “\(about.inOneLine(atMost: 50))”; it is one of \(kinds)",
        field: "about")
    }
    for (field, takers) in Self.fieldsOfKinds
    where fields.value(field) != nil && !takers.contains(kind) {
      throw Problem(.invalidField, "a rule about \(about) takes no \(field)", field: field)
    }
    var timing = NotificationRule.Timing.atOnce
    if let name = try fields.string("delivery") {
      guard let named = NotificationRule.Timing(rawValue: name) else {
        throw Problem(
          .invalidField,
          "delivery is “\(name.inOneLine(atMost: 50))”; it is at_once or hourly",
          field: "delivery")
      }
      timing = named
    }
    return try NotificationRule(
      JSONFields.require(fields.string("name"), "name", "what the rule is called"),
      account: account, condition, search: fields.string("search"),
      channel: JSONFields.require(fields.string("channel"), "channel", "the name of a channel"),
      timing: timing, created: log.time.now(),
      isOperators: isOperator && account == gateway.settings.account)
  }

  /// The members that only some rules take.
  private static let fieldsOfKinds: [(field: String, takers: [NotificationFact.Kind])] = [
    ("search", [.newDeal, .priceDrop]), ("min_score", [.newDeal]),
    ("min_percent", [.priceDrop, .budgetThreshold]), ("alerts", [.alert]),
  ]
}
