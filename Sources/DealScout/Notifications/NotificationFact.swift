import JSONText
package import TollbookEvents

/// Something that somebody may want to be told of.
package struct NotificationFact: Hashable, Sendable {
  /// The raw values are part of the HTTP API.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case newDeal = "deal.new"
    case priceDrop = "price.dropped"
    case watchEnded = "watch.ended"
    case budgetThreshold = "budget.threshold"
    case alert = "alert.raised"
    /// That a channel is tried. There are no rules about it.
    case test

    package static let ofRules: [Kind] = allCases.filter { $0 != .test }
  }

  /// What is told of it.
  package enum Detail: Hashable, Sendable {
    /// A score from 0 to 100, a total price, and the fair one.
    case deal(score: Int, total: Amount, fair: Amount?)
    /// The total price that was told last, or seen first, and the one now.
    case drop(from: Amount, to: Amount)
    case ended
    /// Of the limit of a budget.
    case share(percent: Int)
    /// A sentence.
    case alert(String)
  }

  package let kind: Kind
  /// Whose it is.
  package let account: String
  /// Such as the id of an item, or the name of a budget.
  package let subject: String
  /// As people call it; may be from outside.
  package private(set) var title: String
  /// Where it is to be seen; nil: nowhere.
  package private(set) var url: String?
  package let detail: Detail
  package let at: Timestamp
  /// Two facts of the same key are the same fact.
  package let key: FactKey
  /// The id of the saved search that brought it; nil: none did.
  package var search: String?
  /// Whether it is no account's, and only for those who run the service.
  package var isForOperators = false

  private init(
    _ kind: Kind, _ account: String, _ subject: String, version: String, title: String,
    url: String?, _ detail: Detail, at: Timestamp
  ) throws(NotificationProblem) {
    self.kind = kind
    self.account = account
    self.subject = subject
    self.title = title
    self.url = url
    self.detail = detail
    self.at = at
    key = try FactKey(kind, subject: subject, version: version)
  }

  /// An item is a deal. It becomes one once, whatever its score does later.
  package static func newDeal(
    _ item: String, of account: String, title: String, url: String?, score: Int, total: Amount,
    fair: Amount?, at: Timestamp
  ) throws(NotificationProblem) -> NotificationFact {
    try NotificationFact(
      .newDeal, account, item, version: "", title: title, url: url,
      .deal(score: min(max(0, score), 100), total: total, fair: fair), at: at)
  }

  /// An item has become cheaper. The same price again is the same fact; a further drop is another one.
  ///
  /// - Parameter before: the total price that was told last, or seen first.
  package static func priceDrop(
    _ item: String, of account: String, title: String, url: String?, from before: Amount,
    to now: Amount, at: Timestamp
  ) throws(NotificationProblem) -> NotificationFact {
    guard before.unit == now.unit, now.count >= 0, now.count < before.count else {
      throw NotificationProblem("price", "\(now) is no drop from \(before)")
    }
    return try NotificationFact(
      .priceDrop, account, item, version: "\(now.count) \(now.unit)", title: title, url: url,
      .drop(from: before, to: now), at: at)
  }

  /// An item that somebody watches is no longer for sale. A relisted one has another id.
  package static func watchEnded(
    _ item: String, of account: String, title: String, url: String?, at: Timestamp
  ) throws(NotificationProblem) -> NotificationFact {
    try NotificationFact(
      .watchEnded, account, item, version: "", title: title, url: url, .ended, at: at)
  }

  /// A budget has used a share of its limit, once in each of its windows.
  package static func budgetThreshold(
    _ budget: String, of account: String, window: String, percent: Int, at: Timestamp
  ) throws(NotificationProblem) -> NotificationFact {
    try NotificationFact(
      .budgetThreshold, account, budget, version: "\(window) \(percent)", title: budget, url: nil,
      .share(percent: percent), at: at)
  }

  /// An alert was raised.
  ///
  /// - Parameters:
  ///   - number: the position of the event that raised it: raised again it is another fact.
  ///   - sentence: what has come to pass, without a full stop.
  package static func alert(
    _ name: String, of account: String, number: UInt64, sentence: String, at: Timestamp
  ) throws(NotificationProblem) -> NotificationFact {
    try NotificationFact(
      .alert, account, name, version: "\(number)", title: name, url: nil, .alert(sentence), at: at)
  }

  /// A channel is tried.
  package static func test(
    of channel: String, of account: String, at: Timestamp
  ) throws(NotificationProblem) -> NotificationFact {
    try NotificationFact(
      .test, account, channel, version: "\(at)", title: channel, url: nil,
      .alert("this is a test of the channel \(channel)"), at: at)
  }
}

extension NotificationFact {
  /// The same without what eBay's listing said in words: that is not kept longer than a day.
  package var withoutListing: NotificationFact {
    guard isOfListing else { return self }
    var fact = self
    fact.title = subject
    fact.url = nil
    return fact
  }

  /// Whether it tells what a listing of eBay's says.
  var isOfListing: Bool {
    switch kind {
    case .newDeal, .priceDrop, .watchEnded: true
    case .budgetThreshold, .alert, .test: false
    }
  }

  // MARK: As it is kept

  func writeKept(to json: inout JSONWriter) {
    json.field("kind", kind.rawValue)
    json.field("subject", subject)
    json.field("title", title)
    json.fieldIfPresent("url", url)
    json.field("at_ms", at.milliseconds)
    json.field("key", key.description)
    switch detail {
    case .deal(let score, let total, let fair):
      json.field("score", score)
      Self.write(total, "total", to: &json)
      if let fair { Self.write(fair, "fair", to: &json) }
    case .drop(let before, let now):
      Self.write(before, "from", to: &json)
      Self.write(now, "to", to: &json)
    case .share(let percent): json.field("percent", percent)
    case .alert(let sentence): json.field("sentence", sentence)
    case .ended: break
    }
  }

  private static func write(_ amount: Amount, _ name: String, to json: inout JSONWriter) {
    json.object(name) { json in
      json.field("count", amount.count)
      json.field("unit", amount.unit)
    }
  }

  /// Nil: it cannot be read.
  init?(kept value: JSONValue, of account: String) {
    func amount(_ name: String) -> Amount? {
      guard let value = value[name], let count = value["count"]?.int64,
        let unit = value["unit"]?.string
      else { return nil }
      return Amount(count, unit)
    }
    guard let kind = value["kind"]?.string.flatMap({ Kind(rawValue: $0) }),
      let subject = value["subject"]?.string, let title = value["title"]?.string,
      let at = value["at_ms"]?.int64, let key = value["key"]?.string
    else { return nil }
    let detail: Detail? =
      switch kind {
      case .newDeal:
        amount("total").map {
          .deal(score: value["score"]?.int ?? 0, total: $0, fair: amount("fair"))
        }
      case .priceDrop:
        amount("from").flatMap { before in amount("to").map { .drop(from: before, to: $0) } }
      case .watchEnded: .ended
      case .budgetThreshold: .share(percent: value["percent"]?.int ?? 0)
      case .alert, .test: .alert(value["sentence"]?.string ?? "")
      }
    guard let detail else { return nil }
    self.kind = kind
    self.account = account
    self.subject = subject
    self.title = title
    url = value["url"]?.string
    self.detail = detail
    self.at = Timestamp(milliseconds: at)
    self.key = FactKey(kept: key)
  }
}

/// Names a fact: of what kind, about what, and which one of several about it.
package struct FactKey: Hashable, Sendable, CustomStringConvertible {
  /// In bytes.
  package static let longestSubject = 200

  /// Kind, subject and version; the same text for the same fact only.
  package let description: String

  init(
    _ kind: NotificationFact.Kind, subject: String, version: String
  ) throws(NotificationProblem) {
    for (name, text) in [("subject", subject), ("version", version)] {
      guard text.utf8.count <= Self.longestSubject else {
        throw NotificationProblem(
          name, "\(name) has \(text.utf8.count) bytes; \(Self.longestSubject) are allowed")
      }
    }
    guard !subject.isEmpty else { throw NotificationProblem("subject", "subject is empty") }
    // The length before the subject: whatever stands in it, no other one reads alike.
    description = "\(kind.rawValue) \(subject.utf8.count):\(subject) \(version)"
  }

  /// Of a text that was kept.
  package init(kept text: String) { description = text }

  package static func == (one: FactKey, other: FactKey) -> Bool {
    // Texts that look alike may have other bytes.
    one.description.utf8.elementsEqual(other.description.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    for byte in description.utf8 { hasher.combine(byte) }
  }
}
