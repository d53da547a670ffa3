import ArgumentParser
import Testing
import TollbookTestSupport

@testable import tollbook

/// A command as it is typed, taken from the program's own tree of commands.
struct Command: Sendable, CustomTestStringConvertible {
  let words: [String]
  private let isShown: Bool

  /// Those that people are to find, and the ones below them.
  static let shown = below(Tollbook.self, []).filter(\.isShown)

  private static func below(_ type: any ParsableCommand.Type, _ words: [String]) -> [Command] {
    type.configuration.subcommands.flatMap { type in
      let words = words + [type._commandName]
      return [Command(words: words, isShown: type.configuration.shouldDisplay)]
        + below(type, words)
    }
  }

  var testDescription: String { words.joined(separator: " ") }
}

@Suite struct HelpTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `the help names every command and where to begin`() async throws {
    let help = try await Binary.run(["--help"], in: folder)

    #expect(help.status == 0)
    #expect(help.output.contains("Begin with `tollbook demo`"))
    let words = help.lines.compactMap { line in
      line.split(separator: " ").first.map { [String($0)] }
    }
    let commands = Command.shown.filter { $0.words.count == 1 }
    #expect(commands.count > 10)
    for command in commands { #expect(words.contains(command.words), "\(command)") }
    #expect(!help.output.contains("verify-worker"), "nobody types it")
  }

  @Test func `the help of a command names those below it`() async throws {
    for command in Command.shown where command.words.count > 1 {
      let help = try await Binary.run(command.words.dropLast() + ["--help"], in: folder)
      let isNamed = help.lines.contains { line in
        line.split(separator: " ").first.map(String.init) == command.words.last
      }
      #expect(isNamed, "\(command)")
    }
  }

  @Test(arguments: Command.shown)
  func `every command explains itself within the width of a terminal`(
    command: Command
  ) async throws {
    let help = try await Binary.run(command.words + ["--help"], in: folder)

    #expect(help.status == 0)
    #expect(help.output.hasPrefix("OVERVIEW: "))
    let wide = help.lines.filter { $0.count > 80 && !$0.hasPrefix("USAGE:") }
    #expect(wide.isEmpty)
  }

  @Test(arguments: ["0", "1", "26", "39", "-5", "wide", ""])
  func `a terminal of no or little width gets a help too`(columns: String) async throws {
    for command in [[], ["audit"], ["cache", "purge"]] {
      let help = try await Binary.run(
        command + ["--help"], in: folder, environment: ["COLUMNS": columns])
      #expect(help.status == 0, "\(help.errors)")
      #expect(help.output.hasPrefix("OVERVIEW: "))
    }
  }

  @Test(arguments: [
    (["frobnicate"], "frobnicate"), (["serve", "--prot", "1"], "Did you mean '--port'?"),
    (["events", "--type", "Nonsense"], "Nonsense"), (["events", "--limit", "0"], "--limit"),
    (["simulate", "keepa", "--port", "99999"], "99999"),
    (["simulate", "keepa", "--bodies", "nowhere"], "nowhere"),
    (["resolve", "--settled", "1"], "--fetch"), (["resolve", "--fetch", "1"], "--settled"),
    (["resolve", "--fetch", "1", "--settled", "0", "--note", ""], "--note is empty"),
    (["events", "--limit", "-1"], "--limit must be 1 or more"),
    (["audit", "--limit", "-1"], "--limit must be 1 or more"),
    (["verify", "--limit", "-3"], "--limit must be 1 or more"),
    (["events", "--fetch", "-1"], "it must be 1 or more"),
    (["events", "--fetch", "0"], "it must be 1 or more"),
    (["events", "--after", "-1"], "it must be 0 or more"),
    (["events", "--from", "-1"], "'-1' is invalid for '--from"),
    (["resolve", "--fetch", "-1"], "it must be 1 or more"),
    (
      ["resolve", "--fetch", "1", "--settled", "-1", "--note", "x"], "--settled must be 0 or more"
    ),
    (["snapshot", "prune", "--keep", "-1"], "--keep must be 0 or more"),
    (["snapshot", "diff", "a", "b", "--examples", "-1"], "--examples must be 0 or more"),
    (["simulate", "keepa", "--rate", "0"], "name 1 or more tokens"),
    (["serve", "--port", "-1"], "-1"),
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
