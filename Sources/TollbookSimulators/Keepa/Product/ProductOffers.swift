/// The marketplace offers of an invented product.
struct ProductOffers {
  /// One seller's offer.
  struct Offer {
    let id: Int
    let seller: String
    let condition: Int
    let isFBA: Bool
    let isAmazon: Bool
    let firstSeen: Int
    let lastSeen: Int
    let price: Int
    let shipping: Int
  }

  let profile: ProductProfile
  /// The Keepa minute at which the offers were collected.
  let collected: Int
  /// Offers on the page now, cheapest first.
  let live: [Offer]
  /// Offers that are gone.
  let historic: [Offer]

  init(profile: ProductProfile, collected: Int, limit: Int, onlyLive: Bool) {
    self.profile = profile
    self.collected = collected
    let found = min(limit, profile.offerCount)
    live = (0..<found).map { Self.offer($0, of: profile, collected: collected, isLive: true) }
      .sorted { ($0.price + $0.shipping, $0.id) < ($1.price + $1.shipping, $1.id) }
    historic =
      onlyLive
      ? []
      : (0..<(found / 3)).map {
        Self.offer(1000 + $0, of: profile, collected: collected, isLive: false)
      }
  }

  var countFBA: Int { live.count { $0.isFBA } }
  var countFBM: Int { live.count - countFBA }
  var sellersFBA: [String] { live.first { $0.isFBA }.map { [$0.seller] } ?? [] }
  var sellersFBM: [String] { live.first { !$0.isFBA }.map { [$0.seller] } ?? [] }

  private static func offer(
    _ place: Int, of profile: ProductProfile, collected: Int, isLive: Bool
  ) -> Offer {
    var numbers = profile.numbers(2000 + place)
    let age = numbers.within(2_000...400_000)
    let isFBA = numbers.chance(60)
    return Offer(
      id: place + 1,
      seller: profile.seller(at: place),
      condition: profile.hasUsed && numbers.chance(25) ? numbers.within(2...5) : 1,
      isFBA: isFBA,
      isAmazon: false,
      firstSeen: max(profile.trackingSince, collected - age),
      lastSeen: isLive ? collected : max(profile.trackingSince, collected - age / 2),
      price: profile.basePrice * numbers.within(94...130) / 100,
      shipping: isFBA ? 0 : numbers.pick([0, 399, 499, 649]))
  }

  /// Writes the array of all offers, live ones first.
  func writeOffers(to json: inout JSONBytes, stock: Bool, since: Int?) {
    json.array { json in
      for offer in live + historic { write(offer, to: &json, stock: stock, since: since) }
    }
  }

  private func write(_ offer: Offer, to json: inout JSONBytes, stock: Bool, since: Int?) {
    var numbers = profile.numbers(4000 + offer.id)
    var flat: [Int] = []
    var minute = offer.firstSeen
    repeat {
      let price = offer.price * numbers.within(97...104) / 100
      flat += [minute, price, offer.shipping]
      minute += 2 * (1 + numbers.below(30_000))
    } while minute < offer.lastSeen
    flat[flat.count - 2] = offer.price
    if let since { flat = ProductHistories.cut(flat, stride: 3, since: since) }
    json.object { json in
      json.member("condition", offer.condition)
      json.member("conditionComment", offer.condition == 1 ? nil : "Shows light signs of use.")
      json.member("isAmazon", offer.isAmazon)
      json.member("isFBA", offer.isFBA)
      json.member("isMAP", false)
      json.member("isPreorder", false)
      json.member("isPrime", offer.isFBA)
      json.member("isPrimeExcl", false)
      json.member("isShippable", true)
      json.member("isWarehouseDeal", false)
      json.member("lastSeen", offer.lastSeen)
      json.member("minOrderQty", 1)
      json.member("offerCSV", flat)
      json.member("offerId", offer.id)
      json.member("sellerId", offer.seller)
      json.member("shipsFromChina", false)
      if stock, offer.lastSeen == collected {
        json.member("stockCSV", [collected, 1 + numbers.below(10)])
      }
    }
  }
}
