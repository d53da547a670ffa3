import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// Requests with idempotency keys, over kill -9.
@Suite(.timeLimit(.minutes(10)))
struct IdempotencyKillTests {
  private static let body =
    #"{"asinList":["B000000001","B000000002"],"max_age_seconds":0}"#

  private func ask(_ serving: Serving, _ key: String) async throws -> Reply? {
    try await serving.reply(
      "/keepa/batch-analyze", Self.body, headers: ["Idempotency-Key": key])
  }

  /// Calls that the simulator has seen, those for the balance apart.
  private func calls(_ keepa: Serving) async throws -> Int {
    try await keepa.get("/_simulator/books")["calls"]?.array?.count {
      $0["path"]?.string?.hasPrefix("/product") == true
    } ?? 0
  }

  /// Closes what is in doubt by what the simulator's books say.
  private func close(_ serving: Serving, _ keepa: Serving, _ folder: TemporaryFolder) async throws {
    let spent = try await keepa.get("/_simulator/books")["tokens"]?.int64 ?? 0
    let settled = try await serving.get("/ledger")["meters"]?[0]?["settled"]?.int64 ?? 0
    let listed = try await Binary.run(["resolve", "--data-dir", "data"], in: folder)
    let words = try #require(listed.lines.last).split(separator: " ").map(String.init)
    let closed = try await Binary.run(
      ["resolve", "--data-dir", "data", "--fetch", words[0], "--attempt", words[1]]
        + ["--settled", "\(spent - settled)", "--note", "seen in the simulator's books"],
      in: folder)
    #expect(closed.status == 0, "\(closed.errors)")
  }

  @Test func `whenever the service is killed, success has an answer behind it, bought once`()
    async throws
  {
    let folder = try TemporaryFolder()
    let keepa = try await Serving(
      [
        "simulate", "keepa", "--port", "0", "--balance", "500", "--rate", "20", "--latency-ms",
        "30",
      ], in: folder)
    let serve = [
      "serve", "--simulate", "--port", "0", "--data-dir", "data", "--simulator", keepa.url,
    ]
    var answered: [String: String] = [:]
    for round in 0..<6 {
      let key = "order-\(round)"
      let first = try await Serving(serve, in: folder)
      let before = try await calls(keepa)
      let asking = Task { try await ask(first, key) }
      // Killed while the call is out, when it has just been answered, or when the answer has come.
      switch round % 3 {
      case 0: while try await calls(keepa) == before {}
      case 1:
        while try await first.get("/ledger")["meters"]?[0]?["reserved"]?.int64 ?? 0 == 0,
          try await calls(keepa) == before
        {}
      default: _ = try await asking.value
      }
      #expect(await first.end(SIGKILL).status == SIGKILL)
      if let told = try await asking.value, told.status == 200 { answered[key] = told.body }

      let second = try await Serving(serve, in: folder)
      var reply = try #require(try await ask(second, key))
      if reply.status == 409 {
        #expect(reply.json["reason"]?.string == "in_doubt")
        try await close(second, keepa, folder)
        reply = try #require(try await ask(second, key))
      }
      #expect(reply.status == 200)
      let sources = reply.json["results"]?.array?.map { $0["source"]?.string } ?? []
      #expect(sources.count == 2)
      #expect(sources.allSatisfy { $0 != "none" })
      if let earlier = answered[key] { #expect(reply.body == earlier) }
      answered[key] = reply.body
      #expect(await second.end().status == 0)
    }
    let last = try await Serving(serve, in: folder)
    let before = try await calls(keepa)
    for (key, body) in answered {
      let reply = try #require(try await ask(last, key))
      #expect(reply.body == body)
      #expect(reply.headers["Idempotency-Replayed"] == "true")
    }
    #expect(try await calls(keepa) == before)
    let books = try await keepa.get("/_simulator/books")
    let meter = try await last.get("/ledger")["meters"]?[0]
    #expect(meter?["settled"]?.int64 == books["tokens"]?.int64)
    #expect(meter?["unexplained"]?.int64 == 0)
    #expect(await last.end().status == 0)
    let verified = try await Binary.run(["verify", "--data-dir", "data"], in: folder)
    #expect(verified.status == 0)
    _ = await keepa.end()
  }
}
