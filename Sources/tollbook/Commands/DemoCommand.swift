import ArgumentParser
import AsyncHTTPClient
import Foundation
import Logging
import ServiceLifecycle

/// `tollbook demo`
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Show in a few seconds what Tollbook does; nothing is spent.",
    discussion: """
      Runs a Tollbook with a simulated Keepa, talks to it over HTTP as an app would, \
      and prints what it answers. Its data is gone afterwards, unless it is told \
      where to keep it: `tollbook demo --data-dir demo`, then `tollbook audit \
      --data-dir demo`.
      """)

  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("Keep the data in this new folder.", valueName: "folder"))
  var dataDirectory: String?

  func run() async throws {
    let scratch = NSTemporaryDirectory() + "tollbook-demo-" + UUID().uuidString
    let folder = dataDirectory ?? scratch
    if let dataDirectory, FileManager.default.fileExists(atPath: dataDirectory) {
      throw Refused("\(dataDirectory) is there already; name a folder that is not there yet.")
    }
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    var loader = SettingsLoader()
    loader.flags = [.dataDirectory: folder, .port: "0"]
    loader.isSimulated = true
    let settings = try await loader.load()
    // Not a handler that drops everything: requests keep their number in the logger's metadata.
    var logger = Logger(label: "demo") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    let (ready, announce) = AsyncStream<Server.Running>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [logger] in
        defer { announce.finish() }
        try await Server(settings: settings, logger: logger).run { announce.yield($0) }
      }
      if let running = await ready.first(where: { _ in true }) {
        let outcome: Result<Void, any Error>
        do {
          outcome = .success(try await DemoStory(running: running, kept: dataDirectory).tell())
        } catch { outcome = .failure(error) }
        await running.stop()
        try outcome.get()
      }
      try await group.waitForAll()
    }
  }
}
