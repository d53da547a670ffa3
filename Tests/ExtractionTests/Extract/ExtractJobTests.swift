import HTTPTypes
import Hummingbird
import JSONText
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import Extraction
@testable import TollbookGateway
@testable import TollbookHTTP

/// `POST /extract` with `Prefer: respond-async`, and what `GET /jobs/{id}` tells of such a job.
@Suite("documents that are read by a job") struct ExtractJobTests {
  private static func invoice(_ number: Int) -> DrawnInvoice {
    DrawnInvoice(number: number, seed: 1)
  }

  private static func file(_ number: Int) -> FormPart {
    .file("\(number).pdf", InvoiceDrawing.pdf(invoice(number)), type: "application/pdf")
  }

  private static let company = FormPart.text("companyID", "default")

  @Test func `documents are taken on at once, and the job tells what became of each`()
    async throws
  {
    try await ExtractionStand.serving { stand, client in
      let taken = try await client.queue([
        Self.company, .text("username", "ann"), .text("branch", "TEST"), Self.file(1),
        .file("bad.pdf", [1, 2, 3]), Self.file(2),
      ])
      #expect(taken.status == 202, "\(taken.text)")
      #expect(taken.header("Preference-Applied") == "respond-async")
      let id = try #require(taken.string("id"))
      #expect(taken.header("Location") == "/jobs/\(id)")
      #expect(taken.string("kind") == "gemini.documents")
      #expect(taken.string("account") == "default")
      #expect(taken.int("progress.total") == 3)
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "done", "\(job.text)")
      #expect(job.int("progress.done") == 3)
      #expect(job.int("failed") == 1)
      #expect(job["results"]?.array?.compactMap { $0["file"]?.string }.count == 3)
      #expect(job.string("results.0.file") == "1.pdf")
      #expect(job.string("results.0.fields.invoice_number") == Self.invoice(1).invoiceNumber)
      #expect(job.string("results.0.source") == "gemini_api")
      #expect(job.string("results.1.file") == "bad.pdf")
      #expect(job.int("results.1.error.status") == 422)
      #expect(job.string("results.2.fields.total_gross") == Self.invoice(2).totalGross)
      let cost = job["costs"]?.array?.first { $0["unit"]?.string == "tokens" }
      #expect(cost?["amount"]?.int64 == (try stand.settled("tokens")))
      #expect(stand.simulator.books.requests == 2)
      let tags = try stand.starts().map(\.demands.first?.tags)
      #expect(tags == Array(repeating: ["branch=TEST", "user=ann", "job:\(id)"], count: 2))
      // What was sent in is gone, with its bodies.
      #expect(try stand.kept(GeminiUpstream.document).isEmpty)
      let pruned = try stand.events().reduce(0) { sum, event in
        if case .bodiesPruned(let event) = event { sum + event.bodies.count } else { sum }
      }
      #expect(pruned == 3)
      #expect(try LogVerifier(stand.log).verify().damages.isEmpty)
      // At once it costs nothing now, and the other way round.
      let again = try await client.extract([Self.company, Self.file(1)])
      #expect(again["cache_hit"]?.bool == true)
      let known = try #require(try await client.queue([Self.company, Self.file(2)]).string("id"))
      await stand.finish(known)
      let second = try await client.send(.get, "/jobs/\(known)")
      #expect(second["results.0.cache_hit"]?.bool == true, "\(second.text)")
      #expect(second.string("results.0.cost.amount") == "0.00")
      #expect(stand.simulator.books.requests == 2)
    }
  }

  @Test func `while a limit is closed it waits, tells what is there, and goes on when it frees`()
    async throws
  {
    try await ExtractionStand.serving { stand, client in
      _ = try await client.extract([Self.company, Self.file(1)])
      stand.simulator.faults = GeminiFaults([GeminiFault(.http429Minute, next: 1)])
      let taken = try await client.queue([Self.company, Self.file(1), Self.file(2)])
      let id = try #require(taken.string("id"))
      try await stand.waiting(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "running")
      #expect(job.int("progress.done") == 1)
      #expect(job.string("progress.step")?.hasPrefix("waits: ") == true)
      #expect(job.string("results.0.fields.invoice_number") == Self.invoice(1).invoiceNumber)
      #expect(job.string("results.1.status") == "waiting")
      #expect(job.string("results.1.file") == "2.pdf")
      // Others are not kept waiting by it.
      let other = try await client.queue([Self.company, Self.file(1)])
      await stand.finish(try #require(other.string("id")))
      await stand.finish(id)
      let ended = try await client.send(.get, "/jobs/\(id)")
      #expect(ended.string("state") == "done")
      #expect(ended.int("failed") == 0)
      #expect(ended.string("results.1.fields.invoice_number") == Self.invoice(2).invoiceNumber)
    }
  }

  @Test func `it goes on after a kill: what was read stays, and what was sent in is read`()
    async throws
  {
    let number = Mutex("")
    try await ExtractionStand.serving(scenes: [
      { stand, client in
        _ = try await client.extract([Self.company, Self.file(1)])
        stand.simulator.faults = GeminiFaults([GeminiFault(.http429Minute, next: 1)])
        let taken = try await client.queue([
          Self.company, .text("username", "ann"), Self.file(1), Self.file(2), Self.file(3),
        ])
        let id = try #require(taken.string("id"))
        number.withLock { $0 = id }
        try await stand.waiting(id)
        #expect(try stand.kept(GeminiUpstream.document).count == 2)
      },
      { stand, client in
        let id = number.withLock { $0 }
        let open = try await client.send(.get, "/jobs/\(id)")
        #expect(open.int("progress.done") == 1, "\(open.text)")
        await stand.finish(id)
        let job = try await client.send(.get, "/jobs/\(id)")
        #expect(job.string("state") == "done", "\(job.text)")
        let numbers = job["results"]?.array?.map { $0["fields"]?["invoice_number"]?.string } ?? []
        #expect(numbers == (1...3).map { Self.invoice($0).invoiceNumber })
        #expect(try stand.kept(GeminiUpstream.document).isEmpty)
        #expect(try stand.starts().last?.demands.first?.tags == ["user=ann", "job:\(id)"])
        let started = try stand.events().count { event in
          if case .jobStarted = event { true } else { false }
        }
        #expect(started == 2)
        #expect(try LogVerifier(stand.log).verify().damages.isEmpty)
      },
    ])
  }

  @Test func `refusals by rule are results: no key, and a budget`() async throws {
    try await ExtractionStand.serving({ $0.key = "" }) { stand, client in
      let id = try #require(
        try await client.queue([Self.company, Self.file(1), Self.file(2)]).string("id"))
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "done")
      #expect(job.int("failed") == 2)
      for place in 0...1 {
        let detail = job.string("results.\(place).error.detail") ?? ""
        #expect(detail.contains("No active token found"), "\(job.text)")
      }
    }
    try await ExtractionStand.serving { stand, client in
      let order = try BudgetOrder(
        name: "calls", scope: BudgetRow.Scope(), unit: "requests", limit: 1, window: .day,
        units: ["requests"], upstreams: ["gemini"])
      try await SetBudget(order, now: stand.time.now, actor: "test").run(
        on: stand.log, default: "default")
      let id = try #require(
        try await client.queue([Self.company, Self.file(1), Self.file(2)]).string("id"))
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("results.0.fields.invoice_number") == Self.invoice(1).invoiceNumber)
      #expect(job.string("results.1.error.reason") == "budget_exceeded", "\(job.text)")
      #expect(job.string("results.1.error.retry_at") != nil)
      #expect(job.int("failed") == 1)
      #expect(stand.simulator.books.requests == 1)
    }
  }

  @Test func `an upstream that never gives a usable answer is not asked for ever`() async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.http500, probability: 1, seed: 1)])
    }) { stand, client in
      let id = try #require(try await client.queue([Self.company, Self.file(1)]).string("id"))
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "done")
      #expect(job.string("results.0.error.reason") == "upstream_unavailable", "\(job.text)")
      #expect(stand.simulator.books.calls.count > 1)
      #expect(stand.simulator.books.calls.count <= 12)
    }
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.drop, probability: 1, seed: 1)])
    }) { stand, client in
      let id = try #require(try await client.queue([Self.company, Self.file(1)]).string("id"))
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.int("failed") == 1, "\(job.text)")
      // Each may have been paid for.
      #expect(stand.simulator.books.calls.count == 3)
      #expect(try stand.sum(.inDoubt, "tokens") > 0)
    }
  }

  @Test func `what an earlier try has bought is told as the job's own, with what it cost`()
    async throws
  {
    let held = HeldCalls()
    try await ExtractionStand.serving({
      $0.simulator.latency = 1
      $0.simulator.sleep = { _ in await held.stop() }
    }) { stand, client in
      // The second is the first once more: that one costs nothing.
      let id = try #require(
        try await client.queue([Self.company, Self.file(1), Self.file(1)]).string("id"))
      await held.wait(for: 1)
      // Its time is over, and its call goes on.
      stand.time.advance(byMilliseconds: DocumentReader.patience + 1)
      for purchaser in stand.gateway.purchasers { purchaser.tick() }
      try await stand.waiting(id)
      held.letGo()
      while try stand.settled("tokens") == 0 { await Task.yield() }
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.int("failed") == 0, "\(job.text)")
      #expect(job.string("results.0.source") == "gemini_api")
      #expect(job["results.0.cache_hit"]?.bool == false)
      #expect(
        job.string("results.0.cost.amount")
          == DecimalText.text(nanoUnits: try stand.settled("USD")))
      #expect(job["results.0.tokens.total"]?.int64 == (try stand.settled("tokens")))
      #expect(job["results.1.cache_hit"]?.bool == true)
      #expect(job.string("results.1.cost.amount") == "0.00")
      #expect(stand.simulator.books.requests == 1)
    }
  }

  @Test func `one that is cancelled reads no more, and what was sent in goes at once`()
    async throws
  {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.http429Minute, next: 1)])
    }) { stand, client in
      let id = try #require(
        try await client.queue([Self.company, Self.file(1), Self.file(2)]).string("id"))
      try await stand.waiting(id)
      #expect(try stand.kept(GeminiUpstream.document).count == 2)
      let calls = stand.simulator.books.calls.count
      let told = try await client.send(.delete, "/jobs/\(id)")
      #expect(told.string("state") == "cancelled", "\(told.text)")
      #expect(try stand.kept(GeminiUpstream.document).isEmpty)
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("results.0.error.reason") == "not_reached")
      #expect(job.string("results.1.file") == "2.pdf")
      #expect(stand.simulator.books.calls.count == calls)
      #expect(try await client.send(.delete, "/jobs/\(id)").status == 409)
    }
  }

  @Test func `an idempotency key takes one job on, and a dry run none`() async throws {
    try await ExtractionStand.serving { stand, client in
      var headers: HTTPFields = [.idempotencyKey: "order-1"]
      let form: [FormPart] = [Self.company, Self.file(1)]
      let first = try await client.queue(form, headers)
      let second = try await client.queue(form, headers)
      #expect(first.status == 202)
      #expect(second.bytes == first.bytes)
      #expect(second.header("Idempotency-Replayed") == "true")
      #expect(second.header("Location") == first.header("Location"))
      let other = try await client.queue([Self.company, Self.file(2)], headers)
      #expect(other.status == 422)
      let jobs = try await client.send(.get, "/jobs?kind=gemini.documents")
      #expect(jobs["jobs"]?.array?.map { _ in 1 }.count == 1)
      await stand.finish(try #require(first.string("id")))
      headers = [.dryRun: "1"]
      let head = stand.log.head
      let dry = try await client.queue([Self.company, Self.file(3)], headers)
      #expect(dry.status == 400)
      #expect(dry.string("field") == "Tollbook-Dry-Run")
      #expect(stand.log.head == head)
    }
  }

  @Test func `what is wrong with a form is named at once, and nothing is kept`() async throws {
    try await ExtractionStand.serving { stand, client in
      let head = stand.log.head
      let forms: [([FormPart], Int)] = [
        ([Self.file(1)], 400), ([.text("companyID", "nobody"), Self.file(1)], 404),
        ([Self.company], 400), ([Self.company, .text("schema", "poem"), Self.file(1)], 400),
      ]
      for (form, status) in forms {
        let answer = try await client.queue(form)
        #expect(answer.status == status, "\(answer.text)")
      }
      #expect(stand.log.head == head)
      // Other preferences change nothing.
      let plain = try await client.extract(
        [Self.company, Self.file(1)], [.prefer: "handling=lenient, wait=10"])
      #expect(plain.status == 200)
      #expect(plain.header("Preference-Applied") == nil)
    }
  }

  @Test func `a webhook that asked for it is told that it has ended, signed and once`()
    async throws
  {
    let told = Mutex<[OutgoingMessage]>([])
    try await ExtractionStand.serving({
      $0.gateway.webhookHosts = ["hooks.example"]
      $0.send = { message in
        told.withLock { $0.append(message) }
        return MessageReceipt(status: 200)
      }
    }) { stand, client in
      for events in [["job.finished"], ["alert.raised", "alert.cleared"]] {
        try await stand.gateway.add(
          AddWebhook(
            url: "https://hooks.example/", secret: "canary", format: "signed", events: events,
            actor: "test"))
      }
      let id = try #require(
        try await client.queue([Self.company, Self.file(1), .file("bad", [1])]).string("id"))
      await stand.finish(id)
      for _ in 0..<3 {
        _ = try await stand.gateway.lookForAlerts()
        _ = try await stand.gateway.deliverAlerts()
      }
      let messages = told.withLock { $0 }
      let message = try #require(messages.first)
      #expect(messages.count == 1)
      let json = try JSONDocument(message.body).root
      #expect(json["event"]?.string == "job.finished")
      #expect(json["job"]?.string == id)
      #expect(json["account"]?.string == "default")
      #expect(json["detail"]?.string == "gemini.documents done: 1 of 2 came to nothing")
      #expect(json["tag"] == nil)
      #expect(message.headers.contains { $0.name == OutgoingMessage.signatureHeader })
      let open = try await client.send(.get, "/alerts")
      #expect(open["alerts"]?.array?.map { _ in 1 }.isEmpty == true)
    }
  }
}
