import Foundation
import JSONText
import Testing
import TollbookSimulators
import TollbookTestSupport

/// Credentials from the command line, over restarts of the service, and what else is written meanwhile.
@Suite struct CredentialCommandTests {
  private let folder: TemporaryFolder
  private let secret = KeepaSimulator.sampleKey(3)
  private let environment = ["TOLLBOOK_MASTER_KEY_FILE": "master.key"]

  init() throws {
    folder = try TemporaryFolder()
    try write(Data(repeating: 9, count: 32).base64EncodedString() + "\n", to: "master.key")
    try write(secret + "\n", to: "key.txt")
  }

  private func write(_ text: String, to name: String, mode: Int = 0o600) throws {
    let made = FileManager.default.createFile(
      atPath: "\(folder.path)/\(name)", contents: Data(text.utf8),
      attributes: [.posixPermissions: mode])
    #expect(made)
  }

  private func serve() async throws -> Serving {
    try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "data"], in: folder,
      environment: environment)
  }

  private func run(_ arguments: String, _ environment: [String: String]? = nil) async throws
    -> Ended
  {
    try await Binary.run(
      arguments.split(separator: " ").map(String.init) + ["--data-dir", "data"], in: folder,
      environment: environment ?? self.environment)
  }

  @Test func `one is put in, used after a restart, and no file or output tells its secret`()
    async throws
  {
    let first = try await serve()
    let added = try await run(
      "credential add keepa --name backup --limit 50 --secret-file key.txt")
    #expect(added.status == 0, "\(added.errors)")
    let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(id.hasPrefix("keepa:"))
    // The one of the settings is not used any more.
    let list = try await run("credential list")
    let own = try #require(list.lines.first { $0.contains("settings") }?.split(separator: " "))
    #expect(try await run("credential set \(own[0]) --status disabled").status == 0)
    try await first.post("/keepa/batch-analyze", "{\"asinList\":[\"B000000001\"]}")
    let ended = await first.end()
    #expect(ended.status == 0)

    let second = try await serve()
    let answer = try await second.post(
      "/keepa/batch-analyze", "{\"asinList\":[\"B000000002\",\"B000000003\"]}")
    #expect(answer["results"]?[0]?["source"]?.string == "keepa")
    let listed = try await run("credential list")
    let line = try #require(listed.lines.first { $0.hasPrefix(id) })
    #expect(line.split(separator: " ").map(String.init).suffix(4) == ["50", "3", "47", "sealed"])
    #expect(try await run("snapshot take").status == 0)
    #expect(try await run("log export --bodies --output out.tollbook").status == 0)
    let last = await second.end()
    for text in [
      ended.output, ended.errors, last.output, last.errors, added.output, added.errors,
      list.output, listed.output,
    ] { #expect(!text.contains(secret)) }
    try expectNoTrace(of: secret)

    // Without the master key it is told as lost, and nothing else is lost.
    let lost = try await run("credential list", [:])
    #expect(lost.lines.first { $0.hasPrefix(id) }?.hasSuffix("lost") == true)
    #expect(try await run("credential remove \(id)").status == 0)
    #expect(try await run("credential list").lines.contains { $0.hasPrefix(id) } == false)
  }

  @Test func `what was not put in is listed with where it comes from, and is not removed`()
    async throws
  {
    let service = try await serve()
    let list = try await run("credential list")
    let own = try #require(list.lines.first { $0.hasPrefix("keepa:") })
    #expect(own.hasSuffix("settings"))
    let address = try #require(list.lines.first { $0.hasPrefix("binance:address") })
    #expect(address.hasSuffix("none"), "an address has no secret")
    let id = try #require(own.split(separator: " ").first)
    let key = try await run("credential remove \(id)")
    #expect(key.status != 0)
    #expect(key.errors.contains("\(id) is the simulator's own key"), "\(key.errors)")
    let keyless = try await run("credential remove binance:address")
    #expect(keyless.status != 0)
    #expect(keyless.errors.contains("binance:address has no secret"), "\(keyless.errors)")
    let unknown = try await run("credential remove keepa:00000000")
    #expect(unknown.errors.contains("there is no credential keepa:00000000"))
    // What is said of it does not change that.
    #expect(try await run("credential set binance:address --status disabled").status == 0)
    let disabled = try await run("credential list").lines.first { $0.hasPrefix("binance:") }
    #expect(disabled?.hasSuffix("none") == true)
    #expect(await service.end().status == 0)
  }

  @Test func `a limit is removed, and is not set and removed at once`() async throws {
    let service = try await serve()
    let added = try await run("credential add keepa --limit 50 --secret-file key.txt")
    #expect(added.status == 0, "\(added.errors)")
    let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
    func line() async throws -> [String] {
      let list = try await run("credential list")
      let line = try #require(list.lines.first { $0.hasPrefix(id) })
      return line.split(separator: " ").map(String.init)
    }
    #expect(try await line().contains("50"))
    let removed = try await run("credential set \(id) --no-limit")
    #expect(removed.status == 0, "\(removed.errors)")
    #expect(removed.output.contains("The credential \(id) is active."))
    #expect(try await !line().contains("50"))
    let both = try await run("credential set \(id) --limit 5 --no-limit")
    #expect(both.status != 0)
    #expect(both.errors.contains("Say --limit or --no-limit, not both."))
    #expect(try await !line().contains("5"))
    #expect(await service.end().status == 0)
  }

  /// Looks into every file but the one that the secret was read from.
  private func expectNoTrace(of secret: String) throws {
    let needle = Data(secret.utf8)
    var looked = 0
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    where name != "key.txt" {
      guard let data = FileManager.default.contents(atPath: "\(folder.path)/\(name)") else {
        continue
      }
      looked += 1
      #expect(data.range(of: needle) == nil, "\(name)")
    }
    #expect(looked > 4)
  }

  @Test func `a master key that others may read, or that is none, is refused by name`()
    async throws
  {
    try write(
      Data(repeating: 9, count: 32).base64EncodedString(), to: "open.key", mode: 0o644)
    let open = try await run(
      "credential list --simulate", ["TOLLBOOK_MASTER_KEY_FILE": "open.key"])
    #expect(open.status == 1)
    #expect(open.errors.contains("chmod 600 open.key"))
    let none = try await run("credential list --simulate", ["TOLLBOOK_MASTER_KEY": "c2hvcnQ="])
    #expect(none.status == 1)
    #expect(none.errors.contains("TOLLBOOK_MASTER_KEY: the master key has 5 bytes"))
    #expect(!none.errors.contains("c2hvcnQ="))
    let missing = try await run(
      "credential list --simulate", ["TOLLBOOK_MASTER_KEY_FILE": "gone.key"])
    #expect(missing.status == 1)
    #expect(missing.errors.contains("gone.key"))
  }

  @Test func `without a secret nothing is put in`() async throws {
    try write("\n", to: "empty.txt")
    let empty = try await run(
      "credential add keepa --secret-file empty.txt --simulate")
    #expect(empty.status == 1)
    #expect(empty.errors.contains("No secret came"))
    let gone = try await run("credential add keepa --secret-file gone.txt --simulate")
    #expect(gone.status == 1)
    #expect(gone.errors.contains("gone.txt cannot be read"))
  }
}
