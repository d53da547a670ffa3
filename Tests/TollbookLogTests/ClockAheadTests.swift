import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookLog

@Suite struct ClockAheadTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func position(writtenBy time: Timestamp, in log: EventLog) throws -> Position {
    try log.read { (transaction) throws(LogError) in
      try log.reader.lastPosition(writtenBy: time, in: transaction)
    }
  }

  @Test func `instants are looked up by the clock that was set right, and the stretch is told`()
    async throws
  {
    let time = ManualTime()
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    let start = Timestamp.testStart
    func instant(_ hours: Int64) -> Timestamp { start.advanced(byMilliseconds: hours * 3_600_000) }
    let event = Event.serviceStarted(ServiceStarted())
    for hours: Int64 in [0, 1, 80_000, 80_001, 2, 3, 3, 4] {
      time.setWallClock(to: instant(hours))
      try await log.append([event])
    }
    #expect(try log.clockAhead() == ClockAhead(from: 3, until: instant(80_001)))
    #expect(try position(writtenBy: instant(0), in: log) == 1)
    #expect(try position(writtenBy: instant(1), in: log) == 2)
    // What the wrong clock dated had happened when it was set right.
    #expect(try position(writtenBy: instant(2).advanced(byMilliseconds: -1), in: log) == 2)
    #expect(try position(writtenBy: instant(2), in: log) == 5)
    #expect(try position(writtenBy: instant(3), in: log) == 7)
    #expect(try position(writtenBy: instant(4), in: log) == 8)
    #expect(try position(writtenBy: instant(90_000), in: log) == 8)
    #expect(try position(writtenBy: instant(-1), in: log) == 0)
    // When the true time has come to it, there is nothing to tell.
    time.setWallClock(to: instant(80_002))
    #expect(try log.clockAhead() == nil)
    try await log.append([event])
    #expect(try position(writtenBy: instant(80_002), in: log) == 9)
  }

  @Test func `a clock that is set right by a small step is nothing to tell`() async throws {
    let time = ManualTime()
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    try await log.append([.serviceStarted(ServiceStarted())])
    time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: -ClockAhead.tolerance))
    #expect(try log.clockAhead() == nil)
    time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: -ClockAhead.tolerance - 1))
    #expect(try log.clockAhead() == ClockAhead(from: 1, until: .testStart))
  }

  @Test func `each log has a history of its own, which growing does not change`() async throws {
    let first = try folder.openLog("first", time: ManualTime().source)
    let second = try folder.openLog(
      "second", time: ManualTime(Timestamp.testStart.advanced(byMilliseconds: 1)).source)
    defer {
      first.close()
      second.close()
    }
    #expect(try first.identity().text.isEmpty)
    for log in [first, second] { try await log.append([.serviceStarted(ServiceStarted())]) }
    let identity = try first.identity()
    #expect(try second.identity() != identity)
    try await first.append([.serviceStarted(ServiceStarted())])
    #expect(try first.identity() == identity)
    #expect(LogIdentity(identity.text) == identity)
    #expect(LogIdentity("no-identity") == nil)
  }
}
