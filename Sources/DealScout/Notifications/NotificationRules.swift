package import TollbookEvents

/// Which channels are told of a fact: a pure function of the rules and of what was told.
package enum NotificationRules {
  /// One notice for each channel that some rule names, however many do. Where one of them tells at once, it is told at
  /// once.
  ///
  /// - Parameters:
  ///   - rules: of whatever accounts; the order does not matter.
  ///   - told: what was told before. What is returned counts as told from here on.
  package static func notices(
    of fact: NotificationFact, by rules: [NotificationRule], told: inout ToldFacts,
    now: Timestamp
  ) -> [NotificationNotice] {
    var found: [String: NotificationNotice] = [:]
    for rule in rules.sorted(by: { $0.id < $1.id }) where rule.wants(fact) {
      for channel in rule.channels {
        if let other = found[channel], other.timing == .atOnce || rule.timing == .hourly {
          continue
        }
        found[channel] = NotificationNotice(
          channel: channel, rule: rule.id, timing: rule.timing, fact: fact)
      }
    }
    return found.values.sorted { $0.channel < $1.channel }.filter {
      told.insert(
        ToldFacts.Entry(account: fact.account, channel: $0.channel, key: fact.key), at: now)
    }
  }
}

/// One fact for one channel.
package struct NotificationNotice: Hashable, Sendable {
  package let channel: String
  /// The id of the rule that wants it told.
  package let rule: String
  package let timing: NotificationRule.Timing
  package let fact: NotificationFact

  package init(
    channel: String, rule: String, timing: NotificationRule.Timing, fact: NotificationFact
  ) {
    self.channel = channel
    self.rule = rule
    self.timing = timing
    self.fact = fact
  }
}

/// What was told where: a bounded set. Where it is full the oldest is forgotten, and might be told again.
package struct ToldFacts: Hashable, Sendable {
  /// One fact on one channel of an account.
  package struct Entry: Hashable, Sendable {
    package let account: String
    package let channel: String
    package let key: FactKey

    package init(account: String, channel: String, key: FactKey) {
      self.account = account
      self.channel = channel
      self.key = key
    }
  }

  package let most: Int
  private var instants: [Entry: Timestamp] = [:]
  /// The oldest first; those before `first` were forgotten.
  private var order: [Entry] = []
  private var first = 0

  package init(most: Int = 100_000) { self.most = max(1, most) }

  package var count: Int { instants.count }

  /// When it was told; nil: it was not, or was forgotten.
  package subscript(entry: Entry) -> Timestamp? { instants[entry] }

  /// All of them, the oldest first, to be kept and inserted again in this order.
  package var entries: [(entry: Entry, at: Timestamp)] {
    order[first...].compactMap { entry in instants[entry].map { (entry, $0) } }
  }

  /// Notes that something is told.
  ///
  /// - Returns: whether it was not told before.
  @discardableResult
  package mutating func insert(_ entry: Entry, at now: Timestamp) -> Bool {
    guard instants[entry] == nil else { return false }
    instants[entry] = now
    order.append(entry)
    if instants.count > most {
      instants[order[first]] = nil
      first += 1
    }
    if first > most {
      order.removeFirst(first)
      first = 0
    }
    return true
  }
}
