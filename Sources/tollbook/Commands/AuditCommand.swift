import ArgumentParser
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog

extension AuditGrouping: ExpressibleByArgument {}

extension AuditCalendar: ExpressibleByArgument {
  package init?(argument: String) { self.init(zone: argument) }
}

/// `tollbook audit`
struct AuditCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Tell where the tokens and the money went, also while Tollbook runs.",
    discussion: """
      What was spent is told as an interval: what is certain, and that with what is in \
      doubt, unprovable, or still reserved for a call that has not ended. What the cache \
      avoided stands beside it and is never part of it. Each unit has figures of its own: \
      tokens are never added to requests or money. What was spent of a unit belongs, to \
      the last one, to a class of waste or use. Each reading of an upstream's own books is \
      compared with what was expected.

      A charge counts when it was booked; a doubt or a reservation when it began. Days and \
      hours are those that the clock said, also where it was set back. Without --from and \
      --to it is the whole log; a day as its end belongs to it.

      Audits of whole hours by day, hour, account, operation or kind read sums that \
      are kept of each hour; --replay adds them up anew from all events and proves \
      that they are the same.

      Examples:
        tollbook audit --from 2026-11-01 --to 2026-11-30 --time-zone Europe/Berlin
        tollbook audit --by operation --account acme --format csv
        tollbook audit --from 2026-11-01 --replay
        tollbook audit --statement november.statement --from 2026-11-01
      """,
    subcommands: [AuditCheckCommand.self])

  @OptionGroup var place: PlaceFlags

  @OptionGroup var range: RangeFlags

  @Option(help: "What to group by.")
  var by = AuditGrouping.day

  @Option(
    help: ArgumentHelp(
      "Zone of days and hours, and of dates without a time, such as Europe/Berlin.",
      valueName: "name"))
  var timeZone = "UTC"

  @Option(help: ArgumentHelp("Only what this account spent and read.", valueName: "name"))
  var account: String?

  @Option(help: "A table for people, JSON or comma-separated values for programs.")
  var format = Format.table

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "At most so many groups; the others are summed up. A table shows 50.", valueName: "count"))
  var limit: Int?

  @Flag(help: "Replay all events, and tell whether they say the same as the sums of hours.")
  var replay = false

  @OptionGroup var statement: StatementFlags

  func validate() throws {
    guard let calendar = AuditCalendar(zone: timeZone) else {
      throw ValidationError(
        "There is no time zone “\(timeZone)”; expected a name such as Europe/Berlin or UTC.")
    }
    if replay, statement.file != nil {
      throw ValidationError("--replay proves an audit; leave --statement out.")
    }
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
    do throws(EventRangeProblem) {
      try EventRange.check(from: range.from, to: range.to, calendar: calendar)
    } catch { throw ValidationError("\(error).") }
  }

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    let source = log.source
    var query = AuditQuery()
    query.grouping = by
    query.account = account
    query.calendar = AuditCalendar(zone: timeZone) ?? .utc
    do throws(any Error) {
      query.setRange(
        try EventRange(from: range.from, to: range.to, in: source, calendar: query.calendar))
    } catch let problem as EventRangeProblem { throw ValidationError("\(problem).") }
    if let file = statement.file {
      return try StatementCommand.write(
        statement, to: file, of: log, from: .position(query.after), to: .position(query.through),
        account: account)
    }
    if replay { return try prove(query, in: source) }
    let report = try AuditRun.run(query, in: source)
    show(AuditPage(report, price: settings.tokenPrice, place: log.directory.path))
  }

  /// Compares what the rollups say with what all events say.
  private func prove(_ query: AuditQuery, in source: LogSource) throws {
    guard let proof = try AuditRun.proof(of: query, in: source) else {
      return Console.say(
        """
        This audit reads the events in any case: there is nothing to compare them with. Sums of hours
        are kept since this version was first started; they serve whole hours, grouped by day, hour,
        account, operation or kind.
        """)
    }
    guard !proof.differences.isEmpty else {
      let events = Int(proof.events).of("event")
      return Console.say("The sums of the hours agree with \(events) that were replayed.")
    }
    Console.complain("The sums of the hours differ from what the events say.")
    for line in proof.differences { Console.say(line) }
    throw ExitCode.failure
  }

  private func show(_ page: AuditPage) {
    switch format {
    case .table: for line in page.lines(limit: limit ?? 50) { Console.say(line) }
    case .csv: for line in page.csv(limit: limit ?? .max) { Console.say(line) }
    case .json: Console.say(page.json(limit: limit ?? .max))
    }
  }
}

/// An audit that shows how far it is, and ends cleanly on Ctrl-C.
enum AuditRun {
  static func run(_ query: AuditQuery, in source: LogSource) throws -> AuditReport {
    Interrupt.watch()
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    let report = try Audit.run(query, in: source) { done, end in
      meter.show(done: done, of: end)
      return Interrupt.isRequested ? .stop : .next
    }
    guard let report else { throw Interrupt.status }
    return report
  }

  /// - Returns: nil if the rollups do not tell of it.
  static func proof(of query: AuditQuery, in source: LogSource) throws -> RollupProof? {
    Interrupt.watch()
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    let proof = try RollupProof(of: query, in: source) { done, end in
      meter.show(done: done, of: end)
      return Interrupt.isRequested ? .stop : .next
    }
    if proof == nil, Interrupt.isRequested { throw Interrupt.status }
    return proof
  }
}
