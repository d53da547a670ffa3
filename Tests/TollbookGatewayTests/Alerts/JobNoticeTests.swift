import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Ends of jobs that webhooks are told of` {
  /// Takes on a job that keeps products fresh, and waits until it has ended.
  private func warm(_ count: Int, in world: AlertWorld) async throws -> JobID {
    let names = asins(count).map { "\"\($0)\"" }.joined(separator: ",")
    let id = try await world.gateway.queueJob(
      .warmKeepa, request: Array("{\"asins\":[\(names)]}".utf8), total: count,
      by: Principal(account: "default"))
    while try world.gateway.job(id)?.state.isOpen == true || world.gateway.jobs[id] != nil {
      await world.log.settle()
    }
    return id
  }

  @Test func `who asked for it by name is told, and nobody else`() async throws {
    let world = try await AlertWorld()
    let asked = try await world.addWebhook(["job.finished"])
    try await world.addWebhook()
    let id = try await warm(2, in: world)
    try await world.look()
    try await world.deliver()
    #expect(world.messages.count == 1)
    #expect(try world.sent().map(\.webhook) == [asked.id])
    let body = try #require(world.bodies.first)
    #expect(body.contains(#""event":"job.finished""#), "\(body)")
    #expect(body.contains(#""job":"\#(id)""#))
    #expect(body.contains(#""account":"default""#))
    #expect(body.contains("job \(id) of default has ended: keepa.warm done"))
    // It is no alert that somebody has to look after.
    #expect(try world.open().isEmpty)
    #expect(try await world.log.rebuildViews().isEqual)
  }

  @Test func `where nobody asked for it nothing is written but the end`() async throws {
    let world = try await AlertWorld()
    try await world.addWebhook()
    _ = try await warm(1, in: world)
    try await world.look()
    #expect(try world.raised().isEmpty)
    #expect(try world.events(.jobFinished).count == 1)
  }

  @Test func `one that cannot be told at once is told after a crash, as the same delivery`()
    async throws
  {
    let world = try await AlertWorld()
    try await world.addWebhook(["job.finished"])
    let id = try await warm(1, in: world)
    let waiting = try #require(try world.deliveries().first)
    try await world.crash()
    try await world.deliver()
    #expect(world.header("Tollbook-Delivery") == [waiting.description])
    #expect(world.bodies.first?.contains(#""job":"\#(id)""#) == true)
    try await world.deliver()
    #expect(world.messages.count == 1)
  }
}
