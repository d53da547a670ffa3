import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// The tests' own clock has to be right too.
@Suite struct ManualTimeTests {
  @Test func `time stands still until it is moved`() {
    let time = ManualTime()
    let source = time.source
    #expect(source.now() == .testStart)
    #expect("\(source.now())" == "2026-11-21T08:00:00.000Z")
    #expect(source.monotonicNanoseconds() == 0)
    time.advance(byMilliseconds: 5)
    #expect(source.now() == Timestamp.testStart.advanced(byMilliseconds: 5))
    #expect(source.monotonicNanoseconds() == 5_000_000)
    time.setWallClock(to: Timestamp(milliseconds: 0))
    #expect(source.now().milliseconds == 0)
    #expect(source.monotonicNanoseconds() == 5_000_000)
  }

  @Test func `a sleeper wakes when its time has come, and not before`() async throws {
    let time = ManualTime()
    let source = time.source
    let short = Task { try await source.sleep(10) }
    let long = Task { try await source.sleep(20) }
    await time.waitForSleepers(2)
    time.advance(byMilliseconds: 9)
    #expect(time.sleeperCount == 2)
    time.advance(byMilliseconds: 1)
    #expect(time.sleeperCount == 1)
    try await short.value
    time.setWallClock(to: Timestamp(milliseconds: .max))
    #expect(time.sleeperCount == 1)
    time.advance(byMilliseconds: 10)
    try await long.value
    try await source.sleep(0)
  }

  @Test func `a sleeper that is cancelled wakes at once`() async {
    let time = ManualTime()
    let source = time.source
    let sleeper = Task { try await source.sleep(10) }
    await time.waitForSleepers(1)
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    #expect(time.sleeperCount == 0)
    let late = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await source.sleep(10)
    }
    await #expect(throws: CancellationError.self) { try await late.value }
    #expect(time.sleeperCount == 0)
  }
}
