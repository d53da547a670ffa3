import ArgumentParser
import Foundation
import TollbookTestSupport

/// What has to be bought again when the cache cannot hold all: by the worth of what goes, and by recency.
struct EvictionBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eviction", abstract: "Plays reads against a cache that cannot hold them all.")

  @Option(help: "Where the dice begin.") var seed: UInt64 = 1
  @Option(help: "How many different things.") var things = 4_000
  @Option(help: "How many reads.") var reads = 100_000
  @Option(help: "What the cache holds, in percent of what all of them take.") var percent = 10

  func run() async throws {
    var isSound = true
    for shape in [EvictionTrace.Shape.zipf(0.8), .zipf(1), .scan] {
      isSound = compare(shape) <= 0.9 && isSound
    }
    guard isSound else { throw ExitCode.failure }
  }

  /// - Returns: what is bought again by worth, as a share of what is bought again by recency.
  private func compare(_ shape: EvictionTrace.Shape) -> Double {
    let trace = EvictionTrace(seed: seed, shape, things: things, reads: reads)
    let bound = trace.space * percent / 100
    let recency = trace.play(.leastRecentlyUsed, bound: bound)
    var worth = EvictionTrace.Outcome()
    let took = seconds { worth = trace.play(.greedyDual, bound: bound) }
    let ratio = Double(worth.again) / Double(max(1, recency.again))
    printTable(
      "\(shape): \(grouped(Double(reads))) reads of \(grouped(Double(things))) things, room for"
        + " \(percent) % of their bytes, seed \(seed)",
      [
        Row("bought again, least recently used goes", units(recency.again), hits(recency)),
        Row("bought again, least worth goes", units(worth.again), hits(worth)),
        Row("ratio", String(format: "%.3f ×", ratio), "limit: 0.9"),
        Row("played", String(format: "%.1f s", took)),
      ])
    return ratio
  }

  private func units(_ count: Int64) -> String { "\(grouped(Double(count))) units" }

  private func hits(_ outcome: EvictionTrace.Outcome) -> String {
    String(format: "%.1f %% hits", 100 * Double(outcome.hits) / Double(max(1, reads)))
  }
}
