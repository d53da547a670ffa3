import Foundation
import FoundationNetworking
import JSONText
import Testing
import TollbookTestSupport

/// Accounts, access keys and budgets from the command line: with a service that runs, and without one.
@Suite struct AccountCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func serve(_ more: [String] = []) async throws -> Serving {
    try await Serving(["serve", "--simulate", "--port", "0"] + place + more, in: folder)
  }

  private func run(_ arguments: String) async throws -> Ended {
    try await Binary.run(arguments.split(separator: " ").map(String.init) + place, in: folder)
  }

  private func succeed(
    _ arguments: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Ended {
    let ended = try await run(arguments)
    #expect(ended.status == 0, "\(arguments): \(ended.errors)", sourceLocation: sourceLocation)
    return ended
  }

  /// Makes a data directory of simulated data that no process owns.
  private func makeDirectory() async throws {
    let serving = try await serve()
    #expect(await serving.end().status == 0)
  }

  @Test(arguments: [true, false])
  func `an account is opened, listed, shown and closed`(isServed: Bool) async throws {
    try await makeDirectory()
    let serving = try await isServed ? serve() : nil
    let opened = try await succeed(
      "account open acme --name Acme-Retail --time-zone Europe/Berlin")
    #expect(opened.output == "The account acme is open; its days are those of Europe/Berlin.\n")
    _ = try await succeed("account open zeta")
    let list = try await succeed("account list")
    #expect(list.lines.count == 3)
    #expect(list.lines[1].hasPrefix("acme"))
    #expect(list.lines[1].contains("Acme-Retail"))
    let again = try await run("account open acme")
    #expect(again.status == 1)
    #expect(again.errors.contains("the account acme is open already"))
    let zone = try await run("account open third --time-zone Mars/Base")
    #expect(zone.status == 1)
    #expect(zone.errors.contains("there is no time zone “Mars/Base”"))
    _ = try await succeed(
      "budget set daily --account acme --unit tokens --limit 500 --window day")
    let shown = try await succeed("account show acme")
    #expect(shown.output.contains("Account    acme  (Acme-Retail)"))
    #expect(shown.output.contains("There is no access key."))
    #expect(shown.output.contains("daily"))
    #expect(try await run("account show nobody").errors.contains("there is no account nobody"))
    let closed = try await succeed("account close zeta")
    #expect(
      closed.output == "The account zeta is closed. What it spent stays on the record.\n")
    let twice = try await run("account close zeta")
    #expect(twice.status == 1)
    #expect(twice.errors.contains("the account zeta is closed already"))
    if let serving { #expect(await serving.end().status == 0) }
    let verified = try await succeed("verify")
    #expect(verified.output.isEmpty == false)
    #expect(try await succeed("events --type AccountOpened").lines.count == 2)
    #expect(try await succeed("events --type AccountClosed").lines.count == 1)
  }

  @Test(arguments: [true, false])
  func `a budget is set, changed, listed and removed`(isServed: Bool) async throws {
    try await makeDirectory()
    let serving = try await isServed ? serve() : nil
    _ = try await succeed("account open acme")
    let set = try await succeed(
      "budget set daily --account acme --unit tokens --limit 500 --window day")
    #expect(set.output == "The budget daily counts from now on.\n")
    _ = try await succeed("budget set each --tag user=* --unit tokens --limit 50 --window 3600")
    let list = try await succeed("budget list")
    #expect(list.lines.count == 3)
    #expect(list.lines[1].contains("500"))
    #expect(list.lines[2].contains("user=*"))
    #expect(list.lines[2].contains("the last 3600 seconds"))
    let changed = try await succeed("budget change daily --limit 800 --paused")
    #expect(changed.output == "The budget daily is changed.\n")
    let paused = try await succeed("budget list --account acme")
    #expect(paused.lines[1].contains("daily (paused)"))
    #expect(paused.lines[1].contains("800"))
    for (arguments, text) in [
      ("budget set daily --unit tokens --limit 1 --window day", "there is a budget daily already"),
      ("budget set b --unit acorns --limit 1 --window day", "nothing is spent in “acorns”"),
      (
        "budget set b --unit tokens --limit 1 --window year",
        "--window is “year”; it must be minute, hour, day, week, month, total or a number of"
          + " seconds."
      ),
      (
        "budget set b --unit tokens --limit 1e3 --window day",
        "--limit is “1e3”; it must be a whole number, such as 500."
      ),
      (
        "budget set b --unit USD --limit 1e3 --window day",
        "--limit is “1e3”; of USD it has up to nine decimals, such as 12.50."
      ),
      ("budget change daily --limit 7.5", "--limit is “7.5”; it must be a whole number"),
      (
        "budget set b --unit tokens --limit 1 --window day --account none",
        "there is no account none"
      ),
      ("budget change none --limit 1", "there is no budget none"),
      ("budget remove none", "there is no budget none"),
    ] {
      let refused = try await run(arguments)
      #expect(refused.status == 1, "\(arguments)")
      #expect(refused.errors.contains(text), "\(arguments): \(refused.errors)")
    }
    #expect(try await run("budget change daily").status == 2)
    let removed = try await succeed("budget remove daily")
    #expect(removed.output == "The budget daily is removed.\n")
    #expect(try await succeed("budget list").lines.count == 2)
    if let serving { #expect(await serving.end().status == 0) }
    _ = try await succeed("verify")
  }

  @Test func `a key is issued, rotated and revoked, and the service that runs knows at once`()
    async throws
  {
    let serving = try await serve()
    #expect(try await serving.get("/ledger")["meters"] != nil)
    let admin = try await key(of: "access-key issue --account default --scope admin")
    #expect(try await serving.get("/ledger")["type"]?.string == "/problems/unauthorized")
    let me = try await serving.get("/me", key: admin)
    #expect(me["account"]?.string == "default")
    let id = try #require(me["access_key"]?.string)
    let next = try await key(of: "access-key rotate \(id) --overlap 3600")
    #expect(try await serving.get("/me", key: next)["account"]?.string == "default")
    #expect(try await serving.get("/me", key: admin)["account"]?.string == "default")
    let list = try await succeed("access-key list")
    #expect(list.lines.count == 3)
    #expect(list.output.contains("ending"))
    #expect(list.output.contains("active"))
    #expect(!list.output.contains(next))
    let revoked = try await succeed("access-key revoke \(id)")
    #expect(revoked.output == "The access key \(id) opens nothing any more.\n")
    #expect(try await serving.get("/me", key: admin)["type"]?.string == "/problems/unauthorized")
    let twice = try await run("access-key revoke \(id)")
    #expect(twice.status == 1)
    #expect(twice.errors.contains("the access key \(id) was revoked at"))
    #expect(await serving.end().status == 0)
    _ = try await succeed("verify")
  }

  @Test func `without a service keys are issued too, and what cannot be is refused`() async throws {
    try await makeDirectory()
    _ = try await succeed("account open acme")
    let key = try await key(of: "access-key issue --account acme --scope read --scope fetch")
    #expect(key.hasPrefix("tollbook_"))
    for (arguments, text) in [
      ("access-key issue --account acme", "scopes is empty"),
      ("access-key issue --account acme --scope root", "“root” is no scope"),
      ("access-key issue --account none --scope read", "there is no account none"),
      ("access-key issue --account acme --scope read --kind none", "“none” is no kind"),
      ("access-key issue --account acme --scope read --expires-at soon", "expires_at is “soon”"),
      ("access-key rotate none", "there is no access key none"),
    ] {
      let refused = try await run(arguments)
      #expect(refused.status == 1, "\(arguments)")
      #expect(refused.errors.contains(text), "\(arguments): \(refused.errors)")
    }
    #expect(try await succeed("access-key list").lines.count == 2)
    let serving = try await serve()
    #expect(try await serving.get("/me", key: key)["account"]?.string == "acme")
    #expect(try await serving.get("/me")["type"]?.string == "/problems/unauthorized")
    #expect(await serving.end().status == 0)
  }

  @Test func `another address than this machine's needs a key, one that was issued will do`()
    async throws
  {
    let refused = try await run("serve --simulate --port 0 --host 0.0.0.0")
    #expect(refused.status != 0)
    #expect(refused.errors.contains("0.0.0.0"))
    #expect(refused.errors.contains("access key") || refused.errors.contains("ACCESS_KEY"))
    try await makeDirectory()
    let still = try await run("serve --simulate --port 0 --host 0.0.0.0")
    #expect(still.status != 0)
    let key = try await key(of: "access-key issue --account default --scope admin")
    let serving = try await serve(["--host", "0.0.0.0"])
    let local = "http://127.0.0.1:\(serving.port)"
    var request = URLRequest(url: try #require(URL(string: "\(local)/me")))
    request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
    let (data, _) = try await URLSession.shared.data(for: request)
    #expect(try JSONDocument([UInt8](data)).root["account"]?.string == "default")
    #expect(await serving.end().status == 0)
  }

  /// The key that a command prints, alone on standard output.
  private func key(of arguments: String) async throws -> String {
    let ended = try await succeed(arguments)
    #expect(ended.lines.count == 1)
    return ended.lines.first.map(String.init) ?? ""
  }
}

extension Serving {
  fileprivate func get(_ path: String, key: String) async throws -> JSONValue {
    var request = URLRequest(url: try #require(URL(string: url + path)))
    request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
    let (data, _) = try await URLSession.shared.data(for: request)
    return try JSONDocument([UInt8](data)).root
  }
}
