import Foundation
import Testing
import TollbookEvents
import TollbookGateway
import TollbookTestSupport

@testable import tollbook

/// What a command does where what it says does not arrive.
@Suite struct OutputTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let place = ["--data-dir", "demo"]
  private static let commands: [[String]] = [
    ["--help"], ["--version"], ["audit", "--help"], ["config"],
    ["events"] + place, ["events", "--format", "json"] + place, ["audit"] + place,
    ["audit", "--format", "csv"] + place, ["audit", "--replay"] + place, ["usage"] + place,
    ["verify"] + place, ["what-if", "--policy", "keepa.product.fresh=3d"] + place,
    ["replay"] + place, ["replay", "--format", "json"] + place,
    ["replay", "--view", "cache"] + place,
    ["replay", "--view", "cache", "--format", "csv"] + place, ["resolve"] + place,
    ["snapshot", "list"] + place, ["log", "export"] + place,
    ["log", "export", "--format", "jsonl"] + place,
  ]

  /// Runs a command with standard output where a shell's words send it.
  private func run(_ arguments: [String], _ shell: String) async throws -> Ended {
    let process = Binary.process(arguments, in: folder.path, environment: [:])
    let tool = try #require(process.executableURL).path
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", shell, tool] + arguments
    let output = Lines()
    let errors = Lines()
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let texts = (await output.all(), await errors.all())
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, output: texts.0, errors: texts.1)
  }

  @Test
  func `output that cannot be written is status 1 and one line, for every command that prints`()
    async throws
  {
    #expect(try await Binary.run(["demo", "--data-dir", "demo"], in: folder).status == 0)
    for command in Self.commands {
      let ended = try await run(command, #"exec "$0" "$@" >/dev/full"#)
      #expect(ended.status == 1, "\(command)")
      #expect(
        ended.errors.hasSuffix("cannot be written: No space left on device.\n"),
        "\(command): \(ended.errors)")
      #expect(ended.errors.split(separator: "\n").count == 1, "\(command): \(ended.errors)")
      #expect(ended.errors.hasPrefix("Error: "), "\(command)")
    }
  }

  @Test func `a closed pipe is no error, whether or not its signal is ignored`() async throws {
    #expect(try await Binary.run(["demo", "--data-dir", "demo"], in: folder).status == 0)
    for command in Self.commands {
      let quiet = try await run(
        command, #"trap '' PIPE; { "$0" "$@"; echo "status $?" >&2; } | :"#)
      #expect(quiet.errors == "status 0\n", "\(command)")
      let ended = try await run(command, #""$0" "$@" | :"#)
      #expect(ended.errors.isEmpty, "\(command): \(ended.errors)")
    }
  }

  @Test func `a statement that does not fit is told in a sentence, and nothing is left`()
    async throws
  {
    #expect(try await Binary.run(["demo", "--data-dir", "demo"], in: folder).status == 0)
    let ended = try await run(
      ["audit", "--statement", "a.statement", "--every-event"] + Self.place,
      #"ulimit -f 1; exec "$0" "$@""#)
    #expect(ended.status == 1)
    #expect(ended.errors == "Error: a.statement cannot be written: File too large.\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["demo"])
  }
}

/// What a terminal gets to see.
@Suite struct TerminalTests {
  @Test func `no colours where somebody wants none, nor taking back of lines where nobody can`() {
    #expect(Terminal([:]).hasStyles)
    #expect(Terminal(["TERM": "xterm-256color", "NO_COLOR": ""]).hasStyles)
    #expect(!Terminal(["NO_COLOR": "1"]).hasStyles)
    #expect(Terminal(["NO_COLOR": "1"]).takesLinesBack)
    #expect(!Terminal(["TERM": "dumb"]).hasStyles)
    #expect(!Terminal(["TERM": "dumb"]).takesLinesBack)
  }

  @Test func `what steers a terminal is shown as a mark, our own styles as they are`() {
    #expect(Terminal.harmless("a\tb\r\nc\n") == "a\tb\r\nc\n")
    #expect(Terminal.harmless("\u{1B}[1mbold\u{1B}[0m") == "\u{1B}[1mbold\u{1B}[0m")
    #expect(
      Terminal.harmless("\u{1B}]0;title\u{7}\u{1B}[2J") == "\u{FFFD}]0;title\u{FFFD}\u{FFFD}[2J")
    #expect(Terminal.harmless("over\rwritten \u{9B}1A") == "over\u{FFFD}written \u{FFFD}1A")
    #expect(Terminal.harmless("\u{202E}txt") == "\u{FFFD}txt")
  }

  @Test func `the width is what is said, then what is found, and never too little`() {
    #expect(Terminal.columns(said: nil, found: nil) == 80)
    #expect(Terminal.columns(said: "0", found: 120) == 120)
    #expect(Terminal.columns(said: "132", found: 120) == 132)
    #expect(Terminal.columns(said: "5", found: 120) == 40)
    #expect(Terminal.columns(said: "wide", found: 0) == 80)
    #expect(Terminal.columns(said: nil, found: 9) == 40)
  }
}

/// Texts that others wrote, in lines for people.
@Suite struct OutsideTextInLinesTests {
  private static let hostile = "no\u{1B}[2J\n  13  2026-11-27  TokensCharged  fetch 1 cost 0 tokens"

  @Test func `an upstream's message forges no line of events and steers no terminal`() {
    var failed = FetchAttemptFailed()
    failed.reason = .upstreamError
    failed.detail = Self.hostile
    let sentence = Event.fetchAttemptFailed(failed).sentence
    #expect(sentence.hasSuffix("(no [2J  13  2026-11-27  TokensCharged  fetch 1 cost 0 tokens)"))
  }

  @Test func `a line of events says why: no storage, or an answer that cannot be read`() {
    var refused = SpendRefused()
    refused.reason = .storageReserve
    refused.resources = 2
    refused.refused = ["shared/keepa.product/1/B000000001", "shared/keepa.product/1/B000000002"]
    let storage = Event.spendRefused(refused).sentence
    #expect(
      storage
        == "2 products not bought: what storage is left is kept for calls already paid")
    var failed = FetchAttemptFailed()
    (failed.attempt, failed.fetch, failed.reason) = (1, 7, .unreadable)
    failed.detail = "HTTP status 200"
    #expect(
      Event.fetchAttemptFailed(failed).sentence
        == "attempt 1 of fetch 7: the answer cannot be read (HTTP status 200)")
  }

  @Test func `what others wrote steers no terminal by way of an error`() async throws {
    let folder = try TemporaryFolder()
    let ended = try await Binary.run(["verify", "--data-dir", "a\u{1B}[2Jb"], in: folder)
    #expect(ended.status == 1)
    #expect(ended.errors.contains("a\u{FFFD}[2Jb"))
    #expect(!ended.errors.unicodeScalars.contains("\u{1B}"))
  }

  @Test func `what others wrote steers no terminal that the output goes to`() async throws {
    let folder = try TemporaryFolder()
    let name = "a\u{1B}[2Jb"
    #expect(try await Binary.run(["demo", "--data-dir", name], in: folder).status == 0)
    let process = Binary.process([], in: folder.path, environment: [:])
    let tool = try #require(process.executableURL?.path)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "PATH=/usr/bin:/bin:/usr/local/bin", "python3", "-c",
      "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)", tool, "snapshot", "take",
      "--data-dir", name,
    ]
    let output = Lines()
    process.standardOutput = output.pipe
    process.standardError = output.pipe
    try process.run()
    let said = await output.all()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
    #expect(said.contains("a\u{FFFD}[2Jb"))
    #expect(!said.contains("\u{1B}[2J"))
  }

  @Test func `the end of the terminal is asked for like Ctrl-C, so that a command tidies up`() async
  {
    for number in [SIGHUP, SIGTERM, SIGINT] {
      await #expect(processExitsWith: .exitCode(42)) { [number = number as Int32] in
        Interrupt.watch()
        kill(getpid(), number)
        while !Interrupt.isRequested { sched_yield() }
        exit(42)
      }
    }
  }

  @Test func `reads without an answer are told`() {
    var row = ReadTally()
    row.unmet = 2
    var event = ReadsTallied()
    event.unmet = [row]
    #expect(Event.readsTallied(event).sentence == "2 reads not answered")
  }

  @Test func `what goes to make room is told apart from what is over`() {
    let now = Timestamp.testStart
    func sentence(_ until: [Int64]) -> String {
      var event = EntriesSwept()
      event.entries = until.map { until in
        var row = SweptEntry()
        row.resource = "shared/keepa.product/1/B000000001"
        row.untilMs = now.milliseconds + until
        row.evicted = true
        return row
      }
      return RecordedEvent(position: 1, time: now, event: .entriesSwept(event)).sentence
    }
    #expect(sentence([0]).hasSuffix("removed, its time is over"))
    #expect(sentence([1]).hasSuffix("removed to make room"))
    #expect(
      sentence([-5, 0, 1, 2, 3])
        == "2 entries removed, their time is over; 3 entries removed to make room")
  }

  @Test func `what is bought ahead is told apart`() {
    var demand = Demand()
    demand.refresh = .ahead
    var event = FetchStarted()
    event.operation = "keepa.product"
    event.resources = ["shared/keepa.product/1/B000000001"]
    event.demands = [demand]
    #expect(Event.fetchStarted(event).sentence.contains(" ahead, at most"))
    event.demands.append(Demand())
    #expect(!Event.fetchStarted(event).sentence.contains(" ahead, at most"))
  }

  @Test func `every text from outside is bounded in its line`() {
    let long = String(repeating: "x", count: 100_000)
    var failed = FetchFailed()
    failed.detail = long
    var purged = CachePurged()
    (purged.resource, purged.note) = ("shared/keepa.product/1/\(long)", long)
    var resolved = ChargeResolved()
    resolved.note = long
    var status = CredentialStatusChanged()
    (status.credential, status.detail) = (long, long)
    var added = CredentialAdded()
    (added.credential, added.upstream) = (long, long)
    var started = ServiceStarted()
    started.version = long
    var taken = SnapshotTaken()
    taken.file = long
    for event in [
      .fetchFailed(failed), .cachePurged(purged), .chargeResolved(resolved),
      .credentialStatusChanged(status), .credentialAdded(added), .serviceStarted(started),
      .snapshotTaken(taken),
    ] as [Event] {
      #expect(event.sentence.count <= 501, "\(event.kind)")
      #expect(event.sentence.contains("x…"), "\(event.kind)")
    }
  }

  @Test func `a cell of a table stays in its line`() {
    var table = TextTable([.left, .left])
    table.add(["a\nb", String(repeating: "y", count: 9_000)])
    let lines = table.lines()
    #expect(lines.count == 1)
    #expect(lines[0].hasPrefix("a b  yyy"))
    #expect(lines[0].count < 600)
    #expect(!lines[0].contains("\n"))
  }

  @Test func `an operator's note is one line where it enters an event`() {
    #expect(PurgeOrder(scope: .all, note: "a\nb\u{1B}c").note == "a b c")
    #expect(ResolveCommand(fetch: 1, attempt: 1, settled: 0, note: "a\r\nb").note == "a b")
  }

  @Test func `a verification tells its rates in one pair of brackets`() {
    var summary = VerifySummary()
    (summary.records, summary.commits, summary.bodies) = (3_000, 1, 2)
    (summary.recordSeconds, summary.bodySeconds, summary.bodyBytes) = (0.5, 0.5, 2_000_000)
    #expect(
      summary.sentence(withBodies: true, seconds: "1.00 s")
        == "Looked at 3,000 events in 1 commit and 2 bodies in 1.00 s"
        + " (6,000 events/s, 4 MB/s of bodies).")
    (summary.recordSeconds, summary.bodySeconds) = (0, 0)
    #expect(
      summary.sentence(withBodies: false, seconds: "0.01 s")
        == "Looked at 3,000 events in 1 commit in 0.01 s.")
    summary.recordSeconds = 0.5
    #expect(
      summary.sentence(withBodies: false, seconds: "0.51 s")
        == "Looked at 3,000 events in 1 commit in 0.51 s (6,000 events/s).")
  }
}
