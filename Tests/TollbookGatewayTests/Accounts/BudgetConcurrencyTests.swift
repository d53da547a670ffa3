import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30))) struct `Many at once on one budget` {
  @Test(arguments: Seeds.chosen.map { [$0] } ?? Array(1...100))
  func `of a thousand at 100 each a budget of 5,000 admits exactly fifty`(seed: UInt64) async throws
  {
    var random = SeededGenerator(seed: seed)
    let calls = random.int(1...8)
    let world = try await TollWorld { $0.concurrentCalls = calls }
    try await world.setBudget("spring", limit: 5_000)
    let names = (0..<1_000).map { "\($0)" }.shuffled(using: &random)
    let admitted = await withTaskGroup(of: Bool.self) { group in
      for name in names {
        group.addTask {
          let outcome = await world.ask([name]).outcomes[0]
          if outcome.problem?.budget?.name == "spring" { return false }
          return outcome.problem == nil
        }
      }
      return await group.reduce(into: (yes: 0, no: 0)) { $1 ? ($0.yes += 1) : ($0.no += 1) }
    }
    #expect(admitted.yes == 50)
    #expect(admitted.no == 950)
    #expect(world.toll.calls == 50)
    let standing = try #require(try world.standing("spring"))
    #expect(standing.settled == 5_000)
    #expect(standing.reserved == 0)
    #expect(standing.free == 0)
  }
}
