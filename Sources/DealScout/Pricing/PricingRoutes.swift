import Hummingbird
import JSONText
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST /seller/pricing/suggest`: what to ask for something, by the account's own sales and by listings that may be
  /// used for it, or why nothing can be said. It never buys, so that an access key that may only read can ask.
  func addPricing(to router: Router<TollbookContext>, _ desk: SellerDesk) {
    router.route(
      "/seller/pricing/suggest", query: QueryNames(), scope: .read,
      post: { request, context in
        let order = try PricingOrder(
          try await collectedBody(of: request, limit: PricingOrder.mostBytes))
        let account = try account(order.account, context)
        let price = try await desk.priceDesk(of: account).price(
          of: order.title, gtin: order.gtin, epid: order.epid, order.condition,
          on: order.marketplace, fees: order.fees)
        return .object(position: log.head) { json in
          json.field("title", order.title)
          json.field("account", account)
          price.writeMembers(to: &json)
        }
      })
  }
}
