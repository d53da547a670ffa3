/// The histories of an invented product.
///
/// Each is a walk with a generator of its own: a later look shows the same changes and then more.
struct ProductHistories: Sendable {
  let profile: ProductProfile
  /// The Keepa minute of the copy: nothing after it is known.
  let lastUpdate: Int

  /// The 36 histories, those that were not paid for left out.
  func csv(for parts: PaidParts) -> [[Int]?] {
    HistoryType.allCases.map { $0.isOpen(to: parts) ? history($0) : nil }
  }

  /// One history; nil if there never was anything.
  func history(_ type: HistoryType) -> [Int]? {
    let base = profile.basePrice
    let start = profile.trackingSince
    switch type {
    case .amazon:
      return profile.soldByAmazon ? prices(type, around: base, gap: 4200, gone: 4) : [start, -1]
    case .new: return prices(type, around: base * 97 / 100, gap: 2300, gone: 1)
    case .used:
      return profile.hasUsed
        ? prices(type, around: base * 7 / 10, gap: 5200, gone: 5) : [start, -1]
    case .sales: return ranks(type.rawValue, around: profile.baseRank, gap: profile.rankGap)
    case .listPrice: return prices(type, around: base * 5 / 4, gap: 120_000, gone: 0)
    case .collectible:
      return profile.hasCollectible ? prices(type, around: base * 2, gap: 60_000, gone: 9) : nil
    case .countNew: return counts(type, most: profile.offerCount, gap: 5200)
    case .countUsed: return profile.hasUsed ? counts(type, most: 9, gap: 9000) : nil
    case .countCollectible: return profile.hasCollectible ? counts(type, most: 3, gap: 60_000) : nil
    case .countNewFBA: return counts(type, most: (profile.offerCount + 1) / 2, gap: 9000)
    case .countNewFBM: return counts(type, most: (profile.offerCount + 2) / 3, gap: 12_000)
    case .extraInfoUpdates: return counts(type, most: profile.offerCount, gap: 30_000)
    case .rating: return ratings()
    case .countReviews: return reviewCounts()
    case .primeExclusive:
      return profile.rankGap % 9 == 0
        ? prices(type, around: base * 9 / 10, gap: 60_000, gone: 40) : nil
    case .lightningDeal:
      return profile.rankGap % 5 == 0
        ? prices(type, around: base * 8 / 10, gap: 90_000, gone: 60) : nil
    case .warehouse:
      return profile.hasUsed ? prices(type, around: base * 3 / 4, gap: 15_000, gone: 20) : nil
    case .newFBA: return prices(type, around: base, gap: 4200, gone: 2)
    case .newFBMShipping, .buyBoxShipping: return shipped(type, around: base, gap: 3400, gone: 2)
    case .usedNewShipping, .usedVeryGoodShipping, .usedGoodShipping, .usedAcceptableShipping,
      .buyBoxUsedShipping:
      let percent = 84 - 4 * (type.rawValue % 5)
      return profile.hasUsed
        ? shipped(type, around: base * percent / 100, gap: 14_000, gone: 8) : nil
    case .collectibleNewShipping:
      return profile.hasCollectible ? shipped(type, around: base * 2, gap: 60_000, gone: 9) : nil
    default: return nil
    }
  }

  /// The rank histories by category: the same as `csv` for the root, one more for the leaf.
  func salesRanks() -> [(category: Int, ranks: [Int])] {
    [
      (profile.rootCategory, history(.sales) ?? []),
      (profile.leafCategory, leafRanks()),
    ]
  }

  /// The rank within the leaf category.
  func leafRanks() -> [Int] {
    ranks(100, around: max(3, profile.baseRank / 60), gap: 2600)
  }

  /// Units sold in a month as the page's badge says; -1 while there is no badge.
  func monthlySold() -> [Int] {
    let most = max(2, 400_000 / profile.baseRank)
    return walk(101, gap: 20_000, first: 50) { numbers, _ in
      numbers.chance(15) ? -1 : 50 * (1 + numbers.below(min(most, 200)))
    }
  }

  /// Which category the rank refers to; -1 while there was no rank.
  func rankReference() -> [Int] {
    walk(102, gap: 110_000, first: profile.rootCategory) { [root = profile.rootCategory] _, now in
      now == root ? -1 : root
    }
  }

  /// Triples of time, one-time coupon and subscription coupon; nil for products without coupons.
  func coupons() -> [Int]? {
    guard profile.hasCoupon else { return nil }
    let single = walk(103, gap: 60_000, first: 0) { numbers, now in
      now == 0 ? -5 * numbers.within(1...4) : 0
    }
    return stride(from: 0, to: single.count, by: 2).flatMap { [single[$0], single[$0 + 1], 0] }
  }

  /// Who held the buy box, as strings: time, seller; "-1" while nobody did.
  func buyBoxSellers() -> [(minute: Int, seller: String)] {
    let places = walk(104, gap: 9000, first: 0) { numbers, _ in
      numbers.chance(5) ? -1 : numbers.below(min(6, profile.offerCount))
    }
    return stride(from: 0, to: places.count, by: 2).map { index in
      (places[index], places[index + 1] < 0 ? "-1" : profile.seller(at: places[index + 1]))
    }
  }

  /// The part of a flat history since a minute, with the one older change that still holds then.
  static func cut(_ flat: [Int], stride: Int, since minute: Int) -> [Int] {
    var first = flat.count
    while first > 0, flat[first - stride] > minute { first -= stride }
    first = max(0, first - stride)
    return first == 0 ? flat : Array(flat[first...])
  }

  // MARK: Walks

  /// Changes from the beginning of tracking to the copy: `[time, value, …]`, times strictly rising.
  private func walk(
    _ aspect: Int, gap: Int, first: Int,
    next: (_ numbers: inout SeededNumbers, _ now: Int) -> Int
  ) -> [Int] {
    var numbers = profile.numbers(aspect)
    var minute = profile.trackingSince
    var value = first
    var flat: [Int] = []
    flat.reserveCapacity(max(2, 2 * (lastUpdate - minute) / gap))
    flat.append(minute)
    flat.append(value)
    while true {
      minute += 2 * (1 + numbers.below(gap))
      guard minute <= lastUpdate else { return flat }
      let following = next(&numbers, value)
      guard following != value else { continue }
      value = following
      flat.append(minute)
      flat.append(value)
    }
  }

  /// A price that moves a little at a time; `gone` percent of the changes end the offer.
  private func prices(_ type: HistoryType, around base: Int, gap: Int, gone: Int) -> [Int] {
    var latest = base
    return walk(type.rawValue, gap: gap, first: base) { numbers, now in
      if now == -1 { return latest }
      if numbers.chance(gone) { return -1 }
      let moved = latest * numbers.within(92...108) / 100
      latest = min(max(moved, base * 6 / 10), base * 16 / 10) / 10 * 10 + 9
      return latest
    }
  }

  /// The same with shipping: `[time, price, shipping, …]`.
  private func shipped(_ type: HistoryType, around base: Int, gap: Int, gone: Int) -> [Int] {
    let pairs = prices(type, around: base, gap: gap, gone: gone)
    var numbers = profile.numbers(200 + type.rawValue)
    var flat: [Int] = []
    flat.reserveCapacity(pairs.count / 2 * 3)
    for index in stride(from: 0, to: pairs.count, by: 2) {
      let shipping = numbers.pick([0, 0, 0, 399, 499, 649])
      flat.append(pairs[index])
      flat.append(pairs[index + 1])
      flat.append(pairs[index + 1] < 0 ? -1 : shipping)
    }
    return flat
  }

  /// A sales rank: wide swings, pulled back to where the product belongs.
  private func ranks(_ aspect: Int, around base: Int, gap: Int) -> [Int] {
    var latest = base
    return walk(aspect, gap: gap, first: base) { numbers, _ in
      if numbers.below(500) == 0 { return -1 }
      let moved = latest * numbers.within(78...124) / 100 + numbers.below(7) - 3
      latest = min(max((moved * 15 + base) / 16, base / 12 + 1), base * 12)
      return latest
    }
  }

  /// A number of offers.
  private func counts(_ type: HistoryType, most: Int, gap: Int) -> [Int] {
    walk(type.rawValue, gap: gap, first: max(1, most / 2)) { numbers, now in
      min(max(now + numbers.below(5) - 2, 0), max(1, most))
    }
  }

  /// Stars times ten.
  private func ratings() -> [Int] {
    var numbers = profile.numbers(300)
    let first = numbers.within(34...48)
    return walk(HistoryType.rating.rawValue, gap: 30_000, first: first) { numbers, now in
      min(max(now + numbers.below(3) - 1, 25), 50)
    }
  }

  /// A number of reviews, which only grows.
  private func reviewCounts() -> [Int] {
    let most = max(2, 200_000 / profile.baseRank)
    return walk(HistoryType.countReviews.rawValue, gap: 4000, first: 1) { numbers, now in
      now + numbers.below(most)
    }
  }
}
