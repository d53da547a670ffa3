import Keepa
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `The key and the balance` {
  @Test func `a wrong key is one question and one clear state, not a storm`() async throws {
    let world = try await World()
    world.keepa.setKeyRejected(true)
    for _ in 0..<30 {
      let answer = await world.ask(asins(3))
      #expect(answer.sources == [.none, .none, .none])
    }
    #expect(world.keepa.calls.isEmpty)
    #expect(world.keepa.books.balanceQuestions == 1)
    #expect(world.gateway.keepaStatus.state == .keyRejected)
    #expect(try world.count(.credentialStatusChanged) == 1)
  }

  @Test func `a key that is refused later makes one call, and recovers when it is accepted`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(1))
    #expect(world.gateway.keepaStatus.state == .ready)
    world.keepa.setKeyRejected(true)
    world.time.advance(byMilliseconds: 2 * minute)
    for _ in 0..<10 {
      #expect(await world.ask(asins(5..<6)).reasons == [.keyRejected])
    }
    #expect(world.keepa.calls.count == 2)
    #expect(world.keepa.books.balanceQuestions <= 2)
    #expect(world.gateway.keepaStatus.state == .keyRejected)
    world.keepa.setKeyRejected(false)
    #expect(await world.ask(asins(5..<6)).reasons == [.keyRejected])
    world.time.advance(byMilliseconds: minute)
    #expect(await world.ask(asins(5..<6)).sources == [.keepa])
    #expect(world.gateway.keepaStatus.state == .ready)
    #expect(try world.meter().residual == 0)
  }

  @Test func `a refused key is still known after a restart`() async throws {
    let world = try await World()
    world.keepa.setKeyRejected(true)
    _ = await world.ask(asins(1))
    try await world.restart()
    #expect(world.gateway.keepaStatus.state == .keyRejected)
  }

  @Test func `the balance is asked for once before the first purchase, by whoever comes first`()
    async throws
  {
    let world = try await World()
    let tasks = (0..<10).map { world.begin(asins($0..<$0 + 1)) }
    for task in tasks { #expect(await task.value.sources == [.keepa]) }
    #expect(world.keepa.books.balanceQuestions == 1)
  }

  @Test func `while the balance cannot be asked for nothing is bought, at one question a minute`()
    async throws
  {
    let world = try await World()
    world.keepa.setBalanceDown(true)
    for _ in 0..<10 { #expect(await world.ask(asins(1)).reasons == [.upstreamUnavailable]) }
    #expect(world.keepa.books.balanceQuestions == 1)
    #expect(world.keepa.calls.isEmpty)
    world.keepa.setBalanceDown(false)
    world.time.advance(byMilliseconds: minute)
    #expect(await world.ask(asins(1)).sources == [.keepa])
  }

  @Test func `a quiet gateway asks for the balance only where that would settle a doubt`()
    async throws
  {
    let world = try await World(balance: 600)
    let buyer = try #require(world.gateway.keepaPurchaser)
    await buyer.watchMeters()
    #expect(world.keepa.books.balanceQuestions == 1)
    world.keepa.script(Array(repeating: .lost(charged: true), count: 3))
    _ = await world.ask(asins(1))
    for _ in 0..<4 {
      world.time.advance(byMilliseconds: 14_999)
      await buyer.watchMeters()
    }
    #expect(world.keepa.books.balanceQuestions == 1)
    world.time.advance(byMilliseconds: 15_000)
    await buyer.watchMeters()
    #expect(world.keepa.books.balanceQuestions == 2)
    #expect(try world.meter()[.inDoubt] == 0)
    #expect(try world.meter()[.settled] == world.keepa.books.charged)
    for _ in 0..<100 {
      world.time.advance(byMilliseconds: 15_000)
      await buyer.watchMeters()
    }
    #expect(world.keepa.books.balanceQuestions == 2)
  }

  @Test func `a question that was not asked does not make an unreachable Keepa look well`()
    async throws
  {
    let world = try await World { $0.retries.attempts = 1 }
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.lost(charged: false)])
    _ = await world.ask(asins(1))
    #expect(world.gateway.keepaStatus.state == .unreachable)
    world.keepa.setBalance(-10)
    await world.gateway.keepaPurchaser?.watchMeters()
    #expect(world.gateway.keepaStatus.state == .unreachable)
  }

  @Test func `an empty bucket is asked about once a minute, and not when a call has just told`()
    async throws
  {
    let world = try await World(balance: 1)
    _ = await world.ask(asins(1))
    #expect(world.keepa.books.balanceQuestions == 1)
    for _ in 0..<10 { _ = await world.ask(asins(1..<2)) }
    #expect(world.keepa.books.balanceQuestions == 1)
    // Somebody else keeps the bucket empty.
    for passed in 1...3 {
      world.keepa.setBalance(-500)
      world.time.advance(byMilliseconds: minute)
      for _ in 0..<10 { _ = await world.ask(asins(10 * passed..<10 * passed + 1)) }
    }
    #expect(world.keepa.books.balanceQuestions <= 4)
  }

  // MARK: Simulators

  @Test func `a log of real data takes nothing from a simulator, not even a balance`()
    async throws
  {
    let real = try await RealWorld()
    let answer = await real.ask()
    #expect(answer.sources == [.none])
    #expect(answer.reasons == [.upstreamUnavailable])
    #expect(answer.meter.reading == nil)
    #expect(real.keepa.calls.isEmpty)
    #expect(!real.gateway.isSimulated)
    #expect(real.gateway.keepaStatus.state == .simulator)
    #expect(real.gateway.keepaStatus.isSimulated == true)
    await real.end()
  }

  @Test func `a simulator that takes the place of Keepa later is paid nothing`() async throws {
    let real = try await RealWorld()
    real.upstream.isSimulated.store(false, ordering: .sequentiallyConsistent)
    #expect(await real.ask().sources == [.keepa])
    real.upstream.isSimulated.store(true, ordering: .sequentiallyConsistent)
    let refused = await real.ask("B000000002")
    #expect(refused.reasons == [.upstreamUnavailable])
    #expect(refused.meter[.settled] == 1)
    #expect(refused.meter[.reserved] == 0)
    #expect(refused.meter[.inDoubt] == 0)
    #expect(real.gateway.keepaStatus.state == .simulator)
    // Each answer speaks for itself.
    real.upstream.isSimulated.store(false, ordering: .sequentiallyConsistent)
    #expect(await real.ask("B000000003").sources == [.keepa])
    #expect(real.gateway.keepaStatus.state == .ready)
    #expect(real.gateway.keepaStatus.isSimulated == false)
    await real.end()
  }
}

/// A gateway on a folder of real data, and an upstream that says what it is.
private struct RealWorld {
  let folder: TemporaryFolder
  let keepa: FakeKeepa
  let upstream: Disguised
  let gateway: Gateway

  init() async throws {
    let time = ManualTime()
    folder = try TemporaryFolder()
    keepa = FakeKeepa(time: time)
    upstream = Disguised(keepa)
    let log = try folder.openLog(folds: allFolds, time: time.source, mode: .real)
    gateway = Gateway(
      log: log, keepa: (upstream, "main"), settings: GatewaySettings(), random: { 0 })
    try await gateway.start(version: "test")
  }

  func ask(_ asin: String = "B000000001") async -> ProductsAnswer {
    await gateway.products(ProductsRequest(asins: [asin].compactMap { KeepaASIN($0) }))
  }

  func end() async {
    await gateway.stop()
    gateway.log.close()
  }
}

/// A fake Keepa that says whether it is a simulator.
private final class Disguised: KeepaAPI {
  let isSimulated = Atomic(true)
  private let keepa: FakeKeepa

  init(_ keepa: FakeKeepa) { self.keepa = keepa }

  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> {
    disguised(await keepa.products(request, within: limit))
  }

  func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
    disguised(await keepa.balance(within: limit))
  }

  private func disguised<Answer>(_ call: UpstreamCall<Answer>) -> UpstreamCall<Answer> {
    UpstreamCall(
      sentMilliseconds: call.sentMilliseconds, duration: call.duration,
      receivedBytes: call.receivedBytes,
      isSimulated: isSimulated.load(ordering: .sequentiallyConsistent), result: call.result)
  }
}
