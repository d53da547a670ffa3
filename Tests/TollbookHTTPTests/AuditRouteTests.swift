import Hummingbird
import HummingbirdTesting
import JSONText
import Testing
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct AuditRouteTests {
  @Test func `an audit sums to the ledger and tells what the cache avoided`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001", "B000000002"])
      _ = try await caller.batch(["B000000001", "B000000002", "B000000003"])
      await stand.gateway.writeTallies()
      let answer = try await caller.get("/audit")
      #expect(answer.status == 200)
      let settled = try await caller.get("/ledger").int("meters.0.settled")
      #expect(answer.int("total.amounts.0.certain") == settled)
      #expect(answer.int("total.amounts.0.high") == 3)
      #expect(answer.int("total.reads.fresh") == 2)
      #expect(answer.int("total.reads.bought") == 3)
      #expect(answer.int("total.amounts.0.avoided") == 2)
      #expect(answer.strings("total.amounts", "unit") == ["tokens"])
      #expect(answer.strings("groups", "group") == ["2026-11-21"])
      #expect(answer.int("waste.0.served") == 3)
      #expect(answer.int("waste.0.total") == 3)
      #expect(answer.int("reconciliation.drift_count") == 0)
      #expect(answer["total.amounts.0.money"] == nil, "no price is configured")
      #expect(answer.headers[.position] == "\(stand.log.head)")
      let resources = try await caller.get("/audit?by=resource&limit=2")
      #expect(resources.count("groups") == 2)
      #expect(resources.int("groups_left_out") == 1)
      #expect(resources.int("left_out.amounts.0.high") == 1)
    }
  }

  @Test(arguments: [
    ("from=5&to=4", "to"), ("time_zone=Mars/Base", "time_zone"), ("by=colour", "by"),
    ("from=yesterday", "from"), ("to=2026-13-01", "to"), ("limit=0", "limit"),
    ("from=2026-11-22&to=2026-11-21", "to"),
  ])
  func `what cannot be asked is refused by name`(query: String, field: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get("/audit?\(query)")
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
    }
  }

  @Test(arguments: [10, 3_653])
  func `what is bought under the true clock stands under its day, though one was ahead before`(
    days: Int64
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let now = stand.time.now
      stand.time.setWallClock(to: now.advanced(byMilliseconds: days * 86_400_000))
      _ = try await caller.batch(["B000000001"])
      let future = "\(stand.time.now)".prefix(10)
      stand.time.setWallClock(to: now)
      _ = try await caller.batch(["B000000002", "B000000003"])
      stand.time.setWallClock(to: now.advanced(byMilliseconds: 86_400_000))
      _ = try await caller.batch(["B000000004"])
      let answer = try await caller.get("/audit?by=day")
      #expect(
        answer.strings("groups", "group") == ["2026-11-21", "2026-11-22", String(future)])
      #expect((0..<3).map { answer.int("groups.\($0).amounts.0.certain") } == [2, 1, 1])
      // By credential it is read from the events, and the days are summed up in another way.
      #expect(try await caller.get("/audit?by=credential").int("total.amounts.0.certain") == 4)
    }
  }

  @Test func `a range without anything is no error`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get(
        "/audit?from=2020-01-01&to=2020-02-01&time_zone=Europe/Berlin&by=hour&account=acme")
      #expect(answer.status == 200)
      #expect(answer.int("events") == 0)
      #expect(answer.count("groups") == 0)
      #expect(answer.string("time_zone") == "Europe/Berlin")
    }
  }

  @Test func `one audit runs at a time, another is refused, and the next one is let in`()
    async throws
  {
    let stand = try await Stand()
    let jobs = stand.gateway.jobs
    try await stand.serving { caller in
      let id = try jobs.submit(.audit) { _ in
        while !Task.isCancelled { await Task.yield() }
        return .cancelled
      }
      let refused = try await caller.get("/audit")
      #expect(refused.status == 503)
      #expect(refused.string("detail") == "another audit is running")
      #expect(refused.headers[.retryAfter] == "2")
      jobs.cancel(id)
      while jobs[id]?.state == .running { await Task.yield() }
      #expect(try await caller.get("/audit").status == 200)
    }
  }

  @Test func `who waits for an audit that somebody cancels is told so`() async throws {
    let stand = try await Stand()
    let jobs = stand.gateway.jobs
    // An audit looks whether to go on after each 16,384 events that it reads.
    let started = Event.serviceStarted(ServiceStarted())
    try await stand.log.append(Array(repeating: started, count: 17_000))
    try await stand.serving { caller in
      // An audit that has ended before it is cancelled brings what was asked for: then the next one is tried.
      for _ in 0..<1_000 {
        let seen = Set(jobs.passing.map(\.id))
        async let audit = caller.get("/audit?by=resource")
        var id: JobID?
        while id == nil {
          await Task.yield()
          id = jobs.passing.first { $0.kind == "audit" && !seen.contains($0.id) }?.id
        }
        let name = try #require(id)
        let told = try await caller.send(.delete, "/jobs/\(name)", body: "")
        let answer = try await audit
        while jobs[name]?.state == .running { await Task.yield() }
        if answer.status == 200 { continue }
        #expect(told.status == 200)
        #expect(answer.status == 409)
        #expect(answer.string("type") == "/problems/cancelled")
        #expect(answer.string("detail") == "the job that would have brought it was cancelled")
        #expect(try await caller.get("/jobs/\(name)").string("state") == "cancelled")
        #expect(try await caller.get("/audit?by=resource").int("events") == Int(stand.log.head))
        return
      }
      Issue.record("every audit ended before it was cancelled")
    }
  }
}
