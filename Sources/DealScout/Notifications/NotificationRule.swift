package import TollbookEvents

/// What an account wants to be told of, and where.
package struct NotificationRule: Hashable, Sendable {
  /// The facts that it is for.
  package enum Condition: Hashable, Sendable {
    /// Deals of this score or above.
    case newDeal(minimumScore: Int)
    /// Listings that have become cheaper by this many percent or more.
    case priceDrop(minimumPercent: Int)
    case watchEnded
    /// Budgets that have used this share or more of their limit.
    case budgetThreshold(minimumPercent: Int)
    /// Alerts of these names; empty: of all but ends of jobs, which are nothing wrong.
    case alert(names: [String])

    package var kind: NotificationFact.Kind {
      switch self {
      case .newDeal: .newDeal
      case .priceDrop: .priceDrop
      case .watchEnded: .watchEnded
      case .budgetThreshold: .budgetThreshold
      case .alert: .alert
      }
    }
  }

  /// When it tells. The raw values are part of the HTTP API.
  package enum Timing: String, Hashable, Sendable, CaseIterable {
    case atOnce = "at_once"
    /// With all else of the hour, in one notice.
    case hourly
  }

  /// The names of alerts that a rule can ask for: shares of budgets have a kind of fact of their own.
  package static let alerts = AlertName.allCases.filter { $0 != .threshold }.map(\.rawValue)

  package let name: String
  package let account: String
  package let condition: Condition
  /// The id of the saved search whose listings it is for; nil: those of all.
  package let search: String?
  /// The name of a channel of the account.
  package let channel: String
  package let timing: Timing
  /// Alerts from before are not told.
  package let created: Timestamp
  /// Whether it may tell of what is no account's, such as what an upstream has left.
  package let isOperators: Bool

  package init(
    _ name: String, account: String, _ condition: Condition, search: String? = nil,
    channel: String, timing: Timing = .atOnce, created: Timestamp, isOperators: Bool = false
  ) throws(NotificationProblem) {
    try Self.check(condition)
    self.name = try NotificationName.checked(name, "name")
    self.account = account
    self.condition = condition
    self.search = search
    self.channel = try NotificationName.checked(channel, "channel")
    self.timing = timing
    self.created = created
    self.isOperators = isOperators
  }

  private static func check(_ condition: Condition) throws(NotificationProblem) {
    switch condition {
    case .newDeal(let score):
      guard 0...100 ~= score else {
        throw NotificationProblem("min_score", "min_score is \(score); it must be 0 to 100")
      }
    case .priceDrop(let percent), .budgetThreshold(let percent):
      let most = condition.kind == .priceDrop ? 99 : 1_000
      guard 1...most ~= percent else {
        throw NotificationProblem(
          "min_percent", "min_percent is \(percent); it must be 1 to \(most)")
      }
    case .alert(let names):
      for (index, name) in names.enumerated() where !alerts.contains(name) {
        throw NotificationProblem(
          "alerts[\(index)]",
          "there is no alert “\(name.inOneLine(atMost: 100))”; alerts are"
            + " \(alerts.joined(separator: ", "))")
      }
    case .watchEnded: break
    }
  }

  /// Whether a fact is told by it.
  package func wants(_ fact: NotificationFact) -> Bool {
    guard fact.account == account, isOperators || !fact.isForOperators else { return false }
    switch (condition, fact.detail) {
    case (.newDeal(let minimum), .deal(let score, _, _)):
      return score >= minimum && isOfSearch(fact)
    case (.priceDrop(let minimum), .drop(let before, let now)):
      // In whole numbers: nothing rounds a drop up to the percent that is asked for.
      return Int128(before.count - now.count) * 100 >= Int128(before.count) * Int128(minimum)
        && isOfSearch(fact)
    case (.watchEnded, .ended): return true
    case (.budgetThreshold(let minimum), .share(let percent)):
      return percent >= minimum && fact.at >= created
    case (.alert(let names), .alert):
      let isWanted =
        names.isEmpty
        ? fact.subject != AlertName.finished.rawValue : names.contains(fact.subject)
      return isWanted && fact.at >= created
    default: return false
    }
  }

  private func isOfSearch(_ fact: NotificationFact) -> Bool {
    search == nil || search == fact.search
  }
}

/// A name that an account gives a channel or a rule, which stands in addresses.
package enum NotificationName {
  package static let longest = 64

  static func checked(_ name: String, _ field: String) throws(NotificationProblem) -> String {
    let isProper =
      1...longest ~= name.utf8.count
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
    guard isProper else {
      throw NotificationProblem(
        field,
        "\(field) is “\(name.inOneLine(atMost: 80))”; it is made of 1 to \(longest) letters,"
          + " digits, - and _")
    }
    return name
  }
}
