import HTTPTypes
import Hummingbird
import Synchronization

/// A server in Gemini's place that answers what a test wants.
final class StubGemini: Sendable {
  /// What was asked in a call.
  struct Call: Sendable {
    var path: String
    var body: String
  }

  private let asked = Mutex<[Call]>([])

  /// How many calls came.
  var calls: Int { asked.withLock { $0.count } }
  /// The calls in their order.
  var requests: [Call] { asked.withLock { $0 } }

  /// - Parameter answer: makes the answer to the call of that number; the first is 1.
  func router(
    _ answer: @escaping @Sendable (_ number: Int) -> Response
  ) -> Router<BasicRequestContext> {
    let router = Router()
    router.post("**") { [self] request, _ in
      let body = try await request.body.collect(upTo: 64 << 20)
      let call = Call(path: request.uri.path, body: String(buffer: body))
      var response = answer(
        asked.withLock { asked in
          asked.append(call)
          return asked.count
        })
      response.headers[HTTPField.Name("Tollbook-Upstream")!] = "simulated"
      return response
    }
    return router
  }

  /// A whole answer with a text of the model's.
  static func answer(_ text: String, prompt: Int, candidates: Int) -> Response {
    let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: .init(
        byteBuffer: ByteBuffer(
          string: piece(quoted, prompt: prompt, candidates: candidates, isLast: true))))
  }

  /// A piece of an answer, or a whole one.
  static func piece(_ text: String, prompt: Int, candidates: Int, isLast: Bool) -> String {
    #"{"candidates":[{"content":{"role":"model","parts":[{"text":""# + text + #""}]}"#
      + (isLast ? #","finishReason":"STOP""# : "") + #","index":0}],"usageMetadata":{"#
      + #""promptTokenCount":\#(prompt),"candidatesTokenCount":\#(candidates),"#
      + #""totalTokenCount":\#(prompt + candidates)},"modelVersion":"gemini-of-a-test"}"#
  }
}
