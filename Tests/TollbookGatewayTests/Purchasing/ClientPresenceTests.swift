import Keepa
import Synchronization
import Testing

@testable import TollbookGateway

@Suite struct ClientPresenceTests {
  @Test func `who wants to know is told once, in the order in which they asked`() {
    let client = ClientPresence()
    let told = Mutex<[String]>([])
    _ = client.whenGone { told.withLock { $0.append("a") } }
    let forgotten = client.whenGone { told.withLock { $0.append("b") } }
    _ = client.whenGone { told.withLock { $0.append("c") } }
    client.forget(forgotten)
    #expect(!client.isGone)
    client.leave()
    client.leave()
    #expect(client.isGone)
    #expect(told.withLock { $0 } == ["a", "c"])
    #expect(client.watcherCount == 0)
  }

  @Test func `who asks when he has hung up is told at once, and not kept`() {
    let client = ClientPresence()
    client.leave()
    let told = Mutex(0)
    _ = client.whenGone { told.withLock { $0 += 1 } }
    #expect(told.withLock { $0 } == 1)
    #expect(client.watcherCount == 0)
  }

  @Test func `a demand of somebody who has hung up is answered, and nothing of it is bought`()
    async throws
  {
    let world = try await World()
    let client = ClientPresence()
    client.leave()
    world.keepa.hold()
    let other = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    let answer = await ClientPresence.$current.withValue(client) {
      await world.ask(asins(1..<3))
    }
    #expect(answer.sources == [.none, .none])
    world.keepa.letGo()
    _ = await other.value
    #expect(client.watcherCount == 0)
  }

  @Test func `a job does not end with the client who has ordered it`() async throws {
    let world = try await World()
    let client = ClientPresence()
    try await ClientPresence.$current.withValue(client) {
      _ = try await world.warm(asins(3))
      client.leave()
    }
    while try !world.openJobs().isEmpty { await Task.yield() }
    #expect(await world.ask(asins(3)).sources == [.cache, .cache, .cache])
    #expect(client.watcherCount == 0)
  }
}
