import ArgumentParser
import JSONText
import NIOHTTP1

/// `tollbook account`
struct AccountCommandLine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account",
    abstract: "Open, list, show, close and shred accounts: who pays.",
    discussion: """
      What a client asks is paid by the account of its access key. An account \
      never sees what another one did.

        tollbook account open acme --name "Acme Retail" --time-zone Europe/Berlin
        tollbook access-key issue --account acme --scope read --scope fetch
      """,
    subcommands: [Open.self, List.self, Show.self, Close.self, Shred.self])

  struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open an account.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Its short name, which stands in events.", valueName: "account"))
    var id: String

    @Option(help: ArgumentHelp("Its name for people.", valueName: "text"))
    var name: String?

    @Option(
      help: ArgumentHelp(
        "The time zone of its days and months, such as Europe/Berlin; UTC if left out.",
        valueName: "zone"))
    var timeZone: String?

    func run() async throws {
      let answer = try await AdminCalls(settings: place.settings()).ask(.POST, "/admin/accounts") {
        json in
        json.field("id", id)
        json.fieldIfPresent("name", name)
        json.fieldIfPresent("time_zone", timeZone)
      }
      let zone = answer.root["time_zone"]?.string ?? ""
      Console.say("The account \(id) is open; its days are those of \(zone).")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the accounts.")

    @OptionGroup var place: PlaceFlags

    func run() async throws {
      let rows = try await AdminCalls(settings: place.settings()).list("/accounts", "accounts")
      guard !rows.isEmpty else {
        return Console.say("No account was opened: everything is paid by the account default.")
      }
      var table = TextTable(
        [.left, .left, .left, .left, .left],
        heading: ["ACCOUNT", "NAME", "STATUS", "TIME ZONE", "OPENED"])
      for row in rows {
        table.add(
          ["id", "name", "status", "time_zone", "opened_at"].map { row.root[$0]?.string ?? "" })
      }
      for line in table.lines() { Console.say(line) }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show an account, its access keys and its budgets.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("The account.", valueName: "account"))
    var id: String

    func run() async throws {
      let calls = AdminCalls(settings: try await place.settings())
      let accounts = try await calls.list("/accounts", "accounts")
      guard let account = accounts.first(where: { $0.root["id"]?.string == id }) else {
        throw Refused("there is no account \(id).")
      }
      func text(_ name: String) -> String { account.root[name]?.string ?? "" }
      Console.say("Account    \(id)  (\(text("name")))")
      Console.say("Status     \(text("status")), opened \(text("opened_at"))")
      Console.say("Time zone  \(text("time_zone"))")
      let keys = try await calls.list("/admin/access-keys", "access_keys")
        .filter { $0.root["account"]?.string == id }
      Console.say("")
      AccessKeyCommandLine.show(keys)
      let budgets = try await calls.ask(.GET, "/budgets?account=\(pathStep(id))")
      Console.say("")
      BudgetCommandLine.show(budgets.root["budgets"]?.array.map(Array.init) ?? [])
    }
  }

  struct Close: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Close an account: it spends nothing more, and its keys open nothing.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("The account.", valueName: "account"))
    var id: String

    func run() async throws {
      try await AdminCalls(settings: place.settings())
        .ask(.DELETE, "/admin/accounts/\(pathStep(id))")
      Console.say("The account \(id) is closed. What it spent stays on the record.")
    }
  }
}

extension AccountCommandLine {
  struct Shred: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Destroy an account's data key: its documents and answers can never be read again.",
      discussion: """
        What a company had read is sealed with a key of its own. Without that key its \
        texts are gone everywhere: in the log, in old snapshots and in exports. What \
        was spent stays on the record.
        """)

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("The account.", valueName: "account"))
    var id: String

    @Flag(help: "Do it: it cannot be undone.") var yes = false

    func run() async throws {
      guard yes else {
        throw Refused(
          "this cannot be undone: the documents and answers of \(id) can never be read again. To"
            + " do it, add --yes.")
      }
      let answer = try await AdminCalls(settings: place.settings())
        .ask(.POST, "/admin/accounts/\(pathStep(id))/shred") { _ in }
      let entries = answer.root["entries"]?.int ?? 0
      Console.say(
        "The data key of \(id) is destroyed, and \(entries) answers are gone. What they cost stays"
          + " on the record.")
    }
  }
}

extension AdminCalls {
  /// All rows of a list that comes in pages.
  func list(_ path: String, _ member: String) async throws -> [JSONDocument] {
    var rows: [JSONDocument] = []
    var cursor: String?
    repeat {
      let query = "?limit=1000" + (cursor.map { "&cursor=\(pathStep($0))" } ?? "")
      let answer = try await ask(.GET, path + query)
      for row in answer.root[member]?.array.map(Array.init) ?? [] {
        if let document = try? JSONDocument(Array(row.bytes)) { rows.append(document) }
      }
      cursor = answer.root["next"]?.string
    } while cursor != nil
    return rows
  }
}
