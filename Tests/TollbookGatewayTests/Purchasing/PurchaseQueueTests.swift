import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway

@Suite struct `The purchase queue` {
  private func names(_ range: Range<Int>) -> [String] { range.map { "\($0)" } }

  // MARK: Turns

  @Test func `a long demand delays a single need by at most the calls that are out`() {
    var world = QueueWorld(slots: 2)
    world.ask(names(0..<30))
    world.decide()
    #expect(world.sent == [["0", "1", "2"], ["3", "4", "5"]])
    let single = world.ask(["single"], parts: 1)
    #expect(world.sent.count == 2)
    world.answer(world.out[0])
    world.decide()
    #expect(world.sent.last == ["single"])
    world.answer(world.out[1])
    world.book()
    #expect(world.answers[single]?.reasons == [nil])
    #expect(world.complaints == [])
  }

  @Test func `free slots go round robin over demands`() {
    var world = QueueWorld(slots: 1)
    world.ask(names(0..<9), parts: 1)
    world.decide()
    world.ask(names(10..<19), parts: 2)
    world.ask(names(20..<29), parts: 4)
    for _ in 0..<6 {
      world.answer(world.out[0])
      world.decide()
    }
    #expect(world.sent.map { $0[0] } == ["0", "10", "20", "3", "13", "23", "6"])
  }

  @Test func `a call takes what several demands want alike, each pays for its own`() throws {
    var world = QueueWorld(slots: 1)
    world.ask(["first"])
    world.decide()
    let others = ["a", "b", "c"].map { world.ask([$0]) }
    world.answer(world.out[0])
    world.decide()
    #expect(world.sent.last == ["a", "b", "c"])
    let call = try #require(world.out.first)
    let attempt = try #require(world.queue.calls[call]?.attempt)
    #expect(attempt.demands.count == 3)
    #expect(attempt.demandOf == [0, 1, 2])
    world.answer(call)
    world.book()
    for id in others { #expect(world.answers[id]?.map(\.isJoined) == [false]) }
  }

  @Test func `a demand with a limit of its own shares no call`() {
    var world = QueueWorld(slots: 1)
    world.ask(["first"])
    world.decide()
    world.ask(["a"], limit: 5)
    world.ask(["b"])
    world.answer(world.out[0])
    world.decide()
    #expect(world.sent.last == ["a"])
  }

  @Test func `the queue has a bound, and what is beyond is refused by name`() throws {
    var world = QueueWorld(slots: 1, mostWaiting: 5)
    world.ask(["first"])
    world.decide()
    let crowd = world.ask(names(0..<8))
    let answer = world.ask(["late"])
    #expect(world.answers[answer]?.reasons == [.busy])
    while let call = world.out.first {
      world.answer(call)
      world.book()
      world.decide()
    }
    #expect(world.answers[crowd]?.reasons == [nil, nil, nil, nil, nil, .busy, .busy, .busy])
    #expect(world.queue.isIdle)
  }

  @Test func `a crowd of newcomers does not keep a long demand waiting for ever`() {
    var world = QueueWorld(slots: 1)
    world.ask(names(0..<9), parts: 1)
    world.decide()
    for index in 0..<12 {
      world.ask(["new \(index)"], parts: 2 << UInt64(index))
      world.ask(["newer \(index)"], parts: 2 << UInt64(index + 20))
      world.answer(world.out[0])
      world.book()
      world.decide()
    }
    #expect(
      world.sent.prefix(6).map { $0[0] } == ["0", "new 0", "newer 0", "3", "new 1", "newer 1"])
  }

  @Test func `callers come before the background, which has one turn in five`() {
    var world = QueueWorld(slots: 1)
    world.ask(names(0..<30), parts: 1, isBackground: true)
    world.decide()
    world.ask(names(100..<130), parts: 2)
    for _ in 0..<13 {
      world.answer(world.out[0])
      world.decide()
    }
    let turns = world.sent.map { $0[0].utf8.count == 3 ? "c" : "b" }.joined()
    #expect(turns == "bccccbccccbccb")
  }

  @Test func `callers among themselves go round robin though the background waits`() {
    var world = QueueWorld(slots: 1)
    world.ask(names(0..<9), parts: 1, isBackground: true)
    world.decide()
    world.ask(names(10..<16), parts: 2)
    world.ask(names(20..<26), parts: 4)
    for _ in 0..<5 {
      world.answer(world.out[0])
      world.decide()
    }
    #expect(world.sent.map { $0[0] } == ["0", "10", "20", "13", "23", "3"])
  }

  // MARK: Deadlines

  @Test func `the time in the queue counts: what was not sent by the deadline is not bought`() {
    var world = QueueWorld(slots: 1)
    world.ask(names(0..<3), deadline: 100_000)
    world.decide()
    let late = world.ask(names(10..<12), parts: 1, deadline: 10_000)
    world.pass(9_999)
    #expect(world.answers[late] == nil)
    world.pass(1)
    #expect(world.answers[late]?.reasons == [.tooLate, .tooLate])
    #expect(world.answers[late]?.map(\.isBooked) == [false, false])
    world.answer(world.out[0])
    #expect(world.queue.isIdle == false)
    world.book()
    world.decide()
    #expect(world.sent.count == 1)
    #expect(world.queue.isIdle)
  }

  @Test func `at the deadline the asker is answered, and the call that is out goes on`() {
    var world = QueueWorld()
    let id = world.ask(["a"], deadline: 10_000)
    world.decide()
    world.pass(10_000)
    #expect(world.answers[id]?.reasons == [.tooLate])
    #expect(world.answers[id]?.map(\.isBooked) == [true])
    let joiner = world.ask(["a"])
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[joiner]?.reasons == [nil])
    #expect(world.answers[joiner]?.map(\.isJoined) == [true])
    #expect(world.sent.count == 1)
  }

  @Test func `whoever joined takes the place of one whose time is over`() {
    var world = QueueWorld(slots: 1)
    world.ask(["first"])
    world.decide()
    world.ask(["a"], parts: 1, deadline: 1_000)
    let joiner = world.ask(["a"], parts: 1)
    world.pass(1_000)
    world.answer(world.out[0])
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[joiner]?.reasons == [nil])
    #expect(world.answers[joiner]?.map(\.isJoined) == [false])
  }

  @Test func `nothing is retried that nobody waits for`() {
    var world = QueueWorld()
    world.ask(["a"], deadline: 10_000)
    world.decide()
    world.pass(10_000)
    world.fail(world.out[0])
    world.book()
    #expect(world.naps.isEmpty)
    #expect(world.queue.isIdle)
  }

  @Test func `who is answered while another attempt is made is told what came of the last`() {
    var world = QueueWorld()
    let owner = world.ask(["a"], deadline: 10_000)
    let joiner = world.ask(["a"], deadline: 10_000)
    world.decide()
    world.fail(world.out[0], .upstreamError, status: 502)
    world.book()
    world.wake(world.naps[0].wake)
    world.pass(10_000)
    for id in [owner, joiner] {
      #expect(world.answers[id]?.reasons == [.tooLate])
      #expect(world.answers[id]?.map { $0.problem?.upstreamStatus } == [502])
    }
  }

  @Test func `another attempt is made as long as the most patient would wait for it`() {
    var world = QueueWorld()
    world.ask(["a"], deadline: 10_000)
    world.ask(["a"], deadline: 60_000)
    world.decide()
    world.pass(9_999)
    world.fail(world.out[0])
    world.book()
    #expect(world.naps.count == 1)
    var alone = QueueWorld()
    let id = alone.ask(["a"], deadline: 10_000)
    alone.decide()
    alone.pass(9_999)
    alone.fail(alone.out[0])
    alone.book()
    #expect(alone.naps.isEmpty)
    #expect(alone.answers[id]?.reasons == [.upstreamUnavailable])
  }

  // MARK: Retries

  @Test func `a retry that sleeps holds no slot, and comes before new calls when it wakes`() {
    var world = QueueWorld(slots: 1)
    world.ask(["a"])
    world.decide()
    world.fail(world.out[0])
    world.book()
    world.ask(names(0..<6), parts: 1)
    world.decide()
    #expect(world.sent == [["a"], ["0", "1", "2"]])
    let nap = world.naps[0]
    world.pass(nap.milliseconds)
    world.wake(nap.wake)
    #expect(world.sent.count == 2)
    world.answer(world.out[0])
    #expect(world.sent.last == ["a"])
  }

  @Test func `a retry within a demand's own limit waits for the batch that is decided within it`() {
    var world = QueueWorld(slots: 2, callSize: 1)
    let id = world.ask(["a", "b", "c"], limit: 4)
    world.decide()
    #expect(world.sent == [["a"], ["b"]])
    world.answer(world.out[1])
    world.book()
    // The last need is at the writer with all that is left of the limit.
    world.fail(world.out[0])
    world.book()
    #expect(world.naps.isEmpty)
    world.decide()
    world.book()
    #expect(world.naps.count == 1)
    world.wake(world.naps[0].wake)
    for call in world.out { world.answer(call) }
    world.book()
    #expect(world.answers[id]?.reasons == [nil, nil, nil])
    #expect(world.complaints == [])
  }

  @Test func `a retry beyond a demand's own limit is not made`() {
    var world = QueueWorld()
    let id = world.ask(["a"], limit: 1)
    world.decide()
    world.fail(world.out[0])
    world.book()
    #expect(world.answers[id]?.reasons == [.upstreamUnavailable])
    #expect(world.answers[id]?.map(\.lost) == [LostCost(charged: 0, inDoubt: 1)])
  }

  // MARK: Joining

  @Test func `who wants less is not refused what a richer buyer is refused`() {
    var world = QueueWorld()
    let rich = world.ask(["a"], parts: 7)
    let poor = world.ask(["a"])
    let equal = world.ask(["a"], parts: 7)
    world.decide(free: 0)
    #expect(world.answers[rich]?.reasons == [.limitReached])
    #expect(world.answers[equal]?.reasons == [.limitReached])
    #expect(world.answers[poor] == nil)
    world.decide(free: 1)
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[poor]?.reasons == [nil])
    #expect(world.answers[poor]?.map(\.isJoined) == [false])
  }

  @Test func `a limit of somebody else's own does not refuse who joined`() {
    var world = QueueWorld()
    let frugal = world.ask(["a"], limit: 0)
    let other = world.ask(["a"])
    world.decide()
    #expect(world.answers[frugal]?.reasons == [.requestLimit])
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[other]?.reasons == [nil])
    #expect(world.answers[other]?.map(\.isJoined) == [false])
  }

  @Test func `what was found fresh is asked for again by those who joined`() {
    var world = QueueWorld()
    let first = world.ask(["a"])
    let joiner = world.ask(["a"])
    var decision = BatchDecision()
    decision.found = [0]
    world.decide(.decided(decision))
    #expect(world.answers[first] != nil)
    #expect(world.answers[joiner] == nil)
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[joiner]?.reasons == [nil])
  }

  @Test func `who comes after the others were told is told at once, and buys nothing`() {
    var world = QueueWorld()
    let first = world.ask(["a"])
    world.decide()
    let call = world.out[0]
    world.answer(call)
    world.tell(call)
    #expect(world.answers[first]?.reasons == [.storageFull])
    let late = world.ask(["a"])
    #expect(world.answers[late]?.reasons == [.storageFull])
    world.book()
    #expect(world.queue.isIdle)
    #expect(world.sent.count == 1)
  }

  // MARK: The end

  @Test func `after the stop nothing is sent: what waits is answered, what is out is waited for`() {
    var world = QueueWorld(slots: 1)
    let long = world.ask(names(0..<9))
    world.decide()
    let other = world.ask(["x"], parts: 1)
    let patient = world.ask(["y"], parts: 2, patience: 50_000)
    world.stop()
    #expect(world.answers[other]?.reasons == [.stopping])
    #expect(world.answers[patient]?.reasons == [.stopping])
    #expect(world.answers[long] == nil)
    world.answer(world.out[0])
    world.book()
    #expect(
      world.answers[long]?.reasons == [nil, nil, nil] + Array(repeating: .stopping, count: 6))
    #expect(world.queue.isIdle)
    #expect(world.sent.count == 1)
    let late = world.ask(["z"])
    #expect(world.answers[late]?.reasons == [.stopping])
    #expect(world.complaints == [])
  }

  @Test func `a batch that is decided after the stop is released and answered`() {
    var world = QueueWorld()
    let id = world.ask(["a"])
    world.stop()
    #expect(world.answers[id] == nil)
    world.decide()
    world.book()
    #expect(world.answers[id]?.reasons == [.stopping])
    #expect(world.sent.isEmpty)
    #expect(world.queue.isIdle)
  }

  @Test func `a retry that sleeps at the stop is given up`() {
    var world = QueueWorld()
    let id = world.ask(["a"])
    world.decide()
    world.fail(world.out[0])
    world.book()
    world.stop()
    world.book()
    #expect(world.answers[id]?.reasons == [.stopping])
    #expect(world.answers[id]?.map(\.lost.inDoubt) == [1])
    #expect(world.queue.isIdle)
  }

  // MARK: The breaker

  @Test func `after failures in a row nothing is sent but one probe a pause, each longer`() {
    var world = QueueWorld(attempts: 1)
    for index in 0..<CircuitBreaker.failuresToOpen {
      world.ask(["\(index)"])
      world.decide()
      world.fail(world.out[0])
      world.book()
    }
    let refused = world.ask(["x"])
    #expect(world.answers[refused]?.reasons == [.upstreamUnavailable])
    #expect(world.sent.count == CircuitBreaker.failuresToOpen)
    for pause in [5_000, 10_000, 20_000] as [Int64] {
      world.pass(pause - 1)
      let early = world.ask(["y"])
      #expect(world.answers[early]?.reasons == [.upstreamUnavailable])
      world.pass(1)
      let probe = world.ask(["p"])
      world.decide()
      let waiting = world.ask(["w"])
      #expect(world.out.count == 1)
      world.fail(world.out[0])
      world.book()
      #expect(world.answers[probe]?.reasons == [.upstreamUnavailable])
      #expect(world.answers[waiting]?.reasons == [.upstreamUnavailable])
    }
    world.pass(40_000)
    let probe = world.ask(["p"])
    world.decide()
    let waiting = world.ask(["w"])
    world.answer(world.out[0])
    world.book()
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[probe]?.reasons == [nil])
    #expect(world.answers[waiting]?.reasons == [nil])
    #expect(!world.queue.breaker.isOpen)
  }

  @Test func `a probe that could not be sent is no probe: the next one is`() {
    var world = QueueWorld(attempts: 1)
    for index in 0..<CircuitBreaker.failuresToOpen {
      world.ask(["\(index)"])
      world.decide()
      world.fail(world.out[0])
      world.book()
    }
    world.pass(CircuitBreaker.firstPause)
    world.ask(["p"])
    world.decide()
    world.drop(world.out[0])
    world.book()
    let next = world.ask(["q"])
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[next]?.reasons == [nil])
    #expect(!world.queue.breaker.isOpen)
  }

  @Test func `a refusal by the upstream is an answer, and opens no breaker`() {
    var world = QueueWorld()
    for index in 0..<20 {
      world.ask(["\(index)"])
      world.decide()
      world.fail(world.out[0], .insufficientTokens, status: 429)
      world.book()
    }
    #expect(!world.queue.breaker.isOpen)
    #expect(world.sent.count == 20)
  }

  @Test func `what the upstream has refused until an instant nobody is sent for before`() {
    var world = QueueWorld()
    let first = world.ask(["a"])
    world.decide()
    let call = world.out[0]
    world.fail(call, .insufficientTokens, status: 429)
    let frees = world.now.wall.advanced(byMilliseconds: 20_000)
    world.refuse(call, until: frees)
    #expect(world.answers[first]?.reasons == [.insufficientTokens])
    let impatient = world.ask(["b"], parts: 1)
    #expect(world.answers[impatient]?.reasons == [.insufficientTokens])
    #expect(world.answers[impatient]?.map(\.isBooked) == [false])
    let patient = world.ask(["c"], patience: 30_000)
    #expect(world.answers[patient] == nil)
    #expect(world.sent.count == 1)
    world.pass(20_000)
    world.wake(.refill(patient))
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[patient]?.reasons == [nil])
  }

  @Test func `a complete answer that cannot be read is not sent again`() {
    var world = QueueWorld()
    world.ask(["a"])
    world.decide()
    world.fail(world.out[0], .unreadable, status: 200)
    world.book()
    #expect(world.naps.isEmpty)
    #expect(world.sent.count == 1)
  }

  // MARK: What has to be bought before

  @Test func `what an operation needs before is bought once, and first`() {
    let token = Need("test.mint", ResourceKey(shared: "test.token", path: "1"))
    var world = QueueWorld(
      slots: 4,
      prerequisite: { operation, _ in
        operation == "test.get" ? token : nil
      })
    let ids = ["a", "b"].map { world.ask([$0]) }
    world.decide()
    #expect(world.sent == [["1"]])
    let third = world.ask(["c"])
    world.answer(world.out[0])
    world.book()
    world.decide()
    #expect(world.sent == [["1"], ["a", "b", "c"]])
    world.answer(world.out[0])
    world.book()
    for id in ids + [third] { #expect(world.answers[id]?.reasons == [nil]) }
  }

  @Test func `if that fails so does what waits for it`() {
    let token = Need("test.mint", ResourceKey(shared: "test.token", path: "1"))
    var world = QueueWorld(
      attempts: 1,
      prerequisite: { operation, _ in
        operation == "test.get" ? token : nil
      })
    let id = world.ask(["a", "b"])
    world.decide()
    world.fail(world.out[0])
    world.book()
    #expect(world.answers[id]?.reasons == [.upstreamUnavailable, .upstreamUnavailable])
    #expect(world.queue.isIdle)
  }

  // MARK: Refills

  @Test func `a patient demand asks again when its meter frees, by the wall clock`() {
    var world = QueueWorld()
    let frees = world.now.wall.advanced(byMilliseconds: 2_500)
    let id = world.ask(["a", "b"], patience: 60_000)
    world.decide(free: 1, retryAt: frees)
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[id] == nil)
    #expect(world.recorded.isEmpty)
    #expect(world.naps.map(\.milliseconds) == [1_000])
    world.now.wall = frees
    world.wake(.refill(id))
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[id]?.reasons == [nil, nil])
  }

  @Test func `a refusal that comes too late for a demand's patience is final, and told once`() {
    var world = QueueWorld()
    let id = world.ask(["a", "b", "c"], patience: 1_000)
    world.decide(free: 1, retryAt: world.now.wall.advanced(byMilliseconds: 1_001))
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[id]?.reasons == [nil, .limitReached, .limitReached])
    #expect(world.recorded.map(\.needs.count) == [2])
  }

  @Test func `a demand that nobody wants any more is answered, and what is not out is not sent`() {
    var world = QueueWorld(slots: 1, callSize: 1)
    let id = world.ask(["a", "b", "c"])
    world.decide()
    #expect(world.sent.count == 1)
    world.withdraw(id)
    #expect(world.answers[id]?.count == 3)
    for call in world.out { world.answer(call) }
    world.book()
    #expect(world.sent.count == 1)
    #expect(world.queue.isIdle)
  }
}
