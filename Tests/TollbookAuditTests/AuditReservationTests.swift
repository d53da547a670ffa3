import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive
@testable import TollbookAudit

/// What is held for calls that have not ended: perhaps spent, and so part of what was spent at most.
@Suite struct AuditReservationTests {
  @Test func `what is reserved at the end may have been spent`() throws {
    var story = AuditStory()
    story.buy("A")
    story.start(["B", "C"])
    let tokens = try story.fold().total["tokens"]
    #expect(tokens.reserved == 2)
    #expect(tokens.inDoubt == 0)
    #expect(tokens.spent == AmountInterval(low: 1, high: 3))
    #expect(try story.waste() == [.served: 1, .reserved: 2])
  }

  @Test func `a charge, a release and a doubt end it`() throws {
    var charged = AuditStory()
    charged.charge(charged.start(["A", "B"]), [("A", 1)])
    #expect(try charged.fold().total["tokens"].spent == AmountInterval(1))

    var released = AuditStory()
    released.release(released.start(["A"]), 1)
    #expect(try released.fold().total["tokens"] == .zero)

    var doubted = AuditStory()
    doubted.doubt(doubted.start(["A"]), 1)
    let tokens = try doubted.fold().total["tokens"]
    #expect(tokens.reserved == 0)
    #expect(tokens.inDoubt == 1)
  }

  @Test func `another attempt reserves anew, and each ends by itself`() throws {
    var story = AuditStory()
    let fetch = story.start(["A"])
    story.fail(fetch, next: 2, bound: 5)
    story.doubt(fetch, 1)
    let tokens = try story.fold().total["tokens"]
    #expect(tokens.reserved == 5)
    #expect(tokens.inDoubt == 1)
    story.charge(fetch, attempt: 2, [("A", 4)])
    #expect(try story.fold().total["tokens"].spent == AmountInterval(low: 4, high: 5))
  }

  @Test func `a range has what began in it, and none that began before`() throws {
    var story = AuditStory()
    let first = story.start(["A"])
    let second = story.start(["B", "C"])
    #expect(try story.fold().total["tokens"].reserved == 3)
    #expect(try story.fold(after: first).total["tokens"].reserved == 2)
    #expect(try story.fold(through: first).total["tokens"].reserved == 1)
    story.charge(first, [("A", 1)])
    #expect(try story.fold(after: second).total["tokens"].spent == AmountInterval(1))
  }

  @Test func `what the ledger could not apply reserves nothing`() throws {
    var story = AuditStory()
    let fetch = story.start(["A"])
    story.fail(fetch, next: 2, bound: 5)
    let sums = try story.fold { $0.parkedByLedger = [1, 2] }.total
    #expect(sums["tokens"].reserved == 0)
    #expect(sums.counts.calls == 2)
  }

  @Test func `a charge ends as much as it says, and a limit reserves nothing of its own`() throws {
    var story = AuditStory()
    let call = SharedCall(from: 1, at: story.now)
    story.add(.fetchStarted(call.started))
    #expect(try story.fold().total["tokens"].reserved == 30)
    #expect(try story.fold().total["EUR"].reserved == 90_000_000)
    var charged = call.charged
    charged.moves[0].reserved = 21
    story.add(.tokensCharged(charged))
    let total = try story.fold().total
    #expect(total["tokens"].spent == AmountInterval(low: 21, high: 30))
    #expect(total["EUR"].spent == AmountInterval(70_000_000))
  }

  @Test func `it is divided over who would pay and over what is bought`() throws {
    var story = AuditStory()
    let call = SharedCall(from: 1, at: story.now)
    story.add(.fetchStarted(call.started))
    func reserved(_ grouping: AuditGrouping) throws -> [String: Int64] {
      try story.fold(by: grouping).sumsByName.mapValues { $0["tokens"].reserved }
    }
    // 30 tokens by the weights 2, 1 and 1.
    #expect(try reserved(.account) == ["acme": 23, "zeta": 7])
    #expect(try reserved(.kind) == ["llm.page": 23, "llm.note": 7])
    #expect(try reserved(.operation) == [SharedCall.operation: 30])
    let zeta = try story.fold { $0.account = "zeta" }
    #expect(zeta.total["tokens"].spent == AmountInterval(low: 0, high: 7))
    #expect(zeta.waste(of: "tokens").total == 7)
  }

  @Test func `rollups and events tell the same of a call that ends hours later, or never`()
    async throws
  {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    var started = ServiceStarted()
    started.format = 2
    let call = SharedCall(from: 2, at: time.now)
    try await log.append([.serviceStarted(started), .fetchStarted(call.started)])
    time.advance(byMilliseconds: 3_600_000)
    try await log.append([.fetchStarted(call.started)])
    func spent(after: Position, through: Position) throws -> AmountInterval {
      var found: [AmountInterval] = []
      for grouping in AuditGrouping.allCases where grouping.isInRollups {
        var query = AuditQuery()
        (query.after, query.through, query.grouping) = (after, through, grouping)
        let proof = try #require(try RollupProof(of: query, in: LogSource(log)))
        #expect(proof.differences == [], "\(grouping)")
        #expect(proof.report.waste(of: "tokens").total == proof.report.total["tokens"].spent.high)
        found.append(proof.report.total["tokens"].spent)
      }
      #expect(Set(found).count == 1)
      return found[0]
    }
    #expect(try spent(after: 0, through: 2) == AmountInterval(low: 0, high: 30))
    #expect(try spent(after: 2, through: 3) == AmountInterval(low: 0, high: 30))
    #expect(try spent(after: 0, through: 3) == AmountInterval(low: 0, high: 60))
    time.advance(byMilliseconds: 3_600_000)
    try await log.append([.tokensCharged(call.charged)])
    // Of whole hours all is told that is known: the call of the first one holds nothing any more.
    #expect(try spent(after: 0, through: 2) == .zero)
    #expect(try spent(after: 2, through: 3) == AmountInterval(low: 0, high: 30))
    #expect(try spent(after: 3, through: 4) == AmountInterval(21))
  }
}

extension EventLog {
  /// What is reserved of each unit for attempts that began in a report's range and did not end as far as it knows.
  func reserved(in report: AuditReport) throws -> [String: Int64] {
    struct Page: Hashable {
      var fetch: Position
      var attempt: UInt32
      var page: MeterKey
    }
    var open: [Page: Int64] = [:]
    try LogSource(self).scan(after: 0, through: report.known) { (recorded) throws(LogError) in
      for posting in recorded.event.postings(at: recorded.position) {
        let page = Page(fetch: posting.fetch, attempt: posting.attempt, page: posting.page)
        switch posting.change {
        case .reserved(let amount):
          let isInRange =
            report.query.after < recorded.position && recorded.position <= report.query.through
          if isInRange, !posting.isLimitOnly { open[page] = amount }
        case .charged(_, let reservation): open[page]? -= reservation
        case .released, .doubted: open[page] = nil
        case .closed, .observed, .corrected: break
        }
      }
      return .next
    }
    return open.reduce(into: [:]) { $0[$1.key.page.unit, default: 0] += $1.value }
  }
}
