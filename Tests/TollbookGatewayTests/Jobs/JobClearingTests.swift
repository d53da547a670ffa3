import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(10))) struct `Clearing failed jobs` {
  /// Of a kind that no system has: nothing but the test takes them further.
  private static let kind = "atlas.warm"

  private static func queued() -> Event {
    var event = JobQueued()
    event.kind = kind
    return .jobQueued(event)
  }

  private static func started(_ job: Position) -> Event {
    var event = JobStarted()
    event.job = job
    return .jobStarted(event)
  }

  private static func finished(_ job: Position, _ end: JobEnd) -> Event {
    var event = JobFinished()
    event.job = job
    event.end = end
    return .jobFinished(event)
  }

  /// The numbers of the jobs of the log that the list shows.
  private static func shown(_ gateway: Gateway) throws -> Set<Position> {
    let clearing = try gateway.jobClearing()
    return Set(
      try gateway.recordedJobs(before: nil, limit: .max).compactMap { number, job in
        guard let state = job.record?.state else { return nil }
        return clearing?.covers(number, state) == true ? nil : number
      })
  }

  @Test(arguments: 0..<12)
  func `it touches those that had failed by then and no others, whatever happens`(seed: UInt64)
    async throws
  {
    var random = SeededGenerator(seed: seed)
    let world = try await World()
    var states: [Position: JobRow.State] = [:]
    var cleared: Set<Position> = []
    for _ in 0..<60 {
      let open = states.filter(\.value.isOpen).keys.sorted()
      let chosen = open.isEmpty ? nil : open[random.int(0...open.count - 1)]
      switch (random.int(0...99), chosen) {
      case (0..<35, _), (35..<85, nil):
        let number = try await world.log.append([Self.queued()]).answer
        states[number] = .queued
      case (35..<50, let job?):
        _ = try await world.log.append([Self.started(job)])
        states[job] = .running
      case (50..<70, let job?):
        _ = try await world.log.append([Self.finished(job, .failed)])
        states[job] = .failed
      case (70..<80, let job?):
        _ = try await world.log.append([Self.finished(job, .done)])
        states[job] = .done
      case (80..<85, let job?):
        _ = try await world.log.append([Self.finished(job, .cancelled)])
        states[job] = .cancelled
      case (85..<97, _):
        try await world.gateway.clearFailedJobs()
        cleared.formUnion(states.filter { $0.value == .failed }.keys)
      default:
        // What is open then fails at the start, since no system knows it: it was not cleared.
        try await world.restart()
        for job in open { states[job] = .failed }
      }
      let shown = try Self.shown(world.gateway)
      let expected = Set(states.keys).subtracting(cleared)
      #expect(shown.subtracting(expected).sorted().prefix(3).isEmpty, "still shown")
      #expect(expected.subtracting(shown).sorted().prefix(3).isEmpty, "left out without need")
      for (number, state) in states { #expect(try world.gateway.row(of: number)?.state == state) }
    }
  }

  @Test func `one that runs then and fails later is shown, though the clock is set back`()
    async throws
  {
    let world = try await World()
    let number = try await world.log.append([Self.queued()]).answer
    _ = try await world.log.append([Self.started(number)])
    let clearing = try await world.gateway.clearFailedJobs()
    #expect(clearing.open == [number])
    world.time.setWallClock(to: world.time.now.advanced(byMilliseconds: -86_400_000))
    _ = try await world.log.append([Self.finished(number, .failed)])
    #expect(try Self.shown(world.gateway) == [number])
    try await world.gateway.clearFailedJobs()
    #expect(try Self.shown(world.gateway) == [])
    #expect(try world.gateway.job(.recorded(number))?.state == .failed)
  }

  @Test func `what is kept of it survives a purge of everything`() async throws {
    let world = try await World()
    let number = try await world.log.append([Self.queued()]).answer
    _ = try await world.log.append([Self.finished(number, .failed)])
    try await world.gateway.clearFailedJobs()
    let order = PurgeOrder(
      scope: .all, isHard: true, note: "", actor: "test", sparing: Gateway.ownKinds)
    _ = try await order.carryOut(on: world.log, labels: { _ in [] })
    #expect(try Self.shown(world.gateway) == [])
  }

  @Test(arguments: 0..<50)
  func `those that end with the process go too, and no others`(seed: UInt64) throws {
    let kind = JobKind("many", atOnce: 3, mostWaiting: 4, remembered: 8)
    var random = SeededGenerator(seed: seed)
    var queue = JobQueue()
    for number in 1...60 as ClosedRange<UInt64> {
      _ = queue.submit(.passing(start: 5, number: number), kind, at: .testStart)
      let running = queue.jobs.values.filter { $0.state == .running }.map(\.id)
      if random.chance(60), let id = running.first {
        _ = queue.ended(id, random.chance(50) ? .done() : .failed("no"), at: .testStart)
      }
      guard random.chance(10) else { continue }
      let before = queue.jobs
      queue.forgetFailed()
      #expect(queue.jobs == before.filter { $0.value.state != .failed })
    }
  }

  @Test(arguments: ["", "x", "7 y", "-1", "7 -2"])
  func `what is not written so is no clearing`(text: String) {
    #expect(JobClearing(Array(text.utf8)) == nil)
  }

  @Test func `a clearing reads as it is written`() {
    let clearing = JobClearing(head: 812, open: [3, 700])
    #expect(JobClearing(clearing.bytes) == clearing)
  }
}
