import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookUpstreams

/// Where an account is told: one of at most ``NotificationBook/Limits/channels``.
struct NotificationChannel: Hashable, Sendable {
  enum Target: Hashable, Sendable {
    /// Signed with the secret of the entry.
    case webhook(WebhookKeys.Entry)
    case slack(GivenURL)
    case email(EmailAddress)
  }

  let name: String
  let account: String
  let target: Target
  let created: Timestamp

  /// The raw value is part of the HTTP API.
  var kind: String {
    switch target {
    case .webhook: "webhook"
    case .slack: "slack"
    case .email: "email"
    }
  }

  // MARK: As it is kept

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("created_ms", created.milliseconds)
      json.field("kind", kind)
      switch target {
      case .webhook(let entry):
        json.field("url", entry.url.text)
        json.field("secret", entry.secret)
      case .slack(let url): json.field("url", url.text)
      case .email(let address): json.field("to", address.description)
      }
    }
    return json.bytes
  }

  init(_ name: String, of account: String, _ target: Target, created: Timestamp) {
    self.name = name
    self.account = account
    self.target = target
    self.created = created
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8], name: String, of account: String) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 2, maximumValues: 16).root,
      let created = root["created_ms"]?.int64
    else { return nil }
    let url = root["url"]?.string.flatMap { try? GivenURL($0) }
    let target: Target? =
      switch root["kind"]?.string {
      case "webhook":
        url.map { .webhook(WebhookKeys.Entry(url: $0, secret: root["secret"]?.string ?? "")) }
      case "slack": url.map { .slack($0) }
      case "email":
        root["to"]?.string.flatMap { try? EmailAddress($0) }.map { .email($0) }
      default: nil
      }
    guard let target else { return nil }
    self.init(name, of: account, target, created: Timestamp(milliseconds: created))
  }

  // MARK: As it is shown

  /// Without what is secret: what follows the host of an address may be a password.
  func write(to json: inout JSONWriter) {
    json.field("name", name)
    json.field("account", account)
    json.field("kind", kind)
    switch target {
    case .webhook(let entry): json.field("url", entry.url.place + "/…")
    case .slack(let url): json.field("url", url.place + "/…")
    case .email(let address): json.field("to", address.description)
    }
    json.field("created_at", created)
  }
}
