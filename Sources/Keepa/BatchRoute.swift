import Hummingbird
import TollbookGateway
import TollbookHTTP

extension HTTPService {
  /// `POST /keepa/batch-analyze`: products from the cache, and from Keepa what is missing.
  func addBatch(to router: Router<TollbookContext>) {
    router.route(
      "/keepa/batch-analyze",
      post: { request, context in
        let fields = try await JSONFields(
          of: request, limit: context.maxUploadSize, names: BatchQuestion.names)
        let question = try BatchQuestion(
          fields, cacheControl: request.headers[.cacheControl], gateway.settings)
        if let answer = try dryRun(question.request.demand, request.headers) { return answer }
        let answer = await gateway.products(question.request)
        if BatchCSV.isAsked(request.headers[.accept]) {
          return try BatchCSV(question, answer).response()
        }
        return try BatchAnswer(question, answer).response()
      })
  }
}
