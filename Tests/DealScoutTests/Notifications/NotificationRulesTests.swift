import DealScout
import Testing
import TollbookEvents
import TollbookTestSupport

/// Which channel is told of what, and never twice.
@Suite struct NotificationRulesTests {
  private typealias Samples = NotificationSamples

  private func told(
    _ fact: NotificationFact, _ rules: [NotificationRule], _ facts: inout ToldFacts
  ) -> [String] {
    NotificationRules.notices(of: fact, by: rules, told: &facts, now: Samples.now).map(\.channel)
  }

  @Test func `a deal is told from its score on, to its account alone, and not while paused`() throws
  {
    let rule = try Samples.rule()
    #expect(rule.wants(try Samples.deal(score: 60)))
    #expect(!rule.wants(try Samples.deal(score: 59)))
    #expect(!rule.wants(try Samples.deal(of: "other", score: 90)))
    #expect(!rule.wants(try Samples.drop(from: 100, to: 50)))
    #expect(!(try Samples.rule(isPaused: true)).wants(try Samples.deal(score: 90)))
  }

  @Test(arguments: [(100, 90, 10, true), (100, 91, 10, false), (3, 2, 33, true), (3, 2, 34, false)])
  func `a drop is told from its percent on, to the last unit`(
    before: Int64, after: Int64, percent: Int, isTold: Bool
  ) throws {
    let rule = try Samples.rule("r", .priceDrop(minimumPercent: percent))
    #expect(rule.wants(try Samples.drop(from: before, to: after)) == isTold)
  }

  @Test func `the same fact is told once on each channel, whichever rules want it`() throws {
    var facts = ToldFacts()
    let rules = [
      try Samples.rule("r1", channels: ["hook", "mail"], timing: .hourly),
      try Samples.rule("r2", .newDeal(minimumScore: 0), channels: ["hook"]),
    ]
    let notices = NotificationRules.notices(
      of: try Samples.deal(), by: rules, told: &facts, now: Samples.now)
    #expect(notices.map(\.channel) == ["hook", "mail"])
    #expect(notices.map(\.timing) == [.atOnce, .hourly])
    #expect(notices.map(\.rule) == ["r2", "r1"])
    #expect(told(try Samples.deal(), rules, &facts).isEmpty)
    // A better score of the same item is the same fact; another item is not.
    #expect(told(try Samples.deal(score: 99), rules, &facts).isEmpty)
    #expect(told(try Samples.deal("v1|111|0"), rules, &facts) == ["hook", "mail"])
    // A channel that a rule names later is told.
    #expect(told(try Samples.deal(), [try Samples.rule(channels: ["new"])], &facts) == ["new"])
  }

  @Test func `a further drop is told, and the same price again is not`() throws {
    var facts = ToldFacts()
    let rules = [try Samples.rule("r", .priceDrop(minimumPercent: 10))]
    #expect(told(try Samples.drop(from: 100, to: 90), rules, &facts) == ["hook"])
    #expect(told(try Samples.drop(from: 100, to: 90), rules, &facts).isEmpty)
    #expect(told(try Samples.drop(from: 110, to: 90), rules, &facts).isEmpty)
    #expect(told(try Samples.drop(from: 90, to: 80), rules, &facts) == ["hook"])
    #expect(throws: NotificationProblem.self) { try Samples.drop(from: 90, to: 90) }
    #expect(throws: NotificationProblem.self) {
      try NotificationFact.priceDrop(
        "i", of: "acme", title: "", url: nil, from: Samples.money(9), to: Samples.money(5, "EUR"),
        at: Samples.now)
    }
  }

  @Test func `ends, budgets and alerts are told once for each item, window and raising`() throws {
    var facts = ToldFacts()
    let rules = [
      try Samples.rule("e", .watchEnded),
      try Samples.rule("b", .budgetThreshold(minimumPercent: 80)),
      try Samples.rule("a", .alert(names: ["meter.low"])),
    ]
    let ended = try NotificationFact.watchEnded(
      "i", of: "acme", title: "Widget", url: nil, at: Samples.now)
    #expect(told(ended, rules, &facts) == ["hook"])
    #expect(told(ended, rules, &facts).isEmpty)
    func share(_ window: String, _ percent: Int) throws -> NotificationFact {
      try .budgetThreshold("food", of: "acme", window: window, percent: percent, at: Samples.now)
    }
    #expect(told(try share("day 2026-11-21", 50), rules, &facts).isEmpty)
    #expect(told(try share("day 2026-11-21", 80), rules, &facts) == ["hook"])
    #expect(told(try share("day 2026-11-21", 80), rules, &facts).isEmpty)
    #expect(told(try share("day 2026-11-21", 100), rules, &facts) == ["hook"])
    #expect(told(try share("day 2026-11-22", 80), rules, &facts) == ["hook"])
    func alert(_ name: String, _ number: UInt64) throws -> NotificationFact {
      try .alert(name, of: "acme", number: number, sentence: "low", at: Samples.now)
    }
    #expect(told(try alert("credential.rejected", 7), rules, &facts).isEmpty)
    #expect(told(try alert("meter.low", 7), rules, &facts) == ["hook"])
    #expect(told(try alert("meter.low", 7), rules, &facts).isEmpty)
    #expect(told(try alert("meter.low", 9), rules, &facts) == ["hook"])
  }

  @Test func `keys of different facts differ, whatever stands in their names`() throws {
    let names = ["a", "a ", " a", "1:a", "a 1", "é", "e\u{301}", "a\n", "é ", "2:a"]
    var keys: Set<FactKey> = []
    for name in names {
      keys.insert(try Samples.deal(name).key)
      keys.insert(try Samples.drop(name, from: 10, to: 5).key)
      keys.insert(try Samples.drop(name, from: 10, to: 4).key)
    }
    #expect(keys.count == 3 * names.count)
    let long = #expect(throws: NotificationProblem.self) {
      try Samples.deal(String(repeating: "x", count: 201))
    }
    #expect(long?.description == "subject has 201 bytes; 200 are allowed")
    #expect(throws: NotificationProblem.self) { try Samples.deal("") }
  }

  @Test func `what was told is bounded, forgets the oldest, and can be kept`() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      var chance = SeededGenerator(seed: seed)
      var facts = ToldFacts(most: 50)
      var model: [ToldFacts.Entry] = []
      for _ in 0..<1_000 {
        let entry = ToldFacts.Entry(
          account: "acme", channel: "hook", key: try Samples.deal("i\(chance.int(0...90))").key)
        let isNew = facts.insert(entry, at: Samples.now)
        #expect(isNew == !model.contains(entry), "seed \(seed)")
        if !model.contains(entry) { model.append(entry) }
        if model.count > 50 { model.removeFirst() }
        #expect(facts.count == model.count)
      }
      #expect(facts.entries.map(\.entry) == model)
      var again = ToldFacts(most: 50)
      for (entry, at) in facts.entries {
        let kept = ToldFacts.Entry(
          account: entry.account, channel: entry.channel,
          key: FactKey(kept: entry.key.description))
        again.insert(kept, at: at)
      }
      #expect(again.entries.map(\.entry) == model)
    }
  }

  @Test(arguments: [
    (NotificationRule.Condition.newDeal(minimumScore: 101), "minimum_score"),
    (.newDeal(minimumScore: -1), "minimum_score"),
    (.priceDrop(minimumPercent: 0), "minimum_percent"),
    (.priceDrop(minimumPercent: 100), "minimum_percent"),
    (.alert(names: Array(repeating: "a", count: 21)), "alerts"),
  ])
  func `a rule out of range is refused by its field`(
    condition: NotificationRule.Condition, field: String
  ) {
    let problem = #expect(throws: NotificationProblem.self) {
      try NotificationSamples.rule("r", condition)
    }
    #expect(problem?.field == field)
  }

  @Test func `a rule without channels, or with too many, is refused`() throws {
    #expect(throws: NotificationProblem.self) { try Samples.rule(channels: []) }
    #expect(throws: NotificationProblem.self) { try Samples.rule(channels: ["a", ""]) }
    #expect(throws: NotificationProblem.self) {
      try Samples.rule(channels: (0...10).map { "c\($0)" })
    }
    #expect(try Samples.rule(channels: ["a", "b", "a"]).channels == ["a", "b"])
  }
}
