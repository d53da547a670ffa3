import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookArchive
@testable import TollbookAudit

/// A log that goes on from a snapshot: what was before is not in it, and nobody pretends to know.
@Suite struct AuditBaseTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A log whose events up to `position` are gone; each event of the story was a commit of its own.
  private func log(_ story: AuditStory, after position: Position) async throws -> EventLog {
    let log = try folder.openLog("whole")
    defer { log.close() }
    for event in story.events { try await log.append([event.event]) }
    return try log.based(on: position, in: folder)
  }

  @Test func `an audit begins at the base and says so`() async throws {
    var story = AuditStory()
    story.buy("A")
    let doubtful = story.start(["X"])
    story.doubt(doubtful, 5)
    story.fail(doubtful)
    let underWay = story.start(["B"], account: "acme")
    let base = story.head
    story.succeed(underWay)
    story.write("B", of: underWay)
    story.charge(underWay, [("B", 3)], account: "acme")
    story.read("A", fresh: 4)
    story.resolve(doubtful, 5, settled: 2)
    let log = try await log(story, after: base)
    defer { log.close() }
    let source = LogSource(log)
    var query = AuditQuery()
    query.grouping = .account
    let report = try #require(try Audit.run(query, in: source))
    #expect(report.start == base)
    #expect(report.query.after == base)
    #expect(report.events == story.head - base)
    #expect(report.total["tokens"].certain == 5)
    #expect(report.total["tokens"].inDoubt == -5, "it was in doubt before")
    #expect(report.total.counts.readsOfUnknownCost == 4)
    #expect(report.total["tokens"].avoided == 0)
    #expect(report.groups.map(\.name) == ["acme", nil, "default"])
    #expect(
      report.waste(of: "tokens")[.served] == 3,
      "a call from before was waited for, as far as anybody knows")
    #expect(report.waste(of: "tokens")[.failed] == 2)
    #expect(report.waste(of: "tokens")[.inDoubt] == -5)
    #expect(report.waste(of: "tokens").total == report.total["tokens"].spent.high)
    #expect(throws: LogError.beforeBase(base)) {
      try EventRange(from: .position(1), to: nil, in: source)
    }
  }
}
