import JSONText
import Testing
import TollbookEvents
import TollbookLog

@testable import TollbookHTTP

@Suite struct EventRouteTests {
  @Test func `events are listed in order, by type and page by page`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001", "B000000002"])
      let all = try await caller.get("/events")
      let positions = all.ints("events", "position")
      #expect(positions == Array(1...Int(stand.log.head)))
      #expect(all.string("events.0.type") == "ServiceStarted")
      #expect(all["events.0.data.simulated"]?.bool == true)
      #expect(all["next"]?.isNull == true)
      var found: [Int?] = []
      var after: Int? = 0
      while let start = after {
        let page = try await caller.get("/events?limit=2&after=\(start)")
        found += page.ints("events", "position")
        after = page.int("next")
      }
      #expect(found == positions)
      let written = try await caller.get("/events?type=CacheWritten")
      #expect(written.count("events") == 2)
      #expect(written.string("events.0.type") == "CacheWritten")
      let charged = try await caller.get("/events?type=TokensCharged")
      #expect(charged.int("events.0.data.moves.0.amount") == 2)
      #expect(charged.string("events.0.data.operation") == "keepa.product")
    }
  }

  @Test func `a CacheWritten shows digest and summary so that a person can read them`() async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let bought = try await caller.batch(["B000000001"])
      let event = try await caller.get("/events?type=CacheWritten")
      #expect(event.string("events.0.data.body")?.utf8.count == 64)
      #expect(
        event.string("events.0.data.summary.title") == bought.string("results.0.title"))
      #expect(event.string("events.0.data.presence") == "PRESENCE_PRESENT")
    }
  }

  @Test func `an event is found by its position`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      let event = try await caller.get("/events/1")
      #expect(event.names("") == ["position", "time", "type", "data"])
      #expect(event.string("time") == "2026-11-21T08:00:00.000Z")
      let last = try await caller.get("/events/\(stand.log.head)")
      #expect(last.status == 200)
      #expect(try await caller.get("/events/0").status == 404)
      #expect(try await caller.get("/events/\(stand.log.head + 1)").status == 404)
    }
  }

  @Test func `the log tells its head and its root`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let cold = try await caller.get("/log")
      #expect(cold.int("head") == Int(stand.log.head))
      _ = try await caller.batch(["B000000001"])
      let log = try await caller.get("/log")
      #expect(log.int("head") == Int(stand.log.head))
      #expect(log.int("size") == log.int("head"))
      #expect(log.string("root") == stand.log.root.hexadecimal)
      #expect(log.string("mode") == "simulated")
      #expect(log.string("writer.state") == "open")
      #expect(log.int("queue_depth") == 0)
      #expect(log.int("oldest_reader_lag") == 0)
      #expect(try #require(log.int("bytes_on_disk")) > 0)
      #expect(log.int("map_bytes") == 1 << 30)
    }
  }
}
