import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// A budget under many callers over HTTP, with a service that is killed in between.
@Suite(.timeLimit(.minutes(10)))
struct BudgetKillTests {
  private static let callers = 1_000

  private static func asin(_ number: Int) -> String { "B\(100_000_000 + number)" }

  /// How many of these callers got a product. Those whose service is killed get nothing.
  private func bought(_ numbers: Range<Int>, from serving: Serving) async -> Int {
    await withTaskGroup(of: Int.self) { group in
      var next = numbers.lowerBound
      var bought = 0
      func add() {
        guard next < numbers.upperBound else { return }
        let asin = Self.asin(next)
        next += 1
        group.addTask {
          let answer = try? await serving.reply(
            "/keepa/batch-analyze", "{\"asinList\":[\"\(asin)\"]}")
          return answer?.json["results"]?[0]?["source"]?.string == "keepa" ? 1 : 0
        }
      }
      for _ in 0..<16 { add() }
      while let one = await group.next() {
        bought += one
        add()
      }
      return bought
    }
  }

  @Test
  func `of a thousand callers a budget of fifty pays for fifty, whenever the service is killed`()
    async throws
  {
    let folder = try TemporaryFolder()
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "5000", "--rate", "20"], in: folder)
    let serve = [
      "serve", "--simulate", "--port", "0", "--data-dir", "data", "--simulator", keepa.url,
    ]
    func spent() async throws -> Int64 {
      try await keepa.get("/_simulator/books")["tokens"]?.int64 ?? 0
    }
    var serving = try await Serving(serve, in: folder)
    let made = try await serving.post(
      "/admin/budgets", #"{"name":"spring","unit":"tokens","limit":50,"window":"total"}"#)
    #expect(made["limit"]?.int64 == 50)
    var answered = 0
    // Killed three times while calls are out; then all others ask.
    for (round, limit) in [8, 20, 35].enumerated() {
      let (first, killed) = (serving, round * 100)
      let asking = Task { await bought(killed..<killed + 100, from: first) }
      while try await spent() < Int64(limit) {}
      #expect(await first.end(SIGKILL).status == SIGKILL)
      answered += await asking.value
      serving = try await Serving(serve, in: folder)
    }
    answered += await bought(300..<Self.callers, from: serving)

    let standing = try await serving.get("/budgets")["budgets"]?[0]
    let settled = standing?["settled"]?.int64 ?? 0
    let inDoubt = standing?["in_doubt"]?.int64 ?? 0
    #expect(settled + inDoubt == 50)
    #expect(standing?["reserved"]?.int64 == 0)
    #expect(standing?["free"]?.int64 == 0)
    // What is in doubt may have been spent, and nothing else that nobody was answered.
    let total = try await spent()
    #expect(total <= 50)
    #expect(total >= settled)
    #expect(answered <= Int(settled))
    #expect(await serving.end().status == 0)
    let verified = try await Binary.run(["verify", "--data-dir", "data"], in: folder)
    #expect(verified.status == 0)
    _ = await keepa.end()
  }
}
