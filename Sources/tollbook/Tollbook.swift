import ArgumentParser
import Files
import Foundation

/// The command-line tool.
@main struct Tollbook: AsyncParsableCommand {
  static let version = "0.1.0"

  /// Runs what the command line says. Ends with status 2 if that is no proper use, with 1 if it fails, finds damage or
  /// cannot write what it has to say.
  static func main() async {
    // A file that may not grow any more is a failed write like others, and no end on the spot.
    signal(SIGXFSZ, SIG_IGN)
    // The parser of arguments lays out help for the width that the environment tells, and does not bear a narrow one.
    SystemCalls.setEnvironment("COLUMNS", "\(Terminal.columns)")
    do {
      var command = try await asyncParseAsRoot()
      do {
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
      } catch let fault as ValidationError {
        // The parser would show how the whole program is used, not this command.
        _ = Console.finish()
        Console.note("Error: \(fault.message)")
        Foundation.exit(2)
      }
    } catch { end(with: error) }
    if !Console.finish() { Foundation.exit(1) }
  }

  private static func end(with error: any Error) -> Never {
    let trouble = FileTrouble(error)
    if trouble?.isClosedPipe == true { Foundation.exit(Console.finish() ? 0 : 1) }
    var message =
      trouble.map { "Error: \($0)" } ?? fullMessage(for: error, columns: Terminal.columns)
    switch exitCode(for: error) {
    case .success:
      // Somebody asked for help, or for the version.
      if !message.isEmpty { Console.say(message) }
      Foundation.exit(Console.finish() ? 0 : 1)
    case let code:
      _ = Console.finish()
      // What the log or an archive says is no whole sentence: it stands in those of others, too.
      if code == .failure, let last = message.last, !".!?".contains(last) { message += "." }
      if !message.isEmpty { Console.note(message) }
      Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
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
        subcommands: [
          ServeCommand.self, DemoCommand.self, SimulateCommand.self, TLSCommand.self,
        ]),
      CommandGroup(name: "Ask", subcommands: [KeepaCommand.self, ExtractCommand.self]),
      CommandGroup(
        name: "Look",
        subcommands: [
          EventsCommand.self, AuditCommand.self, UsageCommand.self, WhatIfCommand.self,
          ReconcileCommand.self, VerifyCommand.self, ReplayCommand.self, VerifyWorker.self,
          ConfigCommand.self,
        ]),
      CommandGroup(
        name: "Administer",
        subcommands: [
          AccountCommandLine.self, AccessKeyCommandLine.self, CredentialCommandLine.self,
          BudgetCommandLine.self, WebhookCommandLine.self, CorrectCommand.self,
        ]),
      CommandGroup(
        name: "Keep",
        subcommands: [SnapshotCommand.self, RestoreCommand.self, MovingCommand.self]),
      CommandGroup(
        name: "Repair",
        subcommands: [
          ResolveCommandLine.self, LogCommand.self, CacheCommand.self, RebuildCommand.self,
        ]),
    ])
}
