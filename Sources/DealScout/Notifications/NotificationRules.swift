/// Which channels are told of a fact: a pure function of the rules.
package enum NotificationRules {
  /// One notice for each channel that some rule names, however many do. Where one of them tells at once, it is told at
  /// once.
  ///
  /// - Parameter rules: of whatever accounts; the order does not matter.
  package static func notices(
    of fact: NotificationFact, by rules: [NotificationRule]
  ) -> [NotificationNotice] {
    var found: [String: NotificationNotice] = [:]
    for rule in rules.sorted(by: { $0.name < $1.name }) where rule.wants(fact) {
      if let other = found[rule.channel], other.timing == .atOnce || rule.timing == .hourly {
        continue
      }
      found[rule.channel] = NotificationNotice(
        channel: rule.channel, rule: rule.name, timing: rule.timing, fact: fact)
    }
    return found.values.sorted { $0.channel < $1.channel }
  }
}

/// One fact for one channel.
package struct NotificationNotice: Hashable, Sendable {
  package let channel: String
  /// The name of the rule that wants it told.
  package let rule: String
  package let timing: NotificationRule.Timing
  package var fact: NotificationFact

  package init(
    channel: String, rule: String, timing: NotificationRule.Timing, fact: NotificationFact
  ) {
    self.channel = channel
    self.rule = rule
    self.timing = timing
    self.fact = fact
  }
}
