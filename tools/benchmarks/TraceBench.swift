import ArgumentParser
import Foundation
import Keepa
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

/// What a month of a seller's demand costs through Tollbook, beside what an ideal cache pays for it.
struct TraceBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Plays a month of demand, and compares what it costs.")

  private static let day: Int64 = 86_400_000

  @Option(help: "Where the dice begin.") var seed: UInt64 = 1
  @Option(help: "How many requests.") var requests = 300_000
  @Option(help: "How many different products.") var products = 10_000
  @Option(help: "In how many days.") var days: Int64 = 30
  @Option(help: "How many days a body is fresh.") var fresh: Int64 = 7
  @Option(help: "Requests of the runs with and without buying ahead; 0: none.")
  var aheadRequests = 7_000
  @Option(help: "Products of those.") var aheadProducts = 500
  @Option(help: "In how many days those come.") var aheadDays: Int64 = 14
  @Option(help: "Tokens that a refill brings in those.") var rate = 20

  func run() async throws {
    let trace = ReferenceTrace(
      seed: seed, products: products, requests: requests, milliseconds: days * Self.day)
    let policy = FreshnessPolicy.windows(fresh: fresh * Self.day)
    let bought = trace.ideal(fresh: fresh * Self.day)
    let ideal = try await WhatIfWorld(.windows(fresh: 0), rate: 1_000, isIdle: { _ in true })
    let idealCost = await ideal.cost(of: bought)
    let world = try await WhatIfWorld(policy, rate: 1_000, isIdle: { _ in true })
    let took = try await seconds { try await world.live(trace.demand) }
    let booked = try world.settled()
    let mix = ReferenceTrace.mix.map { "\($0.share) % \($0.name)" }.joined(separator: ", ")
    printTable(
      "\(grouped(Double(requests))) requests for \(grouped(Double(products))) products in"
        + " \(days) days (Zipf 1.0; \(mix); seed \(seed); fresh for \(fresh) days)",
      [
        Row("bought by an ideal cache", "\(grouped(Double(idealCost))) tokens"),
        Row(
          "bought through Tollbook", "\(grouped(Double(world.charged))) tokens",
          String(format: "%.4f ×", Double(world.charged) / Double(idealCost)) + ", limit: 1.02"),
        Row(
          "in the ledger", "\(grouped(Double(booked))) tokens",
          "difference to the simulator's books: \(booked - world.charged)"),
        Row("without a cache", "\(grouped(Double(requests))) calls", "\(bought.count) calls ideal"),
        Row("played", String(format: "%.1f s", took)),
      ])
    guard booked == world.charged else { throw ExitCode.failure }
    if aheadRequests > 0 { try await ahead() }
  }

  /// Plays one demand twice, with and without buying ahead.
  private func ahead() async throws {
    let trace = ReferenceTrace(
      seed: seed, products: aheadProducts, requests: aheadRequests,
      milliseconds: aheadDays * Self.day)
    let off = try await play(trace, isAhead: false)
    let on = try await play(trace, isAhead: true)
    let reads = on.world.gateway.aheadReads.counts
    let saved = off.books.requested - on.books.requested
    let difference = try on.world.settled() - on.world.charged
    func tokens(_ count: Int64) -> String { "\(grouped(Double(count))) tokens" }
    printTable(
      "Buying ahead: \(grouped(Double(aheadRequests))) requests for"
        + " \(grouped(Double(aheadProducts))) products in \(aheadDays) days,"
        + " \(rate) tokens a refill",
      [
        Row("requests paid without it", tokens(off.books.requested)),
        Row(
          "requests paid with it", tokens(on.books.requested),
          String(format: "%.1f %% less", 100 * Double(saved) / Double(off.books.requested))),
        Row(
          "spent ahead", tokens(on.books.ahead),
          "\(grouped(Double(reads.bought))) products, \(grouped(Double(reads.used))) read since"),
        Row("of that not lost otherwise", tokens(on.books.wronglySpent), "limit: 0"),
        Row(
          "of that of use to a request just after", tokens(on.books.overtaken),
          "limit: 1 % of what is spent ahead"),
        Row("lost without it", tokens(off.books.lost)),
        Row("lost with it", tokens(on.books.lost)),
        Row(
          "in the ledger", tokens(try on.world.settled()),
          "difference to the simulator's books: \(difference)"),
        Row("played", String(format: "%.1f s", off.took + on.took)),
      ])
    let isSound = on.books.wronglySpent == 0 && difference == 0 && on.books.ahead > 0
    guard isSound, on.books.overtaken * 100 <= on.books.ahead, on.books.ahead <= off.books.lost
    else { throw ExitCode.failure }
  }

  private func play(
    _ trace: ReferenceTrace, isAhead: Bool
  ) async throws -> (world: WhatIfWorld, books: AheadBooks, took: Double) {
    let world = try await WhatIfWorld(
      .windows(fresh: fresh * Self.day), rate: rate, isIdle: { _ in true }
    ) { $0.refreshesAhead = isAhead }
    let clock = ContinuousClock.now
    let books = try await world.live(trace.demand, looks: isAhead)
    return (world, books, clock.duration(to: .now).inSeconds)
  }
}

extension WhatIfWorld {
  /// What the simulator charges for requests that are all bought.
  fileprivate func cost(of requests: [WhatIfDemand]) async -> Int64 {
    for request in requests {
      let due = Timestamp.testStart.milliseconds + request.at
      time.advance(byMilliseconds: max(0, due - time.now.milliseconds))
      _ = await keepa.products(
        KeepaProductRequest(
          domain: .unitedStates, asins: request.asins.compactMap { KeepaASIN($0) },
          contentSet: request.contentSet),
        within: .seconds(30))
    }
    return charged
  }
}
