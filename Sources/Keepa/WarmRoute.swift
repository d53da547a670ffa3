import Hummingbird
import TollbookGateway
import TollbookHTTP

extension Warming {
  /// Products, named or found by filters.
  static let products = Warming(
    ["asins", "discovery"], of: WarmOrder.names
  ) { fields, request, context, service in
    let order = try WarmOrder(fields)
    var demand = order.products.demand.warming
    demand.principal = context.principal
    if order.discovery != nil, request.headers[.dryRun] != nil {
      throw Problem(
        .invalidParameter,
        "Tollbook-Dry-Run does not go with discovery: what a search finds is not known before"
          + " it is bought. POST /api/v1/products/discover tells what the search costs",
        field: "Tollbook-Dry-Run")
    }
    if let answer = try service.dryRun(demand, request.headers) { return answer }
    return try await service.queueJob(
      .warmKeepa, request: order.bytes,
      total: order.discovery?.limit ?? order.products.asins.count, demand)
  }
}
