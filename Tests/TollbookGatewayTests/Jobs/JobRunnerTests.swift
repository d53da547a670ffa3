import Synchronization
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct JobRunnerTests {
  private let time = ManualTime()

  /// Runs until its task is cancelled.
  @Sendable private static func untilCancelled(
    _ tell: @escaping @Sendable (JobProgress) -> Void
  ) async -> JobEnding {
    tell(JobProgress("waits", done: 1, total: 2))
    while !Task.isCancelled { await Task.yield() }
    return .cancelled
  }

  private func wait(
    for id: JobID, in runner: JobRunner, _ isThere: (Job) -> Bool
  ) async throws -> Job {
    while true {
      let job = try #require(runner[id])
      if isThere(job) { return job }
      await Task.yield()
    }
  }

  @Test func `a job tells how far it is, and ends when it is told to`() async throws {
    let runner = JobRunner(time: time.source)
    runner.begin(at: 812)
    let kind = JobKind("long", mostWaiting: 1)
    let first = try runner.submit(kind, Self.untilCancelled)
    let second = try runner.submit(kind) { _ in .done("at last") }
    #expect("\(first) \(second)" == "812.1 812.2")
    #expect(throws: JobRefusal.full(kind: "long", running: 1, waiting: 1)) {
      try runner.submit(kind, Self.untilCancelled)
    }
    let job = try await wait(for: first, in: runner) { $0.progress.done == 1 }
    #expect(job.progress == JobProgress("waits", done: 1, total: 2))
    #expect(runner[second]?.state == .queued)
    #expect(runner.cancel(first) == .cancelled)
    let ended = try await wait(for: second, in: runner) { $0.state == .done }
    #expect(ended.detail == "at last")
    #expect(runner[first]?.state == .cancelled)
    #expect(runner.passing.map(\.id) == [second, first])
    #expect(runner.cancel(first) == .hasEnded)
    #expect(runner.cancel(.passing(start: 0, number: 1)) == .unknown)
  }

  @Test func `a job has no client who could hang up`() async throws {
    let runner = JobRunner(time: time.source)
    let client = ClientPresence()
    let isAlone = try await ClientPresence.$current.withValue(client) {
      try await runner.run(JobKind("ordered")) { _ in ClientPresence.current == nil }
    }
    #expect(isAlone)
  }

  @Test func `who waits for a job gets what it brings, or why it brings nothing`() async throws {
    struct Broken: Error, CustomStringConvertible { let description = "it is broken" }
    let runner = JobRunner(time: time.source)
    #expect(try await runner.run(JobKind("a")) { _ in 42 } == 42)
    await #expect(throws: Broken.self) {
      try await runner.run(JobKind("b")) { _ in throw Broken() }
    }
    await runner.stop()
    #expect(runner.passing.first { $0.kind == "b" }?.detail == "it is broken")
    await #expect(throws: JobRefusal.stopping) { try await runner.run(JobKind("c")) { _ in 1 } }
  }

  @Test func `who does not wait any longer ends the job, whether it runs or waits`() async throws {
    let runner = JobRunner(time: time.source)
    let kind = JobKind("long", mostWaiting: 1)
    let tasks = (0..<2).map { _ in
      Task {
        try await runner.run(kind) { _ in
          while !Task.isCancelled { await Task.yield() }
          throw CancellationError()
        }
      }
    }
    while runner.passing.count < 2 { await Task.yield() }
    for task in tasks { task.cancel() }
    for task in tasks {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    await runner.stop()
    #expect(runner.passing.map(\.state) == [.cancelled, .cancelled])
  }

  @Test func `what recurs is done again when its time has come, until nobody wants it`() async {
    let runner = JobRunner(time: time.source)
    let times = Mutex<[Timestamp]>([])
    let running = Task { [time] in
      await runner.repeat(JobKind("tick", remembered: 1), every: 1_000, isFirstAtOnce: false) { _ in
        times.withLock { $0.append(time.now) }
        return .done()
      }
    }
    let start = time.now
    await time.waitForSleepers(1)
    #expect(times.withLock { $0.isEmpty })
    #expect(
      runner.recurring["tick"]
        == JobRunner.Recurring(1_000, next: start.advanced(byMilliseconds: 1_000)))
    for _ in 0..<3 {
      time.advance(byMilliseconds: 999)
      time.advance(byMilliseconds: 1)
      await time.waitForSleepers(1)
    }
    #expect(
      times.withLock { $0 } == (1...3).map { start.advanced(byMilliseconds: $0 * 1_000) })
    running.cancel()
    await running.value
    #expect(runner.passing.count == 1)
    #expect(runner.recurring["tick"]?.last?.ended == start.advanced(byMilliseconds: 3_000))
    #expect(runner.recurring["tick"]?.last?.state == .done)
  }

  @Test func `a stop ends what runs and what recurs, and waits for it`() async throws {
    let runner = JobRunner(time: time.source)
    let id = try runner.submit(JobKind("long"), Self.untilCancelled)
    let recurring = Task {
      await runner.repeat(JobKind("again"), every: 1_000, Self.untilCancelled)
    }
    while runner.passing.count < 2 { await Task.yield() }
    recurring.cancel()
    await recurring.value
    await runner.stop()
    #expect(runner.isIdle)
    #expect(runner[id]?.state == .cancelled)
    #expect(runner.passing.allSatisfy { $0.state == .cancelled })
  }
}
