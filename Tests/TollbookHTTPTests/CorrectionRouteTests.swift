import Hummingbird
import JSONText
import Testing
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

@Suite struct `Corrections over HTTP` {
  /// An account whose budget of the day has no room left, and the position of its charge of 3 tokens.
  private func spent(
    _ body: @Sendable (Stand, Caller, _ charge: Int, HTTPFields) async throws -> Void
  ) async throws {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      for account in ["acme", "zeta"] { try await caller.open(account) }
      let key: HTTPFields = [.accessKey: try await caller.issue("acme").key]
      try await caller.budget("spring", limit: 4, scope: "{\"account\":\"acme\"}")
      try await caller.budget("of-zeta", limit: 9, scope: "{\"account\":\"zeta\"}")
      _ = try await caller.batch(["B000000001", "B000000002", "B000000003"], headers: key)
      let charges = try await caller.get("/ledger/charges", Caller.root)
      try await body(stand, caller, try #require(charges.int("charges.0.position")), key)
    }
  }

  @Test func `after a correction downwards a budget admits again`() async throws {
    try await spent { stand, caller, charge, key in
      let refused = try await caller.batch(["B000000004", "B000000005"], headers: key)
      #expect(refused.strings("results", "source") == ["keepa", "none"])
      let answer = try await caller.correct(charge, "-2", "billed once, booked twice")
      #expect(answer.status == 201)
      #expect(answer.string("type") == "ChargeCorrected")
      #expect(answer.int("data.charge") == charge)
      #expect(answer.string("data.reason") == "billed once, booked twice")
      #expect(answer.string("data.actor") == "operator")
      #expect(answer.ints("data.moves", "amount") == [-2, -2])
      #expect(answer.headers[.location] == "/events/\(answer.int("position") ?? 0)")
      let budgets = try await caller.get("/budgets", Caller.root)
      #expect(budgets.ints("budgets", "settled") == [0, 2])
      #expect(budgets.ints("budgets", "free") == [9, 2])
      let bought = try await caller.batch(["B000000005"], headers: key)
      #expect(bought.strings("results", "source") == ["keepa"])
    }
  }

  @Test func `the ledger, audits, views and metrics see it, and agree`() async throws {
    try await spent { stand, caller, charge, _ in
      #expect(try await caller.correct(charge, "-2").status == 201)
      #expect(try await caller.correct(charge, "1").status == 201)
      let meters = try await caller.get("/ledger", Caller.root)
      let keepa = try #require(
        meters["meters"]?.array?.first { $0["settled"]?.int == 2 && $0["window"]?.string == nil })
      #expect(keepa["residual"]?.int == 0)
      let audit = try await caller.get("/audit?by=account", Caller.root)
      #expect(audit.int("groups.0.amounts.0.certain") == 2)
      #expect(audit.int("groups.0.charges") == 1)
      #expect(audit.int("waste.0.corrected") == -1)
      #expect(audit.int("waste.0.total") == 2)
      let proof = try #require(try RollupProof(of: AuditQuery(), in: LogSource(stand.log)))
      #expect(proof.differences == [])
      let charges = try await caller.get("/ledger/charges", Caller.root)
      #expect(
        charges.strings("charges", "event")
          == ["TokensCharged", "ChargeCorrected", "ChargeCorrected"])
      #expect(charges.int("sums.tokens") == 2)
      let summary = try await caller.get("/views/vw_UsageSummary", Caller.root)
      #expect(summary.ints("rows", "TotalTokens") == [2])
      #expect(summary.ints("rows", "ChargeCount") == [1])
      let logs = try await caller.get("/views/TokenUsageLogs", Caller.root)
      #expect(logs.ints("rows", "TotalTokens") == [3, -2, 1])
      #expect(logs.ints("rows", "RequestCount") == [1, 0, 0])
      let metrics = try await caller.get("/metrics", Caller.root).text
      #expect(metrics.contains("tollbook_corrected{unit=\"tokens\"} -1"))
      #expect(metrics.contains("tollbook_charged_total{unit=\"tokens\"} 3"))
      let fetch = try #require(charges.int("charges.0.fetch"))
      let events = try await caller.get(
        "/events?fetch=\(fetch)&type=ChargeCorrected", Caller.root)
      #expect(events.count("events") == 2)
    }
  }

  @Test func `bad input is refused by name, and nothing is written`() async throws {
    try await spent { stand, caller, charge, key in
      let head = stand.log.head
      func expect(
        _ body: String, _ status: Int, _ field: String, _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
      ) async throws {
        let answer = try await caller.admin(.post, "/admin/corrections", body)
        #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        #expect(answer.string("field") == field, sourceLocation: sourceLocation)
        #expect(
          answer.string("detail")?.contains(text) == true, "\(answer.text)",
          sourceLocation: sourceLocation)
      }
      func body(_ position: Int, _ units: String, _ reason: String = "r", _ more: String = "")
        -> String
      {
        "{\"position\":\(position),\"units\":\(units),\"reason\":\"\(reason)\"\(more)}"
      }
      try await expect(body(999, "-1"), 404, "position", "there is no event at position 999")
      try await expect(body(1, "-1"), 400, "position", "is a ServiceStarted")
      try await expect(body(charge, "0"), 400, "units", "corrects nothing")
      try await expect(
        body(charge, "-4"), 400, "units",
        "-4 tokens would take the charge below zero: it stands at 3 tokens")
      try await expect(body(charge, "9223372036854775807"), 400, "units", "than the books hold")
      try await expect(body(charge, "\"-0.5\""), 400, "units", "tokens are a whole number")
      try await expect(body(charge, "true"), 400, "units", "must be a whole number")
      try await expect(body(charge, "-1", " "), 400, "reason", "reason is empty")
      try await expect(
        body(charge, "-1", String(repeating: "x", count: 501)), 400, "reason", "501 bytes")
      try await expect(
        body(charge, "-1", "r", ",\"unit\":\"EUR\""), 400, "unit", "it tells tokens")
      try await expect("{\"units\":1,\"reason\":\"r\"}", 400, "position", "position is missing")
      try await expect(
        "{\"position\":1,\"reason\":\"r\"}", 400, "units", "units is missing")
      try await expect("{\"position\":1,\"units\":1}", 400, "reason", "reason is missing")
      try await expect(body(charge, "1", "r", ",\"note\":\"x\""), 400, "note", "is no member")
      #expect(try await caller.send(.post, "/admin/corrections", key, body: "{}").status == 403)
      #expect(stand.log.head == head)
      _ = try await caller.correct(charge, "-2")
      try await expect(body(charge, "-2"), 400, "units", "it stands at 1 token")
    }
  }

  @Test func `a charge is corrected so often, and no more`() async throws {
    try await spent { _, caller, charge, _ in
      for number in 0..<100 {
        #expect(try await caller.correct(charge, number % 2 == 0 ? "-1" : "1").status == 201)
      }
      let refused = try await caller.correct(charge, "-1")
      #expect(refused.status == 409)
      #expect(refused.string("field") == "position")
    }
  }

  @Test func `a budget of the day before is corrected on its own day`() async throws {
    try await spent { stand, caller, charge, key in
      stand.time.advance(byMilliseconds: 86_400_000)
      _ = try await caller.batch(["B000000006"], headers: key)
      let answer = try await caller.correct(charge, "-2")
      #expect(answer.strings("data.moves", "window")[1] == "day 2026-11-21")
      let budgets = try await caller.get("/budgets?account=acme", Caller.root)
      #expect(budgets.ints("budgets", "settled") == [1])
      #expect(answer.ints("data.moves", "amount") == [-2, -2])
    }
  }
}

extension Caller {
  fileprivate func correct(
    _ charge: Int, _ units: String, _ reason: String = "wrong"
  ) async throws -> Answer {
    try await admin(
      .post, "/admin/corrections",
      "{\"position\":\(charge),\"units\":\"\(units)\",\"reason\":\"\(reason)\"}")
  }
}
