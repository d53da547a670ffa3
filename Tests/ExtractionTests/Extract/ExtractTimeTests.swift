import HTTPTypes
import Hummingbird
import JSONText
import Testing
import TollbookGateway
import TollbookHTTP
import TollbookSimulators
import TollbookTestSupport

@testable import Extraction

/// T26: a call of a model that brings nothing in time is made once more, and each is on the record.
@Suite("calls of models that take long") struct ExtractTimeTests {
  private static let form: [FormPart] = [
    .text("companyID", "default"),
    .file("a.pdf", InvoiceDrawing.pdf(DrawnInvoice(number: 1, seed: 1))),
  ]

  private static func reader(_ stand: ExtractionStand) -> DocumentReader {
    DocumentReader(
      gateway: stand.gateway, models: stand.models, model: "gemini-3.5-flash-lite",
      principal: Principal(account: "default"), options: DemandOptions())
  }

  private static func file(pages: Int) -> ExtractForm.File {
    ExtractForm.File(name: "a.pdf", type: nil, content: SamplePDF.plain(pages: pages))
  }

  @Test func `of the time that somebody waits an attempt may take half, so that there are two`()
    async throws
  {
    try await ExtractionStand.serving { stand, _ in
      var reader = Self.reader(stand)
      let short = try reader.question(Self.file(pages: DocumentReader.fewPages))
      let demand = try reader.demand(short)
      #expect(demand.deadline == 60_000)
      #expect(demand.request?.attemptLimit == 30_000)
      // No attempt outlives what is left for a second look.
      #expect(try reader.demand(short, within: 12_000).request?.attemptLimit == 12_000)
      // What takes longer would be paid for twice, and never be read.
      let long = try reader.question(Self.file(pages: DocumentReader.fewPages + 1))
      #expect(try reader.demand(long).request?.attemptLimit == nil)
      // A job has time: it tries again by itself.
      reader.job = DocumentReader.Job(tag: "job:1", since: 0)
      #expect(try reader.demand(short).request?.attemptLimit == nil)
    }
  }

  @Test(arguments: [408, 500, 503, 504])
  func `an answer that says that it took too long is asked for again, and both are on the record`(
    _ status: Int
  ) async throws {
    let stub = StubGemini()
    let good = InvoiceSamples.written(try InvoiceSamples.good())
    let server = stub.router { number in
      guard number == 1 else { return StubGemini.answer(good, prompt: 100, candidates: 20) }
      return Response(
        status: HTTPResponse.Status(code: status), headers: [.contentType: "application/json"],
        body: .init(
          byteBuffer: ByteBuffer(
            string:
              #"{"error":{"code":\#(status),"message":"too long","status":"DEADLINE_EXCEEDED"}}"#)))
    }
    try await ExtractionStand.serving(before: server, { $0.gateway.retries.attempts = 3 }) {
      stand, client in
      let answer = try await client.extract(Self.form)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(stub.calls == 2)
      #expect(try stand.settled("requests") == 2)
      let retries = try await client.send(.get, "/views/RetryAttempts")
      #expect(retries.int("rows.0.Attempt") == 1, "\(retries.text)")
      #expect(retries.int("rows.0.NextAttempt") == 2)
      #expect(retries.int("rows.0.StatusCode") == status)
      #expect(retries["rows"]?.array?.map { _ in 1 }.count == 1)
    }
  }

  @Test func `what a charge used is a line of the predecessor's table, input and output apart`()
    async throws
  {
    try await ExtractionStand.serving({ $0.model = "gemini-3.8-flash" }) { stand, client in
      let answer = try await client.extract(Self.form)
      #expect(answer.status == 200, "\(answer.text)")
      let used = try #require(answer["tokens"])
      let thoughts = try #require(used["thoughts"]?.int64)
      #expect(thoughts > 0)
      let logs = try await client.send(.get, "/views/TokenUsageLogs")
      let rows = logs["rows"]?.array.map(Array.init) ?? []
      let tokens = try #require(rows.first { $0["Unit"]?.string == "tokens" })
      #expect(tokens["InputTokens"]?.int64 == used["prompt"]?.int64)
      #expect(tokens["OutputTokens"]?.int64 == (used["candidates"]?.int64 ?? 0) + thoughts)
      #expect(tokens["CandidateTokens"]?.int64 == used["candidates"]?.int64)
      #expect(tokens["TotalTokens"]?.int64 == used["total"]?.int64)
      // In the lines of the other units, such as money, tokens would be added up once more.
      #expect(rows.count > 1)
      for row in rows where row["Unit"]?.string != "tokens" {
        #expect(row["InputTokens"]?.isNull == true)
        #expect(row["OutputTokens"]?.isNull == true)
        #expect(row["CandidateTokens"]?.isNull == true)
      }
    }
  }
}
