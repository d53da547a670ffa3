import ArgumentParser
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// `tollbook resolve`
struct ResolveCommandLine: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "List charges that are in doubt, or close one by hand.",
    discussion: """
      A call that was sent, and whose cost nobody told, may have cost something. Tollbook holds \
      that as spent until a later balance tells; where none can, it stays \
      unprovable until you say what you know.

      Without arguments it lists what is open. To close one:
        tollbook resolve --fetch 412 --settled 3 --note "Keepa's statement"
      """)

  @OptionGroup var place: PlaceFlags

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The fetch: the position of its FetchStarted.", valueName: "position"),
    transform: wholeNumber(from: 1))
  var fetch: UInt64?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Which attempt of it.", valueName: "number"),
    transform: wholeNumber(from: 1))
  var attempt: UInt32 = 1

  @Option(
    help: ArgumentHelp(
      "What is counted, such as tokens, if the attempt has several things in doubt.",
      valueName: "unit"))
  var unit: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How much was spent; the rest is given back.", valueName: "amount"))
  var settled: Int64?

  @Option(help: ArgumentHelp("Why, for whoever reads the log.", valueName: "text"))
  var note: String?

  func validate() throws {
    if fetch == nil && (settled != nil || note != nil) {
      throw ValidationError("Name the doubt with --fetch; without arguments `resolve` lists them.")
    }
    if fetch != nil && (settled == nil || note == nil) {
      throw ValidationError("Say with --settled how much was spent, and with --note why.")
    }
    if let settled, settled < 0 { throw ValidationError("--settled must be 0 or more.") }
    if let note, note.allSatisfy(\.isWhitespace) {
      throw ValidationError("--note is empty; say with it why the doubt is settled so.")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    guard let fetch, let settled, let note else {
      return Self.list(try LogOnDisk(settings).openHolds())
    }
    let command = ResolveCommand(
      fetch: fetch, attempt: attempt, unit: unit, settled: settled, note: note, actor: "operator")
    let path = try settings.existingDataDirectory
    let answer = try await Owner.ask(directory: path, path: "/resolve") { json in
      json.field("fetch", fetch)
      json.field("attempt", UInt64(attempt))
      json.fieldIfPresent("unit", unit)
      json.field("settled", settled)
      json.field("note", note)
    }
    let closed: String
    if let answer {
      closed = answer.root["unit"]?.string ?? ""
    } else {
      closed = try await decide(command, in: try settings.ownExistingDataDirectory(), settings)
    }
    Console.say(
      "Attempt \(attempt) of fetch \(fetch) is closed with \(Amount(settled, closed).text) spent.")
  }

  private static func list(_ holds: [Hold]) {
    guard !holds.isEmpty else { return Console.say("Nothing is in doubt.") }
    var table = TextTable(
      [.right, .right, .right, .left, .left, .left],
      heading: ["FETCH", "ATTEMPT", "HELD", "STATE", "RESERVED", "METER"])
    for hold in holds {
      table.add([
        "\(hold.fetch)", "\(hold.attempt)", Amount(hold.amount, hold.meter.unit).text,
        hold.state == .unprovable ? "unprovable" : "in doubt", hold.since.description,
        "\(hold.meter)\(hold.isLimitOnly ? ", a limit" : "")",
      ])
    }
    for line in table.lines() { Console.say(line) }
  }

  /// Opens the log, since nobody else has it open.
  ///
  /// - Returns: the unit of what was closed.
  private func decide(
    _ command: ResolveCommand, in directory: DataDirectory, _ settings: Settings
  ) async throws -> String {
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log,
      baseRows: EventLog.baseRows(in: directory.path), fail: endProcess)
    defer { log.close() }
    do { return try await command.run(on: log).meter.unit } catch let refusal
      as ResolveCommand.Refusal
    {
      throw Refused("\(refusal).")
    }
  }
}
