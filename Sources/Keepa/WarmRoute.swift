import Hummingbird
import TollbookGateway
import TollbookHTTP

extension HTTPService {
  /// `POST /cache/warm`: takes on a job that buys what of a list is not fresh in the cache, for as long as it takes.
  func addWarm(to router: Router<TollbookContext>) {
    router.route(
      "/cache/warm",
      post: { request, context in
        let order = try WarmOrder(
          await JSONFields(of: request, limit: context.maxUploadSize, names: WarmOrder.names))
        if let answer = try dryRun(order.products.demand.warming, request.headers) {
          return answer
        }
        return try await queueJob(
          .warmKeepa, request: order.bytes, total: order.products.asins.count)
      })
  }
}
