import TollbookEvents
import TollbookUpstreams

extension PurchaseOrder {
  /// What is to be bought of a question for products.
  init(_ asins: [KeepaASIN], _ request: ProductsRequest, _ settings: GatewaySettings) {
    needs = asins.map {
      Need(
        KeepaUpstream.product, KeepaUpstream.resource($0, request.domain),
        parts: request.contentSet.rawValue)
    }
    demand = Demand(request)
    maximumAge = request.maximumAge
    patience = request.wait
    limit = request.maximumTokens
    deadline = settings.answerTimeout + request.wait
  }
}

extension Demand {
  /// What a question asks of a call.
  fileprivate init(_ request: ProductsRequest) {
    self.init()
    account = request.account
    contentSet = request.contentSet.rawValue
    if let age = request.demandedAge { maxAgeSeconds = UInt32(clamping: age / 1_000) }
    if let behind = request.behind {
      refresh = .grace
      askedMs = behind.asked.milliseconds
    }
  }
}

extension PurchaseProblem {
  static let incomplete = PurchaseProblem(
    .incomplete,
    "Keepa could not collect the offers, and answered without them and what comes with them")
  static let purged = PurchaseProblem(
    .upstreamUnavailable, "it was purged meanwhile; ask again")
}
