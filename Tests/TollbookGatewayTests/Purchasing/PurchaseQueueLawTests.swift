import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Law 6, without a clock or a task: every interleaving of the purchase queue` {
  @Test(arguments: Seeds.all)
  func `no order of events breaks a rule, and everybody is answered`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var world = QueueWorld(
      slots: random.int(1...4), mostWaiting: random.pick([5, 20, 1_000]),
      callSize: random.int(1...4), gatherTime: random.pick([0, 0, 5]))
    var asked: [Int: Int] = [:]
    for _ in 0..<500 {
      step(&world, &random, &asked)
      if let complaint = world.complaints.first {
        Issue.record("seed \(seed): \(complaint)")
        return
      }
    }
    if random.chance(50) { world.stop() }
    finish(&world)
    #expect(world.complaints == [])
    #expect(world.queue.isIdle, "seed \(seed): \(world.pending.count) actions are left")
    for (id, count) in asked {
      #expect(world.answers[id]?.count == count, "seed \(seed): demand \(id)")
    }
    #expect(world.queue.flightOf.isEmpty)
    #expect(world.queue.waiting == 0)
  }

  private func step(
    _ world: inout QueueWorld, _ random: inout SeededGenerator, _ asked: inout [Int: Int]
  ) {
    switch random.int(0...99) {
    case 0..<30:
      let names = (0..<random.int(1...6)).map { _ in "\(random.int(0...15))" }
      let own = Array(Set(names)).sorted()
      let id = world.ask(
        own, parts: random.pick([0, 1, 3, 7]),
        operation: random.pick(["test.get", "test.get", "test.other"]),
        limit: random.chance(25) ? random.int64(0...6) : nil,
        patience: random.chance(30) ? random.int64(1...20_000) : 0,
        deadline: random.pick([1_000, 10_000, 60_000] as [Int64]), isWhole: random.chance(20),
        isLive: random.chance(15))
      asked[id] = own.count
    case 30..<55:
      let frees = world.now.wall.advanced(byMilliseconds: random.int64(-500...15_000))
      world.decide(
        free: random.chance(60) ? .max : random.int64(0...5),
        retryAt: random.chance(70) ? frees : nil)
    case 55..<70:
      if let call = world.out.randomElement(using: &random) { world.answer(call) }
    case 70..<80:
      if let call = world.out.randomElement(using: &random) {
        let isRefused = random.chance(15)
        world.fail(
          call,
          isRefused
            ? .insufficientTokens : random.pick([.timedOut, .notSent, .unreadable]),
          status: isRefused ? 429 : 0)
      }
    case 80: if let call = world.out.randomElement(using: &random) { world.drop(call) }
    case 81..<90: world.book()
    case 90..<95:
      if let nap = world.naps.randomElement(using: &random) { world.wake(nap.wake) }
    case 95..<97: world.pass(random.int64(1...3_000))
    case 97..<99:
      // Also one that is answered already.
      if let id = asked.keys.sorted().randomElement(using: &random) { world.withdraw(id) }
    default:
      if random.chance(10) { world.pass(400_000) }
    }
  }

  /// Carries everything out that is left, while the clock goes on.
  private func finish(_ world: inout QueueWorld) {
    for _ in 0..<2_000 where !world.queue.isIdle {
      world.decide()
      for call in world.out { world.answer(call) }
      world.book()
      for nap in world.naps { world.wake(nap.wake) }
      world.pass(1_000)
    }
  }
}
