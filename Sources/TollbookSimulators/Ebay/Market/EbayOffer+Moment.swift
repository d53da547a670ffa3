/// What a listing asks for at an instant.
struct EbayAsk: Sendable, Equatable {
  /// The price at which it can be had at once; of a plain auction what it began with. Hundredths.
  let price: Int64
  /// The first price, if it was higher.
  let before: Int64?
  /// Of an auction.
  let currentBid: Int64?
  /// Of an auction.
  let bidCount: Int64?
  /// Whether it can be had at once.
  let isFixed: Bool
  let isAuction: Bool
  /// Whether the seller takes offers.
  let takesOffers: Bool

  /// The words of `buyingOptions`.
  var options: [String] {
    (isFixed ? ["FIXED_PRICE"] : []) + (isAuction ? ["AUCTION"] : [])
      + (takesOffers ? ["BEST_OFFER"] : [])
  }
}

extension EbayOffer {
  /// Whether it is there at an instant.
  func isThere(at now: Int64) -> Bool { created <= now && now < ends }

  /// What it asks for at an instant of its life.
  func ask(at now: Int64) -> EbayAsk {
    let length = max(1, ends - created)
    let elapsed = min(length, max(0, now - created))
    guard sale == .auction else {
      // Drops of three percent each, evenly spread over its life.
      let dropped = min(drops, elapsed * (drops + 1) / length)
      return EbayAsk(
        price: asking * (1_000 - 30 * dropped) / 1_000, before: dropped > 0 ? asking : nil,
        currentBid: nil, bidCount: nil, isFixed: true, isAuction: false, takesOffers: takesOffers)
    }
    // Bids come late: with the square of the time, rounded.
    let ratio = elapsed * 1_000 / length
    let made = (bids * ratio * ratio + 500_000) / 1_000_000
    let bid = bids == 0 ? opening : opening + (max(opening, asking) - opening) * made / bids
    // Who can buy at once can do so until somebody bids.
    let isBuyable = takesOffers && made == 0
    return EbayAsk(
      price: isBuyable ? asking * 23 / 20 : opening, before: nil, currentBid: bid, bidCount: made,
      isFixed: isBuyable, isAuction: true, takesOffers: false)
  }

  /// What it sells for if somebody takes it now: the price, or the bid of an auction.
  func current(at now: Int64) -> Int64 {
    let ask = ask(at: now)
    return ask.isFixed ? ask.price : ask.currentBid ?? ask.price
  }

  /// How many of it were sold by an instant.
  func sold(at now: Int64) -> Int64 {
    guard quantity > 1 else { return now >= ends && sale != .auction ? 1 : 0 }
    let length = max(1, ends - created)
    return (quantity - 1) * min(length, max(0, now - created)) / length
  }

  /// What shipping costs, as far as it is told.
  ///
  /// - Parameter toPlace: whether the caller names the place of delivery
  func shippingCost(toPlace: Bool) -> Int64? {
    switch shipping {
    case .free: 0
    case .fixed(let cost): cost
    case .calculated(let cost): toPlace ? cost : nil
    case .untold: nil
    }
  }
}
