import ArgumentParser
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookHTTP
import TollbookLog

extension EventKind: ExpressibleByArgument {
  init?(argument: String) { self.init(name: argument) }

  static var allValueStrings: [String] { allCases.map(\.name) }
}

/// `tollbook events`
struct EventsCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "Print events of the log, also while Tollbook runs.",
    discussion: """
      Days are those of UTC.

      Examples:
        tollbook events --limit 20
        tollbook events --type TokensCharged --format json | jq .data.tokens
        tollbook events --fetch 412
        tollbook events --resource 'shared/keepa.product/1/B09*' --from 2026-11-03
        tollbook events --follow --account acme
      """)

  /// Between two looks at a log that is followed.
  private static let followMilliseconds: Int64 = 200
  /// Events that are read before they are printed.
  private static let pageEvents = 1_000

  @OptionGroup var place: PlaceFlags

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only events after this position.", valueName: "position"),
    transform: wholeNumber(from: 0))
  var after: UInt64?

  @OptionGroup var range: RangeFlags

  @Option(
    parsing: .unconditional, help: ArgumentHelp("At most so many events.", valueName: "count"))
  var limit = Int.max

  @Option(
    name: .customLong("type"),
    help: ArgumentHelp(
      "Only events of this type, such as TokensCharged; may be repeated.", valueName: "type"))
  var types: [EventKind] = []

  @Option(help: ArgumentHelp("Only events of who pays or has read.", valueName: "account"))
  var account: String?

  @Option(
    help: ArgumentHelp(
      "Only events that name this resource; with a * at its end, all that begin so.",
      valueName: "name"))
  var resource: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only events of this fetch: the position of its FetchStarted.", valueName: "position"),
    transform: wholeNumber(from: 1))
  var fetch: UInt64?

  @Flag(
    help: ArgumentHelp(
      "Go on with what is appended, until Ctrl-C. Begins with the next event, or with --from or"
        + " --after."
    ))
  var follow = false

  @Option(help: "A table for people, or one JSON object per line for programs.")
  var format = Format.table

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
    guard !follow || range.to == nil else {
      throw ValidationError("--follow has no end: leave out --to.")
    }
    do throws(EventRangeProblem) { try EventRange.check(from: range.from, to: range.to) } catch {
      throw ValidationError("\(error).")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    let source = log.source
    if follow { Interrupt.watch() }
    let query = EventQuery(filter, in: source)
    let range = try positions(in: source)
    var last = range.after
    var left = limit
    let width = String(try source.head()).count
    while left > 0, !Interrupt.isRequested, Console.isHeard {
      let page = try query.page(
        after: last, through: range.through, limit: min(left, Self.pageEvents))
      if !page.events.isEmpty {
        let lines = page.events.map { event in
          format == .json ? Self.json(event) : Self.line(event, width: width)
        }
        Console.say(lines.joined(separator: "\n"))
      }
      left -= page.events.count
      last = page.last
      guard page.isComplete else { continue }
      if !follow { return }
      try await TimeSource.system.sleep(Self.followMilliseconds)
    }
  }

  private var filter: EventFilter {
    var filter = EventFilter()
    filter.kinds = Set(types)
    filter.account = account
    filter.resource = resource.map { EventFilter.Resource($0) }
    filter.fetch = fetch
    return filter
  }

  private func positions(in source: LogSource) throws -> (after: Position, through: Position) {
    do {
      if let after { try EventRange.check(after, in: source) }
      if range.from == nil, range.to == nil {
        if let after { return (after, .max) }
        if follow { return (try source.head(), .max) }
      }
      let found = try EventRange(from: range.from, to: range.to, in: source)
      return (max(found.after, after ?? 0), range.to == nil ? .max : found.through)
    } catch let problem as EventRangeProblem {
      throw ValidationError("\(problem).")
    }
  }

  private static func line(_ event: RecordedEvent, width: Int) -> String {
    let position = String(event.position)
    let kind = event.event.kind.name
    return String(repeating: " ", count: max(0, width - position.count)) + position + "  "
      + Console.faint(event.time.description) + "  "
      + kind + String(repeating: " ", count: max(0, 23 - kind.count)) + "  "
      + event.sentence
  }

  /// The event as one line, as `GET /events` shows it.
  private static func json(_ event: RecordedEvent) -> String {
    var json = JSONWriter()
    event.write(to: &json, Systems.http)
    return json.string
  }
}
