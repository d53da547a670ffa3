import Foundation
import HTTPTypes
import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import Extraction

@Suite("Gemini's own wire format") struct GeminiDropInTests {
  private static let hello = #"{"contents":[{"parts":[{"text":"Say something about tolls."}]}]}"#

  @Test func `an answer is passed on as it came, and charged by what it tells`() async throws {
    try await ExtractionStand.serving { stand, client in
      let answer = try await client.ask("gemini-3.8-flash:generateContent", Self.hello)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("candidates.0.finishReason") == "STOP")
      let usage = try #require(GeminiUsage(answer["usageMetadata"]))
      #expect(answer.header("Tollbook-Charge") == "\(usage.tokens)")
      let day = try #require(CalendarDay(stand.time.now.day))
      let cost = try #require(
        stand.models.model("gemini-3.8-flash")?.price(on: day)?.cost(of: usage))
      #expect(try stand.settled("tokens") == usage.tokens)
      #expect(try stand.settled("USD") == cost.nanoUnits)
      #expect(try stand.settled("requests") == 1)
      #expect(try stand.settled("daily_requests") == 1)
      #expect(try stand.settled("input_tokens") == usage.input)
      #expect(stand.simulator.books.tokens.total == Int(usage.tokens))
      for unit in ["tokens", "USD", "requests", "daily_requests", "input_tokens"] {
        #expect(try stand.sum(.reserved, unit) == 0)
      }
      let charge = try #require(
        try stand.events().compactMap { event -> TokensCharged? in
          if case .tokensCharged(let charge) = event { charge } else { nil }
        }.first)
      #expect(charge.counts.first { $0.name == "prompt" }?.count == usage.prompt)
      #expect(charge.counts.first { $0.name == "candidates" }?.count == usage.candidates)
      #expect(charge.moves.count == 5)
      for move in charge.moves {
        // What a model uses nobody knows before: it is no other cost than the price list says.
        #expect(move.expected == move.amount, "\(move.meter.unit)")
      }
    }
  }

  @Test func `where a client sets no bound for the answer, one is set`() async throws {
    try await ExtractionStand.serving { stand, client in
      let answer = try await client.ask("gemini-3.5-flash-lite:generateContent", Self.hello)
      let started = try #require(
        try stand.events().compactMap { event -> FetchStarted? in
          if case .fetchStarted(let started) = event { started } else { nil }
        }.first)
      let tokens = try #require(started.moves.first { $0.meter.unit == "tokens" })
      #expect(answer.status == 200)
      #expect(tokens.amount > 8_192)
      #expect(tokens.amount < 8_192 + 400)
    }
  }

  @Test func `the same question is bought once where the client wants that`() async throws {
    try await ExtractionStand.serving { stand, client in
      let first = try await client.ask(
        "gemini-3.5-flash:generateContent", Self.hello, options: "~cache=on")
      #expect(first.status == 200, "\(first.text)")
      let spent = try stand.settled("tokens")
      // Members in another order and other spaces mean the same.
      let same = """
        { "contents" : [ { "parts" : [ { "text" : "Say something about t\\u006flls." } ] } ] }
        """
      let second = try await client.ask(
        "gemini-3.5-flash:generateContent", same, options: "%7Ecache=on")
      #expect(second.bytes == first.bytes)
      #expect(second.header("Tollbook-Charge") == "0")
      #expect(second.header("Cache-Status") == "tollbook; hit")
      #expect(try stand.settled("tokens") == spent)
      let other = try await client.ask(
        "gemini-3.5-flash-lite:generateContent", Self.hello, options: "~cache=on")
      #expect(other.header("Cache-Status") == "tollbook; fwd=miss; stored")
      let uncached = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(uncached.header("Cache-Status") == "tollbook; fwd=bypass")
    }
  }

  @Test func `a stream comes in its pieces, and is charged by the last of them`() async throws {
    try await ExtractionStand.serving { stand, client in
      let answer = try await client.ask(
        "gemini-3.8-flash:streamGenerateContent?alt=sse", Self.hello)
      #expect(answer.status == 200)
      #expect(answer.header("Content-Type") == "text/event-stream")
      let pieces = answer.text.split(separator: "data: ").count
      #expect(pieces > 1)
      var stream = GeminiStream()
      stream.read(answer.bytes)
      #expect(try stand.settled("tokens") == stream.usage?.tokens)
      #expect(stand.simulator.books.tokens.total == Int(stream.usage?.tokens ?? 0))
      let list = try await client.ask("gemini-3.8-flash:streamGenerateContent", Self.hello)
      #expect(list.json?.kind == .array)
      #expect(try stand.settled("tokens") == 2 * (stream.usage?.tokens ?? 0))
    }
  }

  @Test func `a stream is played again from the cache`() async throws {
    try await ExtractionStand.serving { stand, client in
      let call = "gemini-3.8-flash:streamGenerateContent?alt=sse"
      let first = try await client.ask(call, Self.hello, options: "~cache=on")
      let spent = try stand.settled("tokens")
      let second = try await client.ask(call, Self.hello, options: "~cache=on")
      #expect(first.status == 200)
      #expect(second.bytes == first.bytes)
      #expect(second.header("Content-Type") == "text/event-stream")
      #expect(second.header("Cache-Status") == "tollbook; hit")
      #expect(try stand.settled("tokens") == spent)
    }
  }

  @Test func `counting and listing cost nothing`() async throws {
    try await ExtractionStand.serving { stand, client in
      let count = try await client.ask("gemini-3.5-flash:countTokens", Self.hello)
      #expect(count.status == 200, "\(count.text)")
      #expect(count.int("totalTokens") ?? 0 > 0)
      let list = try await client.send(.get, "/gemini/v1beta/models")
      #expect(list["models"]?.array?.isEmpty == false)
      let one = try await client.send(.get, "/gemini/v1/models/gemini-3.5-flash")
      #expect(one.string("name") == "models/gemini-3.5-flash")
      #expect(try stand.settled("tokens") == 0)
      #expect(try stand.settled("requests") == 0)
    }
  }

  @Test(arguments: [
    ("gemini-9:generateContent", hello, 404, "without a price nothing is bought"),
    ("gemini-2.5-pro:generateContent", hello, 404, "no price is known for gemini-2.5-pro"),
    ("gemini-3.5-flash:generateContent", "{", 400, "is no JSON"),
    ("gemini-3.5-flash:generateContent", "{}", 400, "contents is missing"),
    ("gemini-3.5-flash:generateContent", #"{"contents":[1]}"#, 400, "must be an object"),
    (
      "gemini-3.5-flash:generateContent",
      #"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"*"}}]}]}"#, 400,
      "is not base64"
    ),
    (
      "gemini-3.5-flash:generateContent",
      #"{"contents":[{}],"generationConfig":{"maxOutputTokens":0}}"#, 400, "maxOutputTokens must be"
    ),
    ("gemini-3.5-flash:embedContent", hello, 404, "is not served here"),
    ("Gemini:generateContent", hello, 404, "is not served here"),
  ])
  func `what cannot be bought is refused in Gemini's shape, and costs nothing`(
    _ call: String, _ body: String, _ status: Int, _ words: String
  ) async throws {
    try await ExtractionStand.serving { stand, client in
      let answer = try await client.ask(call, body)
      #expect(answer.status == status)
      #expect(answer.int("error.code") == status)
      #expect(answer.string("error.message")?.contains(words) == true, "\(answer.text)")
      #expect(stand.simulator.books.requests == 0)
      #expect(!(try stand.events()).contains { if case .fetchStarted = $0 { true } else { false } })
    }
  }

  @Test(arguments: [
    (GeminiFault.Kind.http500, 500, "INTERNAL"), (.http503, 503, "UNAVAILABLE"),
    (.http404, 404, "NOT_FOUND"), (.errorList, 503, "UNAVAILABLE"),
  ])
  func `the provider's own status goes on, and costs no tokens`(
    _ kind: GeminiFault.Kind, _ status: Int, _ name: String
  ) async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(kind, next: 1)])
    }) {
      stand, client in
      let answer = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(answer.status == status, "\(answer.text)")
      #expect(answer.string("error.status") == name)
      #expect(try stand.settled("tokens") == 0)
      #expect(try stand.settled("USD") == 0)
      #expect(try stand.settled("requests") == 1)
      #expect(try stand.sum(.inDoubt, "USD") == 0)
    }
  }

  @Test(arguments: [
    (GeminiFault.Kind.keyInvalid, 400, "API key not valid"),
    (.http402, 402, "its project has to be paid for"), (.http403, 403, "has no access"),
  ])
  func `a key that is wrong or owes something is a state of the key, and not asked with again`(
    _ kind: GeminiFault.Kind, _ status: Int, _ words: String
  ) async throws {
    try await ExtractionStand.serving({
      $0.gateway.retries.attempts = 3
      $0.simulator.faults = GeminiFaults([GeminiFault(kind, next: 1)])
    }) { stand, client in
      let answer = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(answer.status == status, "\(answer.text)")
      #expect(answer.string("error.message")?.contains(words) == true, "\(answer.text)")
      #expect(stand.simulator.books.calls.count == 1)
      #expect(try stand.settled("tokens") == 0)
      #expect(try stand.sum(.inDoubt, "USD") == 0)
      let ledger = LedgerView(stand.log)
      let row = try stand.log.read { (reading) throws(LogError) in
        try ledger.credential(ExtractionStand.credential, in: reading)
      }
      #expect(row?.status == .rejected)
      let calls = stand.simulator.books.calls.count
      let second = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(second.status >= 400)
      #expect(stand.simulator.books.calls.count == calls)
    }
  }

  @Test(arguments: [GeminiFault.Kind.drop, .cutJSON, .usageMissing, .negativeCount])
  func `what does not tell its cost is in doubt up to its bound, and never free`(
    _ kind: GeminiFault.Kind
  ) async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(kind, next: 1)])
    }) {
      stand, client in
      let answer = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      let isAnswered = kind == .usageMissing || kind == .negativeCount
      #expect((answer.status == 200) == isAnswered, "\(answer.text)")
      #expect(try stand.settled("USD") == 0)
      #expect(try stand.sum(.inDoubt, "USD") > 0)
      #expect(try stand.sum(.inDoubt, "tokens") > 8_192)
    }
  }

  @Test func `usage that does not add up is booked at the dearer reading`() async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.usageUnequal, next: 1)])
    }) { stand, client in
      let answer = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      let usage = try #require(GeminiUsage(answer["usageMetadata"]))
      #expect(usage.isUnequal)
      #expect(try stand.settled("tokens") == usage.tokens)
      #expect(try stand.settled("tokens") >= answer["usageMetadata.totalTokenCount"]?.int64 ?? .max)
      #expect(
        answer.header("Tollbook-Charge-Estimated") == GeminiPrice.Estimate.unequalUsage.rawValue)
      let exact = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(exact.status == 200)
      #expect(exact.header("Tollbook-Charge-Estimated") == nil)
    }
  }

  @Test(arguments: ["?alt=sse", ""])
  func `what a stream cost, and that it is an estimate, is told behind it`(
    _ query: String
  ) async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.usageUnequal, next: 1)])
    }) { stand, client in
      let call = "gemini-3.8-flash:streamGenerateContent\(query)"
      let answer = try await client.ask(call, Self.hello)
      #expect(answer.status == 200, "\(answer.text)")
      let names = ["Tollbook-Charge", "Tollbook-Charge-In-Doubt", "Tollbook-Charge-Estimated"]
      #expect(answer.header("Trailer") == names.joined(separator: ", "))
      for name in names { #expect(answer.header(name) == nil) }
      let spent = try stand.settled("tokens")
      #expect(spent > 0)
      #expect(answer.trailer[.charge] == "\(spent)")
      #expect(answer.trailer[.chargeInDoubt] == nil)
      #expect(answer.trailer[.chargeEstimated] == GeminiPrice.Estimate.unequalUsage.rawValue)
      let exact = try await client.ask(call, Self.hello)
      #expect(exact.trailer[.charge] == "\(try stand.settled("tokens") - spent)")
      #expect(exact.trailer[.chargeEstimated] == nil)
      // One that is kept for a repeat is whole before it is answered.
      stand.simulator.faults = GeminiFaults([GeminiFault(.usageUnequal, next: 1)])
      let before = try stand.settled("tokens")
      let whole = try await client.send(
        .post, "/gemini/v1beta/models/\(call)",
        [.contentType: "application/json", .idempotencyKey: "stream-1"],
        body: Array(Self.hello.utf8))
      #expect(whole.header("Trailer") == nil)
      #expect(whole.trailer.isEmpty)
      #expect(whole.header("Tollbook-Charge") == "\(try stand.settled("tokens") - before)")
      #expect(
        whole.header("Tollbook-Charge-Estimated") == GeminiPrice.Estimate.unequalUsage.rawValue)
    }
  }

  @Test(arguments: [GeminiFault.Kind.blocked, .maxTokens, .emptyParts])
  func `what is no result is charged, and not kept as one`(_ kind: GeminiFault.Kind) async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(kind, next: 1)])
    }) {
      stand, client in
      let first = try await client.ask(
        "gemini-3.5-flash:generateContent", Self.hello, options: "~cache=on")
      #expect(first.status == 200, "\(first.text)")
      let spent = try stand.settled("tokens")
      #expect(spent > 0)
      let second = try await client.ask(
        "gemini-3.5-flash:generateContent", Self.hello, options: "~cache=on")
      #expect(second.header("Cache-Status") == "tollbook; fwd=miss; stored")
      #expect(second.string("candidates.0.finishReason") == "STOP")
      #expect(try stand.settled("tokens") > spent)
    }
  }

  @Test func `a stream that is cut is charged what its last piece told, and the rest is in doubt`()
    async throws
  {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.cutStream, next: 1)])
    }) { stand, client in
      let answer = try? await client.ask(
        "gemini-3.8-flash:streamGenerateContent?alt=sse", Self.hello)
      #expect(answer == nil || answer?.status == 200)
      while try stand.sum(.reserved, "USD") > 0 { await Task.yield() }
      #expect(try stand.settled("tokens") > 0)
      #expect(try stand.sum(.inDoubt, "tokens") > 0)
      #expect(stand.simulator.books.calls.count == 1)
    }
  }

  @Test func `a money budget holds, and a missing answer bound does not get past it`() async throws
  {
    try await ExtractionStand.serving { stand, client in
      let order = try BudgetOrder(
        name: "day", scope: BudgetRow.Scope(), unit: "USD", limit: 1_000_000, window: .day,
        units: ["USD"], upstreams: ["gemini"])
      try await SetBudget(order, now: stand.time.now, actor: "test").run(
        on: stand.log, default: "default")
      let answer = try await client.ask("gemini-3.8-flash:generateContent", Self.hello)
      #expect(answer.status == 429, "\(answer.text)")
      #expect(answer.string("error.message")?.contains("day") == true)
      let short = #"""
        {"contents":[{"parts":[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":60}}
        """#
      let bounded = try await client.ask("gemini-3.8-flash:generateContent", short)
      #expect(bounded.status == 200, "\(bounded.text)")
    }
  }

  @Test func `the key that a client shows is its access key, and goes no further`() async throws {
    try await ExtractionStand.serving({ $0.accessKey = "tollbook-secret-canary" }) {
      stand, client in
      let none = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(none.status == 400)
      #expect(none.string("error.details.0.reason") == "API_KEY_INVALID")
      let right = try await client.ask(
        "gemini-3.5-flash:generateContent", Self.hello, key: "tollbook-secret-canary")
      #expect(right.status == 200, "\(right.text)")
      let inQuery = try await client.ask(
        "gemini-3.5-flash:generateContent?key=tollbook-secret-canary", Self.hello)
      #expect(inQuery.status == 200)
      for event in try stand.events() {
        #expect(!"\(event)".contains("canary"))
      }
    }
  }

  @Test func `what would happen costs nothing`() async throws {
    try await ExtractionStand.serving { stand, client in
      var headers: HTTPFields = [.contentType: "application/json"]
      headers[HTTPField.Name("Tollbook-Dry-Run")!] = "1"
      let answer = try await client.send(
        .post, "/gemini/v1beta/models/gemini-3.5-flash:generateContent", headers,
        body: Array(Self.hello.utf8))
      #expect(answer["dry_run"]?.bool == true)
      #expect(answer.int("units_bound") ?? 0 > 8_192)
      #expect(stand.simulator.books.requests == 0)
    }
  }
}
