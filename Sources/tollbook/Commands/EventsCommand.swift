import ArgumentParser
import JSONText
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
      Examples:
        tollbook events --limit 20
        tollbook events --type TokensCharged --format json | jq .data.tokens
      """)

  @OptionGroup var place: PlaceFlags

  @Option(help: ArgumentHelp("Only events after this position.", valueName: "position"))
  var after: UInt64 = 0

  @Option(help: ArgumentHelp("At most so many events.", valueName: "count"))
  var limit = Int.max

  @Option(help: ArgumentHelp("Only events of this type, such as TokensCharged.", valueName: "type"))
  var type: EventKind?

  @Option(help: "A table for people, or one JSON object per line for programs.")
  var format = Format.table

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
  }

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    var left = limit
    let width = String(try log.head()).count
    try log.scan(after: after, kinds: type.map { [$0] }) { event in
      print(format == .json ? Self.json(event) : Self.line(event, width: width))
      left -= 1
      return left > 0
    }
  }

  private static func line(_ event: RecordedEvent, width: Int) -> String {
    let position = String(event.position)
    let kind = event.event.kind.name
    return String(repeating: " ", count: max(0, width - position.count)) + position + "  "
      + Console.faint(event.time.description) + "  "
      + kind + String(repeating: " ", count: max(0, 23 - kind.count)) + "  "
      + event.event.sentence
  }

  /// The event as one line, as `GET /events` shows it.
  private static func json(_ event: RecordedEvent) -> String {
    var json = JSONWriter()
    event.write(to: &json)
    return json.string
  }
}
