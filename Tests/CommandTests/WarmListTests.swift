import HTTPTypes
import Hummingbird
import JSONText
import NIOCore
import Testing

/// `POST /cache/warm` with every system that the program has.
@Suite struct WarmListTests {
  @Test(arguments: [
    ("{}", "asins", "one of asins, discovery, symbols is missing: it says what is to be fresh"),
    (
      #"{"asins":["B000000001"],"symbols":["BTCUSDT"]}"#, "symbols",
      "asins and symbols stand side by side; send each in a request of its own"
    ),
  ])
  func `what lists there are is told, and that two of them do not go together`(
    body: String, field: String, detail: String
  ) async throws {
    try await RouteStand.serving { stand in
      let listener = stand.listeners[0]
      let answer = try await stand.send(
        RouteStand.Route(method: .post, pattern: "/cache/warm"), to: listener,
        [.contentType: "application/json", .contentLength: "\(body.utf8.count)"],
        RequestBody(buffer: ByteBuffer(string: body)))
      #expect(answer.status == 400, "\(answer.text)")
      let problem = try JSONDocument(Array(answer.text.utf8)).root
      #expect(problem["field"]?.string == field)
      #expect(problem["detail"]?.string == detail)
    }
  }
}
