import Foundation
import Testing

@testable import TollbookSimulators

/// What goes wrong on purpose, and who pays for it.
@Suite struct GeminiFaultTests {
  private let hello = GeminiBench.body(GeminiBench.text("Hello"))

  private static let table: [(GeminiFault.Kind, Int, GeminiBooks.Outcome)] = [
    (.http429Minute, 429, .refused), (.http429Day, 429, .refused), (.http429Bare, 429, .refused),
    (.http500, 500, .failed), (.http503, 503, .failed), (.http402, 402, .rejected),
    (.http403, 403, .rejected),
    (.http404, 404, .rejected), (.slow, 200, .answered), (.drop, 0, .dropped),
    (.cutJSON, 200, .dropped), (.errorList, 503, .failed), (.blocked, 200, .answered),
    (.maxTokens, 200, .answered), (.emptyParts, 200, .answered), (.usageMissing, 200, .answered),
    (.usageUnequal, 200, .answered), (.negativeCount, 200, .answered),
    (.keyInvalid, 400, .rejected),
  ]

  @Test(arguments: table)
  func `a fault answers and charges as it says and then it is over`(
    kind: GeminiFault.Kind, status: Int, outcome: GeminiBooks.Outcome
  ) async throws {
    let bench = GeminiBench { $0.faults = GeminiFaults([GeminiFault(kind, next: 1)]) }
    let answer = await bench.post(hello)
    #expect(answer.status == status)
    let books = bench.simulator.books
    let call = try #require(books.calls.first)
    #expect(call.outcome == outcome && call.fault == kind && call.status == status)
    #expect((books.tokens.prompt > 0) == kind.isCharged)
    #expect(books.requests == (kind.isRefusal ? 0 : 1))
    #expect(books.chargedRequests == (kind.isCharged ? 1 : 0))
    let next = await bench.post(hello)
    #expect(next.status == 200)
    #expect(try next.usage().isConsistent)
  }

  @Test func `every fault is tried here or in a stream`() {
    let tried = Set(Self.table.map(\.0)).union([.cutStream, .cutStreamAtOnce])
    #expect(tried == Set(GeminiFault.Kind.allCases))
  }

  @Test func `refusals for a day carry a short delay and bare ones carry nothing`() async throws {
    let kinds: [GeminiFault.Kind] = [.http429Day, .http429Minute, .http429Bare]
    let bench = GeminiBench { configuration in
      configuration.faults = GeminiFaults(kinds.map { GeminiFault($0, next: 1) })
    }
    let day = String(decoding: await bench.post(hello).body, as: UTF8.self)
    #expect(day.contains("PerDay") && !day.contains("PerMinute") && day.contains(#""12s""#))
    let minute = String(decoding: await bench.post(hello).body, as: UTF8.self)
    #expect(minute.contains("PerMinute") && minute.contains(#""31s""#))
    #expect(try await bench.post(hello).error()["details"] == nil)
  }

  @Test func `wrong usage is charged as it should be`() async throws {
    let right = try await GeminiBench().post(hello).usage().tokens
    for kind in [GeminiFault.Kind.usageMissing, .usageUnequal, .negativeCount] {
      let bench = GeminiBench { $0.faults = GeminiFaults([GeminiFault(kind, next: 1)]) }
      let answer = await bench.post(hello)
      #expect(bench.simulator.books.tokens == right, "\(kind)")
      switch kind {
      case .usageMissing: #expect(try answer.members()["usageMetadata"] == nil)
      case .usageUnequal: #expect(try answer.usage().total == right.total + 7)
      default: #expect(try answer.usage().tokens.candidates == -right.candidates)
      }
    }
  }

  @Test func `a blocked prompt has no candidates and costs the prompt`() async throws {
    let bench = GeminiBench { $0.faults = GeminiFaults([GeminiFault(.blocked, next: 1)]) }
    let answer = await bench.post(hello)
    let feedback = try answer.members()["promptFeedback"] as? [String: String]
    #expect(feedback?["blockReason"] == "PROHIBITED_CONTENT")
    #expect(try answer.members()["candidates"] == nil)
    #expect(bench.simulator.books.tokens == GeminiTokens(prompt: 2))
  }

  @Test func `an answer cut for want of tokens is broken JSON`() async throws {
    let bench = GeminiBench { $0.faults = GeminiFaults([GeminiFault(.maxTokens, next: 1)]) }
    let pdf = InvoiceDrawing.pdf(DrawnInvoice(number: 1, seed: 1))
    let answer = await bench.post(
      GeminiBench.body(
        GeminiBench.file(pdf), settings: #""responseMimeType":"application/json""#))
    #expect(try answer.candidate()["finishReason"] as? String == "MAX_TOKENS")
    #expect(throws: (any Error).self) { try answer.value() }
    #expect(try answer.usage().isConsistent)
    #expect(try answer.usage().tokens == bench.simulator.books.tokens)
  }

  @Test func `empty parts say that all is well`() async throws {
    let bench = GeminiBench { $0.faults = GeminiFaults([GeminiFault(.emptyParts, next: 1)]) }
    let answer = await bench.post(hello)
    #expect(try answer.texts().isEmpty)
    #expect(try answer.candidate()["finishReason"] as? String == "STOP")
    #expect(try answer.usage().isConsistent)
  }

  @Test func `half a body is no JSON and half a stream has no end`() async throws {
    let bench = GeminiBench {
      $0.faults = GeminiFaults([
        GeminiFault(.cutStream, next: 1), GeminiFault(.cutJSON, next: 1, of: .generateContent),
      ])
    }
    let half = await bench.post(hello)
    #expect(half.delivery == .whole)
    #expect(throws: (any Error).self) { try half.members() }
    let stream = await bench.post(hello, "streamGenerateContent", query: ["alt": "sse"])
    #expect(stream.delivery == .cut(chunks: stream.chunks.count / 2))
    #expect(bench.simulator.books.tokensWithoutAnswer == bench.simulator.books.tokens)
    #expect(bench.simulator.books.chargedRequests == 2)
    let early = GeminiBench {
      $0.faults = GeminiFaults([GeminiFault(.cutStreamAtOnce, next: 1)])
    }
    let nothing = await early.post(hello, "streamGenerateContent", query: ["alt": "sse"])
    #expect(nothing.status == 200)
    #expect(nothing.delivery == .cut(chunks: 0))
    #expect(early.simulator.books.chargedRequests == 1)
  }

  @Test func `a server error may charge all the same and a refusal never`() async throws {
    let bench = GeminiBench {
      $0.faults = GeminiFaults([
        GeminiFault(.http500, next: 1, charges: true),
        GeminiFault(.http429Bare, next: 1, charges: true),
      ])
    }
    #expect(await bench.post(hello).status == 500)
    let charged = bench.simulator.books.tokensWithoutAnswer
    #expect(charged.prompt == 2)
    #expect(await bench.post(hello).status == 429)
    #expect(bench.simulator.books.tokens == charged)
  }

  @Test func `an error list is an array of one`() async throws {
    let bench = GeminiBench { $0.faults = GeminiFaults([GeminiFault(.errorList, next: 1)]) }
    let body = Data(await bench.post(hello).body)
    #expect((try JSONSerialization.jsonObject(with: body) as? [[String: Any]])?.count == 1)
  }

  @Test func `faults are read from short JSON and strike only what they can`() async throws {
    let text =
      #"{"rules":[{"kind":"http429_minute","next":2,"operation":"countTokens"},"#
      + #"{"kind":"cut_stream","probability":1,"seed":3}]}"#
    let faults = try JSONDecoder().decode(GeminiFaults.self, from: Data(text.utf8))
    #expect(
      faults
        == GeminiFaults([
          GeminiFault(.http429Minute, next: 2, of: .countTokens),
          GeminiFault(.cutStream, probability: 1, seed: 3),
        ]))
    let bench = GeminiBench { $0.faults = faults }
    #expect(await bench.post(hello).delivery == .whole)
    #expect(await bench.post(hello, "countTokens").status == 429)
  }

  @Test func `chance strikes about as often as it should and repeatably`() {
    func strikes(seed: UInt64) -> [Bool] {
      var faults = GeminiFaults([GeminiFault(.drop, probability: 0.25, seed: seed)])
      return (0..<2000).map { _ in faults.strike(.generateContent) != nil }
    }
    #expect(strikes(seed: 7) == strikes(seed: 7))
    #expect(strikes(seed: 7) != strikes(seed: 8))
    #expect((400...600).contains(strikes(seed: 7).count { $0 }))
  }
}
