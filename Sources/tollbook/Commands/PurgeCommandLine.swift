import ArgumentParser
import Foundation
import JSONText
import NIOCore
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews
import TollbookAudit

/// `tollbook cache purge`
struct PurgeCommandLine: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "purge",
    abstract: "Take entries out of use, after saying what they had cost.",
    discussion: """
      Purged entries are stale: they are bought again when somebody asks, and answer \
      only if Keepa or the balance says no. With --hard they are removed. Either way \
      the log keeps every event: a purge is one more of them, and what the entries \
      had cost stays in the ledger.

        tollbook cache purge --key shared/keepa.product/1/B09T2ZLMHB
        tollbook cache purge --prefix shared/keepa.product/3/ --note "wrong locale"
        tollbook cache purge --label brand:acme
        tollbook cache purge --all --hard
      """)

  @OptionGroup var place: PlaceFlags

  @Option(help: ArgumentHelp("Purge the entries of this resource.", valueName: "resource"))
  var key: String?

  @Option(
    help: ArgumentHelp("Purge all resources whose names begin so.", valueName: "beginning"))
  var prefix: String?

  @Option(
    help: ArgumentHelp(
      "Purge all entries that bear this label, such as asin:B09T2ZLMHB.", valueName: "label"))
  var label: String?

  @Flag(help: "Purge everything.")
  var all = false

  @Flag(help: "Remove the entries, so that they never answer again.")
  var hard = false

  @Option(help: ArgumentHelp("Why, for whoever reads the log.", valueName: "text"))
  var note: String?

  @Flag(help: "Do not ask. Needed where no terminal is.")
  var yes = false

  @Flag(help: "Say what would be purged, and change nothing.")
  var dryRun = false

  func validate() throws {
    guard [key != nil, prefix != nil, label != nil, all].count(where: \.self) == 1 else {
      throw ValidationError("Name what to purge, by one of --key, --prefix, --label and --all.")
    }
    if let label, let fault = Systems.http.fault(ofLabel: label) {
      throw ValidationError("\(fault).")
    }
    guard key != "", prefix != "" else {
      throw ValidationError("To purge everything say --all.")
    }
    if let note, note.utf8.count > PurgeOrder.longestNote {
      throw ValidationError("A note has up to \(PurgeOrder.longestNote) bytes.")
    }
    guard yes || dryRun || Self.canAsk else {
      throw ValidationError(
        "There is no terminal to ask at: add --yes to purge, or --dry-run to see what it takes.")
    }
  }

  /// Whether somebody sits there who can answer.
  private static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && Console.isTerminal }

  func run() async throws {
    let settings = try await place.settings()
    let path = try settings.existingDataDirectory
    if let cost = try await ask(path, isConfirmed: false) {
      guard try isWanted(cost) else { return }
      guard let cost = try await ask(path, isConfirmed: true) else {
        throw Refused("the Tollbook that owns the directory ended meanwhile; nothing is purged.")
      }
      return tell(cost)
    }
    let directory = try settings.ownExistingDataDirectory()
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log,
      baseRows: EventLog.baseRows(in: directory.path), fail: endProcess)
    defer { log.close() }
    guard try isWanted(try await order.cost(in: log, labels: Systems.http.labels)) else { return }
    let cost = try await order.carryOut(on: log, labels: Systems.http.labels) { cost in
      Console.progress("\(cost.entries.of("entry", "entries"))")
    }
    Console.endProgress()
    tell(cost)
  }

  private var order: PurgeOrder {
    PurgeOrder(
      scope: scope, isHard: hard, note: note ?? "", actor: "operator",
      sparing: Systems.http.ownKinds)
  }

  private var scope: PurgeOrder.Scope {
    key.map { .key($0) } ?? prefix.map { .prefix($0) } ?? label.map { .label($0) } ?? .all
  }

  /// Asks the owner of the directory, if there is one, for the cost or for the deed.
  private func ask(_ directory: String, isConfirmed: Bool) async throws -> PurgeCost? {
    let answer = try await Owner.ask(
      directory: directory, path: "/cache/purge", timeout: .minutes(10)
    ) { json in
      json.fieldIfPresent("key", key)
      json.fieldIfPresent("prefix", prefix)
      json.fieldIfPresent("label", label)
      if all { json.field("all", true) }
      json.field("hard", hard)
      json.fieldIfPresent("note", note)
      json.field("confirm", isConfirmed)
    }
    return answer.map { answer in
      var cost = PurgeCost()
      cost.entries = answer.root["entries"]?.int ?? 0
      if let rows = answer.root["costs"]?.array {
        cost.amounts.add(rows.compactMap { Amount($0) })
      }
      cost.bytes = answer.root["bytes"]?.int64 ?? 0
      return cost
    }
  }

  /// Says what it takes, and asks whether to go on.
  private func isWanted(_ cost: PurgeCost) throws -> Bool {
    guard cost.entries > 0 else {
      Console.say(
        hard
          ? "The cache has no entry that is meant. Nothing is purged."
          : "The cache has no fresh entry that is meant. Nothing is purged.")
      return false
    }
    let entries = cost.entries.of("entry", "entries")
    Console.say(
      "This \(hard ? "removes" : "makes stale") \(entries) that cost"
        + " \(cost.amounts.text)"
        + " (\(cost.bytes.grouped) bytes of answers).")
    Console.say(
      hard
        ? "They never answer again; to have them again is to pay again."
        : "They stay for when Keepa or the balance says no; else they are bought again.")
    if dryRun {
      Console.say("Nothing is changed: that was a dry run.")
      return false
    }
    if yes { return true }
    Console.say("Purge? Type yes:")
    guard readLine()?.trimmingCharacters(in: .whitespaces).lowercased() == "yes" else {
      Console.say("Nothing is purged.")
      return false
    }
    return true
  }

  private func tell(_ cost: PurgeCost) {
    let entries = cost.entries.of("entry is", "entries are")
    Console.say(
      "\(entries) \(hard ? "removed" : "stale now"). The \(cost.amounts.text) they had"
        + " cost stay on the record.")
  }
}
