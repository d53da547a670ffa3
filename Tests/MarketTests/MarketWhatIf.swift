import Synchronization
import Testing
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import Market

/// One request of a demand.
struct MarketAsk: Sendable {
  /// Milliseconds after the start.
  var at: Int64
  var path: String
}

/// What a demand came to, and what is predicted from it.
struct MarketRun: Sendable {
  var report: WhatIfReport
  /// The weight that the simulated exchange counted, by its endpoints.
  var weights: [String: Int64]
  var answers: [Int]

  var recorded: WhatIfOutcome { report.played.recorded }
}

extension MarketRun {
  private final class Box: Sendable {
    private let held = Mutex<MarketRun?>(nil)
    var run: MarketRun? {
      get { held.withLock { $0 } }
      set { held.withLock { $0 = newValue } }
    }
  }

  /// Asks a Tollbook with some windows what a demand asks, and plays that with others.
  ///
  /// - Parameters:
  ///   - kind: of the windows that are tried.
  ///   - fresh: the windows to be tried, in milliseconds; the first is that in force.
  static func lived(
    _ demand: [MarketAsk], _ freshness: BinanceFreshness, kind name: String, fresh: [Int64],
    weightLimit: Int = 6_000
  ) async throws -> MarketRun {
    let box = Box()
    try await MarketStand.serving {
      $0.freshness = freshness
      $0.answerTime = 200
      $0.simulator.weightLimit = weightLimit
    } _: { stand, caller in
      let start = stand.time.now.milliseconds
      var answers: [Int] = []
      for ask in demand {
        let wait = start + ask.at - stand.time.now.milliseconds
        #expect(wait >= 0, "the demand is too dense for its calls: \(ask)")
        stand.time.advance(byMilliseconds: max(0, wait))
        await stand.gateway.writeTallies()
        await stand.gateway.sweep()
        answers.append(try await caller.get(ask.path).status)
      }
      await stand.gateway.writeTallies()
      let kind = try #require(WhatIfKind.binance(freshness).first { $0.name == name })
      let record = try #require(
        try WhatIf.read(LogSource(stand.log), WhatIf.Question(kind)))
      let policies = fresh.map { fresh in
        var policy = record.policy
        policy.present.fresh = fresh
        policy.present.keep = max(policy.present.keep, fresh)
        return WhatIfPolicy(name: "\(fresh) ms", products: policy)
      }
      let report = try #require(await WhatIf.play(record, policies))
      let weights = stand.simulator.books.byEndpoint.mapValues { Int64($0.weight) }
      box.run = MarketRun(report: report, weights: weights, answers: answers)
    }
    return try #require(box.run)
  }
}
