import DealScout
import Testing
import TollbookEvents

/// Which channel is told of what, and what is the same fact.
@Suite struct NotificationRulesTests {
  private typealias Samples = NotificationSamples

  private func channels(_ fact: NotificationFact, _ rules: [NotificationRule]) -> [String] {
    NotificationRules.notices(of: fact, by: rules).map(\.channel)
  }

  @Test func `a deal is told from its score on, and to its account alone`() throws {
    let rule = try Samples.rule()
    #expect(rule.wants(try Samples.deal(score: 60)))
    #expect(!rule.wants(try Samples.deal(score: 59)))
    #expect(!rule.wants(try Samples.deal(of: "other", score: 90)))
    #expect(!rule.wants(try Samples.drop(from: 100, to: 50)))
  }

  @Test func `a rule of one search tells of no listing that another search brought`() throws {
    let rule = try Samples.rule(search: "widgets")
    var deal = try Samples.deal()
    #expect(!rule.wants(deal))
    deal.search = "other"
    #expect(!rule.wants(deal))
    deal.search = "widgets"
    #expect(rule.wants(deal))
    #expect(try Samples.rule().wants(deal))
  }

  @Test(arguments: [(100, 90, 10, true), (100, 91, 10, false), (3, 2, 33, true), (3, 2, 34, false)])
  func `a drop is told from its percent on, to the last unit`(
    before: Int64, after: Int64, percent: Int, isTold: Bool
  ) throws {
    let rule = try Samples.rule("r", .priceDrop(minimumPercent: percent))
    #expect(rule.wants(try Samples.drop(from: before, to: after)) == isTold)
  }

  @Test func `a channel is told once, whichever rules want it, and at once if one of them does`()
    throws
  {
    let rules = [
      try Samples.rule("r1", timing: .hourly),
      try Samples.rule("r2", .newDeal(minimumScore: 0)),
      try Samples.rule("r3", channel: "mail", timing: .hourly),
    ]
    for order in [rules, rules.reversed()] {
      let notices = NotificationRules.notices(of: try Samples.deal(), by: order)
      #expect(notices.map(\.channel) == ["hook", "mail"])
      #expect(notices.map(\.timing) == [.atOnce, .hourly])
      #expect(notices.map(\.rule) == ["r2", "r3"])
    }
  }

  @Test func `a further drop is another fact, and the same price again is not`() throws {
    let first = try Samples.drop(from: 100, to: 90)
    #expect(first.key == (try Samples.drop(from: 110, to: 90).key))
    #expect(first.key != (try Samples.drop(from: 90, to: 80).key))
    #expect(throws: NotificationProblem.self) { try Samples.drop(from: 90, to: 90) }
    #expect(throws: NotificationProblem.self) {
      try NotificationFact.priceDrop(
        "i", of: "acme", title: "", url: nil, from: Samples.money(9), to: Samples.money(5, "EUR"),
        at: Samples.now)
    }
  }

  @Test func `ends, budgets and alerts are one fact for each item, window and raising`() throws {
    let rules = [
      try Samples.rule("e", .watchEnded),
      try Samples.rule("b", .budgetThreshold(minimumPercent: 80)),
      try Samples.rule("a", .alert(names: ["meter.low"])),
    ]
    let ended = try NotificationFact.watchEnded(
      "i", of: "acme", title: "Widget", url: nil, at: Samples.now)
    #expect(channels(ended, rules) == ["hook"])
    func share(_ window: String, _ percent: Int) throws -> NotificationFact {
      try .budgetThreshold("food", of: "acme", window: window, percent: percent, at: Samples.now)
    }
    #expect(channels(try share("day 2026-11-21", 50), rules).isEmpty)
    #expect(channels(try share("day 2026-11-21", 80), rules) == ["hook"])
    let keys = [
      try share("day 2026-11-21", 80).key, try share("day 2026-11-21", 100).key,
      try share("day 2026-11-22", 80).key,
    ]
    #expect(Set(keys).count == 3)
    #expect(keys[0] == (try share("day 2026-11-21", 80).key))
    func alert(_ name: String, _ number: UInt64) throws -> NotificationFact {
      try .alert(name, of: "acme", number: number, sentence: "low", at: Samples.now)
    }
    #expect(channels(try alert("credential.rejected", 7), rules).isEmpty)
    #expect(channels(try alert("meter.low", 7), rules) == ["hook"])
    #expect(try alert("meter.low", 7).key == (try alert("meter.low", 7).key))
    #expect(try alert("meter.low", 7).key != (try alert("meter.low", 9).key))
  }

  @Test func `an alert from before the rule is not told, nor the end of a job that nobody named`()
    throws
  {
    func alert(_ name: String) throws -> NotificationFact {
      try .alert(name, of: "acme", number: 7, sentence: "it is so", at: Samples.now)
    }
    let all = try Samples.rule("a", .alert(names: []))
    #expect(all.wants(try alert("meter.low")))
    #expect(!all.wants(try alert("job.finished")))
    #expect(
      try Samples.rule("a", .alert(names: ["job.finished"])).wants(try alert("job.finished")))
    let later = Samples.now.advanced(byMilliseconds: 1)
    #expect(
      try !Samples.rule("a", .alert(names: []), created: later).wants(try alert("meter.low")))
  }

  @Test func `what is no account's is told to those who run the service alone`() throws {
    var fact = try NotificationFact.alert(
      "meter.low", of: "acme", number: 7, sentence: "low", at: Samples.now)
    fact.isForOperators = true
    #expect(try !Samples.rule("a", .alert(names: [])).wants(fact))
    #expect(try Samples.rule("a", .alert(names: []), isOperators: true).wants(fact))
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

  @Test(arguments: [
    (NotificationRule.Condition.newDeal(minimumScore: 101), "min_score"),
    (.newDeal(minimumScore: -1), "min_score"),
    (.priceDrop(minimumPercent: 0), "min_percent"),
    (.priceDrop(minimumPercent: 100), "min_percent"),
    (.alert(names: ["meter.low", "nonsense"]), "alerts[1]"),
  ])
  func `a rule out of range is refused by its field`(
    condition: NotificationRule.Condition, field: String
  ) {
    let problem = #expect(throws: NotificationProblem.self) {
      try NotificationSamples.rule("r", condition)
    }
    #expect(problem?.field == field)
  }

  @Test(arguments: ["", "a b", "a/b", "ä", String(repeating: "x", count: 65)])
  func `a name that cannot stand in an address is refused`(name: String) {
    let rule = #expect(throws: NotificationProblem.self) { try Samples.rule(name) }
    #expect(rule?.field == "name")
    let channel = #expect(throws: NotificationProblem.self) { try Samples.rule(channel: name) }
    #expect(channel?.field == "channel")
  }
}
