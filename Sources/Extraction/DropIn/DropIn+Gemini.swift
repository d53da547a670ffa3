import Hummingbird
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension DropIn {
  /// Gemini's clients put the key into a header of its own, and read errors from an envelope. They are led here by their
  /// `base_url`: in the place of Gemini's host name Tollbook does not listen.
  static let gemini = DropIn(
    root: "/gemini",
    owns: { $0 == "/gemini" || $0.hasPrefix("/gemini/") },
    shownKey: { request in
      request.headers[.geminiKey]
        ?? formItems(request.uri.query ?? "").first { $0.name == "key" }?.value
    },
    answer: { problem, service in
      var refusal = GeminiRefusal(problem.status.code, problem.detail)
      if problem.kind == .unauthorized {
        refusal = GeminiRefusal(400, "API key not valid. Please pass a valid API key.")
        refusal.reason = "API_KEY_INVALID"
      }
      return refusal.response(at: service.log.time.now())
    })
}

extension HeaderName {
  /// Where Gemini's clients show their key.
  static let geminiKey = HeaderName("x-goog-api-key") ?? .apiKey
}
