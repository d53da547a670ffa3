import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// The predecessor's checklist for market data, as the README shows it, walked by the built binary.
@Suite(.timeLimit(.minutes(10))) struct MarketWalkTests {
  @Test func `C03–C08, C16: the checklist goes through, and the audit tells what it cost`()
    async throws
  {
    let folder = try TemporaryFolder()
    let serving = try await Serving(["serve", "--simulate", "--port", "0"], in: folder)
    let health = try await serving.get("/health")
    #expect(health["status"]?.string == "ok")
    #expect(health["cache_enabled"]?.bool == true)
    #expect(health["upstreams"]?["binance"]?["configured"]?.bool == true)
    let cold = try await serving.get("/cache/stats")["data"]?["cache_stats"]
    for figure in ["hit_rate", "hit_ratio", "entries", "hits", "misses", "evictions"] {
      #expect(cold?[figure]?.double == 0, "\(figure)")
    }

    let price = try await serving.post("/price", #"{"symbol":"BTC/USDT"}"#)
    #expect(price["success"]?.bool == true)
    #expect(price["source"]?.string == "binance")
    #expect(price["weight_used"]?.int64 == 22)
    var spent: Int64 = 22
    var answers: [JSONValue] = []
    for _ in 1...5 {
      answers.append(
        try await serving.post(
          "/comprehensive_analysis", #"{"symbol":"BTC/USDT","timeframe":"1h"}"#))
    }
    for answer in answers {
      #expect(answer["data"]?["trend"]?["direction"]?.string != nil)
      #expect(answer["data"]?["candles"]?["count"]?.int64 == 500)
      spent += answer["weight_used"]?.int64 ?? -1
    }
    let job = try await serving.post("/cache/warm", #"{"symbols":["ETH/USDT","SOL/USDT"]}"#)
    #expect(job["kind"]?.string == "binance.warm")
    let warmed = try await end(of: job, serving)
    #expect(warmed["state"]?.string == "done")
    spent += warmed["costs"]?[0]?["amount"]?.int64 ?? -1

    let crowd = try await withThrowingTaskGroup { group in
      for _ in 1...10 {
        group.addTask { try await serving.post("/price", #"{"symbol":"ETH/USDT"}"#) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(crowd.allSatisfy { $0["success"]?.bool == true })
    // One buys for all who ask while its answer is fresh.
    let bought = crowd.reduce(Int64(0)) { $0 + ($1["weight_used"]?.int64 ?? -1) }
    #expect(bought == 2 * Int64(Set(crowd.compactMap { $0["as_of"]?.string }).count))
    spent += bought
    let spike = try await serving.post("/volume_spike", #"{"symbol":"BTC/USDT"}"#)
    #expect(spike["data"]?["is_spike"]?.bool != nil)
    spent += spike["weight_used"]?.int64 ?? -1
    let delta = try await serving.post("/cvd", #"{"symbol":"BTC/USDT"}"#)
    #expect(delta["data"]?["points"]?.array?.count == 500)
    spent += delta["weight_used"]?.int64 ?? -1

    let audit = try await serving.get("/audit?by=kind")
    let weight = audit["total"]?["amounts"]?.array?.first { $0["unit"]?.string == "weight" }
    #expect(weight?["certain"]?.int64 == spent)
    let groups = audit["groups"]?.array?.compactMap { $0["group"]?.string }
    #expect(groups?.contains("binance.klines") == true)
    #expect(audit["reconciliation"]?["drift_count"]?.int64 == 0)
    let printed = try await Binary.run(["audit", "--by", "kind", "--simulate"], in: folder)
    #expect(printed.output.contains("binance.exchangeInfo      20        1      1"))
    #expect(printed.output.contains("Every charge was what the price list says."))
    _ = await serving.end()
  }

  /// A job when it has ended.
  private func end(of job: JSONValue, _ serving: Serving) async throws -> JSONValue {
    let id = try #require(job["id"]?.string)
    while true {
      let state = try await serving.get("/jobs/\(id)")
      if state["ended_at"]?.string != nil { return state }
      try #require(state["id"]?.string == id)
      await Task.yield()
    }
  }
}
