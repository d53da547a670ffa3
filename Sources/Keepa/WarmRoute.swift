import Hummingbird
import TollbookGateway
import TollbookHTTP

extension HTTPService {
  /// `POST /cache/warm`: takes on a job that buys what of a list is not fresh in the cache, for as long as it takes. The
  /// list is named, or found by filters.
  func addWarm(to router: Router<TollbookContext>) {
    router.route(
      "/cache/warm",
      post: { request, context in
        let order = try WarmOrder(
          await JSONFields(of: request, limit: context.maxUploadSize, names: WarmOrder.names))
        var demand = order.products.demand.warming
        demand.principal = context.principal
        if order.discovery != nil, request.headers[.dryRun] != nil {
          throw Problem(
            .invalidParameter,
            "Tollbook-Dry-Run does not go with discovery: what a search finds is not known before"
              + " it is bought. POST /api/v1/products/discover tells what the search costs",
            field: "Tollbook-Dry-Run")
        }
        if let answer = try dryRun(demand, request.headers) {
          return answer
        }
        return try await queueJob(
          .warmKeepa, request: order.bytes,
          total: order.discovery?.limit ?? order.products.asins.count,
          demand)
      })
  }
}
