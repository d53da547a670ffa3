import ArgumentParser

/// `tollbook cache`
struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache",
    abstract: "Purge what the cache holds; the event log keeps what it cost.",
    subcommands: [PurgeCommandLine.self])
}
