import Hummingbird
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// Gemini's own paths under `/gemini/`, with what a client wants of Tollbook in the base path or not: `generateContent`,
  /// `streamGenerateContent`, `countTokens` and the models, under `v1` and `v1beta`.
  ///
  /// HEAD is refused: who only looks whether something is there must not pay for it.
  func addGemini(_ models: GeminiModels, to router: Router<TollbookContext>) {
    func add(
      _ path: String, _ method: HTTPRequest.Method,
      _ answer: @escaping @Sendable (GeminiDropIn) async throws -> Response
    ) {
      for base in ["/gemini/{first}", "/gemini/{first}/{version}"] {
        let path = RouterPath("\(base)\(path)")
        router.on(path, method: method) { request, context in
          try context.principal.require(method == .get ? .read : .fetch)
          let ask: Handler = { request, context in
            do { return try await answer(GeminiDropIn(self, models, request, context)) } catch let
              refusal as GeminiRefusal
            {
              return refusal.response(at: log.time.now())
            }
          }
          return try await method == .get
            ? ask(request, context)
            : once(request, context, atMost: GeminiDropIn.mostBody, ask)
        }
      }
    }
    add("/models", .get) { try await $0.list() }
    add("/models/{call}", .get) { try await $0.list() }
    add("/models/{call}", .post) { try await $0.call() }
    for base in ["/gemini/{first}", "/gemini/{first}/{version}"] {
      router.refuseMethods(but: [.get], at: RouterPath("\(base)/models"))
      router.refuseMethods(but: [.get, .post], at: RouterPath("\(base)/models/{call}"))
    }
  }
}
