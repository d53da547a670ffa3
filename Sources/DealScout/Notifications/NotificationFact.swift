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
  package let title: String
  /// Where it is to be seen; nil: nowhere.
  package let url: String?
  package let detail: Detail
  package let at: Timestamp
  /// Two facts of the same key are the same fact.
  package let key: FactKey

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
