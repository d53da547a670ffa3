import DealScout
import TollbookEvents

/// Facts and rules for tests.
enum NotificationSamples {
  static let now = Timestamp(milliseconds: 1_795_248_000_000)

  static func money(_ units: Int64, _ unit: String = "USD") -> Amount {
    Amount(units * 1_000_000_000, unit)
  }

  static func deal(
    _ item: String = "v1|110|0", of account: String = "acme", score: Int = 70,
    title: String = "Widget 3000", url: String? = "https://market.example/itm/110"
  ) throws -> NotificationFact {
    try .newDeal(
      item, of: account, title: title, url: url, score: score, total: money(37), fair: money(46),
      at: now)
  }

  static func drop(
    _ item: String = "v1|110|0", from before: Int64, to after: Int64
  ) throws -> NotificationFact {
    try .priceDrop(
      item, of: "acme", title: "Widget 3000", url: nil, from: money(before), to: money(after),
      at: now)
  }

  static func rule(
    _ name: String = "r1", _ condition: NotificationRule.Condition = .newDeal(minimumScore: 60),
    search: String? = nil, channel: String = "hook",
    timing: NotificationRule.Timing = .atOnce, created: Timestamp = now, isOperators: Bool = false
  ) throws -> NotificationRule {
    try NotificationRule(
      name, account: "acme", condition, search: search, channel: channel, timing: timing,
      created: created, isOperators: isOperators)
  }
}
