/// `/lightningdeal`: the lightning deal of one ASIN for 1 token, or all of a shop for 500.
///
/// A deal lasts six hours. It is announced one such slot ahead, and half of those that run are
/// sold out in the second half of their time.
struct LightningDealCall: KeepaCall {
  let domain: Int
  /// Nil: all.
  let asin: String?
  let state: String?

  static let tokens = 1
  static let tokensForAll = 500

  /// Keepa's states of deals.
  static let states: Set<String> = [
    "AVAILABLE", "WAITLIST", "SOLDOUT", "WAITLISTFULL", "EXPIRED", "SUPPRESSED", "UPCOMING",
  ]

  private static let slot = 360

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    domain = try parameters.domain()
    asin = parameters["asin"]
    guard parameters.values["asin"] == nil || asin?.utf8.count == 10 else {
      throw KeepaRejection(details: "asin is no ASIN")
    }
    state = parameters["state"]
    if let state, !Self.states.contains(state) {
      throw KeepaRejection(details: "state is none of a deal")
    }
  }

  /// A deal that is announced or runs.
  struct Deal: Sendable {
    let product: ProductProfile
    let start: Int
    let state: String
    let price: Int
    let current: Int
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    // Collected every ten minutes.
    let minute = moment.minute - moment.minute % 10
    let products: [ProductProfile] =
      if let asin {
        ProductDocument.isUnknown(asin: asin) ? [] : [ProductProfile(asin: asin, domain: domain)]
      } else {
        world.catalogue.products(in: domain)
      }
    var deals: [Deal] = []
    for product in products {
      guard let (start, place) = Self.slot(of: product, at: minute) else { continue }
      let current = world.held.value(.csv(.new), of: product, at: minute)
      guard current > 0 else { continue }
      let isRunning = start <= minute
      let isSoldOut = isRunning && minute - start > Self.slot / 2 && place % 2 == 0
      let state = isSoldOut ? "SOLDOUT" : isRunning ? "AVAILABLE" : "UPCOMING"
      if let wanted = self.state, wanted != state { continue }
      deals.append(
        Deal(
          product: product, start: start, state: state,
          price: current * (60 + place % 30) / 100, current: current))
    }
    return KeepaWork(
      tokens: asin == nil ? Self.tokensForAll : Self.tokens, capacity: 512 * (deals.count + 1)
    ) { [deals, domain] json in
      json.key("lightningDeals")
      json.array { json in
        for deal in deals { Self.write(deal, domain, minute, to: &json) }
      }
    }
  }

  /// The slot of the product's deal that runs or comes next, and a number that belongs to it.
  private static func slot(
    of product: ProductProfile, at minute: Int
  ) -> (start: Int, place: Int)? {
    for number in [minute / slot, minute / slot + 1] {
      var numbers = SeededNumbers(product.asin, salt: 10_000 + number * 16 + product.domain)
      if numbers.chance(2) { return (number * slot, numbers.below(1000)) }
    }
    return nil
  }

  private static func write(
    _ deal: Deal, _ domain: Int, _ minute: Int, to json: inout JSONBytes
  ) {
    let percent =
      switch deal.state {
      case "SOLDOUT": 100
      case "AVAILABLE": min(99, (minute - deal.start) * 100 / slot)
      default: 0
      }
    json.object { json in
      json.member("asin", deal.product.asin)
      json.member("currentPrice", deal.current)
      json.member("dealPrice", deal.price)
      json.member("dealState", deal.state)
      json.member("domainId", domain)
      json.member("endTime", deal.start + slot)
      json.member("image", "41\(deal.product.asin.dropFirst(2))L.jpg")
      json.member("isFulfilledByAmazon", true)
      json.member("isMAP", false)
      json.member("isPrimeEligible", true)
      json.member("lastUpdate", minute)
      json.member("percentClaimed", percent)
      json.member("percentOff", 100 - 100 * deal.price / deal.current)
      json.member("sellerId", deal.product.seller(at: 0))
      json.member("sellerName", deal.product.manufacturer)
      json.member("startTime", deal.start)
      json.member("title", deal.product.title)
      json.nullMembers("variation")
    }
  }
}
