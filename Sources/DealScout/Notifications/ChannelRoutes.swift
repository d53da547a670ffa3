import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

extension HTTPService {
  /// `GET`, `POST /notifications/channels`, `DELETE /notifications/channels/{name}`, `POST …/test`.
  func addChannels(_ desk: NotificationDesk, to router: Router<TollbookContext>) {
    let book = desk.book(gateway)
    router.route(
      "/notifications/channels", query: QueryNames(["account"]),
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        return list("channels", try book.channels(of: account)) { $0.write(to: &$1) }
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
        return removed("name", name)
      })
    router.route(
      "/notifications/channels/{name}/test", query: QueryNames(["account"]), mayBeEmpty: true,
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

  static func noChannel(_ name: String, _ field: String) -> Problem {
    Problem(.notFound, "there is no channel “\(name.inOneLine(atMost: 80))”", field: field)
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
    try await keepNew(
      ("channel", "channels"), channel.name, beside: book.channels(of: account).count,
      atMost: desk.limits.channels
    ) { () throws(PurchaseProblem) in try await book.add(channel) }
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
