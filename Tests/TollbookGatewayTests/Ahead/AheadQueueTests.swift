import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway

/// What is bought ahead costs nobody anything who wants something.
@Suite struct AheadQueueTests {
  @Test func `what fails is not tried again, unless somebody waits for it by then`() throws {
    var alone = QueueWorld()
    alone.ask(["a"], limit: 5, isAhead: true)
    alone.decide()
    alone.fail(try #require(alone.out.first))
    alone.book()
    #expect(alone.naps.isEmpty)
    #expect(alone.queue.isIdle)
    var joined = QueueWorld()
    joined.ask(["a"], limit: 5, isAhead: true)
    joined.decide()
    joined.ask(["a"])
    joined.fail(try #require(joined.out.first))
    joined.book()
    #expect(joined.naps.count == 1)
  }

  @Test func `who joins what fails asks anew, and gets it`() throws {
    var world = QueueWorld(attempts: 1)
    world.ask(["a"], limit: 5, isAhead: true)
    world.decide()
    let joiner = world.ask(["a"])
    world.fail(try #require(world.out.first))
    world.book()
    #expect(world.answers[joiner] == nil)
    world.decide()
    world.answer(try #require(world.out.first))
    world.book()
    #expect(world.answers[joiner]?.reasons == [nil])
    #expect(world.answers[joiner]?.map(\.isJoined) == [false])
    #expect(world.complaints.isEmpty)
  }

  @Test func `who joins what is refused asks anew, and the refusal is not written down`() throws {
    var world = QueueWorld()
    let ahead = world.ask(["a"], limit: 5, isAhead: true)
    let joiner = world.ask(["a"])
    world.decide(free: 0)
    #expect(world.answers[ahead]?.reasons == [.limitReached])
    #expect(world.answers[joiner] == nil)
    #expect(world.recorded.isEmpty)
    world.decide()
    world.answer(try #require(world.out.first))
    world.book()
    #expect(world.answers[joiner]?.reasons == [nil])
  }

  @Test func `whom it leaves too little waits for the refill that makes up for it`() throws {
    var world = QueueWorld()
    world.ask(["a"], limit: 5, isAhead: true)
    world.decide()
    let id = world.ask(["b"])
    let refill = world.now.wall.advanced(byMilliseconds: 5_000)
    world.decide(free: 0, retryAt: refill)
    #expect(world.answers[id] == nil)
    world.pass(5_000)
    for nap in world.naps { world.wake(nap.wake) }
    world.decide()
    world.answer(try #require(world.out.last))
    world.book()
    #expect(world.answers[id]?.reasons == [nil])
    #expect(world.recorded.isEmpty)
  }

  @Test func `whoever would have to wait longer, or came before, is refused at once as ever`() {
    var world = QueueWorld()
    let before = world.ask(["b"])
    world.decide(free: 0, retryAt: world.now.wall.advanced(byMilliseconds: 1_000))
    #expect(world.answers[before]?.reasons == [.limitReached])
    world.ask(["a"], limit: 5, isAhead: true)
    world.decide()
    let far = world.ask(["c"])
    world.decide(free: 0, retryAt: world.now.wall.advanced(byMilliseconds: 8_001))
    #expect(world.answers[far]?.reasons == [.limitReached])
    world.pass(8_000)
    let later = world.ask(["d"])
    world.decide(free: 0, retryAt: world.now.wall.advanced(byMilliseconds: 1_000))
    #expect(world.answers[later]?.reasons == [.limitReached])
  }

  @Test func `who waits in vain is refused by the end of that time`() {
    var world = QueueWorld()
    world.ask(["a"], limit: 5, isAhead: true)
    world.decide()
    let id = world.ask(["b"])
    world.decide(free: 0, retryAt: world.now.wall.advanced(byMilliseconds: 8_000))
    var waited: Int64 = 0
    while world.answers[id] == nil, waited < 20_000 {
      world.pass(500)
      // The refill never comes by the wall clock, which is set back.
      world.now.wall = .testStart
      waited += 500
      for nap in world.naps { world.wake(nap.wake) }
    }
    #expect(world.answers[id]?.reasons == [.limitReached])
    #expect(waited <= 9_000)
  }
}
