import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive
@testable import TollbookAudit

/// A call that two accounts share and that costs tokens and money: no figure ever adds the two.
@Suite struct AuditUnitsTests {
  /// The call, and two reads of what it brought.
  private static func story() -> AuditStory {
    var story = AuditStory()
    let call = SharedCall(from: 1, at: story.now)
    for event in call.events { story.add(event) }
    story.add(.readsTallied(call.reads("A", account: "acme", fresh: 2)))
    story.add(.readsTallied(call.reads("B", account: "zeta", joined: 1)))
    return story
  }

  private static func amounts(
    _ sums: AuditSums?, _ path: KeyPath<UnitAmounts, Int64>
  ) -> [Int64?] {
    ["tokens", "EUR"].map { sums?[$0][keyPath: path] }
  }

  @Test func `each unit has its sums, and what only limits a cost is in none`() throws {
    let total = try Self.story().fold().total
    #expect(total.amounts.units == ["EUR", "tokens"])
    #expect(Self.amounts(total, \.certain) == [21, 70_000_000])
    #expect(Self.amounts(total, \.expected) == [21, 70_000_000])
    #expect(Self.amounts(total, \.charges) == [1, 1])
    #expect(Self.amounts(total, \.avoided) == [20, 80_000_000])
    #expect(Self.amounts(total, \.avoidedByJoining) == [5, 20_000_000])
    #expect(total.counts.charges == 1, "it is one charge, in however many units")
    #expect(total.counts.calls == 1)
    #expect(total.counts.readsBought == 2, "nobody waits for the refresh")
    #expect(total.counts.bought == 2)
    #expect(total["requests"] == .zero)
  }

  @Test func `who pays, and for what, divides it by the shares`() throws {
    let story = Self.story()
    let accounts = try story.fold(by: .account).sumsByName
    #expect(Self.amounts(accounts["acme"], \.certain) == [15, 60_000_000])
    #expect(Self.amounts(accounts["zeta"], \.certain) == [6, 10_000_000])
    #expect(accounts["acme"]?.counts.readsBought == 1)
    #expect(accounts["zeta"]?.counts.calls == 1, "a call that they share touches both")
    #expect(accounts["acme"]?.counts.bought == 2)
    #expect(accounts["zeta"]?.counts.readsJoined == 1)
    let kinds = try story.fold(by: .kind).sumsByName
    #expect(Self.amounts(kinds["llm.page"], \.certain) == [15, 60_000_000])
    #expect(Self.amounts(kinds["llm.note"], \.certain) == [6, 10_000_000])
    let resources = try story.fold(by: .resource).sumsByName
    #expect(
      Self.amounts(resources[SharedCall.resource("B")], \.certain) == [5, 20_000_000])
    let operations = try story.fold(by: .operation).sumsByName
    #expect(Array(operations.keys) == [SharedCall.operation])
    #expect(Self.amounts(operations[SharedCall.operation], \.avoided) == [20, 80_000_000])
  }

  @Test func `money is under whose meter it is, calls are under their key`() throws {
    let groups = try Self.story().fold(by: .credential).sumsByName
    #expect(Self.amounts(groups[SharedCall.group], \.certain) == [21, 0])
    #expect(Self.amounts(groups[SharedCall.credential], \.certain) == [0, 70_000_000])
    #expect(groups[SharedCall.credential]?.counts.calls == 1)
    #expect(groups[SharedCall.credential]?.counts.charges == 1)
    #expect(groups[SharedCall.group]?.counts.charges == 0)
  }

  @Test func `of one account there is exactly its part`() throws {
    for (account, tokens, money) in [("acme", 15, 60), ("zeta", 6, 10), ("nobody", 0, 0)] {
      for grouping in AuditGrouping.allCases {
        let fold = try Self.story().fold(by: grouping) { $0.account = account }
        #expect(Self.amounts(fold.total, \.certain) == [Int64(tokens), Int64(money) * 1_000_000])
        #expect(fold.waste(of: "tokens").total == Int64(tokens))
        #expect(fold.total.counts.calls == (account == "nobody" ? 0 : 1))
      }
    }
  }

  @Test func `a share that tells what became of it is believed`() throws {
    let story = Self.story()
    #expect(try story.waste() == [.served: 10, .refreshed: 5, .handedOn: 6])
    #expect(
      try story.waste(of: "EUR")
        == [.served: 40_000_000, .refreshed: 20_000_000, .handedOn: 10_000_000])
    #expect(WasteClass.handedOn.isWaste == false)
    var unread = AuditStory()
    for event in SharedCall(from: 1, at: unread.now).events { unread.add(event) }
    #expect(try unread.waste() == [.served: 10, .live: 5, .handedOn: 6])
    unread.wait(seconds: 3_601)
    unread.read("Z", fresh: 1)
    #expect(try unread.waste() == [.served: 10, .neverRead: 5, .handedOn: 6])
    for (use, wasteClass) in [
      (.duplicate, .duplicate), (.unchanged, .unchanged), (.failed, .failed),
    ] as [(Use, WasteClass)] {
      var other = AuditStory()
      let call = SharedCall(from: 1, at: other.now)
      var charged = call.charged
      charged.shares[0].use = use
      for event in call.events.prefix(4) { other.add(event) }
      other.add(.tokensCharged(charged))
      #expect(try other.waste() == [wasteClass: 10, .live: 5, .handedOn: 6])
    }
  }

  @Test func `a read that names its entry was answered by that one, whatever its time`() throws {
    var story = AuditStory()
    let first = SharedCall(from: 1, at: story.now)
    for event in first.events { story.add(event) }
    story.wait(seconds: 60)
    let second = SharedCall(from: 1 + SharedCall.count, at: story.now)
    for event in second.events { story.add(event) }
    story.add(.readsTallied(first.reads("B", account: "acme", fresh: 1)))
    let waste = try story.waste()
    #expect(waste[.refreshed] == 5, "the first one, which is replaced")
    #expect(waste[.live] == 5)
    var silent = story
    silent.add(.readsTallied(second.reads("B", account: "acme", fresh: 1, withCosts: false)))
    let total = try silent.fold().total
    #expect(total["tokens"].avoided == 5, "a row of format 2 tells what is known")
    #expect(total.counts.readsOfUnknownCost == 1)
  }

  @Test func `a doubt is divided over who pays by their weights, on each meter`() throws {
    var story = AuditStory()
    let call = SharedCall(from: 1, at: story.now)
    story.add(.fetchStarted(call.started))
    story.add(.chargeInDoubt(call.doubted))
    story.fail(1)
    let open = story.head
    let accounts = try story.fold(by: .account).sumsByName
    // Three parts of four, of 30 tokens and of 0.09 EUR.
    #expect(Self.amounts(accounts["acme"], \.inDoubt) == [23, 67_500_000])
    #expect(Self.amounts(accounts["zeta"], \.inDoubt) == [7, 22_500_000])
    let resources = try story.fold(by: .resource).sumsByName
    // Two parts of three for A.
    #expect(
      Self.amounts(resources[SharedCall.resource("A")], \.inDoubt) == [15, 45_000_000])
    #expect(try story.waste(of: "EUR") == [.inDoubt: 90_000_000])

    story.add(.chargeResolved(call.resolved(0, amount: 30, settled: 20)))
    story.add(.chargeResolved(call.resolved(2, amount: 30, settled: 20)))
    #expect(try story.waste() == [.failed: 20])
    #expect(try story.fold().doubts.count == 1, "it is still open in money")
    story.add(
      .chargeResolved(
        call.resolved(1, amount: 90_000_000, settled: 40_000_000, unprovable: 50_000_000)))
    #expect(try story.waste() == [.failed: 20])
    #expect(
      try story.waste(of: "EUR") == [.failed: 40_000_000, .unprovable: 50_000_000])
    let total = try story.fold().total
    #expect(total.counts.charges == 1, "one attempt was settled")
    #expect(Self.amounts(total, \.charges) == [1, 1])
    let settled = try story.fold(after: open, by: .account).sumsByName
    #expect(Self.amounts(settled["zeta"], \.certain) == [5, 10_000_000])
    #expect(Self.amounts(settled["zeta"], \.inDoubt) == [-7, -22_500_000])
  }

  @Test func `a reading of a window names the meter that it differs on`() throws {
    let found = try Self.story().fold().reconciliation
    let drift = try #require(found.drifts.first)
    #expect(drift.meter.owner == SharedCall.group)
    #expect(drift.meter.ownerKind == .quotaGroup)
    #expect(drift.meter.dimensions.map(\.value) == ["flash"])
    #expect(drift.meter.window == "day 2026-11-21")
    #expect(drift.isOfWindow && drift.figure == 28 && drift.unexplained == 7)
    #expect(drift.calls == [1])
    #expect(found["tokens"].unexplained == 7)
    #expect(found["EUR"] == .zero)
  }

  @Test func `a charge off the list is told in its unit, and once`() throws {
    var story = AuditStory()
    let call = SharedCall(from: 1, at: story.now)
    var charged = call.charged
    for index in charged.moves.indices { charged.moves[index].expected -= 1 }
    charged.moves[1].reserved = 60_000_000
    story.add(.fetchStarted(call.started))
    story.add(.tokensCharged(charged))
    let found = try story.fold().reconciliation
    #expect(found.priceDrifts.map(\.unit) == ["tokens", "EUR"])
    #expect(found["tokens"].aboveList == 1)
    #expect(found["EUR"].aboveList == 1)
    #expect(found["EUR"].excess == 10_000_000)
    #expect(found["tokens"].excess == 0)
  }

  @Test func `one sweep expires and removes`() throws {
    var story = Self.story()
    let call = SharedCall(from: 1, at: story.now)
    story.wait(seconds: 2 * 3_600)
    var swept = EntriesSwept()
    for (name, isEvicted) in [("A", false), ("B", true)] {
      var row = SweptEntry()
      row.resource = SharedCall.resource(name)
      row.contentSet = 1
      row.written = call.written(name)
      row.evicted = isEvicted
      swept.entries.append(row)
    }
    story.add(.entriesSwept(swept))
    story.wait(seconds: 7_200)
    story.read("Z", fresh: 1)
    let fold = try story.fold()
    #expect(fold.shelf.entryCount == 1)
    #expect(fold.shelf.overdueCount(at: story.now) == 0)
  }

  @Test func `a cost for no resource is the call's own`() throws {
    var story = AuditStory()
    let call = SharedCall(from: 1, at: story.now)
    var charged = call.charged
    charged.shares[2].resource = ""
    charged.payers[1].kind = ""
    story.add(.fetchStarted(call.started))
    story.add(.tokensCharged(charged))
    for grouping in [AuditGrouping.kind, .resource] {
      let own = try story.fold(by: grouping).sumsByName[""]
      #expect(Self.amounts(own, \.certain) == [6, 10_000_000])
    }
  }

  @Test(arguments: 0..<20)
  func `in every unit the classes sum to what was spent, and groups to the whole`(
    seed: UInt64
  ) throws {
    let story = AuditStory.generated(seed: seed, count: 400)
    var units: Set<String> = []
    for grouping in AuditGrouping.allCases {
      let fold = try story.fold(by: grouping)
      let total = fold.total
      units.formUnion(total.amounts.units)
      var groups = fold.sumsOfGroups.reduce(AuditSums.zero, +)
      for unit in total.amounts.units {
        #expect(fold.waste(of: unit).total == total[unit].spent.high)
        #expect(groups[unit].spent == total[unit].spent)
        #expect(groups[unit].expected == total[unit].expected)
        #expect(groups[unit].saved == total[unit].saved)
      }
      #expect(groups.amounts.units == total.amounts.units)
      groups.counts = total.counts
      if !grouping.divides { #expect(groups == total) }
    }
    #expect(units.count >= 2, "chance brings several units")
  }

  @Test func `a report and a review tell each unit by itself`() async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let call = SharedCall(from: 1, at: time.now)
    try await log.append(call.events)
    try await log.append([.readsTallied(call.reads("A", account: "acme", fresh: 1))])
    time.advance(byMilliseconds: 3_600_000)
    let report = try #require(try Audit.run(AuditQuery(), in: LogSource(log)))
    var json = JSONWriter()
    let price = try #require(TokenPrice("0.000000001 EUR"))
    json.object { report.write(to: &$0, price: price) }
    let root = try JSONDocument(Array(json.string.utf8)).root
    let amounts = Array(try #require(root["total"]?["amounts"]?.array))
    #expect(amounts.map { $0["unit"]?.string } == ["EUR", "tokens"])
    #expect(amounts.map { $0["certain"]?.string } == ["0.07", nil], "money is a decimal text")
    #expect(amounts.map { $0["certain"]?.int64 } == [nil, 21])
    #expect(amounts.map { $0["avoided"]?.string } == ["0.04", nil])
    #expect(amounts[0]["money"] == nil, "the price is that of a token")
    #expect(amounts[1]["money"]?["high_nano_units"]?.int64 == 21)
    #expect(root["waste"]?.array?.map { $0["handed_on"]?.string } == ["0.01", nil])
    #expect(root["waste"]?.array?.map { $0["handed_on"]?.int64 } == [nil, 6])
    #expect(root["reconciliation"]?["drifts"]?.array?.first?["used"]?.int64 == 28)
    #expect(root["reconciliation"]?["drifts"]?.array?.first?["window"]?.string == "day 2026-11-21")

    let usage = try #require(try Usage(of: LogSource(log), until: time.now))
    #expect(usage.units == ["EUR", "tokens"])
    let daily = try #require(usage[.daily])
    #expect(daily.now.sums["EUR"].certain == 70_000_000)
    #expect(daily.dailyHundredths(of: "tokens") == 2_100)
    #expect(daily.now.unexplained["tokens"]?.amount == 7)
    #expect(daily.now.unexplained["EUR"] == nil)
    log.close()
  }
}
