import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// What accounts keep of notices: channels, rules, and each notice that waits or was told. Entries that nobody sells,
/// sealed with their account's data key.
struct NotificationBook: Sendable {
  static let channelKind = "ebay.channel"
  static let ruleKind = "ebay.rule"
  static let deliveryKind = "ebay.notice"

  /// How many of each one account may have.
  struct Limits: Sendable {
    var channels = 20
    var rules = 100
    /// Notices that wait, were given up, or are remembered as told.
    var deliveries = 10_000
  }

  /// How long a notice is remembered after it was sent or given up, or after its fact was seen again, in milliseconds:
  /// 45 days.
  static let memory: Int64 = 45 * 86_400_000
  /// A notice whose fact is seen again is remembered anew once it is so old, in milliseconds: so that only what has not
  /// been seen for 30 days is forgotten.
  static let refresh: Int64 = 15 * 86_400_000

  private static let idDigits = 24

  let gateway: Gateway
  var limits = Limits()

  private func resource(_ kind: String, _ name: String, of account: String) -> ResourceKey {
    ResourceKey(account: account, kind: kind, path: name)
  }

  private func all<Value>(
    _ kind: String, of account: String, atMost limit: Int,
    _ read: ([UInt8], String) -> Value?
  ) throws(LogError) -> [Value] {
    var values: [Value] = []
    for entry in try gateway.kept(under: "account/\(account)/\(kind)/", atMost: limit) {
      guard let content = try gateway.content(of: entry),
        let value = read(content, String(entry.resource.path))
      else { continue }
      values.append(value)
    }
    return values
  }

  // MARK: Channels

  /// In the order of their names.
  func channels(of account: String) throws(LogError) -> [NotificationChannel] {
    try all(Self.channelKind, of: account, atMost: limits.channels) { content, name in
      NotificationChannel(content, name: name, of: account)
    }
  }

  func channel(_ name: String, of account: String) throws(LogError) -> NotificationChannel? {
    try gateway.keptContent(resource(Self.channelKind, name, of: account)).flatMap {
      NotificationChannel($0, name: name, of: account)
    }
  }

  /// - Returns: false: there is one of that name already.
  func add(_ channel: NotificationChannel) async throws(PurchaseProblem) -> Bool {
    try await gateway.keep(
      channel.bytes, as: resource(Self.channelKind, channel.name, of: channel.account),
      if: .isNew)
  }

  /// - Returns: whether there was one.
  func removeChannel(_ name: String, of account: String) async throws(LogError) -> Bool {
    try await gateway.removeKept(resource(Self.channelKind, name, of: account))
  }

  // MARK: Rules

  /// In the order of their names.
  func rules(of account: String) throws(LogError) -> [NotificationRule] {
    try all(Self.ruleKind, of: account, atMost: limits.rules) { content, name in
      NotificationRule(content, name: name, of: account)
    }
  }

  /// - Returns: false: there is one of that name already.
  func add(_ rule: NotificationRule) async throws(PurchaseProblem) -> Bool {
    try await gateway.keep(
      rule.bytes, as: resource(Self.ruleKind, rule.name, of: rule.account), if: .isNew)
  }

  /// - Returns: whether there was one.
  func removeRule(_ name: String, of account: String) async throws(LogError) -> Bool {
    try await gateway.removeKept(resource(Self.ruleKind, name, of: account))
  }

  // MARK: Notices

  /// The same for the same fact on the same channel; tells nothing of either.
  func id(of notice: NotificationNotice) throws(AccountRefusal) -> String {
    let text = "notice\n\(notice.channel)\n\(notice.fact.key)"
    return String(
      try gateway.dataKeys.digest(Array(text.utf8), of: notice.fact.account)
        .prefix(Self.idDigits))
  }

  private static func isID(_ text: String) -> Bool {
    text.utf8.count == idDigits
      && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }

  /// What is kept of a notice; nil: it was never told, or that was forgotten.
  func entry(_ id: String, of account: String) throws(LogError) -> CacheEntry? {
    guard Self.isID(id) else { return nil }
    return try gateway.kept(resource(Self.deliveryKind, id, of: account))
  }

  /// Nil: it cannot be read.
  func delivery(in entry: CacheEntry, of account: String) throws(LogError) -> NotificationDelivery?
  {
    try gateway.content(of: entry).flatMap {
      NotificationDelivery($0, id: String(entry.resource.path), of: account)
    }
  }

  /// All of an account, the newest first.
  func deliveries(of account: String) throws(LogError) -> [NotificationDelivery] {
    try all(Self.deliveryKind, of: account, atMost: limits.deliveries) { content, id in
      NotificationDelivery(content, id: id, of: account)
    }.sorted { ($1.queued, $0.id) < ($0.queued, $1.id) }
  }

  /// How many more notices there may be.
  func room(of account: String) throws(LogError) -> Int {
    let prefix = "account/\(account)/\(Self.deliveryKind)/"
    return limits.deliveries
      - (try gateway.kept(under: prefix, atMost: limits.deliveries).count)
  }

  /// Keeps a notice.
  ///
  /// - Parameter entry: what is kept of it; nil: nothing.
  /// - Returns: false: somebody has changed that meanwhile, and it stays as it is.
  @discardableResult
  func keep(
    _ delivery: NotificationDelivery, after entry: CacheEntry?
  ) async throws(PurchaseProblem) -> Bool {
    try await gateway.keep(
      delivery.bytes,
      as: resource(Self.deliveryKind, delivery.id, of: delivery.notice.fact.account),
      if: entry.map { .isStill($0.written) } ?? .isNew)
  }

  /// Changes what is kept of a notice. One that is there no more, as when the data key of its account was destroyed, does
  /// not come back.
  ///
  /// - Parameter change: makes of what is kept what is to be kept; it may be called several times.
  func change(
    _ id: String, of account: String,
    _ change: @Sendable (NotificationDelivery) -> NotificationDelivery
  ) async throws {
    do {
      _ = try await gateway.rekeep(resource(Self.deliveryKind, id, of: account)) { bytes in
        guard let bytes, let kept = NotificationDelivery(bytes, id: id, of: account) else {
          throw Gone()
        }
        return change(kept).bytes
      }
    } catch is Gone {}
  }

  /// What was to be changed is there no more.
  private struct Gone: Error {}
}
