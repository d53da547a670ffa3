import Dispatch
import Hummingbird
import HummingbirdTesting
import JSONText
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

@Suite(.timeLimit(.minutes(30))) struct EventStreamTests {
  private func note(_ text: String) -> Event {
    var event = CredentialStatusChanged()
    event.detail = text
    return .credentialStatusChanged(event)
  }

  /// A stand that serves on a socket, with its port.
  private func serving<Value: Sendable>(
    _ body: @Sendable (Stand, Caller, Int) async throws -> Value
  ) async throws -> Value {
    let stand = try await Stand()
    return try await stand.servingLive { caller in
      try await body(stand, caller, try #require(caller.client.port))
    }
  }

  @Test func `a stream begins with the next event and gives what the list shows`() async throws {
    try await serving { stand, caller, port in
      let head = Int(stand.log.head)
      let client = try await EventStreamClient(port: port, path: "/events/stream")
      #expect(client.status == 200)
      let opening = try await client.nextBlock()
      #expect(opening?.id == "\(try stand.log.identity())-\(head)")
      #expect(opening?.data == nil)
      _ = try await caller.batch(["B000000001"])
      let listed = try await caller.get("/events?after=\(head)")
      let count = try #require(listed.count("events"))
      let streamed = try await client.next(count)
      #expect(streamed.map(\.position) == Array((head + 1)...(head + count)))
      for (index, event) in streamed.enumerated() {
        #expect(event.event == listed.string("events.\(index).type"))
        #expect(event.json?["type"]?.string == event.event)
        #expect(event.json?["time"]?.string == listed.string("events.\(index).time"))
        #expect(event.json?["position"]?.int == event.position)
      }
      client.hangUp()
    }
  }

  @Test func `what was and what comes are joined without a gap and without a repetition`()
    async throws
  {
    try await serving { stand, _, port in
      // More than a page is there before; more comes while that is read.
      for index in 0..<500 { try await stand.log.append([note("before \(index)")]) }
      let clients = try await (0..<3).asyncMap { _ in
        try await EventStreamClient(port: port, path: "/events/stream?after=0")
      }
      let log = stand.log
      let writing = Task {
        for index in 0..<500 { try await log.append([note("during \(index)"), note("too")]) }
      }
      let end = 1_500 + 1
      for client in clients {
        let events = try await client.next(end)
        #expect(events.map(\.position) == Array(1...end))
      }
      try await writing.value
      for client in clients { client.hangUp() }
    }
  }

  @Test func `a client goes on after the last event that it has seen`() async throws {
    try await serving { stand, _, port in
      for index in 0..<20 { try await stand.log.append([note("\(index)")]) }
      let first = try await EventStreamClient(port: port, path: "/events/stream?after=5")
      let seen = try #require(try await first.next(4).last?.id)
      first.hangUp()
      #expect(seen == "\(try stand.log.identity())-9")
      // As a browser does it: with the same address, and where it was in a field.
      let again = try await EventStreamClient(
        port: port, path: "/events/stream?after=5", headers: ["Last-Event-ID": seen])
      let rest = try await again.next(Int(stand.log.head) - 9)
      #expect(rest.map(\.position) == Array(10...Int(stand.log.head)))
      again.hangUp()
    }
  }

  @Test func `a filter leaves the others out, and a heartbeat tells how far it has looked`()
    async throws
  {
    try await serving { stand, caller, port in
      let client = try await EventStreamClient(
        port: port, path: "/events/stream?type=TokensCharged,CacheWritten&after=0")
      _ = try await client.nextBlock()
      _ = try await caller.batch(["B000000001", "B000000002"])
      let events = try await client.next(3)
      #expect(Set(events.map(\.event)) == ["TokensCharged", "CacheWritten"])
      let last = try #require(events.last?.position)
      try await stand.log.append([note("left out")])
      let head = Int(stand.log.head)
      #expect(head > last)
      let time = stand.time
      let ticking = Task {
        while !Task.isCancelled {
          if time.sleeperCount > 0 {
            time.advance(byMilliseconds: EventStream.heartbeatMilliseconds)
          }
          await Task.yield()
        }
      }
      var told: StreamedEvent?
      while told?.position != head {
        told = try await client.nextBlock()
        #expect(told?.data == nil)
      }
      // Nothing is new: the connection is kept alive, and no place told.
      #expect(try await client.nextBlock() == StreamedEvent())
      ticking.cancel()
      client.hangUp()
    }
  }

  @Test func `a client that takes nothing holds up neither the writer nor other readers`()
    async throws
  {
    try await serving { stand, _, port in
      let slow = try await EventStreamClient(port: port, path: "/events/stream")
      let text = String(repeating: "x", count: 10_000)
      // Far more than sockets hold.
      for index in 0..<2_000 { try await stand.log.append([note("\(index) \(text)")]) }
      let quick = try await EventStreamClient(
        port: port, path: "/events/stream?after=\(stand.log.head)")
      _ = try await quick.nextBlock()
      try await stand.log.append([note("last")])
      #expect(try await quick.next(1).first?.position == Int(stand.log.head))
      // It waits outside of any transaction, once it has read what it waits with.
      while try stand.log.space().oldestReaderLag > 0 { await Task.yield() }
      let events = try await slow.next(2_001)
      #expect(events.map(\.position) == Array((Int(stand.log.head) - 2_000)...Int(stand.log.head)))
      slow.hangUp()
      quick.hangUp()
    }
  }

  @Test func `a stream ends when the service shuts down`() async throws {
    let stand = try await Stand()
    let (channels, running) = AsyncStream<Int>.makeStream()
    let application = stand.application.application { running.yield($0.localAddress?.port ?? 0) }
    let group = ServiceGroup(
      configuration: .init(services: [.init(service: application)], logger: application.logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var ports = channels.makeAsyncIterator()
      let port = try #require(await ports.next())
      let client = try await EventStreamClient(port: port, path: "/events/stream?after=0")
      _ = try await client.next(Int(stand.log.head))
      await group.triggerGracefulShutdown()
      // The answer ends as one that is complete.
      while let block = try await client.nextBlock() { #expect(block.data == nil) }
      try await tasks.waitForAll()
    }
  }

  @Test func `an empty Last-Event-ID is none`() async throws {
    try await serving { stand, _, port in
      let head = Int(stand.log.head)
      let client = try await EventStreamClient(
        port: port, path: "/events/stream", headers: ["Last-Event-ID": ""])
      #expect(client.status == 200)
      #expect(try await client.nextBlock()?.position == head)
      try await stand.log.append([note("next")])
      #expect(try await client.next(1).map(\.position) == [head + 1])
      client.hangUp()
    }
  }

  /// Ids that are not of this log: of another history, also where that position is there, and beyond the head.
  @Test(arguments: ["0123456789ab-1", "999999", "0123456789ab-999999"])
  func `a client of another history is told so, and goes on`(_ id: String) async throws {
    try await serving { stand, _, port in
      let head = Int(stand.log.head)
      let client = try await EventStreamClient(
        port: port, path: "/events/stream", headers: ["Last-Event-ID": id])
      // Another status would end the attempts of an EventSource.
      #expect(client.status == 200)
      let notice = try #require(try await client.next(1).first)
      #expect(notice.event == "another-history")
      #expect(notice.json?["last_event_id"]?.string == id)
      #expect(notice.json?["after"]?.int == head)
      try await stand.log.append([note("next")])
      let next = try #require(try await client.next(1).first)
      #expect(next.position == head + 1)
      client.hangUp()
      // With what it has seen since, it is at home.
      let again = try await EventStreamClient(
        port: port, path: "/events/stream", headers: ["Last-Event-ID": try #require(next.id)])
      try await stand.log.append([note("after that")])
      let events = try await again.next(1)
      #expect(events.map(\.position) == [head + 2])
      #expect(events.first?.event == "CredentialStatusChanged")
      again.hangUp()
    }
  }

  @Test func `a client of another history begins where its address says`() async throws {
    try await serving { stand, _, port in
      let client = try await EventStreamClient(
        port: port, path: "/events/stream?after=0", headers: ["Last-Event-ID": "0123456789ab-7"])
      let events = try await client.next(2)
      #expect(events.map(\.event) == ["another-history", "ServiceStarted"])
      #expect(events.last?.position == 1)
      client.hangUp()
    }
  }

  @Test func `a filter that wants nothing lets others have their turn between two pages`()
    async throws
  {
    let stand = try await Stand()
    for index in 0..<100 { try await stand.log.append([note("\(index)")]) }
    var filter = EventFilter()
    filter.account = "nobody"
    let source = LogSource(stand.log)
    var stream = EventStream(
      log: stand.log, query: EventQuery(filter, in: source, index: nil),
      history: try stand.log.identity(), start: 0)
    stream.portion = 1
    let turns = OneThread()
    let looking = Task(executorPreference: turns) { [stream] in
      var writer: any ResponseBodyWriter = Nowhere()
      try await stream.write(to: &writer)
    }
    // It sleeps when it has looked at everything.
    while stand.time.sleeperCount == 0 { await Task.yield() }
    #expect(turns.count >= 100)
    looking.cancel()
    try await looking.value
  }

  @Test func `what a stream cannot do is refused by name`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let head = stand.log.head
      for (path, field) in [
        ("?to=5", "to"), ("?after=x", "after"), ("?after=\(head + 1)", "after"),
        ("?type=Nonsense", "type"), ("?fetch=0", "fetch"), ("?from=yesterday", "from"),
        ("?from=\(head + 1)", "from"),
      ] {
        let answer = try await caller.get("/events/stream\(path)")
        #expect(answer.status == 400, "\(path)")
        #expect(answer.string("field") == field, "\(path)")
      }
      for id in ["x", "1-2-3", "nothexadecim-1"] {
        let wrong = try await caller.get("/events/stream", [.lastEventID: id])
        #expect(wrong.status == 400, "\(id)")
        #expect(wrong.string("field") == "Last-Event-ID", "\(id)")
      }
      let listed = try await caller.get("/events?after=\(head + 1)")
      #expect(listed.status == 400)
      #expect(listed.string("field") == "after")
      #expect(try await caller.get("/events?after=\(head)").count("events") == 0)
    }
  }

  @Test func `events are listed by account, resource, fetch and time`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      stand.time.advance(byMilliseconds: 60_000)
      let between = stand.time.now
      stand.time.advance(byMilliseconds: 60_000)
      _ = try await caller.batch(["B000000002"])
      let all = try await caller.get("/events")
      let types = all.strings("events", "type")
      let started = try #require(types.lastIndex(of: "FetchStarted")) + 1
      let fetch = try await caller.get("/events?fetch=\(started)")
      #expect(
        Set(fetch.strings("events", "type")).isSuperset(
          of: ["FetchStarted", "FetchSucceeded", "CacheWritten", "TokensCharged"]))
      #expect(fetch.ints("events", "position").allSatisfy { ($0 ?? 0) >= started })
      let resource = try await caller.get(
        "/events?resource=shared/keepa.product/1/B000000001&type=CacheWritten")
      #expect(resource.count("events") == 1)
      #expect(
        try await caller.get("/events?resource=shared/keepa.product/*&type=CacheWritten")
          .count("events") == 2)
      let early = try await caller.get("/events?to=\(between)")
      let late = try await caller.get("/events?from=\(between)")
      #expect(
        early.ints("events", "position") + late.ints("events", "position")
          == all.ints("events", "position"))
      #expect(try #require(late.count("events")) > 0)
      let two = try await caller.get("/events?type=CacheWritten&type=TokensCharged")
      #expect(two.count("events") == 4)
      #expect(try await caller.get("/events?account=nobody").count("events") == 0)
      let backwards = try await caller.get("/events?from=5&to=3")
      #expect(backwards.status == 400)
      #expect(backwards.string("field") == "to")
    }
  }
}

/// One thread for all that prefers it, which counts its turns.
private final class OneThread: TaskExecutor {
  private let queue = DispatchQueue(label: "one thread")
  private let turns = Atomic(0)

  var count: Int { turns.load(ordering: .sequentiallyConsistent) }

  func enqueue(_ job: consuming ExecutorJob) {
    turns.add(1, ordering: .sequentiallyConsistent)
    let job = UnownedJob(job)
    queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}

/// Takes all that is written, at once.
private struct Nowhere: ResponseBodyWriter {
  func write(_ buffer: ByteBuffer) async throws {}
  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension Sequence {
  /// One after the other.
  fileprivate func asyncMap<Value>(
    _ transform: (Element) async throws -> Value
  ) async rethrows -> [Value] {
    var values: [Value] = []
    for element in self { values.append(try await transform(element)) }
    return values
  }
}
