import HTTPTypes
import Hummingbird
import JSONText
import Synchronization
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Extraction
@testable import TollbookHTTP

/// `TOLLBOOK_EXTRACT_SECOND_LOOK`: a document of which a check fails is read once more.
@Suite("second looks") struct SecondLookTests {
  private typealias Scene = SecondLookScene

  // MARK: Which one is taken

  @Test func `none is taken unless it is set, whatever fails`() async throws {
    let stub = StubGemini()
    let server = try Scene.server(stub, [#""168.20""#])
    try await ExtractionStand.serving(before: server) { _, client in
      let answer = try await client.extract(Scene.form)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer["second_look"]?.isNull == true)
      #expect(answer.text.contains(#""verdict":"failed""#))
      #expect(stub.calls == 1)
    }
  }

  @Test func `none is taken where every check is right`() async throws {
    try await ExtractionStand.serving({ $0.second = .again }) { stand, client in
      let answer = try await client.extract(Scene.form)
      #expect(answer["second_look"]?.isNull == true, "\(answer.text)")
      #expect(stand.simulator.books.requests == 1)
    }
  }

  @Test func `one that is better is the answer, both are paid, and the same again costs nothing`()
    async throws
  {
    let stub = StubGemini()
    let server = try Scene.server(stub, [#""168.20""#, #""167.20""#])
    try await ExtractionStand.serving(before: server, { $0.second = .again }) { stand, client in
      let answer = try await client.extract(Scene.form)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("second_look.taken") == "second")
      #expect(answer["second_look.error"]?.isNull == true)
      #expect(answer.string("fields.total_gross") == "167.20")
      #expect(!answer.text.contains(#""verdict":"failed""#))
      #expect(Scene.failed(answer, 0) == ["BR-CO-15", "BR-CO-16"])
      #expect(Scene.failed(answer, 1) == [])
      #expect(answer.int("second_look.looks.0.tokens.total") == 120)
      #expect(answer.int("second_look.looks.1.tokens.total") == 140)
      #expect(answer.int("tokens.total") == 260)
      #expect(try stand.settled("tokens") == 260)
      #expect(answer.header("Tollbook-Charge") == "260")
      #expect(
        answer.string("cost.amount") == DecimalText.text(nanoUnits: try stand.settled("USD")))
      #expect(answer["cache_hit"]?.bool == false)
      #expect(answer.string("credential") == ExtractionStand.credential)
      // The same model, asked as the first time but for the temperature, and not told what failed.
      let calls = stub.requests
      #expect(calls.map(\.path) == Array(repeating: calls[0].path, count: 2))
      #expect(calls[0].body.contains(#""temperature":0,"#))
      #expect(
        calls[1].body
          == calls[0].body.replacing(#""temperature":0,"#, with: #""temperature":1,"#))
      // On the record: two charges of one account, the second with a tag of its own.
      let charges = try stand.events().compactMap { event -> TokensCharged? in
        if case .tokensCharged(let event) = event { event } else { nil }
      }
      #expect(charges.map { $0.payers.map(\.account) } == [["default"], ["default"]])
      #expect(charges.map { $0.payers.flatMap(\.tags) } == [[], ["look=second"]])

      let again = try await client.extract(Scene.form)
      #expect(again["cache_hit"]?.bool == true, "\(again.text)")
      #expect(again.string("source") == "cache")
      #expect(again.string("cost.amount") == "0.00")
      #expect(again.string("second_look.taken") == "second")
      #expect(again["second_look.looks.1.cache_hit"]?.bool == true)
      #expect(again["fields"].map { Array($0.bytes) } == answer["fields"].map { Array($0.bytes) })
      #expect(stub.calls == 2)
    }
  }

  @Test(arguments: [
    // As bad, and one that leaves out what failed: nothing of it has been put right.
    #""169.20""#, "null",
  ])
  func `one that is no better is paid for, told, and not the answer`(_ gross: String) async throws {
    let stub = StubGemini()
    let server = try Scene.server(stub, [#""168.20""#, gross])
    try await ExtractionStand.serving(before: server, { $0.second = .again }) { stand, client in
      let answer = try await client.extract(Scene.form)
      #expect(answer.string("second_look.taken") == "first", "\(answer.text)")
      #expect(answer.string("fields.total_gross") == "168.20")
      #expect(answer["second_look.looks"]?.array?.map { _ in 1 }.count == 2)
      #expect(try stand.settled("tokens") == answer["tokens.total"]?.int64)
      #expect(stub.calls == 2)
    }
  }

  @Test func `checks that fail are counted with those that can no longer be made`() {
    typealias Reading = DocumentReader.Reading
    func check(_ rule: InvoiceCheck.Rule, _ verdict: InvoiceCheck.Verdict) -> InvoiceCheck {
      InvoiceCheck(rule, verdict, detail: "")
    }
    let first = [
      check(.totalGross, .failed), check(.iban, .failed), check(.dates, .notApplicable),
    ]
    func failures(_ gross: InvoiceCheck.Verdict, _ dates: InvoiceCheck.Verdict) -> Int {
      Reading.failures(
        of: [check(.totalGross, gross), check(.iban, .ok), check(.dates, dates)], after: first)
    }
    #expect(failures(.ok, .ok) == 0)
    #expect(failures(.notApplicable, .notApplicable) == 1)
    #expect(failures(.failed, .failed) == 2)
  }

  @Test func `another model may take it, at its own price`() async throws {
    try await ExtractionStand.serving({ $0.second = .by("gemini-3.5-flash") }) { stand, client in
      let form = [Scene.company, Scene.file(1, wrongSum: true)]
      let answer = try await client.extract(form)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("second_look.looks.0.model") == "gemini-3.5-flash-lite")
      #expect(answer.string("second_look.looks.1.model") == "gemini-3.5-flash")
      // The document itself is wrong: both see it.
      #expect(answer.string("second_look.taken") == "first")
      #expect(Scene.failed(answer, 0) == Scene.failed(answer, 1))
      #expect(answer.string("model") == "gemini-3.5-flash-lite")
      let costs = (0...1).compactMap { look in
        answer.string("second_look.looks.\(look).cost.amount").flatMap(DecimalText.nanoUnits)
      }
      #expect(costs.count == 2 && costs[1] > costs[0])
      #expect(costs.reduce(0, +) == (try stand.settled("USD")))
      #expect(
        answer.string("cost.amount") == DecimalText.text(nanoUnits: try stand.settled("USD")))
      #expect(try stand.settled("tokens") == Int64(stand.simulator.books.tokens.total))
      #expect(stand.simulator.books.requests == 2)
    }
  }

  @Test func `only those that fail are looked at twice, and two uploads at once are two calls`()
    async throws
  {
    try await ExtractionStand.serving({ $0.second = .again }) { stand, client in
      let form = [Scene.company, Scene.file(1, wrongSum: true)]
      async let one = client.extract(form)
      async let two = client.extract(form)
      let answers = try await [one, two]
      #expect(answers.allSatisfy { $0.string("second_look.taken") == "first" })
      #expect(stand.simulator.books.requests == 2)
      let several = try await client.extract(
        [Scene.company] + (2...10).map { Scene.file($0, wrongSum: $0 > 8) })
      let looks = several.json?.array?.map { $0["second_look"]?.kind == .object } ?? []
      #expect(looks == (2...10).map { $0 > 8 })
      #expect(stand.simulator.books.requests == 2 + 9 + 2)
    }
  }

  // MARK: Where it is not to be had

  @Test func `a budget that refuses it leaves the first, and it is taken when the budget frees`()
    async throws
  {
    let stub = StubGemini()
    let server = try Scene.server(stub, [#""168.20""#, #""167.20""#])
    try await ExtractionStand.serving(before: server, { $0.second = .again }) { stand, client in
      try await Scene.limit(1, stand)
      let answer = try await client.extract(Scene.form)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("fields.total_gross") == "168.20")
      #expect(answer.string("second_look.taken") == "first")
      #expect(answer.string("second_look.error.reason") == "budget_exceeded")
      #expect(answer.int("second_look.error.status") == 429)
      #expect(answer.string("second_look.error.retry_at") != nil)
      #expect(answer["second_look.looks"]?.array?.map { _ in 1 }.count == 1)
      #expect(answer.int("tokens.total") == 120)
      #expect(answer.header("Tollbook-Charge") == "120")
      let again = try await client.extract(Scene.form)
      #expect(again["cache_hit"]?.bool == true, "\(again.text)")
      #expect(again.string("second_look.error.reason") == "budget_exceeded")
      #expect(again.string("cost.amount") == "0.00")
      #expect(stub.calls == 1)
      // What would happen tells it, too.
      var headers: HTTPFields = [:]
      headers[HTTPField.Name("Tollbook-Dry-Run")!] = "1"
      let dry = try await client.extract(Scene.form, headers)
      #expect(dry.string("resources.0.state") == "cached", "\(dry.text)")
      #expect(dry.string("resources.1.state") == "refused")

      stand.time.advance(byMilliseconds: 86_400_000)
      let certain = try await client.extract(Scene.form, headers)
      #expect(certain.string("resources.1.state") == "would_buy", "\(certain.text)")
      #expect(certain.int("stats.calls") == 1)
      let later = try await client.extract(Scene.form)
      #expect(later.string("second_look.taken") == "second", "\(later.text)")
      #expect(later["second_look.looks.0.cache_hit"]?.bool == true)
      #expect(later["cache_hit"]?.bool == false)
      #expect(later.int("tokens.total") == 140)
      #expect(stub.calls == 2)
    }
  }

  @Test func `second looks can have a budget of their own`() async throws {
    try await ExtractionStand.serving({ $0.second = .again }) { stand, client in
      try await Scene.limit(1, stand, tag: "look=second")
      let answer = try await client.extract(
        [Scene.company] + (1...3).map { Scene.file($0, wrongSum: true) })
      let problems = (0...2).map { answer.string("\($0).second_look.error.reason") }
      #expect(problems == [nil, "budget_exceeded", "budget_exceeded"], "\(answer.text)")
      #expect(stand.simulator.books.requests == 4)
    }
  }

  @Test func `the request's own limit holds for both looks together`() async throws {
    let stub = StubGemini()
    let server = try Scene.server(stub, [#""168.20""#])
    try await ExtractionStand.serving(before: server, { $0.second = .again }) { _, client in
      let dryRun = HTTPField.Name("Tollbook-Dry-Run")!
      let dry = try await client.extract(Scene.form, [dryRun: "1"])
      #expect(dry.string("resources.0.state") == "would_buy", "\(dry.text)")
      #expect(dry.string("resources.1.state") == "may_buy")
      #expect(dry.int("stats.would_buy") == 1)
      #expect(dry.int("stats.may_buy") == 1)
      #expect(dry.int("stats.calls") == 1)
      #expect(stub.calls == 0)
      let cost = try #require(
        dry["stats.costs"]?.array?.first { $0["unit"]?.string == "tokens" })
      // Both are bound alike: half of it, and what the first one really takes, is not enough for the second.
      let most = try #require(cost["at_most"]?.int64)
      #expect(cost["expected"]?.int64 ?? .max <= most / 2)
      var headers: HTTPFields = [:]
      headers[HTTPField.Name("Tollbook-Max-Tokens")!] = "\(most / 2 + 100)"
      let answer = try await client.extract(Scene.form, headers)
      #expect(answer.string("second_look.error.reason") == "max_tokens_reached", "\(answer.text)")
      #expect(stub.calls == 1)
    }
  }

  @Test func `what would happen has no second look where it is off`() async throws {
    try await ExtractionStand.serving { _, client in
      let dry = try await client.extract(
        Scene.form, [HTTPField.Name("Tollbook-Dry-Run")!: "1"])
      #expect(dry["resources"]?.array?.map { _ in 1 }.count == 1, "\(dry.text)")
      #expect(dry["stats.may_buy"] == nil)
    }
  }

  @Test func `one whose answer is of no use is paid for, told, and asked for again`()
    async throws
  {
    let stub = StubGemini()
    let wrong = try Scene.text(gross: #""168.20""#)
    let server = stub.router { number in
      StubGemini.answer(number == 1 ? wrong : "CANARY", prompt: 100, candidates: 20)
    }
    try await ExtractionStand.serving(before: server, { $0.second = .again }) { stand, client in
      for round in 1...2 {
        let answer = try await client.extract(Scene.form)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.string("second_look.taken") == "first")
        #expect(answer.string("second_look.error.type") == "/problems/document-not-read")
        #expect(answer["second_look.looks.1.failed_checks"]?.isNull == true)
        #expect(answer.int("second_look.looks.1.tokens.total") == 120)
        #expect(answer.int("tokens.total") == (round == 1 ? 240 : 120))
        #expect(answer["cache_hit"]?.bool == false)
        #expect(!answer.text.contains("CANARY"))
        #expect(try stand.settled("tokens") == Int64(120 * (round + 1)))
      }
      #expect(stub.calls == 3)
    }
  }

  @Test(arguments: [GeminiFault.Kind.blocked, .maxTokens])
  func `one that the model does not finish is told with what it cost`(
    _ kind: GeminiFault.Kind
  ) async throws {
    try await ExtractionStand.serving({
      $0.second = .again
      // The first call is right, the second one is not.
      $0.simulator.faults = GeminiFaults([
        GeminiFault(.slow, next: 1, milliseconds: 0), GeminiFault(kind, next: 1),
      ])
    }) { stand, client in
      let answer = try await client.extract([Scene.company, Scene.file(1, wrongSum: true)])
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("second_look.taken") == "first")
      #expect(answer["second_look.looks.1.failed_checks"]?.isNull == true)
      #expect(answer["tokens.total"]?.int64 == (try stand.settled("tokens")))
      #expect(
        answer.string("cost.amount") == DecimalText.text(nanoUnits: try stand.settled("USD")))
      #expect(stand.simulator.books.requests == 2)
    }
  }

  @Test func `one for which too little time is left is not bought`() async throws {
    let stub = StubGemini()
    let wrong = try Scene.text(gross: #""168.20""#)
    let clock = Mutex<ManualTime?>(nil)
    let server = stub.router { _ in
      clock.withLock { $0 }?.advance(
        byMilliseconds: DocumentReader.patience - DocumentReader.shortestLook + 1)
      return StubGemini.answer(wrong, prompt: 100, candidates: 20)
    }
    try await ExtractionStand.serving(before: server, { $0.second = .again }) { stand, client in
      clock.withLock { $0 = stand.time }
      let answer = try await client.extract(Scene.form)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("second_look.error.reason") == "deadline_exceeded")
      #expect(stub.calls == 1)
      // The first look is there by now, and takes no time.
      let again = try await client.extract(Scene.form)
      #expect(again["second_look.error"]?.isNull == true, "\(again.text)")
      #expect(stub.calls == 2)
    }
  }
}
