import Hummingbird
import TollbookGateway
import TollbookHTTP

extension HTTPService {
  /// `POST /keepa/batch-analyze`: products from the cache, and from Keepa what is missing, at once or as a job;
  /// `GET /keepa/batch-analyze/{job}`: the results of one, as far as it is.
  func addBatch(to router: Router<TollbookContext>) {
    router.route(
      "/keepa/batch-analyze", mostBytes: BatchOrder.mostBytes,
      post: { request, context in
        if Preference.states(Preference.respondAsync, request.headers) {
          return try await takeOnBatch(request, by: context.principal)
        }
        let fields = try await JSONFields(
          of: request, limit: context.maxUploadSize, names: BatchQuestion.names)
        let question = try BatchQuestion(
          fields, cacheControl: request.headers[.cacheControl], gateway.settings,
          by: context.principal)
        if let answer = try dryRun(question.request.demand, request.headers) { return answer }
        let answer = await gateway.products(question.request)
        if wantsTable(request.headers[.accept]) {
          return try BatchCSV(question, answer).response()
        }
        return try BatchAnswer(question, answer).response()
      })
    router.route(
      "/keepa/batch-analyze/{job}", query: QueryNames(["after", "limit"]),
      get: { request, context in try await batchResults(request, context) })
  }
}
