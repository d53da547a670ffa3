import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

/// `POST /keepa/batch-analyze` with `Prefer: respond-async`, and the results of such a job.
struct BatchJobTests {
  /// The simulator knows each of them.
  private static func asins(_ range: Range<Int>) -> [String] {
    range.map { "B\(100_000_000 + $0)" }
  }

  @Test func `a long list is taken on at once, bought as tokens arrive, and its results are paged`()
    async throws
  {
    let stand = try await Stand { $0.simulator.balance = 120 }
    try await stand.serving { caller in
      let known = Self.asins(0..<20)
      _ = try await caller.batch(known)
      let list = ["b100000000", "no asin"] + Self.asins(0..<250)
      let taken = try await caller.queue(list)
      #expect(taken.status == 202)
      #expect(taken.headers[.preferenceApplied] == "respond-async")
      let id = try #require(taken.string("job"))
      #expect(taken.headers[.location] == "/jobs/\(id)")
      #expect(taken.int("products") == 252)
      #expect(taken.int("different") == 250)
      #expect(taken.int("invalid") == 1)
      #expect(taken.int("cached") == 20)
      #expect(taken.int("would_buy") == 230)
      #expect(taken.int("units_expected") == 230)
      // 100 are there, and 20 come each minute: seven refills, the first of them within a minute.
      let told = try #require(taken.string("expected_end_at").flatMap { Timestamp(rfc3339: $0) })
      let wait = told.milliseconds - stand.time.now.milliseconds
      #expect((6 * 60_200...7 * 60_200).contains(wait))

      // The first portion, and of the second what was there for it.
      while stand.settled < 120 { await Task.yield() }
      await stand.time.waitForSleepers(1)
      let job = try await caller.get("/jobs/\(id)")
      #expect(job.string("state") == "running")
      #expect(job.int("progress.done") == 100)
      #expect(job.int("progress.total") == 250)
      #expect(job.int("progress.units_expected") == 150)
      #expect(job.string("progress.expected_end_at") != nil)
      let first = try await caller.results(id, "?limit=125")
      #expect(first.string("state") == "running")
      let statuses = first.strings("results", "status")
      #expect(statuses.count == 125)
      #expect(statuses[1] == "failed")
      #expect(first.string("results.1.error.reason") == "invalid_asin")
      #expect(first.string("results.0.asin") == "B100000000")
      #expect(statuses[2..<122].allSatisfy { $0 == "found" })
      #expect(statuses[122...].allSatisfy { $0 == "waiting" })
      #expect(first.int("next") == 125)
      #expect(first.headers[.link]?.contains("after=125&limit=125") == true)

      await stand.finish(id)
      #expect(try await caller.get("/jobs/\(id)").string("state") == "done")
      #expect(try await caller.get("/jobs/\(id)").int("costs.0.amount") == 230)
      var seen: [String?] = []
      var after: Int? = 0
      while let place = after {
        let page = try await caller.results(id, "?limit=100&after=\(place)")
        #expect(page.strings("results", "source").allSatisfy { $0 == "cache" || $0 == "none" })
        seen += page.strings("results", "asin")
        after = page.int("next")
      }
      #expect(seen == ["B100000000", "no asin"] + Self.asins(0..<250))
      #expect(stand.settled == 250)
    }
  }

  @Test
  func `one that is cancelled buys nothing more, and tells of the rest that it was not reached`()
    async throws
  {
    let stand = try await Stand { $0.simulator.balance = 100 }
    try await stand.serving { caller in
      let id = try #require(try await caller.queue(Self.asins(0..<150)).string("job"))
      while try await caller.get("/jobs/\(id)").int("progress.done") != 100 { await Task.yield() }
      let told = try await caller.send(.delete, "/jobs/\(id)", body: "")
      #expect(told.string("state") == "cancelled")
      #expect(told["progress.expected_end_at"]?.isNull == true)
      await stand.finish(id)
      let page = try await caller.results(id, "?limit=1000")
      #expect(page.string("state") == "cancelled")
      let statuses = page.strings("results", "status")
      #expect(statuses.prefix(100).allSatisfy { $0 == "found" })
      #expect(statuses.dropFirst(100).allSatisfy { $0 == "failed" })
      #expect(page.string("results.149.error.reason") == "not_reached")
      #expect(page["next"]?.isNull == true)
      #expect(stand.settled == 100)
    }
  }

  @Test func `what Keepa does not know is not found, and what it refuses to sell has failed`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let unknown = "X000000001"
      stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.error200, next: 1)])
      let id = try #require(
        try await caller.queue(Self.asins(0..<100) + [unknown] + Self.asins(200..<205))
          .string("job"))
      await stand.finish(id)
      let job = try await caller.get("/jobs/\(id)")
      let page = try await caller.results(id, "?limit=1000")
      let statuses = page.strings("results", "status")
      #expect(statuses[100] == "not_found")
      #expect(page.string("results.100.error.reason") == "not_found")
      #expect(statuses.suffix(5).allSatisfy { $0 == "found" })
      // A failure of a call is tried again, unless Keepa says that the request is wrong.
      #expect(job.int("failed") == statuses.count { $0 == "failed" })
    }
  }

  @Test func `the results come as a table too, page by page`() async throws {
    let stand = try await Stand { $0.simulator.balance = 2 }
    try await stand.serving { caller in
      let id = try #require(try await caller.queue(Self.asins(0..<4)).string("job"))
      while stand.settled < 2 { await Task.yield() }
      let page = try await caller.results(id, "?limit=3", headers: [.accept: "text/csv"])
      #expect(page.headers[.contentType]?.hasPrefix("text/csv") == true)
      let lines = page.text.split(separator: "\r\n").map(String.init)
      #expect(lines.count == 4)
      #expect(lines[0].hasPrefix("asin,domain,source,title"))
      #expect(lines[1].hasPrefix("B100000000,1,cache,"))
      #expect(lines[3].hasPrefix("B100000002,1,,"))
      #expect(lines[3].hasSuffix(",waiting,"))
      #expect(
        page.headers[.link] == "</keepa/batch-analyze/\(id)?after=3&limit=3>; rel=\"next\"")
      let last = try await caller.results(id, "?limit=3&after=3", headers: [.accept: "text/csv"])
      #expect(last.text.split(separator: "\r\n").count == 2)
      #expect(last.headers[.link] == nil)
      #expect(try await caller.results(id, "?after=99").count("results") == 0)
    }
  }

  @Test func `a list waits for those before it, and its expected end says so`() async throws {
    let stand = try await Stand { $0.simulator.balance = 0 }
    try await stand.serving { caller in
      let first = try await caller.queue(Self.asins(0..<200))
      let second = try await caller.queue(Self.asins(200..<400))
      let ends = [first, second].compactMap {
        $0.string("expected_end_at").flatMap { Timestamp(rfc3339: $0) }?.milliseconds
      }
      try #require(ends.count == 2)
      #expect(second.int("units_expected") == 200)
      // Two hundred tokens are ten refills.
      #expect(ends[1] - ends[0] == 10 * 60_200)
      let queued = try await caller.get("/jobs/\(second.string("job") ?? "")")
      #expect(queued.int("progress.units_expected") == 200)
      await stand.gateway.stop()
    }
  }

  @Test(arguments: [
    (#"{}"#, "asinList"), (#"{"asinList":[]}"#, "asinList"),
    (#"{"asinList":["nothing","of","use"]}"#, "asinList"),
    (#"{"asinList":["B000000001",7]}"#, "asinList[1]"),
    (#"{"asinList":["B000000001"],"max_tokens":0}"#, "max_tokens"),
    (#"{"asinList":["B000000001"],"domain":7}"#, "domain"),
    (#"{"asinList":["B000000001"],"include":["stock"]}"#, "include[0]"),
    (#"{"asinList":["B000000001"],"limit_units":5}"#, "limit_units"),
    (#"{"asinList":["B000000001"],"wait_seconds":5}"#, "wait_seconds"),
    (#"{"asinList":["B000000001"],"max_age_seconds":5}"#, "max_age_seconds"),
  ])
  func `what no job can do is refused by name, and nothing is written`(
    body: String, field: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.post(body, [.prefer: "respond-async"])
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
      #expect(stand.log.head == head)
    }
  }

  @Test func `a dry run, an age and a cache that is off do not go with it`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let dry = try await caller.queue(["B000000001"], headers: [.dryRun: "1"])
      #expect(dry.status == 400)
      #expect(dry.string("field") == "Tollbook-Dry-Run")
      let young = try await caller.queue(["B000000001"], headers: [.cacheControl: "max-age=60"])
      #expect(young.string("field") == "Cache-Control")
      #expect(try await caller.get("/jobs?kind=keepa.batch").count("jobs") == 0)
      // Other preferences change nothing.
      let plain = try await caller.batch(["B000000001"], headers: [.prefer: "return=minimal"])
      #expect(plain.status == 200)
      #expect(plain.headers[.preferenceApplied] == nil)
      let both = try await caller.queue(
        ["B000000001"], headers: [.prefer: "wait=10, Respond-Async; a=b"])
      #expect(both.status == 202)
    }
    let uncached = try await Stand { $0.gateway.isCacheOn = false }
    try await uncached.serving { caller in
      let answer = try await caller.queue(["B000000001"])
      #expect(answer.status == 400)
      #expect(answer.string("detail")?.contains("switched off") == true)
    }
  }

  @Test func `a list has up to 100,000 places, and so many lists may be open`() async throws {
    let stand = try await Stand { $0.simulator.balance = 0 }
    try await stand.serving { caller in
      let list = (0...100_000).map { "B\(100_000_000 + $0)" }
      let longer = try await caller.queue(list)
      #expect(longer.status == 400)
      #expect(longer.string("type") == "/problems/too-many-products")
      let taken = try await caller.queue(Array(list.dropLast()))
      #expect(taken.status == 202)
      #expect(taken.int("would_buy") == 100_000)
      let id = try #require(taken.string("job"))
      let last = try await caller.results(id, "?after=99999")
      #expect(last.strings("results", "asin") == ["B100099999"])
      #expect(last.strings("results", "status") == ["waiting"])
      let blanks = String(repeating: " ", count: 4 << 20)
      let tooLarge = try await caller.post(
        #"{"asinList":["B000000001"]}"# + blanks, [.prefer: "respond-async"])
      #expect(tooLarge.status == 413)
      for _ in 1..<20 {
        #expect(try await caller.queue(["B000000001"]).status == 202)
      }
      let full = try await caller.queue(["B000000001"])
      #expect(full.status == 503)
      #expect(full.headers[.retryAfter] != nil)
      await stand.gateway.stop()
    }
  }

  @Test func `results are those of a job of this kind`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let warm = try await caller.send(
        .post, "/cache/warm", body: #"{"asins":["B000000001"]}"#)
      for id in [warm.string("id") ?? "", "99999", "x", "1.1"] {
        let answer = try await caller.results(id)
        #expect(answer.status == 404)
        #expect(answer.string("field") == "job")
      }
      let id = try #require(try await caller.queue(["B000000001"]).string("job"))
      #expect(try await caller.results(id, "?limit=0").string("field") == "limit")
      #expect(try await caller.results(id, "?after=x").string("field") == "after")
      #expect(try await caller.results(id, "?before=1").string("field") == "before")
      await stand.finish(id)
    }
  }

  @Test func `a list that is longer than one answer is told of the preference`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(Self.asins(0..<1_001))
      #expect(answer.status == 400)
      #expect(answer.string("detail")?.contains("Prefer: respond-async") == true)
    }
  }
}

extension Caller {
  fileprivate func queue(
    _ asins: [String], _ more: String = "", headers: HTTPFields = [:]
  ) async throws -> Answer {
    var headers = headers
    headers[.prefer] = headers[.prefer] ?? "respond-async"
    return try await batch(asins, more, headers: headers)
  }

  fileprivate func results(_ id: String, _ query: String = "", headers: HTTPFields = [:])
    async throws -> Answer
  {
    try await get("/keepa/batch-analyze/\(id)\(query)", headers)
  }
}

extension Stand {
  /// What was charged on the key.
  fileprivate var settled: Int64 { gateway.page(gateway.keepaMeter)[.settled] }

  /// Lets the clock go on until a job has ended.
  fileprivate func finish(_ id: String) async {
    guard let id = JobID(id) else { return }
    while (try? gateway.job(id))??.state.isOpen == true || gateway.jobs[id] != nil {
      await log.settle()
      if time.sleeperCount > 0 { time.advance(byMilliseconds: 1_000) }
    }
  }
}
