/// `/product`: products by ASIN or by code.
struct ProductCall: KeepaCall {
  let query: ProductQuery

  /// One ASIN and the copy that is served for it.
  struct Item: Sendable {
    let asin: String
    let lastUpdate: Int
    let lastOffers: Int?
    /// Nothing to serve: no shop has it.
    let isUnknown: Bool
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    var shares: [Int] = []
    var items: [Item] = []
    for asin in query.asins {
      let (item, share) = Self.serve(asin, query, in: &world, moment)
      shares.append(share)
      items.append(item)
    }
    var work = KeepaWork(tokens: shares.reduce(0, +))
    work.asins = query.asins
    work.shares = shares
    let served = Array(moment.leavesOutFirst ? items.dropFirst() : items[...])
    guard served.contains(where: { !$0.isUnknown }) else { return work }
    work.payload = .members(capacity: 512 + served.count * 80_000) { json in
      Self.write(served, query, moment.configuration, to: &json)
    }
    return work
  }

  /// Refreshes the copy of a product as the query demands, and tells its price.
  private static func serve(
    _ asin: String, _ query: ProductQuery, in world: inout KeepaWorld, _ moment: KeepaMoment
  ) -> (Item, share: Int) {
    guard !ProductDocument.isUnknown(asin: asin) else {
      return (
        Item(asin: asin, lastUpdate: 0, lastOffers: nil, isUnknown: true),
        ProductPrices.tokensForUnknown(query)
      )
    }
    var ages = world.copies.ages(asin: asin, domain: query.domain, at: moment.minute)
    if !moment.configuration.discountsFreshOffers { ages.offers = nil }
    let facts = ProductDocument.priceFacts(asin: asin, domain: query.domain)
    let share = ProductPrices.tokens(
      for: query, ages: ages, offersFound: facts.offers, hasParent: facts.hasParent)
    let lastUpdate = world.copies.serve(asin: asin, for: query, at: moment.minute)
    let lastOffers = world.copies.lastOffers(asin: asin, domain: query.domain)
    return (
      Item(asin: asin, lastUpdate: lastUpdate, lastOffers: lastOffers, isUnknown: false), share
    )
  }

  /// Refreshes the copy of a product that an answer brings in passing.
  static func item(
    _ asin: String, _ query: ProductQuery, in world: inout KeepaWorld, _ moment: KeepaMoment
  ) -> Item {
    serve(asin, query, in: &world, moment).0
  }

  /// Writes the member `products`, recorded ones byte for byte.
  static func write(
    _ items: [Item], _ query: ProductQuery, _ configuration: KeepaSimulatorConfiguration,
    to json: inout JSONBytes
  ) {
    json.key("products")
    json.array { json in
      for item in items {
        if item.isUnknown {
          if configuration.omitsUnknown || query.update == -1 { continue }
          ProductDocument.writeUnknown(asin: item.asin, domain: query.domain, to: &json)
        } else if let recorded = configuration.bodies?.product(asin: item.asin) {
          json.raw(recorded)
        } else {
          ProductDocument(
            asin: item.asin, query: query, lastUpdate: item.lastUpdate, lastOffers: item.lastOffers
          ).write(to: &json)
        }
      }
    }
  }
}
