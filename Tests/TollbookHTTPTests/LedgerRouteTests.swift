import Hummingbird
import HummingbirdTesting
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

@Suite struct LedgerRouteTests {
  @Test func `the meters add up`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001", "B000000002"])
      let answer = try await caller.get("/ledger")
      #expect(
        answer.names("meters.0") == [
          "credential", "unit", "granted", "settled", "reserved", "in_doubt", "unprovable",
          "unexplained", "free", "residual", "observed",
        ])
      #expect(answer.string("meters.0.credential") == "keepa:test")
      #expect(answer.string("meters.0.unit") == "tokens")
      #expect(answer.int("meters.0.granted") == 1_200)
      #expect(answer.int("meters.0.settled") == 2)
      #expect(answer.int("meters.0.free") == 1_198)
      #expect(answer.int("meters.0.residual") == 0)
      #expect(answer.int("meters.0.observed.balance") == 1_198)
      #expect(answer.string("meters.0.observed.at") == "2026-11-21T08:00:01.000Z")
      #expect(answer.headers[.position] == "\(stand.log.head)")
    }
  }

  @Test func `charges are listed with their shares, filtered and paged`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001", "B000000002"])
      stand.time.advance(byMilliseconds: 3_600_000)
      _ = try await caller.batch(["B000000003"])
      let all = try await caller.get("/ledger/charges")
      #expect(all.ints("charges", "tokens") == [2, 1])
      #expect(all.int("sums.tokens") == 3)
      #expect(all.string("charges.0.operation") == "keepa.product")
      #expect(all.string("charges.0.account") == "default")
      #expect(all.ints("charges.0.shares", "tokens") == [1, 1])
      #expect(
        all.names("charges.0") == [
          "position", "time", "event", "fetch", "attempt", "account", "operation", "credential",
          "unit", "tokens", "expected", "amounts", "shares",
        ])
      #expect(all.ints("charges.0.amounts", "amount") == [2])
      #expect(all.strings("sums.amounts", "unit") == ["tokens"])
      #expect(all["next"]?.isNull == true)
      let first = try await caller.get("/ledger/charges?limit=1")
      #expect(first.ints("charges", "tokens") == [2])
      let cursor = try #require(first.string("next"))
      let second = try await caller.get("/ledger/charges?limit=1&cursor=\(cursor)")
      #expect(second.ints("charges", "tokens") == [1])
      #expect(try await caller.get("/ledger/charges?account=acme").count("charges") == 0)
      #expect(
        try await caller.get("/ledger/charges?operation=keepa.product").count("charges") == 2)
      let from = try await caller.get("/ledger/charges?from=2026-11-21T08:30:00Z")
      #expect(from.ints("charges", "tokens") == [1])
      let to = try await caller.get("/ledger/charges?to=2026-11-21T09:00:00Z")
      #expect(to.ints("charges", "tokens") == [2])
      let zone = try await caller.get("/ledger/charges?from=2026-11-21T11:00:00+02:00")
      #expect(zone.ints("charges", "tokens") == [1])
    }
  }

  @Test
  func `a charge in two units for two accounts tells each amount, and who pays how much of it`()
    async throws
  {
    let stand = try await Stand()
    for event in StatementStory.events { try await stand.log.append([event]) }
    try await stand.serving { caller in
      let all = try await caller.get("/ledger/charges")
      #expect(all.strings("charges", "event") == ["TokensCharged", "ChargeResolved"])
      #expect(
        all.names("charges.0") == [
          "position", "time", "event", "fetch", "attempt", "payers", "operation", "amounts",
          "shares",
        ])
      #expect(all.ints("charges.0.amounts", "amount") == [7, nil, 7])
      #expect(
        all.strings("charges.0.amounts", "amount") == [nil, "0.00000001", nil],
        "money is a decimal text")
      #expect(all.strings("charges.0.amounts", "unit") == ["tokens", "EUR", "tokens"])
      #expect(all.strings("charges.0.amounts", "basis") == ["told", "price", "told"])
      #expect(
        (0..<3).map { all["charges.0.amounts.\($0).limit_only"]?.bool } == [false, false, true])
      #expect(all.string("charges.0.amounts.0.credential") == "keepa:0fd8")
      #expect(all.string("charges.0.amounts.1.owner_kind") == "budget")
      #expect(all.string("charges.0.amounts.1.window") == "day 2026-11-21")
      #expect(all.strings("charges.0.payers", "account") == ["acme", "zeta"])
      #expect(all.strings("charges.0.payers.0.amounts", "amount") == [nil, "0.000000003"])
      #expect(all.strings("charges.0.payers.1.amounts", "amount") == [nil, "0.000000007"])
      #expect(all.strings("charges.0.shares.1.amounts", "amount") == [nil, "0.000000003"])
      // What was left of the doubt, of which the one payer has nothing.
      #expect(all.strings("charges.1.amounts", "amount") == ["0.000000001"])
      #expect(all.strings("charges.1.payers.0.amounts", "amount") == ["0.00"])
      #expect(all.strings("charges.1.payers.1.amounts", "amount") == ["0.000000001"])
      #expect(all.int("sums.tokens") == 7)
      #expect(all.strings("sums.amounts", "unit") == ["tokens", "EUR"])
      #expect(all.ints("sums.amounts", "amount") == [7, nil])
      #expect(all.strings("sums.amounts", "amount") == [nil, "0.000000011"])
      for (account, count) in [("acme", 2), ("zeta", 2), ("nobody", 0)] {
        let own = try await caller.get("/ledger/charges?account=\(account)")
        #expect(own.count("charges") == count)
      }
    }
  }

  @Test func `a doubt closed by hand is a charge too, so that the list sums to the ledger`()
    async throws
  {
    let stand = try await Stand()
    let control = stand.application.controlApplication(socket: "/unused")
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.drop, next: 1)])
      _ = try await caller.batch(["B000000002", "B000000003"])
      #expect(try await caller.get("/ledger").int("meters.0.in_doubt") == 2)
    }
    let fetch = try #require(stand.doubt?.fetch)
    try await control.test(.router) { client in
      let caller = Caller(client: client)
      let body = "{\"fetch\":\(fetch),\"attempt\":1,\"settled\":1,\"note\":\"asked Keepa\"}"
      let answer = try await caller.send(.post, "/resolve", body: body)
      #expect(answer.status == 200)
      #expect(answer.int("doubts.0.settled") == 1)
      #expect(answer.int("doubts.0.released") == 1)
    }
    try await stand.serving { caller in
      let charges = try await caller.get("/ledger/charges")
      #expect(charges.strings("charges", "event") == ["TokensCharged", "ChargeResolved"])
      let settled = try await caller.get("/ledger").int("meters.0.settled")
      #expect(charges.int("sums.tokens") == settled)
    }
  }

  @Test func `a doubt that cannot be closed is told apart`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.drop, next: 1)])
      _ = try await caller.batch(["B000000002"])
    }
    let fetch = try #require(stand.doubt?.fetch)
    let control = stand.application.controlApplication(socket: "/unused")
    try await control.test(.router) { client in
      let caller = Caller(client: client)
      func resolve(_ body: String) async throws -> String {
        let answer = try await caller.send(.post, "/resolve", body: body)
        return "\(answer.status) \(answer.string("field") ?? "")"
      }
      let unknown = try await resolve("{\"fetch\":1,\"attempt\":1,\"settled\":0,\"note\":\"why\"}")
      #expect(unknown == "404 fetch")
      let tooMany = try await resolve("{\"fetch\":\(fetch),\"settled\":9,\"note\":\"why\"}")
      #expect(tooMany == "400 settled")
      let noFetch = try await resolve("{\"settled\":0}")
      #expect(noFetch == "400 fetch")
      let noAmount = try await resolve("{\"fetch\":\(fetch)}")
      #expect(noAmount == "400 settled")
      for note in ["", ",\"note\":\" \""] {
        let noReason = try await resolve("{\"fetch\":\(fetch),\"settled\":1\(note)}")
        #expect(noReason == "400 note")
      }
    }
  }
}
