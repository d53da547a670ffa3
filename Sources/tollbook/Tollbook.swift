import ArgumentParser
import Foundation

/// The command-line tool.
@main struct Tollbook: AsyncParsableCommand {
  static let version = "0.1.0"

  /// Runs what the command line says. Ends with status 2 if that is no proper use, with 1 if it fails or finds damage.
  static func main() async {
    do {
      var command = try await asyncParseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      let message = fullMessage(for: error)
      if !message.isEmpty {
        try? FileHandle.standardError.write(contentsOf: Data("\(message)\n".utf8))
      }
      Foundation.exit(2)
    }
  }

  static let configuration = CommandConfiguration(
    commandName: "tollbook",
    abstract: "A caching gateway and spend ledger for APIs that make you pay per call.",
    discussion: """
      Apps ask Tollbook; it answers from its cache, buys only what is missing, and \
      writes every fetch and every token down in one event log.

      Begin with `tollbook demo`. Then try `tollbook serve --simulate`, and with a \
      key of your own `KEEPA_API_KEY=… tollbook serve`.
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(
        name: "Run",
        subcommands: [ServeCommand.self, DemoCommand.self, SimulateCommand.self]),
      CommandGroup(
        name: "Look",
        subcommands: [
          EventsCommand.self, AuditCommand.self, UsageCommand.self, WhatIfCommand.self,
          VerifyCommand.self, ReplayCommand.self, VerifyWorker.self, ConfigCommand.self,
        ]),
      CommandGroup(
        name: "Keep", subcommands: [SnapshotCommand.self, RestoreCommand.self]),
      CommandGroup(
        name: "Repair",
        subcommands: [
          ResolveCommandLine.self, LogCommand.self, CacheCommand.self, RebuildCommand.self,
        ]),
    ])
}
