import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import Extraction

@Suite("answers that do not follow the schema") struct BrokenAnswerTests {
  private static let form: [FormPart] = [
    .text("companyID", "default"),
    .file("a.pdf", InvoiceDrawing.pdf(DrawnInvoice(number: 1, seed: 1))),
  ]

  @Test(arguments: [
    "CANARY is no JSON", #"{"issue_date":"CANARY"}"#, #"["CANARY"]"#,
  ])
  func `such an answer is paid for, purged, and leaves nothing behind`(
    _ text: String
  ) async throws {
    let stub = StubGemini()
    let good = InvoiceSamples.written(try InvoiceSamples.good())
    let server = stub.router { number in
      StubGemini.answer(number == 1 ? text : good, prompt: 100, candidates: 20)
    }
    try await ExtractionStand.serving(before: server) { stand, client in
      let answer = try await client.extract(Self.form)
      #expect(answer.status == 502, "\(answer.text)")
      #expect(answer.string("type") == "/problems/document-not-read")
      #expect(answer.string("detail")?.contains("does not follow the schema") == true)
      #expect(!answer.text.contains("CANARY"))
      #expect(answer.header("Tollbook-Charge") == "120")
      #expect(try stand.settled("tokens") == 120)

      // It was kept for a moment: what was bought is always written down.
      let events = try stand.events()
      let written = events.compactMap { event -> CacheWritten? in
        if case .cacheWritten(let event) = event { event } else { nil }
      }
      let purged = events.compactMap { event -> CachePurged? in
        if case .cachePurged(let event) = event { event } else { nil }
      }
      #expect(written.count == 1)
      #expect(purged.map(\.resource) == written.map(\.resource))
      #expect(purged.allSatisfy { $0.hard })
      for event in events { #expect(!"\(event)".contains("CANARY")) }
      let entries = try await client.send(.get, "/cache/entries")
      #expect(entries["entries"]?.array?.isEmpty == true, "\(entries.text)")

      // Its body goes with the next tidying.
      let digest = try #require(written.first.map { Array($0.body) })
      #expect(try Self.hasBody(digest, stand))
      stand.time.advance(byMilliseconds: stand.gateway.settings.bodyRetention + 1)
      await stand.gateway.pruneBodies()
      #expect(!(try Self.hasBody(digest, stand)))

      let second = try await client.extract(Self.form)
      #expect(second.status == 200, "\(second.text)")
      #expect(second["cache_hit"]?.bool == false)
      #expect(stub.calls == 2)
      #expect(try await client.extract(Self.form)["cache_hit"]?.bool == true)
    }
  }

  private static func hasBody(_ digest: [UInt8], _ stand: ExtractionStand) throws -> Bool {
    let reader = stand.log.reader
    return try stand.log.read { (reading) throws(LogError) in
      try reader.body(digest: digest, in: reading) != nil
    }
  }
}
