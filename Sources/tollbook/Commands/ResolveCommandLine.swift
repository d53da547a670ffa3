import ArgumentParser
import JSONText
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
      A call that was sent and never answered may have cost tokens. Tollbook holds \
      them as spent until a later balance tells; where none can, they stay \
      unprovable until you say what you know.

      Without arguments it lists what is open. To close one:
        tollbook resolve --fetch 412 --settled 3 --note "Keepa's statement"
      """)

  @OptionGroup var place: PlaceFlags

  @Option(help: ArgumentHelp("The fetch: the position of its FetchStarted.", valueName: "position"))
  var fetch: UInt64?

  @Option(help: ArgumentHelp("Which attempt of it.", valueName: "number"))
  var attempt: UInt32 = 1

  @Option(
    help: ArgumentHelp("How many tokens were spent; the rest is given back.", valueName: "tokens"))
  var settled: Int64?

  @Option(help: ArgumentHelp("Why, for whoever reads the log.", valueName: "text"))
  var note: String?

  func validate() throws {
    if fetch == nil && (settled != nil || note != nil) {
      throw ValidationError("Name the doubt with --fetch; without arguments `resolve` lists them.")
    }
    if fetch != nil && (settled == nil || note == nil) {
      throw ValidationError("Say with --settled how many tokens were spent, and with --note why.")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    guard let fetch, let settled, let note else {
      return Self.list(try LogOnDisk(settings).openHolds())
    }
    let command = ResolveCommand(fetch: fetch, attempt: attempt, settled: settled, note: note)
    let path = try settings.existingDataDirectory
    let answer = try await Owner.ask(directory: path, path: "/resolve") { json in
      json.field("fetch", fetch)
      json.field("attempt", UInt64(attempt))
      json.field("settled", settled)
      json.field("note", note)
    }
    if answer == nil {
      try await decide(command, in: try settings.ownExistingDataDirectory(), settings)
    }
    Console.say(
      "Attempt \(attempt) of fetch \(fetch) is closed with \(settled.grouped) tokens spent.")
  }

  private static func list(_ holds: [OpenHold]) {
    guard !holds.isEmpty else { return Console.say("Nothing is in doubt.") }
    var table = TextTable(
      [.right, .right, .right, .left, .left, .left],
      heading: ["FETCH", "ATTEMPT", "HELD", "STATE", "SENT", "KEY"])
    for hold in holds {
      table.add([
        "\(hold.fetch)", "\(hold.attempt)", "\(hold.tokens.grouped) \(hold.unit)",
        hold.isUnprovable ? "unprovable" : "in doubt", hold.sent.description, hold.credential,
      ])
    }
    for line in table.lines() { Console.say(line) }
  }

  /// Opens the log, since nobody else has it open.
  private func decide(
    _ command: ResolveCommand, in directory: DataDirectory, _ settings: Settings
  ) async throws {
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log, fail: endProcess)
    defer { log.close() }
    do { _ = try await command.run(on: log) } catch let refusal as ResolveCommand.Refusal {
      throw Refused("\(refusal).")
    }
  }
}
