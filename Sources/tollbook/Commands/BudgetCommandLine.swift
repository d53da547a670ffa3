import ArgumentParser
import JSONText
import NIOHTTP1
import TollbookEvents
import TollbookGateway

/// `tollbook budget`
struct BudgetCommandLine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "budget",
    abstract: "Set limits of your own, which hold to the unit, and see how they stand.",
    discussion: """
      A budget counts from the moment it is set, and what its window has seen \
      already. Nothing is bought that does not fit.

        tollbook budget set daily --account acme --unit tokens --limit 500 --window day
        tollbook budget set per-user --tag 'user=*' --unit tokens --limit 50 --window day
        tollbook budget change daily --limit 800
      """,
    subcommands: [Set.self, Change.self, Remove.self, List.self])

  static func show(_ rows: [JSONValue]) {
    guard !rows.isEmpty else { return Console.say("There is no budget.") }
    var table = TextTable(
      [.left, .left, .left, .right, .right, .right, .right, .left],
      heading: ["BUDGET", "OF", "WINDOW", "LIMIT", "SPENT", "HELD", "FREE", "UNIT"])
    for row in rows {
      func text(_ name: String) -> String { row[name]?.string ?? "" }
      func amount(_ name: String) -> String {
        row[name]?.string ?? row[name]?.int64.map(\.grouped) ?? ""
      }
      var scope: [String] = []
      for member in row["scope"]?.members.map(Array.init) ?? [] where member.name != "tag" {
        scope.append(member.value.string ?? "")
      }
      if let tag = row["tag"]?.string { scope.append(tag) }
      let held = ["reserved", "in_doubt", "unprovable"].compactMap { row[$0]?.int64 }
      let window = text("in").isEmpty ? "all time" : text("in")
      let state =
        row["paused"]?.bool == true ? " (paused)" : row["hard"]?.bool == false ? " (soft)" : ""
      table.add([
        text("name") + state, scope.isEmpty ? "all" : scope.joined(separator: ", "), window,
        amount("limit"), amount("settled"),
        held.isEmpty ? "" : held.reduce(0, &+).grouped, amount("free"), text("unit"),
      ])
    }
    for line in table.lines() { Console.say(line) }
  }

  /// A limit as JSON takes it: a number, and of money a text, also if it has no decimals.
  private static func write(_ limit: String, of unit: String, to json: inout JSONWriter) {
    if !Amount.isMoney(unit), let number = Int64(limit) {
      json.field("limit", number)
    } else {
      json.field("limit", limit)
    }
  }

  /// Says in the words of the command line what no Tollbook would take.
  ///
  /// - Parameter unit: empty: not known.
  private static func check(_ limit: String, of unit: String) throws(Refused) {
    let shown = limit.inOneLine(atMost: 50)
    if Amount.isMoney(unit) {
      guard DecimalText.nanoUnits(limit) != nil else {
        throw Refused(
          "--limit is “\(shown)”; of \(unit) it has up to nine decimals, such as 12.50.")
      }
    } else if !unit.isEmpty, (Int64(limit) ?? -1) < 0 {
      throw Refused("--limit is “\(shown)”; it must be a whole number, such as 500.")
    }
  }

  private static func check(window: String) throws(Refused) {
    guard Int64(window) != nil || BudgetOrder.Window(word: window) != nil else {
      throw Refused(
        "--window is “\(window.inOneLine(atMost: 40))”; it must be minute, hour, day, week, month,"
          + " total or a number of seconds.")
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Set a budget.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Its name.", valueName: "budget"))
    var name: String

    @Option(help: ArgumentHelp("What it counts, such as tokens.", valueName: "unit"))
    var unit: String

    @Option(help: ArgumentHelp("How much may be spent in the window.", valueName: "amount"))
    var limit: String

    @Option(
      help: ArgumentHelp(
        "minute, hour, day, week, month, total, or a number of seconds for one that rolls.",
        valueName: "window"))
    var window: String

    @Option(help: ArgumentHelp("Count what this account pays.", valueName: "account"))
    var account: String?

    @Option(help: ArgumentHelp("Count what is asked with this access key.", valueName: "id"))
    var accessKey: String?

    @Option(help: ArgumentHelp("Count calls to this upstream.", valueName: "upstream"))
    var upstream: String?

    @Option(help: ArgumentHelp("Count calls of this operation.", valueName: "operation"))
    var operation: String?

    @Option(
      help: ArgumentHelp(
        "Count what bears this tag, such as user=ann; user=* limits each user by itself.",
        valueName: "tag"))
    var tag: String?

    @Flag(help: "Count and tell, and refuse nothing.")
    var soft = false

    func validate() throws {
      if let tag, !tag.contains("=") {
        throw ValidationError("--tag is NAME=VALUE, such as user=ann or user=*.")
      }
    }

    func run() async throws {
      try BudgetCommandLine.check(limit, of: unit)
      try BudgetCommandLine.check(window: window)
      try await AdminCalls(settings: place.settings()).ask(.POST, "/admin/budgets") { json in
        json.field("name", name)
        json.object("scope") { json in
          json.fieldIfPresent("account", account)
          json.fieldIfPresent("access_key", accessKey)
          json.fieldIfPresent("upstream", upstream)
          json.fieldIfPresent("operation", operation)
          if let parts = tag?.split(separator: "=", maxSplits: 1).map(String.init) {
            json.object("tag") { json in json.field(parts[0], parts.count > 1 ? parts[1] : "") }
          }
        }
        json.field("unit", unit)
        BudgetCommandLine.write(limit, of: unit, to: &json)
        if let seconds = Int64(window) {
          json.object("window") { json in json.field("rolling_seconds", seconds) }
        } else {
          json.field("window", window)
        }
        json.field("hard", !soft)
      }
      Console.say("The budget \(name) counts from now on.")
    }
  }

  struct Change: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Raise, lower, pause or go on with a budget, from the next purchase on.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Its name.", valueName: "budget"))
    var name: String

    @Option(help: ArgumentHelp("How much may be spent in the window.", valueName: "amount"))
    var limit: String?

    @Flag(inversion: .prefixedNo, help: "Whether it counts and refuses nothing for a time.")
    var paused: Bool?

    @Flag(inversion: .prefixedNo, help: "Whether it refuses what does not fit.")
    var hard: Bool?

    func validate() throws {
      if limit == nil && paused == nil && hard == nil {
        throw ValidationError("Say what to change: --limit, --paused or --hard.")
      }
    }

    func run() async throws {
      let calls = AdminCalls(settings: try await place.settings())
      var unit = ""
      if limit != nil {
        let known = try await calls.ask(.GET, "/budgets").root["budgets"]?.array.map(Array.init)
        unit = known?.first { $0["name"]?.string == name }?["unit"]?.string ?? ""
      }
      if let limit { try BudgetCommandLine.check(limit, of: unit) }
      try await calls.ask(.PATCH, "/admin/budgets/\(pathStep(name))") { [unit] json in
        if let limit { BudgetCommandLine.write(limit, of: unit, to: &json) }
        json.fieldIfPresent("paused", paused)
        json.fieldIfPresent("hard", hard)
      }
      Console.say("The budget \(name) is changed.")
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a budget. What it has counted stays in the books.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Its name.", valueName: "budget"))
    var name: String

    func run() async throws {
      try await AdminCalls(settings: place.settings())
        .ask(.DELETE, "/admin/budgets/\(pathStep(name))")
      Console.say("The budget \(name) is removed.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show how the budgets stand.")

    @OptionGroup var place: PlaceFlags

    @Option(help: ArgumentHelp("Only those that count what it pays.", valueName: "account"))
    var account: String?

    func run() async throws {
      let query = account.map { "?account=\(pathStep($0))" } ?? ""
      let answer = try await AdminCalls(settings: place.settings()).ask(.GET, "/budgets\(query)")
      BudgetCommandLine.show(answer.root["budgets"]?.array.map(Array.init) ?? [])
    }
  }
}
