import HummingbirdTesting
import JSONText
import Testing
import TollbookEvents
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

/// Words for where a list begins and ends, which the command line reads alike.
@Suite struct RangeTests {
  /// Two charges, on 21 November at eight and at nine o'clock in UTC.
  private func charges(
    _ body: @escaping @Sendable (Caller) async throws -> Void
  ) async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      _ = try await caller.batch(["B000000001", "B000000002"])
      stand.time.advance(byMilliseconds: 3_600_000)
      _ = try await caller.batch(["B000000003"])
      try await body(caller)
    }
  }

  @Test func `a date as an end is all of that day, in every list`() async throws {
    try await charges { caller in
      for (query, charges) in [
        ("to=2026-11-21", 2), ("from=2026-11-21&to=2026-11-21", 2), ("to=2026-11-20", 0),
        ("from=2026-11-22", 0), ("from=2026-11-21T08:30:00Z&to=2026-11-21", 1),
        ("from=2026-11-21&to=2026-11-21T08:30:00Z", 1),
      ] {
        let events = try await caller.get("/events?type=TokensCharged&\(query)")
        #expect(events.count("events") == charges, "\(query)")
        let list = try await caller.get("/ledger/charges?\(query)")
        #expect(list.count("charges") == charges, "\(query)")
        let audit = try await caller.get("/audit?\(query)")
        #expect(audit.int("total.charges") == charges, "\(query)")
      }
    }
  }

  @Test func `an audit's days are those of its zone, and an instant is itself`() async throws {
    try await charges { caller in
      for (query, charges) in [
        ("to=2026-11-20&time_zone=America/Anchorage", 1),
        ("from=2026-11-21&time_zone=America/Anchorage", 1),
        ("from=2026-11-21T00:00:00Z&time_zone=America/Anchorage", 2),
        ("from=2026-11-22&time_zone=Pacific/Kiritimati", 0),
      ] {
        let audit = try await caller.get("/audit?\(query)")
        #expect(audit.int("total.charges") == charges, "\(query)")
      }
    }
  }

  @Test func `a plus that was not escaped is read in each of them`() async throws {
    try await charges { caller in
      for path in ["/events?type=TokensCharged&", "/ledger/charges?", "/audit?"] {
        for instant in ["2026-11-21T10:30:00+02:00", "2026-11-21T10:30:00%2B02:00"] {
          let answer = try await caller.get("\(path)from=\(instant)")
          #expect(answer.status == 200, "\(path) \(instant)")
          let count = answer.count("events") ?? answer.count("charges")
          #expect((count ?? answer.int("total.charges")) == 1, "\(path) \(instant)")
        }
      }
      let ledger = try await caller.get("/ledger?as_of=2026-11-21T10:30:00+02:00")
      #expect(ledger.int("meters.0.settled") == 2)
    }
  }

  @Test func `as of a day is at its end, and as of today is now`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      _ = try await caller.batch(["B000000001"])
      let today = try await caller.get("/ledger?as_of=2026-11-21")
      #expect(today.int("meters.0.settled") == 1)
      stand.time.advance(byMilliseconds: 86_400_000)
      _ = try await caller.batch(["B000000002"])
      let yesterday = try await caller.get("/ledger?as_of=2026-11-21")
      #expect(yesterday.int("meters.0.settled") == 1)
      #expect(try await caller.get("/ledger?as_of=2026-11-22").int("meters.0.settled") == 2)
      #expect(try await caller.get("/ledger?as_of=2026-11-23").status == 400)
    }
  }
}
