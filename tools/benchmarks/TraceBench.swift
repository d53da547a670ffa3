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

  /// What the ledger has as settled on the only meter of tokens.
  fileprivate func settled() throws -> Int64 {
    try log.read { (reading) throws(LogError) in
      try LedgerView(log).meters(in: reading).reduce(0) { $0 + $1.meter[.settled] }
    }
  }
}
