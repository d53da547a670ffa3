/// `/seller`: sellers by id.
///
/// 1 token each, nothing for unknown ones, which are missing from the answer. With a storefront of
/// two ASINs or more 9 more; with `update` hours the storefront is collected anew for 50, or costs
/// 10 if the list that Keepa has is fresh enough (fact sheet, sections 5 and 13).
struct SellerCall: KeepaCall {
  let domain: Int
  let ids: [String]
  let addsStorefront: Bool
  /// Hours; nil: what Keepa has is good enough.
  let update: Int?

  static let mostIDs = 100
  static let tokensOfStorefront = 9
  static let tokensOfCollection = 50
  static let tokensOfFreshCollection = 10

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    domain = try parameters.domain()
    ids = try parameters.list("seller", most: Self.mostIDs)
    addsStorefront = try parameters.flag("storefront")
    update = addsStorefront ? try parameters.number("update", 0...1_000_000) : nil
    guard !addsStorefront || ids.count == 1 else {
      throw KeepaRejection(details: "a storefront is asked for one seller at a time")
    }
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    var tokens = 0
    var found: [KeepaSeller] = []
    for id in ids where KeepaSeller.isKnown(id) {
      let asins = world.catalogue.storefront(of: id, in: domain)
      var seller = KeepaSeller(id: id, domain: domain, asins: asins, minute: moment.minute)
      seller.collected = max(
        seller.collected, world.copies.lastStorefront(of: id, domain: domain) ?? Int.min)
      if let update {
        if moment.minute - seller.collected < update * 60 {
          tokens += Self.tokensOfFreshCollection
        } else {
          tokens += Self.tokensOfCollection
          world.copies.collectStorefront(of: id, domain: domain, at: moment.minute)
          seller.collected = moment.minute
        }
      } else {
        tokens += addsStorefront && asins.count >= 2 ? 1 + Self.tokensOfStorefront : 1
      }
      found.append(seller)
    }
    return KeepaWork(tokens: tokens, capacity: 2048 * (found.count + 1)) {
      [found, addsStorefront] json in
      json.key("sellers")
      json.object { json in
        for seller in found {
          json.key(seller.id)
          seller.write(to: &json, storefront: addsStorefront)
        }
      }
    }
  }
}

/// `/topseller`: the ids of all sellers of a shop, the largest storefronts first. 50 tokens.
struct TopSellerCall: KeepaCall {
  let domain: Int

  /// The price of the list (fact sheet, section 5).
  static let tokens = 50

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    domain = try parameters.domain()
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let sellers = world.catalogue.storefronts(in: domain)
      .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
      .map(\.key)
    return KeepaWork(tokens: Self.tokens, capacity: sellers.count * 18) {
      $0.member("sellerIdList", sellers)
    }
  }
}
