import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Extraction
@testable import TollbookGateway
@testable import TollbookHTTP

/// Who sees what a job reads, what it may spend, and how many there may be.
@Suite("bounds of jobs that read documents") struct ExtractJobBoundsTests {
  private static func invoice(_ number: Int) -> DrawnInvoice {
    DrawnInvoice(number: number, seed: 1)
  }

  private static func file(_ number: Int) -> FormPart {
    .file("\(number).pdf", InvoiceDrawing.pdf(invoice(number)), type: "application/pdf")
  }

  private static let company = FormPart.text("companyID", "default")

  @Test func `texts are sealed, and gone when the key is destroyed`() async throws {
    let master = SymmetricKey(data: Data(repeating: 7, count: 32))
    try await ExtractionStand.serving({
      $0.master = master
      $0.simulator.faults = GeminiFaults([GeminiFault(.http429Minute, next: 1)])
    }) { stand, client in
      try await OpenAccount(id: "acme", actor: "test").run(on: stand.log)
      let id = try #require(
        try await client.queue([
          .text("companyID", "acme"), .file("canary-8421.pdf", InvoiceDrawing.pdf(Self.invoice(5))),
        ]).string("id"))
      try await stand.waiting(id)
      for event in try stand.events() { #expect(!"\(event)".contains("canary")) }
      let reader = stand.log.reader
      for entry in try stand.kept("", account: "acme") {
        let body = try stand.log.read { (reading) throws(LogError) in
          try reader.body(digest: entry.digest, in: reading)
        }
        let content = Data(try #require(body).content())
        for text in ["canary", "%PDF", Self.invoice(5).invoiceNumber] {
          #expect(content.firstRange(of: Data(text.utf8)) == nil, "\(entry.resource)")
        }
      }
      // The names of the files, and the document.
      #expect(try await stand.gateway.shred("acme", actor: "test").entries == 2)
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "done", "\(job.text)")
      #expect(job.int("results.0.error.status") == 410)
      #expect(!job.text.contains("canary"))
      #expect(try stand.settled("tokens") == 0)
    }
  }

  @Test func `another account sees neither the job nor its results`() async throws {
    try await ExtractionStand.serving({ $0.accessKey = "root-key" }) { stand, client in
      var keys: [String: HTTPFields] = [:]
      for (name, scopes) in [("acme", ["read", "fetch"]), ("zenith", ["read", "fetch"])] {
        try await OpenAccount(id: name, actor: "test").run(on: stand.log)
        let key = AccessKey()
        try await IssueAccessKey(
          key, account: name, scopes: scopes, known: [], now: stand.time.now, actor: "test"
        ).run(on: stand.log, default: "default")
        keys[name] = [.accessKey: key.text]
      }
      let (own, other) = (keys["acme"] ?? [:], keys["zenith"] ?? [:])
      let form: [FormPart] = [.text("companyID", "acme"), Self.file(1)]
      let id = try #require(try await client.queue(form, own).string("id"))
      await stand.finish(id)
      let seen = try await client.send(.get, "/jobs/\(id)", own)
      #expect(seen.string("results.0.fields.invoice_number") == Self.invoice(1).invoiceNumber)
      #expect(try await client.send(.get, "/jobs/\(id)", other).status == 404)
      let foreign = try await client.queue(form, other)
      #expect(foreign.status == 403, "\(foreign.text)")
    }
  }

  @Test func `so many may be open of one company, and of what is refused nothing is kept`()
    async throws
  {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.http429Minute, next: 1)])
    }) { stand, client in
      let first = try #require(try await client.queue([Self.company, Self.file(1)]).string("id"))
      try await stand.waiting(first)
      for number in 2...ExtractOrder.mostOfAccount {
        #expect(try await client.queue([Self.company, Self.file(number)]).status == 202)
      }
      let kept = try stand.kept(GeminiUpstream.document).count
      let full = try await client.queue([Self.company, Self.file(99)])
      #expect(full.status == 503, "\(full.text)")
      #expect(full.header("Retry-After") != nil)
      #expect(try stand.kept(GeminiUpstream.document).count == kept)
      try await OpenAccount(id: "acme", actor: "test").run(on: stand.log)
      let other = try await client.queue([.text("companyID", "acme"), Self.file(1)])
      #expect(other.status == 202, "\(other.text)")
    }
  }

  @Test func `what is too long is refused as anywhere else, and nothing of it is kept`()
    async throws
  {
    try await ExtractionStand.serving { stand, client in
      let head = stand.log.head
      let long = [UInt8](repeating: 0x20, count: ExtractForm.longestFile + 1)
      let file = try await client.queue([Self.company, Self.file(1), .file("long.pdf", long)])
      #expect(file.status == 413, "\(file.text)")
      #expect(file.string("field") == "file")
      #expect(file.string("detail")?.contains("\(ExtractForm.longestFile)") == true)
      // Of several that are not too long each by itself.
      let half = [UInt8](long.prefix(ExtractForm.longestBody / 2))
      let body = try await client.queue([
        Self.company, .file("1.pdf", half), .file("2.pdf", half),
      ])
      #expect(body.status == 413, "\(body.text)")
      #expect(body.header("Location") == nil)
      #expect(stand.log.head == head)
      #expect(try stand.kept("").isEmpty)
      #expect(stand.simulator.books.calls.isEmpty)
    }
  }

  @Test func `the whole job costs no more than its own limit`() async throws {
    try await ExtractionStand.serving { stand, client in
      var headers: HTTPFields = [:]
      headers[HTTPField.Name("Tollbook-Max-Tokens")!] = "30000"
      let form = [Self.company] + (1...10).map { Self.file($0) }
      let id = try #require(try await client.queue(form, headers).string("id"))
      await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "done")
      #expect(try stand.settled("tokens") <= 30_000)
      #expect(try stand.settled("tokens") > 0)
      let reasons = job["results"]?.array?.compactMap { $0["error"]?["reason"]?.string } ?? []
      #expect(!reasons.isEmpty)
      #expect(reasons.allSatisfy { $0 == "max_tokens_reached" }, "\(job.text)")
    }
  }
}
