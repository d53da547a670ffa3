import HTTPTypes
import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Extraction
@testable import TollbookHTTP

/// Second looks at documents that a job reads.
@Suite("second looks of jobs") struct SecondLookJobTests {
  private typealias Scene = SecondLookScene

  @Test func `a job takes it too, as it was set when the job was taken on`() async throws {
    let stub = StubGemini()
    let server = try Scene.server(stub, [#""168.20""#, #""167.20""#])
    try await ExtractionStand.serving(before: server, { $0.second = .again }) { stand, client in
      let id = try #require(try await client.queue(Scene.form).string("id"))
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "done", "\(job.text)")
      #expect(job.string("results.0.second_look.taken") == "second")
      #expect(job.string("results.0.fields.total_gross") == "167.20")
      #expect(job.int("results.0.tokens.total") == 260)
      let tags = try stand.starts().map(\.demands.first?.tags)
      #expect(tags == [["job:\(id)"], ["job:\(id)", "look=second"]])
      let cost = job["costs"]?.array?.first { $0["unit"]?.string == "tokens" }
      #expect(cost?["amount"]?.int64 == 260)
      let request = try #require(try stand.gateway.request(of: Position(id) ?? 0))
      #expect(String(decoding: request, as: UTF8.self).contains(#""second_look":"repeat""#))
      let order = try #require(ExtractOrder(request, of: "default"))
      #expect(order.second == .again)
    }
  }

  @Test func `a job waits for a limit that frees, and tells the first look as its own`()
    async throws
  {
    try await ExtractionStand.serving({
      $0.second = .again
      $0.simulator.faults = GeminiFaults([
        GeminiFault(.slow, next: 1, milliseconds: 0), GeminiFault(.http429Minute, next: 1),
      ])
    }) { stand, client in
      let form = [Scene.company, Scene.file(1, wrongSum: true)]
      let id = try #require(try await client.queue(form).string("id"))
      try await stand.waiting(id)
      #expect(try stand.settled("tokens") > 0)
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.int("failed") == 0, "\(job.text)")
      #expect(job["results.0.second_look.error"]?.isNull == true)
      #expect(job["results.0.tokens.total"]?.int64 == (try stand.settled("tokens")))
      // The page of money that the first look counts on may be over by now: the job's own figure is of both.
      let money = job["costs"]?.array?.first { $0["unit"]?.string == "USD" }?["amount"]?.string
      #expect(job.string("results.0.cost.amount") == money, "money is told in one way")
      #expect(DecimalText.nanoUnits(money ?? "") ?? 0 > 0)
      #expect(stand.simulator.books.requests == 2)
    }
  }

  @Test func `a job to which a budget refuses it has the first`() async throws {
    try await ExtractionStand.serving({ $0.second = .again }) { stand, client in
      try await Scene.limit(1, stand)
      let form = [Scene.company, Scene.file(1, wrongSum: true)]
      let id = try #require(try await client.queue(form).string("id"))
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.int("failed") == 0, "\(job.text)")
      #expect(job.string("results.0.second_look.error.reason") == "budget_exceeded")
      #expect(job.string("results.0.fields.invoice_number") != nil)
      #expect(stand.simulator.books.requests == 1)
    }
  }

  @Test func `an order of before is read, and has none`() throws {
    let bytes = Array(#"{"token":"a1","documents":1,"model":"gemini-3.5-flash-lite"}"#.utf8)
    #expect(try #require(ExtractOrder(bytes, of: "default")).second == .off)
  }
}
