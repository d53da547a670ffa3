import Testing
import TollbookTestSupport

@Suite struct HelpTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `the help names every command and where to begin`() async throws {
    let help = try await Binary.run(["--help"], in: folder)

    #expect(help.status == 0)
    for word in [
      "serve", "demo", "simulate", "events", "verify", "config", "resolve", "rebuild",
      "Begin with `tollbook demo`",
    ] { #expect(help.output.contains(word), "\(word)") }
  }

  @Test(arguments: [
    ["serve"], ["demo"], ["simulate"], ["simulate", "keepa"], ["events"], ["verify"], ["config"],
    ["resolve"], ["cache"], ["cache", "purge"], ["rebuild"],
  ])
  func `every command explains itself within the width of a terminal`(
    command: [String]
  ) async throws {
    let help = try await Binary.run(command + ["--help"], in: folder)

    #expect(help.status == 0)
    #expect(help.output.hasPrefix("OVERVIEW: "))
    let wide = help.lines.filter { $0.count > 80 && !$0.hasPrefix("USAGE:") }
    #expect(wide.isEmpty)
  }

  @Test(arguments: [
    (["frobnicate"], "frobnicate"), (["serve", "--prot", "1"], "Did you mean '--port'?"),
    (["events", "--type", "Nonsense"], "Nonsense"), (["events", "--limit", "0"], "--limit"),
    (["simulate", "keepa", "--port", "99999"], "99999"),
    (["simulate", "keepa", "--bodies", "nowhere"], "nowhere"),
    (["resolve", "--settled", "1"], "--fetch"), (["resolve", "--fetch", "1"], "--settled"),
  ])
  func `what cannot be meant ends with status 2 and says what was wrong`(
    arguments: [String], word: String
  ) async throws {
    let ended = try await Binary.run(arguments, in: folder)

    #expect(ended.status == 2)
    #expect(ended.errors.contains(word))
    #expect(ended.output.isEmpty)
  }

  @Test(arguments: [["events"], ["verify"], ["rebuild"], ["resolve"]])
  func `a command that reads makes no data directory`(command: [String]) async throws {
    let ended = try await Binary.run(command, in: folder)

    #expect(ended.status == 1)
    #expect(
      ended.errors == "Error: ./tollbook-data is not a data directory of tollbook.\n")
    #expect(try folder.contents().isEmpty)
  }
}
