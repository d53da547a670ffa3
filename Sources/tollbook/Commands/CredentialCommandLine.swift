import ArgumentParser
import Foundation
import JSONText
import NIOHTTP1
import TollbookEvents

/// `tollbook credential`
struct CredentialCommandLine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credential",
    abstract: "Put in, change, remove and list the keys that upstreams are bought from with.",
    discussion: """
      The secret is read from the standard input, or from a file, so that nobody \
      sees it in a list of processes. It is sealed with TOLLBOOK_MASTER_KEY, and \
      never shown again:

        openssl rand -base64 32 > master.key && chmod 600 master.key
        export TOLLBOOK_MASTER_KEY_FILE=master.key
        tollbook credential add keepa --name backup --account acme < key.txt
        tollbook credential set keepa:1a2b3c4d --status disabled
        tollbook credential pool keepa --selection most_remaining
      """,
    subcommands: [Add.self, Change.self, Remove.self, Pool.self, List.self])

  static func show(_ rows: [JSONValue]) {
    guard !rows.isEmpty else { return Console.say("There is no credential.") }
    var table = TextTable(
      [.left, .left, .left, .left, .right, .right, .right, .left],
      heading: [
        "CREDENTIAL", "NAME", "ACCOUNT", "STATUS", "LIMIT", "USED", "REMAINING", "SECRET",
      ])
    for row in rows {
      func text(_ name: String) -> String { row[name]?.string ?? "" }
      func amount(_ name: String) -> String {
        row[name]?.string ?? row[name]?.int64.map(\.grouped) ?? ""
      }
      let until = text("cooling_until")
      table.add([
        text("id"), text("name"), text("account").isEmpty ? "all" : text("account"),
        text("status") + (until.isEmpty ? "" : " until \(until)"), amount("limit"),
        amount("used"), amount("remaining"),
        row["has_secret"]?.bool == true || text("source") == "none" ? text("source") : "lost",
      ])
    }
    for line in table.lines() { Console.say(line) }
  }

  /// A limit as JSON takes it.
  private static func write(_ limit: String?, to json: inout JSONWriter) {
    guard let limit else { return }
    if let number = Int64(limit) {
      json.field("limit", number)
    } else {
      json.field("limit", limit)
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put a credential in; its secret comes from the standard input.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Whose it is, such as keepa.", valueName: "upstream"))
    var upstream: String

    @Option(help: ArgumentHelp("What people call it.", valueName: "name"))
    var name: String = ""

    @Option(
      help: ArgumentHelp("Whose calls it sends; everybody's if left out.", valueName: "account"))
    var account: String?

    @Option(
      help: ArgumentHelp("A file that holds the secret, instead of the standard input."),
      completion: .file())
    var secretFile: String?

    @Option(help: ArgumentHelp("What it may spend in all.", valueName: "amount"))
    var limit: String?

    @Option(
      help: ArgumentHelp("How often it is chosen beside others.", valueName: "number"),
      transform: wholeNumber(from: 1))
    var weight: UInt32?

    @Option(
      help: ArgumentHelp(
        "The credential, or a short name, whose limits at the upstream it shares.",
        valueName: "group"))
    var quotaGroup: String?

    func run() async throws {
      let secret = try readSecret()
      let answer = try await AdminCalls(settings: place.settings()).ask(
        .POST, "/admin/credentials"
      ) { json in
        json.field("upstream", upstream)
        if !name.isEmpty { json.field("name", name) }
        json.fieldIfPresent("account", account)
        json.field("secret", secret)
        CredentialCommandLine.write(limit, to: &json)
        json.fieldIfPresent("weight", weight.map(Int64.init))
        json.fieldIfPresent("quota_group", quotaGroup)
      }
      Console.say(answer.root["id"]?.string ?? "")
      Console.note("Its secret is sealed, and calls are sent with it from now on.")
    }

    /// The first line of the file or of the standard input.
    private func readSecret() throws -> String {
      let text: String?
      if let secretFile {
        guard let data = FileManager.default.contents(atPath: secretFile) else {
          throw Refused("\(secretFile) cannot be read.")
        }
        text = String(decoding: data.prefix(65_536), as: UTF8.self)
          .split(whereSeparator: \.isNewline).first.map(String.init)
      } else {
        text = readLine()
      }
      let secret = text?.trimmingCharacters(in: .whitespaces) ?? ""
      guard !secret.isEmpty else {
        throw Refused(
          "No secret came. Send it to the standard input, or name a file with --secret-file.")
      }
      return secret
    }
  }

  struct Change: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set",
      abstract: "Say that a credential is active, expired or disabled, or change its limit.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Its id, as the list shows it.", valueName: "credential"))
    var id: String

    @Option(help: ArgumentHelp("active, expired or disabled.", valueName: "status"))
    var status: String?

    @Option(help: ArgumentHelp("What it may spend in all.", valueName: "amount"))
    var limit: String?

    @Flag(help: "Remove its limit: it may spend as much as the upstream lets it.")
    var noLimit = false

    @Option(
      help: ArgumentHelp("How often it is chosen beside others.", valueName: "number"),
      transform: wholeNumber(from: 1))
    var weight: UInt32?

    func validate() throws {
      if limit != nil && noLimit { throw ValidationError("Say --limit or --no-limit, not both.") }
      if status == nil && limit == nil && !noLimit && weight == nil {
        throw ValidationError("Say what to change: --status, --limit, --no-limit or --weight.")
      }
    }

    func run() async throws {
      let answer = try await AdminCalls(settings: place.settings()).ask(
        .PATCH, "/admin/credentials/\(pathStep(id))"
      ) { json in
        json.fieldIfPresent("status", status)
        CredentialCommandLine.write(limit, to: &json)
        if noLimit { json.field("limit", Int64?.none) }
        json.fieldIfPresent("weight", weight.map(Int64.init))
      }
      Console.say("The credential \(id) is \(answer.root["status"]?.string ?? "changed").")
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a credential and shred its secret. What it has spent stays in the books.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Its id, as the list shows it.", valueName: "credential"))
    var id: String

    func run() async throws {
      try await AdminCalls(settings: place.settings()).ask(
        .DELETE, "/admin/credentials/\(pathStep(id))")
      Console.say("The credential \(id) is removed, and its secret shredded.")
    }
  }

  struct Pool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say by what the credential that sends a call is chosen among several.")

    @OptionGroup var place: PlaceFlags

    @Argument(help: ArgumentHelp("Whose they are, such as keepa.", valueName: "upstream"))
    var upstream: String

    @Option(
      help: ArgumentHelp(
        "For this account alone; for all others if left out.", valueName: "account"))
    var account: String?

    @Option(
      help: ArgumentHelp(
        "random, weighted, most_remaining, least_recently_limited or failover.",
        valueName: "selection"))
    var selection: String

    func run() async throws {
      try await AdminCalls(settings: place.settings()).ask(.POST, "/admin/pools") { json in
        json.field("upstream", upstream)
        json.fieldIfPresent("account", account)
        json.field("selection", selection)
      }
      Console.say("Credentials of \(upstream) are chosen by \(selection) from now on.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the credentials.")

    @OptionGroup var place: PlaceFlags

    @Option(help: ArgumentHelp("Those that send this account's calls.", valueName: "account"))
    var account: String?

    func run() async throws {
      let query = account.map { "?account=\(pathStep($0))" } ?? ""
      let answer = try await AdminCalls(settings: place.settings()).ask(
        .GET, "/credentials\(query)")
      let rows = answer.root["credentials"]?.array.map(Array.init) ?? []
      CredentialCommandLine.show(rows)
    }
  }
}
