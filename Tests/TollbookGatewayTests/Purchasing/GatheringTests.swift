import Testing
import TollbookEvents

@testable import TollbookGateway

/// Demands that share a call, and those that must not be cut.
struct GatheringTests {
  @Test func `those who come within the moment share one call, each for itself`() {
    var world = QueueWorld(gatherTime: 5)
    let first = world.ask(["a"])
    #expect(world.batch == nil)
    let second = world.ask(["b"])
    #expect(world.batch == nil)
    world.wake(.gather)
    #expect(world.batch?.needs.count == 2)
    #expect(world.batch?.askers.count == 2)
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[first]?.reasons == [nil])
    #expect(world.answers[second]?.reasons == [nil])
    #expect(world.sent == [["a", "b"]])
    #expect(world.complaints.isEmpty)
  }

  @Test func `a full call goes at once`() {
    var world = QueueWorld(callSize: 2, gatherTime: 5)
    world.ask(["a"])
    world.ask(["b"])
    #expect(world.batch?.needs.count == 2)
  }

  @Test func `a demand for more than a call does not wait`() {
    var world = QueueWorld(callSize: 2, gatherTime: 5)
    world.ask(["a", "b", "c"])
    #expect(world.batch != nil)
  }

  @Test func `nobody waits longer than half of its own time`() {
    var world = QueueWorld(gatherTime: 500)
    world.ask(["a"], deadline: 100)
    #expect(world.naps.map(\.milliseconds) == [50])
  }

  @Test func `an end does not wait for more`() {
    var world = QueueWorld(gatherTime: 5)
    let id = world.ask(["a"])
    world.stop()
    #expect(world.answers[id]?.reasons == [.stopping])
    world.wake(.gather)
    #expect(world.sent.isEmpty)
  }

  @Test func `a whole demand is decided alone and at once, beyond the slots that are free`() {
    var world = QueueWorld(slots: 1, callSize: 2)
    let whole = world.ask(["a", "b", "c"], isWhole: true)
    let other = world.ask(["d"])
    #expect(world.batch?.isWhole == true)
    #expect(world.batch?.needs.count == 3)
    world.decide()
    // Two calls are reserved, and one is out.
    #expect(world.out.count == 1)
    world.answer(world.out[0])
    world.book()
    #expect(world.out.count == 1)
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[whole]?.reasons == [nil, nil, nil])
    world.decide()
    world.answer(world.out[0])
    world.book()
    #expect(world.answers[other]?.reasons == [nil])
    #expect(world.complaints.isEmpty)
  }

  @Test func `what is asked live joins only what is bought live`() {
    var world = QueueWorld()
    world.ask(["a"])
    world.decide()
    world.ask(["a"], isLive: true)
    world.decide()
    #expect(world.sent == [["a"], ["a"]])
    world.ask(["a"])
    world.ask(["a"], isLive: true)
    #expect(world.sent.count == 2)
    #expect(world.batch == nil)
  }
}
