import Hummingbird
import JSONText
import Testing
import TollbookGateway

@testable import TollbookHTTP

@Suite struct JobRouteTests {
  @Test func `a job is shown while it runs, is cancelled, and tells its end`() async throws {
    let stand = try await Stand()
    let jobs = stand.gateway.jobs
    try await stand.serving { caller in
      let id = try jobs.submit(JobKind("long")) { tell in
        tell(JobProgress("reads", done: 3, total: 9))
        while !Task.isCancelled { await Task.yield() }
        return .cancelled
      }
      while jobs[id]?.progress.done != 3 { await Task.yield() }
      let shown = try await caller.get("/jobs/\(id)")
      #expect(shown.string("state") == "running")
      #expect(shown.string("progress.step") == "reads")
      #expect(shown.int("progress.total") == 9)
      let list = try await caller.get("/jobs?kind=long&state=running")
      #expect(list.string("jobs.0.id") == "\(id)")
      #expect(try await caller.get("/jobs?kind=other").count("jobs") == 0)

      let told = try await caller.send(.delete, "/jobs/\(id)", body: "")
      #expect(told.status == 200)
      while jobs[id]?.state == .running { await Task.yield() }
      #expect(try await caller.get("/jobs/\(id)").string("state") == "cancelled")
      let again = try await caller.send(.delete, "/jobs/\(id)", body: "")
      #expect(again.status == 409)
      #expect(again.string("type") == "/problems/has-ended")
    }
  }

  @Test func `an unknown job, a name that is none and an unknown parameter are refused by name`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let unknown = try await caller.get("/jobs/1.99999")
      #expect(unknown.status == 404)
      #expect(unknown.string("field") == "id")
      #expect(try await caller.get("/jobs/seven").status == 400)
      #expect(try await caller.get("/jobs?stat=done").status == 400)
      #expect(try await caller.get("/jobs?state=asleep").string("field") == "state")
      let answer = try await caller.send(.post, "/jobs", body: "{}")
      #expect(answer.status == 405)
    }
  }

  @Test func `failed jobs are cleared from the list, and those that run or ended well are not`()
    async throws
  {
    let stand = try await Stand()
    let jobs = stand.gateway.jobs
    try await stand.serving { caller in
      let failed = try jobs.submit(JobKind("a")) { _ in .failed("no") }
      let done = try jobs.submit(JobKind("b")) { _ in .done() }
      let long = try jobs.submit(JobKind("c")) { _ in
        while !Task.isCancelled { await Task.yield() }
        return .cancelled
      }
      while jobs[failed]?.state != .failed || jobs[done]?.state != .done { await Task.yield() }
      #expect(try await caller.get("/jobs?state=failed").count("jobs") == 1)
      let answer = try await caller.send(.delete, "/jobs?state=failed")
      #expect(answer.status == 200)
      #expect(answer.string("state") == "failed")
      #expect(try await caller.get("/jobs?state=failed").count("jobs") == 0)
      #expect(try await caller.get("/jobs?kind=b").count("jobs") == 1)
      #expect(try await caller.get("/jobs/\(long)").string("state") == "running")
      jobs.cancel(long)
    }
  }

  @Test(arguments: [
    ("", "state"), ("?state=done", "state"), ("?state=running", "state"), ("?state=x", "state"),
    ("?state=failed&kind=a", "kind"), ("?state=failed&limit=1", "limit"),
    ("?state=failed&cursor=9", "cursor"),
  ])
  func `to clear anything but failed jobs is refused by name`(query: String, field: String)
    async throws
  {
    let stand = try await Stand()
    let jobs = stand.gateway.jobs
    try await stand.serving { caller in
      let failed = try jobs.submit(JobKind("a")) { _ in .failed("no") }
      while jobs[failed]?.state != .failed { await Task.yield() }
      let answer = try await caller.send(.delete, "/jobs" + query)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
      #expect(jobs[failed] != nil)
    }
  }
}
