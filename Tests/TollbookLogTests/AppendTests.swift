import Dispatch
import LMDB
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@Suite struct AppendTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `Law 3: positions have no gap, and each answer is at the position it was told`(
    seed: UInt64
  ) async throws {
    let log = try folder.openLog()
    defer { log.close() }
    let told = try await withThrowingTaskGroup { group in
      for caller in 0..<8 {
        group.addTask { try await Self.call(log, seed: seed, caller: caller) }
      }
      return try await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }

    let events = try log.events()
    #expect(events.map(\.position) == Array(1...UInt64(events.count)))
    #expect(log.head == UInt64(events.count))
    #expect(told.count == events.count)
    for event in events { #expect(told[event.position] == text(of: event.event)) }
    let commits = try log.commits()
    #expect(commits.first?.first == 1)
    #expect(commits.last?.last == log.head)
    for (one, next) in zip(commits, commits.dropFirst()) { #expect(next.first == one.last + 1) }
    #expect(log.statistics.values.commits == UInt64(commits.count))
    #expect(log.statistics.values.events == log.head)
  }

  /// Decides some times, for some events each, and returns what was told to be where.
  private static func call(
    _ log: EventLog, seed: UInt64, caller: Int
  ) async throws -> [Position: String] {
    var random = SeededGenerator(seed: seed &* 1_000 &+ UInt64(caller))
    var told: [Position: String] = [:]
    for round in 0..<25 {
      let texts = (0..<random.int(0...5)).map { "\(caller).\(round).\($0)" }
      let before = log.head
      let decided = try await log.append(texts.map(note))
      #expect(decided.position >= decided.answer &+ UInt64(texts.count) &- 1)
      #expect(log.head >= decided.position && decided.position >= before)
      for (index, text) in texts.enumerated() { told[decided.answer + UInt64(index)] = text }
      // What was answered can be read at once.
      if let last = texts.indices.last {
        let position = decided.answer + UInt64(last)
        let event = try log.read { (transaction) throws(LogError) in
          try log.reader.event(at: position, in: transaction)
        }
        #expect(event.flatMap { text(of: $0.event) } == texts[last])
      }
    }
    return told
  }

  @Test func `decisions that wait together become one commit, in their order`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    let deciders = (0..<20).map { number -> Decider<Position> in
      { _, context in Decision(events: [note("\(number)")], answer: context.next) }
    }

    let results = await log.decideTogether(deciders)

    let decided = try results.map { try $0.get() }
    #expect(decided.map(\.answer) == Array(1...20))
    #expect(decided.allSatisfy { $0.position == 20 })
    #expect(try log.events().map { text(of: $0.event) } == (0..<20).map { "\($0)" })
    #expect(try log.commits().map { $0.first...$0.last } == [1...20])
  }

  @Test func `a refused decider harms no neighbour`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    let deciders = (0..<30).map { number -> Decider<String?> in
      { _, _ in
        if number % 3 == 0 { return Decision(answer: "refused \(number)") }
        return Decision(events: [note("\(number)")], answer: nil)
      }
    }

    let answers = try await log.decideTogether(deciders).map { try $0.get().answer }

    #expect(answers == (0..<30).map { $0 % 3 == 0 ? "refused \($0)" : nil })
    #expect(
      try log.events().map { text(of: $0.event) }
        == (0..<30).filter { $0 % 3 != 0 }.map { "\($0)" })
  }

  @Test func `decisions without events write nothing`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    let before = try log.environment.statistics().lastTransaction
    let results = await log.decideTogether(
      (0..<5).map { number -> Decider<Int> in { _, _ in Decision(answer: number) } })

    #expect(try results.map { try $0.get().answer } == [0, 1, 2, 3, 4])
    #expect(try results.map { try $0.get().position } == [0, 0, 0, 0, 0])
    #expect(try log.environment.statistics().lastTransaction == before)
    #expect(try log.commits().isEmpty)
  }

  @Test func `a decider sees what the ones before it in the same commit left`() async throws {
    let log = try folder.openLog(folds: [CountFold.eachDecision])
    defer { log.close() }
    let table = log.tables(of: CountFold.eachDecision)[0]
    let decider: Decider<UInt64> = { (state, _) throws(LogError) in
      let seen = try LogError.absorbing(try CountFold.count(in: table, state))
      return Decision(events: [note("a"), note("b")], answer: seen)
    }

    let answers = try await log.decideTogether(Array(repeating: decider, count: 25))
      .map { try $0.get().answer }

    #expect(answers == (0..<25).map { 2 * $0 })
    #expect(try log.commits().count == 1)
  }

  @Test func `folds are called after each decision, or once in a commit`() async throws {
    let folds = [CountFold.eachDecision, CountFold.eachCommit]
    let log = try folder.openLog(folds: folds)
    defer { log.close() }
    _ = await log.decideTogether(
      [3, 0, 2].map { count -> Decider<Void> in
        { _, _ in Decision(events: (0..<count).map { note("\($0)") }, answer: ()) }
      })

    let runs = try folds.map { fold in
      try log.environment.withReadTransaction { (state) throws(LMDBError) in
        try CountFold.runs(in: log.tables(of: fold)[0], state)
      }
    }
    #expect(runs == [[3, 2], [5]])
  }

  @Test func `commit times never fall when the clock jumps back, and the clock is kept`()
    async throws
  {
    let time = ManualTime()
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    let start = time.now
    var walls: [Timestamp] = []
    for jump in [0, 5_000, -60_000, 0, 30_000, 100_000, -1, 0] as [Int64] {
      time.setWallClock(to: time.now.advanced(byMilliseconds: jump))
      walls.append(time.now)
      let decided = try await log.append([note("x")])
      #expect(decided.time == walls.max())
    }

    let commits = try log.commits()
    #expect(commits.map(\.wall) == walls)
    #expect(
      commits.map(\.time) == walls.indices.map { walls[...$0].max() ?? start })
    #expect(try log.events().map(\.time) == commits.map(\.time))
  }

  @Test func `the commit time holds over a restart`() async throws {
    let time = ManualTime()
    let late = time.now
    do {
      let log = try folder.openLog(time: time.source)
      defer { log.close() }
      try await log.append([note("x")])
    }
    time.setWallClock(to: late.advanced(byMilliseconds: -1_000_000))
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    #expect(try await log.append([note("y")]).time == late)
  }

  @Test func `a full queue refuses, and takes again when it is written`() async throws {
    var options = EventLog.Options.scratch
    options.queueCapacity = 4
    let log = try folder.openLog(options: options)
    defer { log.close() }
    let gate = WriterGate()
    await gate.close(log)
    let waiting = (0..<4).map { number in
      Task { try await log.append([note("\(number)")]).answer }
    }
    while log.queueDepth < 4 { await Task.yield() }

    await #expect(throws: LogError.queueFull(capacity: 4)) {
      try await log.append([note("too many")])
    }
    #expect(log.queueDepth == 4)
    gate.open()

    var answers: [Position] = []
    for task in waiting { answers.append(try await task.value) }
    #expect(answers.sorted() == [1, 2, 3, 4])
    #expect(try await log.append([note("again")]).answer == 5)
  }

  @Test func `closing writes what is queued and takes no more`() async throws {
    let log = try folder.openLog()
    let gate = WriterGate()
    await gate.close(log)
    let waiting = (0..<10).map { number in
      Task { try await log.append([note("\(number)")]).position }
    }
    while log.queueDepth < 10 { await Task.yield() }
    let closed = Self.inBackground { log.close() }
    while log.writerState != .closed { await Task.yield() }

    await #expect(throws: LogError.closed) { try await log.append([note("too late")]) }
    gate.open()
    for task in waiting { #expect(try await task.value == 10) }
    await closed.value
    // A second closing has nothing to wait for.
    log.close()
    #expect(try log.events().count == 10)
    await #expect(throws: LogError.closed) { try await log.append([note("too late")]) }
  }

  @Test func `a log that nobody holds ends by itself`() async throws {
    try await folder.openLog().append([note("kept")])
    let again = try folder.openLog()
    #expect(again.head == 1)
  }

  @Test func `everybody who closes waits for the end`() async throws {
    let log = try folder.openLog()
    let gate = WriterGate()
    await gate.close(log)
    let order = Mutex<[String]>([])
    let closings = (0..<3).map { _ in
      Self.inBackground {
        log.close()
        order.withLock { $0.append("closed at \(log.head)") }
      }
    }
    let waiting = Task { try? await log.append([note("x")]) }
    while log.writerState != .closed { await Task.yield() }
    order.withLock { $0.append("open") }
    gate.open()
    for closing in closings { await closing.value }
    _ = await waiting.value
    let head = log.head
    #expect(
      order.withLock { $0 }
        == ["open"] + Array(repeating: "closed at \(head)", count: 3))
  }

  /// Blocks a thread of its own, as closing does.
  private static func inBackground(_ work: @escaping @Sendable () -> Void) -> Task<Void, Never> {
    Task {
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          work()
          continuation.resume()
        }
      }
    }
  }

  @Test func `Law 3: what was acknowledged is there after a restart, nothing twice`()
    async throws
  {
    var texts: [String] = []
    var roots: [TreeHash] = []
    for run in 0..<4 {
      let log = try folder.openLog()
      defer { log.close() }
      #expect(try log.events().map { text(of: $0.event) } == texts)
      if let root = roots.last { #expect(log.root == root) }
      #expect(log.head == UInt64(texts.count))
      for number in 0..<15 {
        try await log.append([note("\(run).\(number)")])
        texts.append("\(run).\(number)")
      }
      roots.append(log.root)
    }
    #expect(Set(roots).count == 4)
  }

  @Test func `a failed commit writes nothing, tells everybody and stops the writer`()
    async throws
  {
    let failures = Mutex<[LogError]>([])
    let log = try folder.openLog(fail: { error in failures.withLock { $0.append(error) } })
    defer { log.close() }
    try await log.append([note("kept")])
    let broken = LMDBError(.corrupted, .get, table: "events")
    let gate = WriterGate()
    await gate.close(log)
    let waiting = (0..<3).map { number in
      Task { () -> LogError? in
        do throws(LogError) {
          _ = try await log.decide { (_, _) throws(LogError) -> Decision<Void> in
            if number == 1 { throw .storage(broken) }
            return Decision(events: [note("lost")], answer: ())
          }
          return nil
        } catch { return error }
      }
    }
    while log.queueDepth < 3 { await Task.yield() }
    gate.open()

    for task in waiting { #expect(await task.value == .storage(broken)) }
    while log.writerState != .closed { await Task.yield() }
    await #expect(throws: LogError.closed) { try await log.append([note("later")]) }
    #expect(try log.events().map { text(of: $0.event) } == ["kept"])
    log.close()
    #expect(failures.withLock { $0 } == [.storage(broken)])
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `the last position before an instant agrees with a linear search`(seed: UInt64)
    async throws
  {
    var random = SeededGenerator(seed: seed)
    let time = ManualTime()
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    for _ in 0..<60 {
      time.setWallClock(to: time.now.advanced(byMilliseconds: random.int64(-20...50)))
      try await log.append((0..<random.int(1...4)).map { note("\($0)") })
    }
    let events = try log.events()
    var instants = Set(events.map(\.time))
    for instant in instants {
      instants.insert(instant.advanced(byMilliseconds: 1))
      instants.insert(instant.advanced(byMilliseconds: -1))
    }
    instants.formUnion([Timestamp(milliseconds: .min), Timestamp(milliseconds: .max)])
    for instant in instants {
      let found = try log.read { (transaction) throws(LogError) in
        try log.reader.lastPosition(before: instant, in: transaction)
      }
      #expect(found == events.last { $0.time < instant }?.position ?? 0)
    }
  }

  @Test func `an empty log reads as one`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    #expect(log.head == 0)
    #expect(log.root == MerkleTree.emptyRoot)
    try log.read { (transaction) throws(LogError) in
      #expect(try log.reader.head(in: transaction) == 0)
      #expect(try log.reader.event(at: 1, in: transaction) == nil)
      #expect(try log.reader.lastCommit(in: transaction) == nil)
      #expect(try log.reader.lastPosition(before: .testStart, in: transaction) == 0)
    }
    #expect("\(try await log.append([]).time)" == "-292275055-05-16T16:47:04.192Z")
  }

  @Test func `a large commit is cut where it has grown enough`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    // 64 MiB are taken at a time; each of these is 20 MiB.
    let long = String(repeating: "x", count: 20 << 20)
    let results = await log.decideTogether(
      (0..<5).map { number -> Decider<Int> in
        { _, _ in Decision(events: [note(long)], answer: number) }
      })
    #expect(try results.map { try $0.get().answer } == [0, 1, 2, 3, 4])
    #expect(try log.commits().map { $0.first...$0.last } == [1...4, 5...5])
  }
}
