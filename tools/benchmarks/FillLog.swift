import ArgumentParser
import LMDB
import TollbookEvents
import TollbookLog
import TollbookViews

/// Fills a data directory with the event mix, without flushing each commit: a large log in little time.
struct FillLog: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fill", abstract: "Makes a simulated data directory with many events.")

  /// Whole fetches, as the gateway books them.
  private static let portion = 350 * EventMix.eventsPerFetch

  @Argument(help: "The folder to make.") var folder: String
  @Option(help: "How many events.") var events: UInt64 = 10_000_000
  @Option(help: "How many different products.") var products = 100_000
  @Option(help: "On how many meters a purchase counts beside the balance: 0 to 2.")
  var furtherMeters = 0

  func validate() throws {
    guard (0...EventMix.furtherMeters.count).contains(furtherMeters) else {
      throw ValidationError("--further-meters is 0 to \(EventMix.furtherMeters.count).")
    }
  }

  func run() async throws {
    let directory = try DataDirectory.own(folder, mode: .simulated)
    var options = EventLog.Options()
    options.unsafeWithoutSync = true
    let log = try EventLog(directory, folds: allFolds, time: .system, options: options) { error in
      print("failed: \(error)")
    }
    let mix = MixDispenser(world: products, furtherMeters: furtherMeters)
    while log.head < events {
      _ = try await log.decide { (_, context) throws(LogError) in
        Decision(events: mix.take(Self.portion, context), answer: ())
      }
    }
    log.close()
    try log.environment.sync()
    print("\(log.head) events")
  }
}
