import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

extension HTTPService {
  /// What accounts are told of, and where: `/notifications/channels`, `/notifications/rules` and
  /// `/notifications/deliveries`.
  func addNotifications(_ scout: Scout, to router: Router<TollbookContext>) {
    let desk = scout.notices
    addChannels(desk, to: router)
    addRules(scout, to: router)
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

  // MARK: Channels

  private func addChannels(_ desk: NotificationDesk, to router: Router<TollbookContext>) {
    let book = desk.book(gateway)
    router.route(
      "/notifications/channels", query: QueryNames(["account"]),
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let channels = try book.channels(of: account)
        return .object(position: log.head) { json in
          json.array("channels", channels) { json, channel in
            json.object { json in channel.write(to: &json) }
          }
        }
      },
      post: { request, context in
        // The answer holds a secret, and is kept for no repeat.
        try refuseIdempotencyKey(request)
        return try await addChannel(request, context, desk)
      })
    router.route(
      "/notifications/channels/{name}", query: QueryNames(["account"]), scope: .fetch,
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let name = Self.name(context, "name")
        if let rule = try book.rules(of: account).first(where: { $0.channel == name }) {
          throw Problem(
            .conflict, "the rule \(rule.name) tells over it; remove the rule first", field: "name")
        }
        guard try await book.removeChannel(name, of: account) else {
          throw Self.noChannel(name, "name")
        }
        return Self.removed(name, position: log.head)
      })
    router.route(
      "/notifications/channels/{name}/test", query: QueryNames(["account"]),
      post: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let name = Self.name(context, "name")
        guard let channel = try book.channel(name, of: account) else {
          throw Self.noChannel(name, "name")
        }
        let ending = try await refusing { try await desk.test(channel, gateway) }
        return .object(position: log.head) { json in
          json.field("channel", name)
          ending.write(to: &json)
        }
      })
  }

  private static func noChannel(_ name: String, _ field: String) -> Problem {
    Problem(.notFound, "there is no channel “\(name.inOneLine(atMost: 80))”", field: field)
  }

  private static func removed(_ name: String, position: Position) -> Response {
    .object(position: position) { json in
      json.field("name", name)
      json.field("removed", true)
    }
  }

  private func addChannel(
    _ request: Request, _ context: TollbookContext, _ desk: NotificationDesk
  ) async throws -> Response {
    let account = try account(QueryParameters(request)["account"], context)
    let fields = try await JSONFields(
      of: request, limit: 16_384, names: ["name", "kind", "url", "to", "secret"], mostValues: 16)
    let (channel, secret) = try await Problem.ofNotices {
      try await newChannel(of: fields, account, desk)
    }
    let book = desk.book(gateway)
    guard try book.channels(of: account).count < desk.limits.channels else {
      throw Problem(
        .conflict, "the account has \(desk.limits.channels) channels, as many as it may",
        field: "name")
    }
    let isNew: Bool
    do throws(PurchaseProblem) { isNew = try await book.add(channel) } catch {
      throw Problem(error)
    }
    guard isNew else {
      throw Problem(
        .conflict, "there is a channel \(channel.name) already; remove it, or take another name",
        field: "name")
    }
    return Response.object(position: log.head) { json in
      channel.write(to: &json)
      json.fieldIfPresent("secret", secret)
    }.created(at: "/notifications/channels/\(channel.name)")
  }

  /// - Returns: the channel, and the secret if it was made here.
  private func newChannel(
    of fields: JSONFields, _ account: String, _ desk: NotificationDesk
  ) async throws -> (NotificationChannel, secret: String?) {
    let name = try NotificationName.checked(
      try JSONFields.require(fields.string("name"), "name", "what the channel is called"), "name")
    let kind = try JSONFields.require(
      fields.string("kind"), "kind", "webhook, slack or email")
    let (url, to, secret) = (
      try fields.string("url"), try fields.string("to"), try fields.string("secret")
    )
    func without(_ text: String?, _ field: String) throws {
      guard text == nil else {
        throw Problem(.invalidField, "a channel of kind \(kind) takes no \(field)", field: field)
      }
    }
    let target: NotificationChannel.Target
    var made: String?
    switch kind {
    case "webhook", "slack":
      try without(to, "to")
      if kind == "slack" { try without(secret, "secret") }
      let given = try WebhookTarget(
        url: JSONFields.require(url, "url", "where notices are sent to"), secret: secret,
        isSigned: kind == "webhook")
      try await gateway.check(given.entry.url)
      target = kind == "slack" ? .slack(given.entry.url) : .webhook(given.entry)
      if given.isSecretMade { made = given.entry.secret }
    case "email":
      try without(url, "url")
      try without(secret, "secret")
      let address = try JSONFields.require(to, "to", "the address that mail is sent to")
      do throws(NotificationProblem) { target = .email(try EmailAddress(address)) } catch {
        throw Problem(.invalidField, error.description, field: "to")
      }
      guard desk.mail != nil else {
        throw Problem(.conflict, NotificationDesk.noMail, field: "kind")
      }
    default:
      throw Problem(
        .invalidField,
        "kind is “\(kind.inOneLine(atMost: 50))”; it is webhook, slack or email", field: "kind")
    }
    return (NotificationChannel(name, of: account, target, created: log.time.now()), made)
  }

  // MARK: Rules

  private func addRules(_ scout: Scout, to router: Router<TollbookContext>) {
    let book = scout.notices.book(gateway)
    router.route(
      "/notifications/rules", query: QueryNames(["account"]),
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let rules = try book.rules(of: account)
        return .object(position: log.head) { json in
          json.array("rules", rules) { json, rule in
            json.object { json in rule.write(to: &json) }
          }
        }
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
        return Self.removed(name, position: log.head)
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
    guard try book.rules(of: account).count < scout.notices.limits.rules else {
      throw Problem(
        .conflict, "the account has \(scout.notices.limits.rules) rules, as many as it may",
        field: "name")
    }
    let isNew: Bool
    do throws(PurchaseProblem) { isNew = try await book.add(rule) } catch { throw Problem(error) }
    guard isNew else {
      throw Problem(
        .conflict, "there is a rule \(rule.name) already; remove it, or take another name",
        field: "name")
    }
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

extension NotificationQueue.Ending {
  fileprivate func write(to json: inout JSONWriter) {
    switch self {
    case .taken(let status):
      json.field("taken", true)
      json.field("status", status == 0 ? nil : status)
      json.nullField("detail")
    case .failed(let receipt):
      json.field("taken", false)
      json.field("status", receipt.status == 0 ? nil : receipt.status)
      json.field("detail", receipt.detail.isEmpty ? nil : receipt.detail)
    case .refused(let detail):
      json.field("taken", false)
      json.nullField("status")
      json.field("detail", detail)
    }
  }
}

extension Problem {
  /// Does something, and tells what is wrong with a channel or a rule as a problem.
  fileprivate static func ofNotices<Answer>(
    _ body: () async throws -> Answer
  ) async throws -> Answer {
    do { return try await body() } catch let problem as NotificationProblem {
      throw Problem(.invalidField, problem.description, field: problem.field)
    } catch let refusal as AccountRefusal {
      throw Problem(refusal)
    }
  }
}
