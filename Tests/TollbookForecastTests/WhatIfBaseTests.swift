import Keepa
import Testing
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookLog
import TollbookTestSupport

private let hour: Int64 = 3_600_000
private let day: Int64 = 86_400_000

/// A demand in a log that goes on from a snapshot: nobody knows what the cache held then under another policy.
@Suite struct WhatIfBaseTests {
  private static let asins = ["B000000001", "B000000002", "B000000003"]

  /// Ten days of demand, written down after each request.
  private func world() async throws -> WhatIfWorld {
    let world = try await WhatIfWorld(.windows(fresh: 2 * day))
    try await world.live(
      (0..<60).map { step in
        WhatIfDemand(
          at: Int64(step) * 4 * hour + hour, asins: [Self.asins[step % 2 == 0 ? 0 : step % 3]])
      })
    return world
  }

  private func play(
    _ source: LogSource, after position: Position, _ policies: [WhatIfPolicy]
  ) async throws -> WhatIfReport {
    var question = WhatIf.Question(.keepa)
    question.after = position
    let record = try #require(try WhatIf.read(source, question))
    return try #require(await WhatIf.play(record, policies))
  }

  @Test func `what the whole log predicts lies in what the rest of it predicts`() async throws {
    let world = try await world()
    let policies = [1, 6, 20, 47, 72, 120, 400].map { hours in
      WhatIfPolicy(name: "\(hours) h", products: .windows(fresh: Int64(hours) * hour))
    }
    var ends: [Position] = []
    try world.log.read { (transaction) throws(LogError) in
      while let row = try world.log.reader.commit(
        holding: (ends.last ?? 0) + 1, in: transaction)
      { ends.append(row.last) }
    }
    var width: Int64 = 0
    for end in ends.dropLast().enumerated().filter({ $0.offset % 9 == 4 }).map(\.element) {
      let folder = try TemporaryFolder()
      let based = try world.log.based(on: end, in: folder)
      defer { based.close() }
      let whole = try await play(world.source, after: end, policies)
      let rest = try await play(LogSource(based), after: 0, policies)
      #expect(rest.after == end)
      #expect(rest.notes.contains { $0.contains("goes on from a snapshot of position \(end)") })
      for (truth, bounds) in zip(whole.played.outcomes, rest.played.outcomes) {
        for figure in [\WhatIfOutcome.cost, \.hits, \.calls, \.bought] {
          let (inner, outer) = (truth[keyPath: figure], bounds[keyPath: figure])
          #expect(
            outer.low <= inner.low && inner.high <= outer.high,
            "after \(end), \(truth.name): \(inner) is not in \(outer)")
        }
        width = max(width, bounds.cost.width)
      }
    }
    // Each product is in doubt until it is bought for the first time, and no longer.
    #expect(width > 0 && width <= Int64(Self.asins.count))
  }
}
