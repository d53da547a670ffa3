import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import Keepa
import TollbookLog
import TollbookSimulators
import TollbookViews

@testable import TollbookHTTP

@Suite struct WarmRouteTests {
  private static let path = "/cache/warm"

  /// Waits until no job runs.
  private static func settle(_ stand: Stand) async {
    while !stand.gateway.jobs.isIdle { await Task.yield() }
  }

  @Test func `a list is taken on as a job, bought, and found in the cache`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let taken = try await caller.send(
        .post, Self.path,
        body: #"{"asins":["B000000001","b000000002","B000000001"],"limit_units":9}"#)
      #expect(taken.status == 202)
      let id = try #require(taken.string("id"))
      #expect(taken.headers[.location] == "/jobs/\(id)")
      #expect(taken.string("kind") == "keepa.warm")
      #expect(taken.int("progress.total") == 2)
      await Self.settle(stand)
      let job = try await caller.get("/jobs/\(id)")
      #expect(job.string("state") == "done")
      #expect(job.int("progress.done") == 2)
      #expect(job.int("failed") == 0)
      #expect(job.string("account") == "default")
      #expect(job.string("actor") == "operator")
      #expect(job.string("costs.0.unit") == "tokens")
      #expect(job.int("costs.0.amount") == 2)
      #expect(job.count("costs_in_doubt") == 0)
      let batch = try await caller.batch(["B000000001", "B000000002"])
      #expect(batch.strings("results", "source") == ["cache", "cache"])
      let again = try await caller.send(.delete, "/jobs/\(id)", body: "")
      #expect(again.status == 409)
    }
  }

  @Test func `jobs of the log are listed by pages, after those of the process`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      var ids: [String?] = []
      for number in 0..<5 {
        let taken = try await caller.send(
          .post, Self.path, body: #"{"asins":["B00000000\#(number)"]}"#)
        ids.insert(taken.string("id"), at: 0)
        await Self.settle(stand)
      }
      try stand.gateway.jobs.submit(JobKind("short")) { _ in .done() }
      await Self.settle(stand)
      let all = try await caller.get("/jobs?state=done")
      #expect(all.string("jobs.0.kind") == "short")
      #expect(Array(all.strings("jobs", "id").dropFirst()) == ids)
      #expect(all["next"]?.isNull == true)
      var seen: [String?] = []
      var cursor: String? = ""
      while let place = cursor {
        let page = try await caller.get("/jobs?kind=keepa.warm&limit=2&cursor=\(place)")
        seen += page.strings("jobs", "id")
        cursor = page.string("next")
      }
      #expect(seen == ids)
      #expect(try await caller.get("/jobs?cursor=x").string("field") == "cursor")
      #expect(try await caller.get("/jobs?kind=keepa.warm&state=failed").count("jobs") == 0)
    }
  }

  @Test func `what filters find is bought, the search and the products within one limit`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let body = #"{"discovery":{"bsr_max":50000,"limit":5},"limit_units":20}"#
      let taken = try await caller.send(.post, Self.path, body: body)
      #expect(taken.status == 202)
      #expect(taken.int("progress.total") == 5)
      let id = try #require(taken.string("id"))
      await Self.settle(stand)
      let job = try await caller.get("/jobs/\(id)")
      #expect(job.string("state") == "done")
      #expect(job.int("progress.done") == 5)
      // A page of the finder costs 10 and one for each hundred.
      #expect(job.int("costs.0.amount") == 16)
      let found = try await caller.send(
        .post, "/api/v1/products/discover", body: #"{"bsr_max":50000,"limit":5}"#)
      #expect(found["cache_hit"]?.bool == true)
      let asins = found["asins"]?.array?.compactMap(\.string) ?? []
      let batch = try await caller.batch(asins)
      #expect(batch.strings("results", "source").allSatisfy { $0 == "cache" })
      // Once more, it costs nothing.
      let again = try await caller.send(.post, Self.path, body: body)
      await Self.settle(stand)
      let second = try await caller.get("/jobs/\(again.string("id") ?? "")")
      #expect(second.string("state") == "done")
      #expect(second.count("costs") == 0)
    }
  }

  @Test(arguments: [(10, 0, 0), (13, 2, 13)])
  func `a search and its products never cost more than their limit`(
    limit: Int, done: Int, cost: Int
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let taken = try await caller.send(
        .post, Self.path,
        body: "{\"discovery\":{\"bsr_max\":50000,\"limit\":5},\"limit_units\":\(limit)}")
      await Self.settle(stand)
      let job = try await caller.get("/jobs/\(taken.string("id") ?? "")")
      #expect(job.string("state") == "done")
      #expect(job.string("detail") == "its limit of \(limit) tokens buys nothing more")
      #expect(job.int("progress.done") == done)
      #expect(job.int("costs.0.amount") ?? 0 == cost)
    }
  }

  @Test func `a search that finds nothing ends, and says so`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let taken = try await caller.send(
        .post, Self.path, body: #"{"discovery":{"price_min":0.01,"price_max":0.01}}"#)
      await Self.settle(stand)
      let job = try await caller.get("/jobs/\(taken.string("id") ?? "")")
      #expect(job.string("state") == "done")
      #expect(job.string("detail") == "nothing was found")
    }
  }

  @Test func `a search that waits for tokens can be cancelled, and buys nothing then`() async throws
  {
    let stand = try await Stand { $0.simulator.balance = 0 }
    try await stand.serving { caller in
      let taken = try await caller.send(
        .post, Self.path, body: #"{"discovery":{"bsr_max":50000}}"#)
      let id = try #require(taken.string("id"))
      while try await caller.get("/jobs/\(id)").string("state") != "running" { await Task.yield() }
      #expect(
        try await caller.send(.delete, "/jobs/\(id)", body: "").string("state") == "cancelled")
      await Self.settle(stand)
      #expect(stand.gateway.page(stand.gateway.keepaMeter)[.settled] == 0)
    }
  }

  @Test func `a dry run of a search is refused: nobody knows what it finds`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.send(
        .post, Self.path, [.dryRun: "1"], body: #"{"discovery":{"bsr_max":50000}}"#)
      #expect(answer.status == 400)
      #expect(answer.string("field") == "Tollbook-Dry-Run")
    }
  }

  @Test(arguments: [
    (#"{"discovery":{}}"#, "discovery.category"), (#"{"discovery":[]}"#, "discovery"),
    (#"{"discovery":{"bsr_min":5,"bsr_max":4}}"#, "discovery.bsr_min"),
    (#"{"discovery":{"bsrmax":4}}"#, "discovery.bsrmax"),
    (#"{"discovery":{"bsr_max":4,"limit":10001}}"#, "discovery.limit"),
    (#"{"discovery":{"bsr_max":4},"domain":3}"#, "domain"),
    (#"{"discovery":{"bsr_max":4},"asins":["B000000001"]}"#, "asins"),
    (#"{"discovery":{"bsr_max":4},"limit_units":0}"#, "limit_units"),
    (#"{}"#, "asins"), (#"{"limit_units":4}"#, "asins"), (#"{"nothing":4}"#, "nothing"),
    (#"{"asins":[]}"#, "asins"), (#"{"asins":["B00"]}"#, "asins[0]"),
    (#"{"asins":["B000000001",7]}"#, "asins[1]"), (#"{"asins":"B000000001"}"#, "asins"),
    (#"{"asins":["B000000001"],"limit_units":0}"#, "limit_units"),
    (#"{"asins":["B000000001"],"limit_unit":5}"#, "limit_unit"),
    (#"{"asins":["B000000001"],"domain":77}"#, "domain"),
    (#"{"asins":["B000000001"],"include":["stock"]}"#, "include[0]"),
  ])
  func `what cannot be a list is refused by name, and nothing is written`(
    body: String, field: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.send(.post, Self.path, body: body)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
      #expect(stand.log.head == head)
    }
  }

  @Test func `more products than a list may have are refused`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let list = (0...10_000).map { "\"B\(100_000_000 + $0)\"" }.joined(separator: ",")
      let answer = try await caller.send(.post, Self.path, body: "{\"asins\":[\(list)]}")
      #expect(answer.status == 400)
      #expect(answer.string("field") == "asins")
    }
  }

  @Test func `a dry run tells what it would buy, and takes nothing on`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      let head = stand.log.head
      let answer = try await caller.send(
        .post, Self.path, [.dryRun: "1"], body: #"{"asins":["B000000001","B000000002"]}"#)
      #expect(answer.status == 200)
      #expect(answer.int("stats.cached") == 1)
      #expect(answer.int("stats.would_buy") == 1)
      #expect(stand.log.head == head)
      #expect(try await caller.get("/jobs?kind=keepa.warm").count("jobs") == 0)
    }
  }

  @Test func `as many as may be open are, and the next is told to come later`() async throws {
    let stand = try await Stand { $0.simulator.balance = 0 }
    try await stand.serving { caller in
      for _ in 0..<100 {
        _ = try await caller.send(.post, Self.path, body: #"{"asins":["B000000001"]}"#)
      }
      let answer = try await caller.send(.post, Self.path, body: #"{"asins":["B000000001"]}"#)
      #expect(answer.status == 503)
      #expect(answer.string("type") == "/problems/busy")
      #expect(answer.headers[.retryAfter] != nil)
      let open = try await caller.get("/jobs?kind=keepa.warm&state=queued&limit=1000")
      #expect(open.count("jobs") == 99)
      await stand.gateway.stop()
    }
  }
}
