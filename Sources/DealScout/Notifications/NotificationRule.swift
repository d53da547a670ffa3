import TollbookEvents

/// What an account wants to be told of, and where.
package struct NotificationRule: Hashable, Sendable {
  /// The facts that it is for.
  package enum Condition: Hashable, Sendable {
    /// Deals of this score or above.
    case newDeal(minimumScore: Int)
    /// Watched items that have become cheaper by this many percent or more.
    case priceDrop(minimumPercent: Int)
    case watchEnded
    /// Budgets that have used this share or more of their limit.
    case budgetThreshold(minimumPercent: Int)
    /// Alerts of these names; empty: of all.
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

  package static let mostChannels = 10
  /// In bytes.
  package static let longestName = 64

  package let id: String
  package let account: String
  package let condition: Condition
  /// Names of channels of the account, each once, in their order.
  package let channels: [String]
  package let timing: Timing
  package var isPaused: Bool

  package init(
    _ id: String, account: String, _ condition: Condition, channels: [String],
    timing: Timing = .atOnce, isPaused: Bool = false
  ) throws(NotificationProblem) {
    try Self.check(condition)
    guard !channels.isEmpty else {
      throw NotificationProblem("channels", "channels is empty; name one at least")
    }
    guard channels.count <= Self.mostChannels else {
      throw NotificationProblem(
        "channels", "channels has \(channels.count) names; \(Self.mostChannels) are allowed")
    }
    var named: [String] = []
    for (index, channel) in channels.enumerated() {
      guard 1...Self.longestName ~= channel.utf8.count else {
        throw NotificationProblem(
          "channels[\(index)]",
          "channels[\(index)] has \(channel.utf8.count) bytes; it must have 1 to"
            + " \(Self.longestName)")
      }
      if !named.contains(channel) { named.append(channel) }
    }
    self.id = id
    self.account = account
    self.condition = condition
    self.channels = named
    self.timing = timing
    self.isPaused = isPaused
  }

  private static func check(_ condition: Condition) throws(NotificationProblem) {
    switch condition {
    case .newDeal(let score):
      guard 0...100 ~= score else {
        throw NotificationProblem("minimum_score", "minimum_score is \(score); it must be 0 to 100")
      }
    case .priceDrop(let percent), .budgetThreshold(let percent):
      let most = condition.kind == .priceDrop ? 99 : 1_000
      guard 1...most ~= percent else {
        throw NotificationProblem(
          "minimum_percent", "minimum_percent is \(percent); it must be 1 to \(most)")
      }
    case .alert(let names):
      guard names.count <= 20 else {
        throw NotificationProblem("alerts", "alerts has \(names.count) names; 20 are allowed")
      }
    case .watchEnded: break
    }
  }

  /// Whether a fact is told by it.
  package func wants(_ fact: NotificationFact) -> Bool {
    guard !isPaused, fact.account == account else { return false }
    switch (condition, fact.detail) {
    case (.newDeal(let minimum), .deal(let score, _, _)): return score >= minimum
    case (.priceDrop(let minimum), .drop(let before, let now)):
      // In whole numbers: nothing rounds a drop up to the percent that is asked for.
      return Int128(before.count - now.count) * 100 >= Int128(before.count) * Int128(minimum)
    case (.watchEnded, .ended): return true
    case (.budgetThreshold(let minimum), .share(let percent)): return percent >= minimum
    case (.alert(let names), .alert): return names.isEmpty || names.contains(fact.subject)
    default: return false
    }
  }
}
