import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Testing
import TollbookEvents
import TollbookHTTP
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Extraction

@Suite("streams that end early") struct GeminiStreamEndTests {
  private static let call = "gemini-3.8-flash:streamGenerateContent?alt=sse"
  private static let hello = #"{"contents":[{"parts":[{"text":"Say something about tolls."}]}]}"#

  /// A client that hangs up when the first part comes.
  private struct Leaving: ResponseBodyWriter {
    struct Left: Error {}

    func write(_ buffer: ByteBuffer) async throws { throw Left() }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }

  @Test(arguments: [true, false])
  func `a client that leaves is charged by what came, to the end of the stream`(
    _ isWhole: Bool
  ) async throws {
    let stub = StubGemini()
    let (gate, opening) = AsyncStream<Void>.makeStream()
    // The rest comes when the client has left.
    let server = stub.router { _ in
      Response(
        status: .ok, headers: [.contentType: "text/event-stream"],
        body: ResponseBody { writer in
          let first = StubGemini.piece("Tolls ", prompt: 10, candidates: 2, isLast: false)
          try await writer.write(ByteBuffer(string: "data: \(first)\r\n\r\n"))
          for await _ in gate {}
          guard isWhole else { throw Leaving.Left() }
          let rest = StubGemini.piece("are due.", prompt: 10, candidates: 30, isLast: true)
          try await writer.write(ByteBuffer(string: "data: \(rest)\r\n\r\n"))
          try await writer.finish(nil)
        })
    }
    try await ExtractionStand.serving(before: server) { stand, _ in
      let request = Request(
        head: HTTPRequest(
          method: .post, scheme: "http", authority: "localhost",
          path: "/gemini/v1beta/models/\(Self.call)",
          headerFields: [.contentType: "application/json"]),
        body: RequestBody(buffer: ByteBuffer(string: Self.hello)))
      let context = TollbookContext(
        source: ApplicationRequestContextSource(
          channel: NIOAsyncTestingChannel(), logger: Logger(label: "test")))
      let response = try await stand.application.application().responder
        .respond(to: request, context: context)
      #expect(response.status == .ok)
      var hasLeft = false
      do { try await response.body.write(Leaving()) } catch is Leaving.Left { hasLeft = true }
      #expect(hasLeft)
      #expect(try stand.sum(.reserved, "tokens") > 0)
      opening.finish()
      while try stand.sum(.reserved, "tokens") > 0 { await Task.yield() }

      let usage = GeminiUsage(prompt: 10, candidates: isWhole ? 30 : 2)
      let price = try #require(
        stand.models.model("gemini-3.8-flash")?.price(on: stand.time.now.calendarDay))
      #expect(try stand.settled("tokens") == usage.tokens)
      #expect(try stand.settled("USD") == price.cost(of: usage)?.nanoUnits)
      // Of a stream that was cut the rest may have been charged too.
      for unit in ["tokens", "USD"] {
        let isInDoubt = try stand.sum(.inDoubt, unit) > 0
        #expect(isInDoubt != isWhole, "\(unit)")
      }
      #expect(stub.calls == 1)
    }
  }

  @Test func `a stream that is cut before its first piece is in doubt up to its bound`()
    async throws
  {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.cutStreamAtOnce, next: 1)])
    }) { stand, client in
      let answer = try await client.ask(Self.call, Self.hello)
      #expect(answer.status == 503, "\(answer.text)")
      #expect(answer.string("error.status") == "UNAVAILABLE")
      let started = try #require(
        try stand.events().compactMap { event -> FetchStarted? in
          if case .fetchStarted(let started) = event { started } else { nil }
        }.first)
      for unit in ["tokens", "USD", "requests", "daily_requests", "input_tokens"] {
        let bound = try #require(started.moves.first { $0.meter.unit == unit }?.amount)
        #expect(bound > 0)
        #expect(try stand.sum(.inDoubt, unit) == bound, "\(unit)")
        #expect(try stand.settled(unit) == 0, "\(unit)")
        #expect(try stand.sum(.reserved, unit) == 0, "\(unit)")
      }
      let doubt = answer.header("Tollbook-Charge-In-Doubt").flatMap { Int64($0) }
      #expect(doubt == (try stand.sum(.inDoubt, "tokens")))
      #expect(answer.header("Tollbook-Charge") == "0")
      #expect(stand.simulator.books.calls.count == 1)
      // It did cost something.
      #expect(stand.simulator.books.chargedRequests == 1)
    }
  }
}
