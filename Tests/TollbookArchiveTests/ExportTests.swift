import Foundation
import LMDB
import Testing
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite(.timeLimit(.minutes(30))) struct ExportTests {
  private let lab: ExportLab

  init() throws { lab = try ExportLab() }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test(arguments: [true, false])
  func `an export that was imported gives the log that it was made of`(
    bodies: Bool
  ) async throws {
    let original = try await lab.log("original", events: 1_200)
    defer { original.close() }
    let path = try lab.export(LogSource(original), "log.export", bodies: bodies)
    let outcome = try lab.imported(path, into: "imported")

    let log = try lab.open("imported")
    defer { log.close() }
    #expect(outcome.events == original.head)
    #expect(log.head == original.head)
    #expect(try log.stateDigest() == original.stateDigest())
    let (left, right) = (try original.environment.dump(), try log.environment.dump())
    let allowed: Set = bodies ? ["origin"] : ["origin", "bodies"]
    #expect(
      differences(left, right).filter { !allowed.contains(String($0.prefix { $0 != ":" })) }.isEmpty
    )
    #expect((right["bodies"]?.rows ?? 0) == (bodies ? left["bodies"]?.rows : 0))
    #expect(try LogVerifier(log).verify().damages.isEmpty)
    #expect(ExportVerifier.verify(path: path).damages.isEmpty)
    try await log.append([.serviceStarted(ServiceStarted())])
  }

  @Test func `an empty log is an export too`() async throws {
    let empty = try lab.folder.openLog("empty", folds: allFolds)
    defer { empty.close() }
    let path = try lab.export(LogSource(empty), "log.export")
    let report = ExportVerifier.verify(path: path)
    #expect(report.damages.isEmpty)
    #expect(report.totals?.last == 0)
    #expect(try lab.imported(path, into: "imported").events == 0)
  }

  @Test func `a part holds whole commits, and goes on where another ended`() async throws {
    let original = try await lab.log("original", events: 600)
    defer { original.close() }
    let source = LogSource(original)
    let commits = try source.commits()
    let straddled = try #require(commits.first { $0.first > 200 && $0.last > $0.first })
    let first = try lab.export(source, "first.export", to: .position(straddled.first))
    let second = try lab.export(source, "second.export", from: .position(straddled.last + 1))
    let early = try lab.export(source, "early.export", from: .position(straddled.last))

    #expect(ExportVerifier.verify(path: first).totals?.last == straddled.last)
    #expect(try ExportReader(path: early).header.first == straddled.first)
    #expect(ExportVerifier.verify(path: second).damages.isEmpty)
    #expect(throws: LogImportProblem.gap(first: straddled.last + 1, head: 0)) {
      try lab.imported(second, into: "none")
    }
    try lab.imported(first, into: "imported")
    #expect(try lab.imported(second, into: "imported").before == straddled.last)
    // What is there already is compared and not written again.
    #expect(try lab.imported(early, into: "imported").events == 0)
    let log = try lab.open("imported")
    defer { log.close() }
    #expect(try log.stateDigest() == original.stateDigest())
    #expect(try LogVerifier(log).verify().damages.isEmpty)
  }

  @Test func `instants cut between the commits that they lie between`() async throws {
    let original = try await lab.log("original", events: 300)
    defer { original.close() }
    let source = LogSource(original)
    let commits = try source.commits()
    let (start, end) = (commits[20], commits[40])
    let path = try lab.export(
      source, "part.export", from: .time(start.time), to: .time(end.time))
    let report = ExportVerifier.verify(path: path)
    let first = try #require(commits.first { $0.time == start.time })
    let last = try #require(commits.last { $0.time == end.time })
    #expect(report.header?.first == first.first)
    #expect(report.totals?.last == last.last)
    #expect(report.damages.isEmpty)
    let backwards = EventRangeProblem.backwards(from: .time(end.time), to: .time(start.time))
    #expect(throws: backwards) {
      try ExportPlan(
        of: source, mode: .simulated, from: .time(end.time), to: .time(start.time), bodies: false)
    }
    #expect(throws: EventRangeProblem.self) {
      try ExportPlan(
        of: source, mode: .simulated, from: .position(end.last), to: .time(start.time),
        bodies: false)
    }
    #expect(throws: EventRangeProblem.beyondHead(100_000, head: original.head)) {
      try ExportPlan(of: source, mode: .simulated, from: .position(100_000), bodies: false)
    }
  }

  // MARK: Resuming

  @Test func `an export that was broken off anywhere goes on and is the same`() async throws {
    let original = try await lab.log("original", events: 400)
    defer { original.close() }
    let source = LogSource(original)
    let whole = try bytes(lab.export(source, "whole.export", bodies: false))
    var random = SeededGenerator(seed: 7)
    for attempt in 0..<40 {
      let name = "broken-\(attempt).export"
      let kept = Int.random(in: 0..<whole.count, using: &random)
      let part = ExportFile.part(of: lab.path(name))
      try whole.prefix(kept).write(to: URL(fileURLWithPath: part))
      let path = try lab.export(source, name, bodies: false, resuming: true)
      #expect(try bytes(path) == whole, "broken off at byte \(kept)")
      #expect(!FileManager.default.fileExists(atPath: part))
    }
  }

  @Test func `until it is complete an export has another name`() async throws {
    let original = try await lab.log("original", events: 300)
    defer { original.close() }
    let source = LogSource(original)
    #expect(throws: Interrupted.self) {
      try lab.export(source, "log.export") { if $0 > 0 { throw Interrupted() } }
    }
    #expect(!FileManager.default.fileExists(atPath: lab.path("log.export")))
    let path = try lab.export(source, "log.export", resuming: true)
    #expect(ExportVerifier.verify(path: path).totals?.last == original.head)
    #expect(throws: ExportFileProblem.exists(path)) { try lab.export(source, "log.export") }
  }

  @Test func `a complete export grows with its log, and never with another`() async throws {
    var generator = EventGenerator(seed: 3)
    let log = try lab.folder.openLog("log", folds: allFolds, time: lab.time.source)
    defer { log.close() }
    try await lab.grow(log, to: 200, with: &generator)
    let source = LogSource(log)
    let path = try lab.export(source, "log.export", bodies: false)
    try await lab.grow(log, to: 400, with: &generator)
    try lab.export(source, "log.export", bodies: false, resuming: true)
    #expect(try bytes(path) == bytes(lab.export(source, "whole.export", bodies: false)))

    let other = try await lab.log("other", events: 500, seed: 4)
    defer { other.close() }
    let end = ExportVerifier.verify(path: path).totals?.last ?? 0
    let before = try bytes(path)
    let part = ExportFile.part(of: path)
    #expect(throws: ExportFileProblem.otherLog(path, end)) {
      try lab.export(LogSource(other), "log.export", bodies: false, resuming: true)
    }
    #expect(throws: ExportFileProblem.otherChoice(path, "without --bodies")) {
      try lab.export(source, "log.export", bodies: true, resuming: true)
    }
    #expect(try bytes(path) == before)
    #expect(!FileManager.default.fileExists(atPath: part))
  }

  @Test func `an import that was broken off goes on`() async throws {
    let original = try await lab.log("original", events: 12_000)
    defer { original.close() }
    let path = try lab.export(LogSource(original), "log.export")
    var seen = 0
    #expect(throws: Interrupted.self) {
      try lab.imported(path, into: "imported") { progress in
        seen += 1
        if progress.bytes > progress.total / 2 { throw Interrupted() }
      }
    }
    let outcome = try lab.imported(path, into: "imported")
    #expect(seen > 1)
    #expect(outcome.before > 0)
    #expect(outcome.before < original.head)
    let log = try lab.open("imported")
    defer { log.close() }
    #expect(try log.stateDigest() == original.stateDigest())
    #expect(try LogVerifier(log).verify().damages.isEmpty)
  }

  // MARK: What does not belong together

  @Test func `an export of another log is refused by the position where they differ`()
    async throws
  {
    var generator = EventGenerator(seed: 5)
    let original = try lab.folder.openLog("original", folds: allFolds, time: lab.time.source)
    defer { original.close() }
    try await lab.grow(original, to: 100, with: &generator)
    let common = original.head
    try lab.imported(lab.export(LogSource(original), "common.export"), into: "fork")
    // From here on two histories.
    try await appendOne(to: "fork")
    try await lab.grow(original, to: 200, with: &generator)
    let source = LogSource(original)
    let all = try lab.export(source, "all.export")
    let tail = try lab.export(source, "tail.export", from: .position(common + 1))
    let later = try #require(source.commits().first { $0.first == common + 2 || $0.last > common })
    let importer = try LogImporter(lab.folder.own("fork"), options: .scratch)
    for path in [all, tail] {
      #expect(throws: LogImportProblem.fork(later.first)) {
        try LogImport.check(path, for: importer, mode: .simulated)
      }
      #expect(throws: LogImportProblem.fork(later.first)) {
        try LogImport.append(path, to: importer, mode: .simulated, now: .testStart)
      }
    }
    #expect(throws: LogImportProblem.otherMode(export: .simulated, directory: .real)) {
      try LogImport.check(all, for: importer, mode: .real)
    }
    #expect(importer.head == common + 1)
  }

  private func appendOne(to name: String) async throws {
    let log = try lab.open(name)
    defer { log.close() }
    try await log.append([.serviceStarted(ServiceStarted())])
  }

  // MARK: Logs that go on from a snapshot

  @Test func `a log that goes on from a snapshot is exported from there`() async throws {
    let original = try await lab.log("original", events: 300)
    defer { original.close() }
    let source = LogSource(original)
    let commits = try source.commits()
    let at = commits[commits.count / 2]
    let frontier = try original.read { (transaction) throws(LogError) in
      try original.reader.frontier(size: at.last, in: transaction)
    }
    let base = try LogBase(commit: at, frontier: frontier, snapshot: "a.snapshot")
    let tail = try lab.export(source, "tail.export", from: .position(at.last + 1))
    for name in ["based", "again"] {
      let importer = try LogImporter(lab.folder.own(name), options: .scratch)
      try importer.begin(
        LogOrigin(position: at.last, restored: .testStart, isWithoutBodies: true, base: base))
      guard name == "based" else { continue }
      let outcome = try LogImport.append(
        tail, to: importer, mode: .simulated, now: .testStart)
      #expect(outcome.head == original.head)
    }
    let based = try lab.folder.openLog("based", time: lab.time.source)
    defer { based.close() }
    let beyond = LogSource(based)
    let again = try lab.export(beyond, "again.export")

    #expect(try bytes(again) == bytes(tail))
    #expect(try ExportReader(path: again).header.frontier == frontier)
    #expect(throws: LogError.beforeBase(at.last)) {
      try ExportPlan(of: beyond, mode: .simulated, from: .position(1), bodies: false)
    }
    #expect(throws: LogError.beforeBase(at.last)) {
      try ExportPlan(of: beyond, mode: .simulated, from: .time(commits[0].time), bodies: false)
    }
    #expect(try lab.imported(again, into: "again").head == original.head)
    // All of it fits too: what the snapshot stands for is known by its last commit.
    let all = try lab.export(source, "all.export")
    #expect(try lab.imported(all, into: "again").events == 0)
  }
}
