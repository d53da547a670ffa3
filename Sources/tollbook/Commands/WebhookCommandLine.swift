import ArgumentParser
import JSONText
import NIOHTTP1

/// `tollbook webhook`
struct WebhookCommandLine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "webhook",
    abstract: "Say who is told of alerts.",
    discussion: """
      An alert is raised when a budget has used a share of its limit or refuses \
      something, when an upstream's balance is low, and when an upstream refuses \
      a credential.

        tollbook webhook add https://ops.example/tollbook --event budget.threshold
        tollbook webhook add https://hooks.slack.example/T0/B0 --format slack
      """,
    subcommands: [Add.self, Remove.self, List.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell a webhook of alerts from now on, and print its id.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Where alerts are sent to.", valueName: "url"))
    var url: String

    @Option(help: ArgumentHelp("signed or slack.", valueName: "format"))
    var format = "signed"

    @Option(
      name: .customLong("event"),
      help: ArgumentHelp(
        "What it is told of, such as budget.threshold; say it again for more. All if left out.",
        valueName: "event"))
    var events: [String] = []

    func run() async throws {
      let (url, format, events) = (url, format, events)
      let answer = try await AdminCalls(settings: place.settings()).ask(.POST, "/admin/webhooks") {
        json in
        json.field("url", url)
        json.field("format", format)
        if !events.isEmpty {
          json.array("events", events) { json, event in json.string(event) }
        }
      }
      Console.say(answer.root["id"]?.string ?? "")
      if let secret = answer.root["secret"]?.string {
        Console.say(secret)
        Console.note("The secret signs what is sent. It is shown this once.")
      }
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell a webhook nothing any more. What waits for it is given up.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Its id.", valueName: "webhook"))
    var id: String

    func run() async throws {
      try await AdminCalls(settings: place.settings())
        .ask(.DELETE, "/admin/webhooks/\(pathStep(id))")
      Console.say("The webhook \(id) is removed.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show who is told of alerts.")

    @OptionGroup var place: PlaceFlags

    func run() async throws {
      let answer = try await AdminCalls(settings: place.settings()).ask(.GET, "/admin/webhooks")
      let rows = answer.root["webhooks"]?.array.map(Array.init) ?? []
      guard !rows.isEmpty else { return Console.say("There is no webhook.") }
      var table = TextTable(
        [.left, .left, .left, .left, .left],
        heading: ["WEBHOOK", "ADDRESS", "FORMAT", "STATUS", "EVENTS"])
      for row in rows {
        func text(_ name: String) -> String { row[name]?.string ?? "" }
        let events = (row["events"]?.array.map(Array.init) ?? []).compactMap(\.string)
        table.add([
          text("id"), text("url"), text("format"), text("status"), events.joined(separator: ", "),
        ])
      }
      for line in table.lines() { Console.say(line) }
    }
  }
}
