import ArgumentParser
import Foundation
import Market
import MarketTestSupport
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

/// What a day of bots' demand for market data costs through Tollbook, beside what an ideal cache pays for it.
///
/// The routes, the gateway and its log are the real ones; neither a socket nor a wait is between them and who asks, nor
/// between them and the simulated exchange.
struct MarketTraceBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "market-trace",
    abstract: "Plays a day of demand for market data, and compares what it costs.")

  @Option(help: "Where the dice begin.") var seed: UInt64 = 1
  @Option(help: "How many hours.") var hours = 24.0
  @Option(help: "How many markets.") var markets = 200
  @Option(help: "Requests a second.") var rate = 20
  @Option(
    help: "Weight that the exchange allows in a minute; a second client spends a third of it.")
  var limit = 6_000
  @Option(help: "Hours of the runs with and without refreshing ahead; 0: none.") var aheadHours =
    1.0
  @Option(help: "Weight that those may spend ahead in a minute.") var aheadWeight: Int64 = 600
  @Option(help: "Minutes of the run that wants more than it may have; 0: none.")
  var pressedMinutes = 20.0
  @Option(help: "Weight that the exchange allows in a minute of that.") var pressedLimit = 600

  func run() async throws {
    var isSound = try await day()
    if aheadHours > 0 { try await ahead() }
    if pressedMinutes > 0 { isSound = try await pressed() && isSound }
    guard isSound else { throw ExitCode.failure }
  }

  /// What one run came to.
  private struct Played {
    var world: MarketWorld
    var ideal: IdealMarket
    var took: Double

    var weightRatio: Double { Double(world.weight) / Double(max(1, ideal.weight)) }
    var hitRatio: Double { Double(world.outcome.hits) / Double(max(1, ideal.hits)) }
  }

  private func shape(milliseconds: Double) -> MarketTrace.Shape {
    var shape = MarketTrace.Shape()
    shape.seed = seed
    shape.markets = markets
    shape.rate = rate
    shape.milliseconds = Int64(milliseconds)
    return shape
  }

  private func play(
    _ shape: MarketTrace.Shape, limit: Int, aheadWeight: Int64 = 0
  ) async throws -> Played {
    var settings = MarketWorld.Settings()
    settings.weightLimit = limit
    settings.foreignWeight = limit / 3
    settings.aheadWeight = aheadWeight
    // A day takes more than tests do.
    settings.log = EventLog.Options()
    settings.log.unsafeWithoutSync = true
    let world = try await MarketWorld(shape, settings)
    let start = ContinuousClock.now
    let ideal = try await world.live()
    let took = start.duration(to: .now).inSeconds
    await world.close()
    return Played(world: world, ideal: ideal, took: took)
  }

  /// All of the demand, without refreshing ahead.
  private func day() async throws -> Bool {
    let shape = shape(milliseconds: hours * 3_600_000)
    let played = try await play(shape, limit: limit)
    printTable(
      "\(grouped(Double(shape.requests))) requests for \(markets) markets in \(hours) hours"
        + " (Zipf 1.0; \(shape.description))",
      rows(played, limit: limit) + [
        Row("answered from the cache", grouped(Double(played.world.outcome.hits)), ofAll(played)),
        Row(
          "an ideal cache answers", grouped(Double(played.ideal.hits)),
          String(format: "%.4f ×", played.hitRatio) + ", limit: at least 0.99"),
        Row("weight bought", grouped(Double(played.world.weight))),
        Row(
          "weight that an ideal cache buys", grouped(Double(played.ideal.weight)),
          String(format: "%.4f ×", played.weightRatio) + ", limit: 1.05"),
        Row("played", String(format: "%.0f s", played.took)),
      ])
    let sum = played.world.simulator.books.sum
    return sum.refused == 0 && sum.banned == 0 && played.world.outcome.failed == 0
      && played.weightRatio <= 1.05 && played.hitRatio >= 0.99
  }

  /// The same demand twice, with and without refreshing ahead.
  private func ahead() async throws {
    let shape = shape(milliseconds: aheadHours * 3_600_000)
    let off = try await play(shape, limit: limit)
    let on = try await play(shape, limit: limit, aheadWeight: aheadWeight)
    let reads = on.world.gateway.aheadReads.counts(at: on.world.time.now)
    printTable(
      "Refreshing ahead: \(grouped(Double(shape.requests))) requests of the same kind in"
        + " \(aheadHours) hours, \(grouped(Double(aheadWeight))) weight a minute for it",
      [
        Row("from the cache without it", grouped(Double(off.world.outcome.hits)), ofAll(off)),
        Row("from the cache with it", grouped(Double(on.world.outcome.hits)), ofAll(on)),
        Row(
          "weight bought without it", grouped(Double(off.world.weight)),
          String(format: "%.4f × an ideal cache", off.weightRatio)),
        Row(
          "weight bought with it", grouped(Double(on.world.weight)),
          String(format: "%.4f × an ideal cache", on.weightRatio)),
        Row(
          "refreshed", grouped(Double(reads.bought)),
          "\(grouped(Double(reads.used))) read since, \(grouped(Double(reads.wasted))) not"),
      ] + rows(on, limit: limit) + [
        Row("played", String(format: "%.0f s", off.took + on.took))
      ])
  }

  /// A demand that weighs more than the two clients together may use.
  private func pressed() async throws -> Bool {
    var shape = shape(milliseconds: pressedMinutes * 60_000)
    // The others wait for the next minute where it is near; here nobody moves the clock for them.
    shape.mix = [(60, .price), (20, .spikes), (20, .deltas)]
    let played = try await play(shape, limit: pressedLimit)
    let outcome = played.world.outcome
    printTable(
      "A demand that is too much: \(grouped(Double(shape.requests))) requests in"
        + " \(pressedMinutes) minutes (\(shape.description))",
      rows(played, limit: pressedLimit) + [
        Row("weight that an ideal cache would buy", grouped(Double(played.ideal.weight))),
        Row("weight bought", grouped(Double(played.world.weight))),
        Row("answered with what is past its time", grouped(Double(outcome.stale))),
        Row("not answered", grouped(Double(outcome.failed))),
      ])
    // What the second client has used since the last answer nobody told: a call may come too late, and none comes after it.
    let (sum, minutes) = (played.world.simulator.books.sum, Int(pressedMinutes.rounded(.up)))
    return sum.refused <= minutes && sum.banned == 0 && played.world.weight < played.ideal.weight
  }

  private func rows(_ played: Played, limit: Int) -> [Row] {
    let sum = played.world.simulator.books.sum
    return [
      Row(
        "the heaviest minute, with a second client's \(grouped(Double(limit / 3)))",
        grouped(Double(played.world.outcome.greatestMinute)), "limit: \(grouped(Double(limit)))"),
      Row("calls that the exchange refused", "\(sum.refused)", "\(sum.banned) in a ban"),
    ]
  }

  private func ofAll(_ played: Played) -> String {
    let share = Double(played.world.outcome.hits) / Double(max(1, played.world.outcome.requests))
    return String(format: "%.1f %% of all", 100 * share)
  }
}

extension MarketTrace.Shape {
  /// What it consists of, in words.
  fileprivate var description: String {
    let calls = mix.map { "\($0.share) % \($0.call.rawValue)" }.joined(separator: ", ")
    let frames = timeframes.map(\.rawValue).joined(separator: " ")
    return "\(calls); \(frames); \(candles) candles an analysis; seed \(seed)"
  }
}
