import ArgumentParser
import JSONText
import NIOHTTP1

/// `tollbook access-key`
struct AccessKeyCommandLine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "access-key",
    abstract: "Issue, rotate, revoke and list the keys that clients show.",
    discussion: """
      As soon as there is a key, every request needs one, but for /health. Issue \
      one with the scope admin first, so that you stay in:

        tollbook access-key issue --account default --scope admin
        tollbook access-key issue --account acme --scope read --scope fetch

      A key is shown once, here. What is kept of it is a digest.
      """,
    subcommands: [Issue.self, Rotate.self, Revoke.self, List.self])

  static func show(_ rows: [JSONDocument]) {
    guard !rows.isEmpty else { return Console.say("There is no access key.") }
    var table = TextTable(
      [.left, .left, .left, .left, .left, .left],
      heading: ["KEY", "ACCOUNT", "SCOPES", "STATUS", "ISSUED", "EXPIRES"])
    for row in rows {
      let scopes = (row.root["scopes"]?.array.map(Array.init) ?? [])
        .compactMap(\.string).joined(separator: ", ")
      func text(_ name: String) -> String { row.root[name]?.string ?? "" }
      let end = [text("expires_at"), text("revoked_at")].filter { !$0.isEmpty }.min() ?? "never"
      table.add([text("id"), text("account"), scopes, text("status"), text("issued_at"), end])
    }
    for line in table.lines() { Console.say(line) }
  }

  private static func tell(_ answer: JSONDocument) {
    Console.say(answer.root["key"]?.string ?? "")
    Console.note("The key is shown this once. Clients send it as Authorization: Bearer …")
  }

  struct Issue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Issue an access key, and print it.")

    @OptionGroup var place: PlaceFlags

    @Option(help: ArgumentHelp("Who pays for what is asked with it.", valueName: "account"))
    var account: String

    @Option(
      name: .customLong("scope"),
      help: ArgumentHelp("What it may do: read, fetch or admin; say it again for more."))
    var scopes: [String] = []

    @Option(
      name: .customLong("kind"),
      help: ArgumentHelp("Of resources that it is for, such as keepa.product; all if left out."))
    var kinds: [String] = []

    @Option(
      help: ArgumentHelp("When it expires, such as 2027-01-31T00:00:00Z.", valueName: "time"))
    var expiresAt: String?

    @Option(
      help: ArgumentHelp("How many requests it may make in a minute.", valueName: "number"),
      transform: wholeNumber(from: 1))
    var requestsPerMinute: UInt32?

    func run() async throws {
      let answer = try await AdminCalls(settings: place.settings()).ask(
        .POST, "/admin/access-keys"
      ) { json in
        json.field("account", account)
        json.array("scopes", scopes) { json, scope in json.string(scope) }
        json.array("kinds", kinds) { json, kind in json.string(kind) }
        json.fieldIfPresent("expires_at", expiresAt)
        json.fieldIfPresent("requests_per_minute", requestsPerMinute.map { Int64($0) })
      }
      AccessKeyCommandLine.tell(answer)
    }
  }

  struct Rotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Issue a key in the place of another one, which opens for some time yet.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("The id of the key that goes.", valueName: "id"))
    var id: String

    @Option(
      help: ArgumentHelp("For how many seconds the old one still opens.", valueName: "seconds"),
      transform: wholeNumber(from: 0))
    var overlap: UInt32 = 3_600

    func run() async throws {
      let answer = try await AdminCalls(settings: place.settings()).ask(
        .POST, "/admin/access-keys/\(pathStep(id))/rotate"
      ) { json in json.field("overlap_seconds", Int64(overlap)) }
      AccessKeyCommandLine.tell(answer)
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take an access key back at once.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("The id of the key.", valueName: "id"))
    var id: String

    func run() async throws {
      try await AdminCalls(settings: place.settings())
        .ask(.DELETE, "/admin/access-keys/\(pathStep(id))")
      Console.say("The access key \(id) opens nothing any more.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the access keys, without what clients show.")

    @OptionGroup var place: PlaceFlags

    func run() async throws {
      AccessKeyCommandLine.show(
        try await AdminCalls(settings: place.settings()).list("/admin/access-keys", "access_keys"))
    }
  }
}
