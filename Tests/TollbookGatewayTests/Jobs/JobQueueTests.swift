import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

/// The state machine of the jobs, beside what its invariants say.
@Suite struct JobQueueTests {
  private static let one = JobKind("one", atOnce: 1, mostWaiting: 2, remembered: 2)
  private static let many = JobKind("many", atOnce: 3, mostWaiting: 4, remembered: 1)
  private static let alone = JobKind("alone", remembered: 1)
  private static let kinds = [one, many, alone]
  private static let now = Timestamp.testStart

  private static func id(_ number: UInt64) -> JobID { .passing(start: 5, number: number) }

  private static func number(_ id: JobID) -> UInt64 {
    switch id {
    case .passing(_, let number), .recorded(let number): number
    }
  }

  @Test func `jobs of a kind begin in the order in which they came, as many at once as may`() throws
  {
    var queue = JobQueue()
    #expect(try queue.submit(Self.id(1), Self.one, at: Self.now).get() == [.begin(Self.id(1))])
    #expect(try queue.submit(Self.id(2), Self.one, at: Self.now).get() == [])
    #expect(try queue.submit(Self.id(3), Self.one, at: Self.now).get() == [])
    // Another kind has a line of its own.
    #expect(try queue.submit(Self.id(4), Self.alone, at: Self.now).get() == [.begin(Self.id(4))])
    #expect(queue.jobs[Self.id(2)]?.state == .queued)
    let later = Self.now.advanced(byMilliseconds: 7)
    #expect(
      queue.ended(Self.id(1), .done("all"), at: later) == [.forget(Self.id(1)), .begin(Self.id(2))])
    #expect(queue.jobs[Self.id(1)]?.detail == "all")
    #expect(queue.jobs[Self.id(1)]?.ended == later)
    #expect(queue.jobs[Self.id(2)]?.started == later)
  }

  @Test func `more than may wait are refused, and change nothing`() throws {
    var queue = JobQueue()
    for number in 1...3 {
      _ = try queue.submit(Self.id(UInt64(number)), Self.one, at: Self.now).get()
    }
    let refusal = JobRefusal.full(kind: "one", running: 1, waiting: 2)
    #expect(queue.submit(Self.id(9), Self.one, at: Self.now) == .failure(refusal))
    #expect(queue.jobs[Self.id(9)] == nil)
    #expect("\(refusal)" == "1 jobs of kind one run and 2 wait; more are not taken on")
    #expect(
      "\(JobRefusal.full(kind: "audit", running: 1, waiting: 0))" == "another audit is running")
  }

  @Test func `one that waits and is cancelled never begins`() throws {
    var queue = JobQueue()
    for number in 1...3 {
      _ = try queue.submit(Self.id(UInt64(number)), Self.one, at: Self.now).get()
    }
    #expect(queue.cancel(Self.id(2), at: Self.now) == .cancelled([.forget(Self.id(2))]))
    #expect(queue.jobs[Self.id(2)]?.state == .cancelled)
    #expect(queue.cancel(Self.id(2), at: Self.now) == .hasEnded)
    #expect(
      queue.ended(Self.id(1), .done(), at: Self.now) == [.forget(Self.id(1)), .begin(Self.id(3))])
  }

  @Test func `one that runs is asked once, and ends as it says`() throws {
    var queue = JobQueue()
    _ = try queue.submit(Self.id(1), Self.one, at: Self.now).get()
    #expect(queue.cancel(Self.id(1), at: Self.now) == .cancelled([.cancel(Self.id(1))]))
    #expect(queue.cancel(Self.id(1), at: Self.now) == .cancelled([]))
    #expect(queue.jobs[Self.id(1)]?.isEnding == true)
    #expect(queue.jobs[Self.id(1)]?.state == .running)
    _ = queue.ended(Self.id(1), .done("was nearly there"), at: Self.now)
    #expect(queue.jobs[Self.id(1)]?.state == .done)
    #expect(queue.jobs[Self.id(1)]?.isEnding == false)
    #expect(queue.cancel(Self.id(7), at: Self.now) == .unknown)
  }

  @Test func `after a stop none begins, and all that run are asked to end`() throws {
    var queue = JobQueue()
    for number in 1...2 {
      _ = try queue.submit(Self.id(UInt64(number)), Self.one, at: Self.now).get()
    }
    #expect(queue.stop(at: Self.now) == [.forget(Self.id(2)), .cancel(Self.id(1))])
    #expect(queue.submit(Self.id(3), Self.many, at: Self.now) == .failure(.stopping))
    #expect(!queue.isIdle)
    #expect(queue.ended(Self.id(1), .cancelled, at: Self.now) == [.forget(Self.id(1))])
    #expect(queue.isIdle)
  }

  @Test(arguments: 0..<200)
  func `whatever happens, its invariants hold`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var queue = JobQueue()
    var last: UInt64 = 0
    var begun: [JobID] = []
    var over: Set<JobID> = []
    var asked: Set<JobID> = []
    func take(_ actions: [JobQueue.Action]) {
      for action in actions {
        switch action {
        case .begin(let id):
          #expect(!begun.contains(id) && !over.contains(id), "\(id) begins twice")
          begun.append(id)
        case .cancel(let id):
          #expect(asked.insert(id).inserted, "\(id) is asked twice")
        case .forget(let id): #expect(over.insert(id).inserted, "\(id) ends twice")
        }
      }
    }
    for step in 0..<400 {
      let now = Self.now.advanced(byMilliseconds: Int64(step))
      let known = queue.jobs.keys.sorted { Self.number($0) < Self.number($1) }
      switch random.int(0...99) {
      case 0..<50:
        last += 1
        let kind = Self.kinds[random.int(0...2)]
        if case .success(let actions) = queue.submit(Self.id(last), kind, at: now) {
          take(actions)
        }
      case 50..<80:
        if let id = begun.filter({ !over.contains($0) }).first(where: { _ in random.chance(40) }) {
          take(queue.ended(id, random.chance(50) ? .done() : .failed("no"), at: now))
        }
      case 80..<99:
        if let id = known.first(where: { _ in random.chance(30) }),
          case .cancelled(let actions) = queue.cancel(id, at: now)
        {
          take(actions)
        }
      default: if step > 350 { take(queue.stop(at: now)) }
      }
      for kind in Self.kinds {
        let jobs = queue.jobs.values.filter { $0.kind == kind.name }
        let running = jobs.filter { $0.state == .running }
        let waiting = jobs.filter { $0.state == .queued }
        #expect(running.count <= kind.atOnce)
        #expect(waiting.count <= kind.mostWaiting)
        #expect(jobs.count { !$0.state.isOpen } <= kind.remembered)
        #expect(waiting.isEmpty || running.count == kind.atOnce, "one waits without need")
        let first = waiting.map { Self.number($0.id) }.min() ?? .max
        #expect(running.allSatisfy { Self.number($0.id) < first }, "one was overtaken")
      }
    }
    for id in begun where !over.contains(id) {
      take(queue.ended(id, .done(), at: Self.now))
    }
    // Those that begin meanwhile end too.
    while let id = begun.first(where: { !over.contains($0) }) {
      take(queue.ended(id, .done(), at: Self.now))
    }
    #expect(queue.isIdle)
  }

  @Test(arguments: [
    "", "-3", "03", "a.1", "1.", ".1", "1.2.3", "01.2", "1.+2", "1.99999999999999999999",
  ])
  func `what names no job is none`(text: String) { #expect(JobID(text) == nil) }

  @Test func `a name reads as it is written`() {
    #expect(JobID("812.3") == .passing(start: 812, number: 3))
    #expect("\(JobID.passing(start: 812, number: 3))" == "812.3")
    #expect(JobID("812") == .recorded(812))
    #expect("\(JobID.recorded(812))" == "812")
  }
}
