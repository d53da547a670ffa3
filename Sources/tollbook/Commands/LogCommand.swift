import ArgumentParser

/// `tollbook log`
struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "Write the event log to a file, or let a data directory grow from one.",
    subcommands: [ExportCommand.self, ImportCommand.self])
}
