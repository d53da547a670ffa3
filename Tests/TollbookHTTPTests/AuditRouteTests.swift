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

  @Test func `one audit runs at a time, and others are refused`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog()
    try await log.append([.serviceStarted(ServiceStarted())])
    let jobs = JobRunner(time: log.time)
    let source = LogSource(log)
    let results = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          do {
            _ = try await Audit.run(AuditQuery(), in: source, as: jobs)
            return true
          } catch is JobRefusal { return false }
        }
      }
      return try await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    #expect(results.contains(true))
    // Who has an answer may come before its job is known to have ended.
    await jobs.stop()
    #expect(jobs.jobs.map(\.state) == Array(repeating: .done, count: jobs.jobs.count))
    let others = JobRunner(time: log.time)
    #expect(try await Audit.run(AuditQuery(), in: source, as: others).query.through == 1)
    log.close()
  }
}
