import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct `Bills over HTTP` {
  /// Three tokens were spent yesterday.
  private func spent(_ body: @Sendable (Stand, Caller) async throws -> Void) async throws {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      _ = try await caller.batch(
        ["B000000001", "B000000002", "B000000003"], headers: Caller.root)
      stand.time.advance(byMilliseconds: 86_400_000)
      try await body(stand, caller)
    }
  }

  private static let bill = "day,operation,units\\n2026-11-21,keepa.product,5"

  @Test func `a difference is posted as unexplained, with the digest of the bill, and once`()
    async throws
  {
    try await spent { stand, caller in
      let answer = try await caller.post(bill: Self.bill)
      #expect(answer.status == 201)
      #expect(answer.count("posted") == 1)
      #expect(answer.int("posted.0.billed") == 5)
      #expect(answer.int("posted.0.booked") == 3)
      #expect(answer.int("posted.0.unexplained") == 2)
      #expect(answer.string("posted.0.operation") == "keepa.product")
      #expect(answer.string("invoice")?.count == 64)
      let meters = try await caller.get("/ledger", Caller.root)
      #expect(meters.ints("meters", "unexplained") == [2])
      #expect(meters.ints("meters", "residual") == [0])
      let audit = try await caller.get("/audit", Caller.root)
      #expect(audit.int("reconciliation.amounts.0.billed") == 2)
      #expect(audit.int("total.amounts.0.certain") == 3)
      let event = try await caller.get(answer.headers[.location] ?? "", Caller.root)
      #expect(event.string("type") == "InvoicePosted")
      #expect(event.string("data.note") == "bill 114")
      #expect(event.string("data.actor") == "operator")
      let head = stand.log.head
      let again = try await caller.post(bill: Self.bill)
      #expect(again.status == 409)
      #expect(
        again.string("detail")
          == "this bill was posted already, at position \(answer.int("posted.0.position") ?? 0)")
      #expect(stand.log.head == head)
      // Another bill that says the same finds it booked.
      let other = try await caller.post(bill: Self.bill + "\\n")
      #expect(other.status == 200)
      #expect(other.count("posted") == 0)
      #expect(stand.log.head == head)
    }
  }

  @Test func `an upstream's meter takes what no call of the day was booked on`() async throws {
    try await spent { stand, caller in
      stand.time.advance(byMilliseconds: 86_400_000)
      let answer = try await caller.post(
        bill: "day,operation,units\\n2026-11-22,keepa.product,4")
      #expect(answer.status == 201)
      #expect(answer.int("posted.0.unexplained") == 4)
    }
  }

  @Test(arguments: [
    ("day,units\\n2026-11-21,x", "csv", "line 2: units is “x”"),
    ("day,units\\n2026-11-22,5", "csv", "line 2: the day 2026-11-22 is not over in UTC"),
    (
      "day,operation,units,unit\\n2026-11-21,keepa.product,5,acorns", "csv",
      "line 2: no meter counts the acorns of “keepa.product”"
    ),
    ("day,operation,units\\n2026-11-21,other.thing,5", "csv", "no meter counts the tokens"),
  ])
  func `a bill that cannot be posted is refused by its line, and nothing is posted`(
    bill: String, field: String, text: String
  ) async throws {
    try await spent { stand, caller in
      let head = stand.log.head
      let answer = try await caller.post(bill: bill)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
      #expect(answer.string("detail")?.contains(text) == true, "\(answer.text)")
      #expect(stand.log.head == head)
    }
  }

  @Test func `what is missing or out of bounds is named`() async throws {
    try await spent { stand, caller in
      let head = stand.log.head
      for (body, field) in [
        ("{\"reason\":\"r\"}", "csv"), ("{\"csv\":\"\(Self.bill)\"}", "reason"),
        ("{\"csv\":\"\(Self.bill)\",\"reason\":\" \"}", "reason"),
        ("{\"csv\":\"\(Self.bill)\",\"reason\":\"r\",\"time_zone\":\"Mars/Base\"}", "time_zone"),
      ] {
        let answer = try await caller.admin(.post, "/admin/invoices", body)
        #expect(answer.status == 400)
        #expect(answer.string("field") == field)
      }
      let many = (0..<1_001).map { "2026-11-21,keepa.o\($0),1" }.joined(separator: "\\n")
      let answer = try await caller.post(bill: "day,operation,units\\n" + many)
      #expect(answer.status == 400)
      #expect(answer.string("detail")?.contains("1002 lines; up to 1000") == true)
      #expect(stand.log.head == head)
    }
  }
}

extension Caller {
  /// - Parameter bill: with its line ends as JSON writes them.
  fileprivate func post(bill: String) async throws -> Answer {
    try await admin(
      .post, "/admin/invoices", "{\"csv\":\"\(bill)\",\"reason\":\"bill 114\"}")
  }
}
