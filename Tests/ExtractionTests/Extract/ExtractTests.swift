import Crypto
import Foundation
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

@Suite("documents that are read") struct ExtractTests {
  private static func pdf(_ number: Int, wrongSum: Bool = false) -> [UInt8] {
    InvoiceDrawing.pdf(DrawnInvoice(number: number, seed: 1, wrongSum: wrongSum))
  }

  private static func open(_ id: String, _ stand: ExtractionStand) async throws {
    try await OpenAccount(id: id, actor: "test").run(on: stand.log)
  }

  @Test func `an invoice is read, checked, and told with what it cost`() async throws {
    try await ExtractionStand.serving { stand, client in
      let invoice = DrawnInvoice(number: 1, seed: 1)
      let answer = try await client.extract([
        .text("companyID", "default"), .text("username", "ann"), .text("branch", "TEST"),
        .file("a.pdf", InvoiceDrawing.pdf(invoice), type: "application/pdf"),
      ])
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("fields.invoice_number") == invoice.invoiceNumber)
      #expect(answer.string("fields.total_gross") == invoice.totalGross)
      #expect(answer.string("document_type") == invoice.documentType.rawValue)
      let verdicts = answer["checks"]?.array?.compactMap { $0["verdict"]?.string } ?? []
      #expect(!verdicts.isEmpty)
      #expect(!verdicts.contains("failed"))
      #expect(answer.string("model") == "gemini-3.5-flash-lite")
      #expect(answer.string("credential") == ExtractionStand.credential)
      #expect(answer.string("source") == "gemini_api")
      #expect(answer["cache_hit"]?.bool == false)
      let total = try #require(answer["tokens.total"]?.int64)
      #expect(total == (try stand.settled("tokens")))
      #expect(total == Int64(stand.simulator.books.tokens.total))
      #expect(
        answer.string("cost.amount") == DecimalText.text(nanoUnits: try stand.settled("USD")))
      #expect(answer["cost.estimated"]?.bool == false)
      #expect(answer["cost.estimated_because"]?.isNull == true)
      let started = try stand.events().compactMap { event -> FetchStarted? in
        if case .fetchStarted(let started) = event { started } else { nil }
      }
      #expect(started.first?.demands.first?.tags == ["branch=TEST", "user=ann"])
    }
  }

  @Test func `an answer is kept for as many days as is set`() async throws {
    try await ExtractionStand.serving({ $0.freshness = GeminiUpstream.freshness(days: 2) }) {
      stand, client in
      let form: [FormPart] = [.text("companyID", "default"), .file("a.pdf", Self.pdf(1))]
      let day: Int64 = 86_400_000
      #expect(try await client.extract(form)["cache_hit"]?.bool == false)
      stand.time.advance(byMilliseconds: 2 * day - 1)
      #expect(try await client.extract(form)["cache_hit"]?.bool == true)
      stand.time.advance(byMilliseconds: 1)
      #expect(try await client.extract(form)["cache_hit"]?.bool == false)
      let written = try stand.events().compactMap { event -> CacheWritten? in
        if case .cacheWritten(let event) = event { event } else { nil }
      }
      #expect(written.count == 2)
      #expect(written.allSatisfy { $0.keepUntilMs == $0.fetchedMs + 2 * day })
      #expect(written.allSatisfy { $0.freshUntilMs == $0.keepUntilMs })
    }
  }

  @Test(
    arguments: [(0, 1), (1, 1), (30, 30), (3_650, 3_650), (.max, 3_650), (.min, 1)]
      as [(Int64, Int64)])
  func `days of keeping have bounds`(_ asked: Int64, _ days: Int64) {
    let windows = GeminiUpstream.freshness(days: asked).present
    #expect(windows.keep == days * 86_400_000)
    #expect(windows.fresh == windows.keep)
    #expect(windows.grace == 0)
    #expect(windows.errorGrace == 0)
  }

  @Test func `the schema of its answers is served`() async throws {
    try await ExtractionStand.serving { _, client in
      let answer = try await client.send(.get, "/extract/schema")
      #expect(answer.status == 200)
      #expect(answer.header("Content-Type") == "application/schema+json")
      #expect(answer.string("title") == "Answer of POST /extract")
      #expect(try await client.send(.post, "/extract/schema").status == 405)
    }
  }

  @Test func `the same document costs nothing the second time, also as one of several`()
    async throws
  {
    try await ExtractionStand.serving { stand, client in
      let file = FormPart.file("a.pdf", Self.pdf(1))
      let first = try await client.extract([.text("companyID", "default"), file])
      let spent = try stand.settled("tokens")
      let second = try await client.extract([.text("companyID", "default"), file])
      #expect(second["cache_hit"]?.bool == true)
      #expect(second.string("source") == "cache")
      #expect(second["fields"].map { Array($0.bytes) } == first["fields"].map { Array($0.bytes) })
      #expect(second.int("tokens.total") == 0)
      #expect(second.string("cost.amount") == "0.00")
      let several = try await client.extract([
        .text("companyID", "default"), file, .file("b.pdf", Self.pdf(2)),
      ])
      #expect(several["0.cache_hit"]?.bool == true)
      #expect(several["1.cache_hit"]?.bool == false)
      #expect(several.string("1.file") == "b.pdf")
      #expect(try stand.settled("tokens") > spent)
      #expect(stand.simulator.books.requests == 2)
    }
  }

  @Test func `a wrong sum is found, and nothing else`() async throws {
    try await ExtractionStand.serving { stand, client in
      for number in 1...12 {
        let invoice = DrawnInvoice(number: number, seed: 5, wrongSum: true)
        let bytes =
          number.isMultiple(of: 2) ? InvoiceDrawing.png(invoice) : InvoiceDrawing.pdf(invoice)
        let answer = try await client.extract([
          .text("companyID", "default"), .file("a", bytes),
        ])
        let failed = answer["checks"]?.array?.filter { $0["verdict"]?.string == "failed" }
          .compactMap { $0["rule"]?.string }
        #expect(failed == invoice.brokenRule.map { [$0] }, "invoice \(number): \(answer.text)")
      }
    }
  }

  @Test func `two uploads of one file at once are one call`() async throws {
    try await ExtractionStand.serving { stand, client in
      let form: [FormPart] = [.text("companyID", "default"), .file("a.pdf", Self.pdf(3))]
      async let one = client.extract(form)
      async let two = client.extract(form)
      let answers = try await [one, two]
      #expect(answers.allSatisfy { $0.status == 200 })
      #expect(stand.simulator.books.requests == 1)
      let costs = answers.compactMap { $0.string("cost.amount") }
      #expect(costs.filter { $0 == "0.00" }.count == 1)
    }
  }

  @Test func `what a company had read, no other one gets`() async throws {
    try await ExtractionStand.serving { stand, client in
      try await Self.open("acme", stand)
      try await Self.open("zenith", stand)
      let file = FormPart.file("a.pdf", Self.pdf(4))
      _ = try await client.extract([.text("companyID", "acme"), file])
      let other = try await client.extract([.text("companyID", "zenith"), file])
      #expect(other["cache_hit"]?.bool == false)
      #expect(stand.simulator.books.requests == 2)
      let keys = try stand.events().compactMap { event -> String? in
        if case .cacheWritten(let written) = event { written.resource } else { nil }
      }
      #expect(keys.count == 2)
      #expect(Set(keys.map { $0.split(separator: "/").last }).count == 2)
    }
  }

  @Test func `texts are sealed, and gone when the key is destroyed`() async throws {
    let master = SymmetricKey(data: Data(repeating: 7, count: 32))
    try await ExtractionStand.serving({ $0.master = master }) { stand, client in
      try await Self.open("acme", stand)
      let invoice = DrawnInvoice(number: 5, seed: 1)
      let form: [FormPart] = [
        .text("companyID", "acme"), .file("a.pdf", InvoiceDrawing.pdf(invoice)),
      ]
      let first = try await client.extract(form)
      #expect(first.status == 200)
      let spent = try stand.settled("tokens")
      // Nothing of it stands in what is stored.
      let written = try #require(
        try stand.events().compactMap { event -> CacheWritten? in
          if case .cacheWritten(let written) = event { written } else { nil }
        }.first)
      let reader = stand.log.reader
      let body = try stand.log.read { (reading) throws(LogError) in
        try reader.body(digest: Array(written.body), in: reading)
      }
      let stored = String(decoding: try #require(body).content(), as: UTF8.self)
      #expect(!stored.contains(invoice.invoiceNumber))
      for event in try stand.events() {
        #expect(!"\(event)".contains(invoice.supplier.name))
      }
      let again = try await client.extract(form)
      #expect(again["cache_hit"]?.bool == true)
      let cost = try await stand.gateway.shred("acme", actor: "test")
      #expect(cost.entries == 1)
      let third = try await client.extract(form)
      #expect(third.status == 200, "\(third.text)")
      #expect(third["cache_hit"]?.bool == false)
      #expect(try stand.settled("tokens") == 2 * spent)
    }
  }

  @Test(arguments: [
    ([FormPart.file("a.pdf", [1])], 400, "companyID is missing"),
    ([.text("companyID", "nobody"), .file("a.pdf", [1])], 404, "no company “nobody”"),
    ([.text("companyID", "default")], 400, "file is missing"),
    ([.text("companyID", "default"), .file("a.pdf", [])], 422, "empty"),
    ([.text("companyID", "default"), .file("a.pdf", Array("hello".utf8))], 422, "a.pdf"),
    (
      [.text("companyID", "default"), .file("a.png", pdf(1), type: "image/png")], 422, "image/png"
    ),
    ([.text("companyID", "default"), .text("colour", "red"), .file("a", [1])], 400, "colour"),
    (
      [.text("companyID", "default"), .text("companyID", "default"), .file("a", [1])], 400,
      "stands twice"
    ),
    ([.text("companyID", "default"), .text("schema", "poem"), .file("a", pdf(1))], 400, "poem"),
    (
      [.text("companyID", "default"), .text("username", "a,b"), .file("a", pdf(1))], 400,
      "no comma"
    ),
    (
      [.text("companyID", String(repeating: "a", count: 300)), .file("a", [1])], 400,
      "up to 200 bytes"
    ),
  ])
  func `what is wrong with a form is named, and costs nothing`(
    _ form: [FormPart], _ status: Int, _ words: String
  ) async throws {
    try await ExtractionStand.serving { stand, client in
      let answer = try await client.extract(form)
      #expect(answer.status == status, "\(answer.text)")
      #expect(answer.string("detail")?.contains(words) == true, "\(answer.text)")
      #expect(stand.simulator.books.requests == 0)
    }
  }

  @Test func `one bad file of several spoils no other`() async throws {
    try await ExtractionStand.serving { _, client in
      let answer = try await client.extract([
        .text("companyID", "default"), .file("bad.pdf", [1, 2]), .file("good.pdf", Self.pdf(1)),
      ])
      #expect(answer.status == 200)
      #expect(answer.int("0.error.status") == 422)
      #expect(answer.string("0.file") == "bad.pdf")
      #expect(answer.string("1.fields.invoice_number") != nil)
    }
  }

  @Test func `a body that is no form, and one from a page elsewhere, are refused`() async throws {
    try await ExtractionStand.serving { stand, client in
      let json = try await client.send(
        .post, "/extract", [.contentType: "application/json"], body: Array("{}".utf8))
      #expect(json.status == 415)
      var headers: HTTPFields = [:]
      headers[.origin] = "http://localhost:8000"
      let page = try await client.extract(
        [.text("companyID", "default"), .file("a.pdf", Self.pdf(1))], headers)
      #expect(page.status == 403)
      #expect(stand.simulator.books.requests == 0)
    }
  }

  @Test func `a company without a key, and with an expired one, is told so in the old words`()
    async throws
  {
    let master = SymmetricKey(data: Data(repeating: 7, count: 32))
    try await ExtractionStand.serving({
      $0.key = ""
      $0.master = master
    }) { stand, client in
      try await Self.open("acme", stand)
      let form: [FormPart] = [.text("companyID", "acme"), .file("a.pdf", Self.pdf(1))]
      let none = try await client.extract(form)
      #expect(none.status >= 400)
      #expect(none.text.contains("No active token found"), "\(none.text)")
      let order = try CredentialOrder(
        upstream: "gemini", name: "main", account: "acme", secret: "simulated-gemini-key-0002",
        limit: nil, weight: nil, quotaGroup: nil, units: stand.gateway.credentialUnits)
      try await stand.gateway.add(order, actor: "test")
      #expect(try await client.extract(form).status == 200)
      try await stand.gateway.changeCredential(
        order.id, status: "expired", limit: nil, weight: nil, actor: "test")
      let other: [FormPart] = [.text("companyID", "acme"), .file("a.pdf", Self.pdf(2))]
      let expired = try await client.extract(other)
      #expect(expired.text.contains("Token expired"), "\(expired.text)")
      try await stand.gateway.changeCredential(
        order.id, status: "active", limit: nil, weight: nil, actor: "test")
      #expect(try await client.extract(other).status == 200)
    }
  }

  @Test(arguments: [GeminiFault.Kind.blocked, .maxTokens, .emptyParts, .cutJSON, .usageMissing])
  func `what is no result is an error that tells what it cost, and is not kept`(
    _ kind: GeminiFault.Kind
  ) async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(kind, next: 1)])
    }) {
      stand, client in
      let form: [FormPart] = [.text("companyID", "default"), .file("a.pdf", Self.pdf(1))]
      let first = try await client.extract(form)
      #expect(first.status == 502 || first.status == 503, "\(first.text)")
      let told =
        (first.header("Tollbook-Charge").flatMap { Int64($0) } ?? 0)
        + (first.header("Tollbook-Charge-In-Doubt").flatMap { Int64($0) } ?? 0)
      let isDoubtful = kind == .cutJSON || kind == .usageMissing
      let settled = try stand.settled("tokens")
      #expect(isDoubtful || told == settled, "\(first.headers)")
      let second = try await client.extract(form)
      #expect(second.status == 200, "\(second.text)")
      #expect(second["cache_hit"]?.bool == false)
    }
  }

  @Test func `exactly as many are paid as a budget holds`() async throws {
    try await ExtractionStand.serving({ $0.gateway.concurrentCalls = 32 }) { stand, client in
      let order = try BudgetOrder(
        name: "calls", scope: BudgetRow.Scope(), unit: "requests", limit: 100, window: .day,
        units: ["requests"], upstreams: ["gemini"])
      try await SetBudget(order, now: stand.time.now, actor: "test").run(
        on: stand.log, default: "default")
      let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 1...200 {
          group.addTask {
            try await client.extract([
              .text("companyID", "default"), .file("a.pdf", Self.pdf(number)),
            ]).status
          }
        }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
      }
      #expect(statuses.filter { $0 == 200 }.count == 100)
      #expect(statuses.filter { $0 == 429 }.count == 100)
      #expect(stand.simulator.books.requests == 100)
    }
  }

  @Test func `tags of the header stand beside those that the form names`() async throws {
    try await ExtractionStand.serving { stand, client in
      var headers: HTTPFields = [:]
      headers[HTTPField.Name("Tollbook-Tags")!] = "project=toll,user=nobody"
      let answer = try await client.extract(
        [.text("companyID", "default"), .text("username", "ann"), .file("a.pdf", Self.pdf(1))],
        headers)
      #expect(answer.status == 200, "\(answer.text)")
      let tags = try stand.events().compactMap { event -> [String]? in
        if case .fetchStarted(let event) = event { event.demands.first?.tags } else { nil }
      }
      #expect(tags == [["project=toll", "user=ann"]])
    }
  }

  @Test func `what would happen costs nothing`() async throws {
    try await ExtractionStand.serving { stand, client in
      var headers: HTTPFields = [:]
      headers[HTTPField.Name("Tollbook-Dry-Run")!] = "1"
      let answer = try await client.extract(
        [.text("companyID", "default"), .file("a.pdf", Self.pdf(1))], headers)
      #expect(answer["dry_run"]?.bool == true, "\(answer.text)")
      #expect(answer.string("resources.0.state") == "would_buy")
      #expect(stand.simulator.books.requests == 0)
    }
  }
}
