import Glibc
import Keepa
import LMDB
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `When the log says no` {
  @Test func `a full queue refuses a purchase, and nothing is sent`() async throws {
    var options = EventLog.Options.scratch
    options.queueCapacity = 1
    let world = try await World(options: options)
    _ = await world.ask(asins(9..<10))
    let gate = WriterGate()
    await gate.close(world.log)
    let filler = Task { [log = world.log] in
      try? await log.decide { _, _ in Decision(answer: ()) }
    }
    while world.log.queueDepth < 1 { await Task.yield() }
    #expect(await world.ask(asins(1)).reasons == [.busy])
    gate.open()
    _ = await filler.value
    #expect(world.keepa.calls.count == 1)
    #expect(await world.ask(asins(1)).sources == [.keepa])
  }

  @Test func `a full queue does not lose a call that is paid already`() async throws {
    var options = EventLog.Options.scratch
    options.queueCapacity = 1
    let world = try await World(options: options)
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    let gate = WriterGate()
    await gate.close(world.log)
    let filler = Task { [log = world.log] in
      try? await log.decide { _, _ in Decision(answer: ()) }
    }
    while world.log.queueDepth < 1 { await Task.yield() }
    world.keepa.letGo()
    await world.time.waitForSleepers(1)
    gate.open()
    _ = await filler.value
    world.time.advance(byMilliseconds: 500)
    #expect(await client.value.sources == [.keepa])
    #expect(try world.meter()[.settled] == 2)
  }

  @Test func `without more than the reserve new purchases are refused, and the cache answers`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(1))
    var options = EventLog.Options.scratch
    options.reserveBytes = 1 << 60
    try await world.restart(options)
    let answer = await world.ask(asins(2))
    #expect(answer.sources == [.cache, .none])
    #expect(answer.reasons == [nil, .storageFull])
    #expect(world.keepa.calls.count == 1)
    #expect(try world.count(.spendRefused) == 1)
  }

  @Test func `who waits for a call is answered when the log has become read-only`() async throws {
    var options = EventLog.Options.scratch
    options.mapSize = 4 << 20
    options.reserveBytes = 1 << 10
    let world = try await World(options: options)
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    await fill(world.log)
    let late = world.begin(asins(1))
    world.keepa.letGo()
    #expect(await client.value.reasons == [.storageFull])
    #expect(await late.value.reasons == [.storageFull])
    #expect(await world.ask(asins(1)).reasons == [.storageFull])
    #expect(await world.ask(asins(9..<10)).sources == [.cache])
    #expect(world.keepa.calls.count == 2)
    // Whoever insists on the books gives up at a shutdown, and the next start finds the call in doubt.
    let stop = Task { await world.gateway.stop() }
    await world.time.waitForSleepers(1)
    while !(world.gateway.keepaPurchaser?.isStopping ?? true) { await Task.yield() }
    world.time.advance(byMilliseconds: 500)
    await stop.value
    #expect(try world.holds().map(\.state) == [.reserved])
  }

  @Test func `after the shutdown has begun nothing is bought`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    await world.gateway.stop()
    let answer = await world.ask(asins(2))
    #expect(answer.sources == [.cache, .none])
    #expect(answer.reasons[1] == .stopping)
    #expect(world.keepa.calls.count == 1)
  }

  @Test func `it is told once when space goes and once when it comes back`() {
    let watch = StorageWatch()
    #expect(watch.note(nil) == nil)
    #expect(watch.note("the disk is full") == .outOfSpace("the disk is full"))
    #expect(watch.note("the disk is full, still") == nil)
    #expect(watch.note(nil) == .spaceIsBack)
    #expect(watch.note(nil) == nil)
    #expect(HouseNote.outOfSpace("why").description == "read-only, nothing is bought: why")
  }

  @Test func `below the reserve the housekeeping says so, and why`() async throws {
    let world = try await World()
    let told = Mutex<[HouseNote]>([])
    world.gateway.watchStorage { note in told.withLock { $0.append(note) } }
    #expect(told.withLock { $0 } == [])
    var options = EventLog.Options.scratch
    options.reserveBytes = 1 << 60
    try await world.restart(options)
    for _ in 0..<2 { world.gateway.watchStorage { note in told.withLock { $0.append(note) } } }
    let notes = told.withLock { $0 }
    #expect(notes.count == 1)
    #expect(notes.first?.description.contains("are kept for calls already paid") == true)
  }

  @Test func `a reader that was killed beside the running service is let go of`() async throws {
    let world = try await World()
    let path = "\(world.folder.path)/data"
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment(
        directory: path, options: EnvironmentOptions(isReadOnly: true))
      try environment.withReadTransaction { _ in _ = kill(getpid(), SIGKILL) }
    }
    let dead = try #require(try world.log.environment.statistics().readers.first)
    #expect(dead.process != Int(getpid()))
    let told = Mutex<[HouseNote]>([])
    let housekeeping = Task { [gateway = world.gateway] in
      await gateway.runHousekeeping { note in told.withLock { $0.append(note) } }
    }
    while told.withLock({ $0.isEmpty }) {
      await world.pass(1_000)
    }
    housekeeping.cancel()
    await housekeeping.value
    #expect(told.withLock { $0 } == [.deadReaders(1)])
    #expect(try world.log.environment.statistics().readers.isEmpty)
  }

  /// Writes until there is no space left.
  private func fill(_ log: EventLog) async {
    var event = FetchFailed()
    event.detail = String(repeating: "x", count: 50_000)
    let filler = event
    while (try? await log.append([.fetchFailed(filler)])) != nil {}
  }
}
