package import TollbookEvents

/// Offers in groups whose prices are compared with each other, each group sorted once.
///
/// What is no comparable is left out: excluded titles, unknown conditions and products, what ended or was seen or sold
/// too long ago, auctions that are not near their end, unknown shipping. Of one id the offer that was seen last counts.
///
/// Making it takes time in proportion to n log n, and a verdict to log n of its group.
package struct ComparableBook: Sendable {
  /// Where an offer's price is compared.
  private struct Place: Hashable {
    enum Product: Hashable {
      case number(ProductKey)
      /// Of the groups.
      case title(Int)
    }

    let product: Product
    let condition: ConditionGroup
    let currency: String
    let marketplace: String
    /// Of titles; a number is the same product in every category.
    let category: String?
  }

  package let now: Timestamp
  package let rules: DealRules
  /// How many offers are comparables, doubles of a seller included.
  package let count: Int
  private let offers: [Offer]
  private let groups: ProductGroups
  private let shelves: [Place: ComparableShelf]
  /// Where in `offers` the one of each id stands that was seen last.
  private let indexOfID: [String: Int]

  /// - Parameters:
  ///   - offers: in any order.
  ///   - now: the instant by which ends and ages are told.
  /// - Throws: the first field of the rules that is out of its range.
  package init(
    _ offers: [Offer], now: Timestamp, rules: DealRules = DealRules()
  ) throws(RuleError) {
    try rules.validate()
    self.init(offers, weights: nil, now: now, rules: rules)
  }

  /// - Parameters:
  ///   - weights: of the words of titles, where these offers are a part of all; nil: they are all.
  ///   - rules: checked before.
  init(_ offers: [Offer], weights: WordWeights?, now: Timestamp, rules: DealRules) {
    let indexOfID = Self.latest(offers)
    let eligible = Self.eligible(offers, indexOfID, now, rules)
    let groups = ProductGroups(eligible.lazy.compactMap { offers[$0].key }, weights: weights)
    var members: [Place: [Int]] = [:]
    for index in eligible {
      if let place = Self.place(of: offers[index], groups) {
        members[place, default: []].append(index)
      }
    }
    self.now = now
    self.rules = rules
    self.offers = offers
    self.groups = groups
    self.indexOfID = indexOfID
    count = eligible.count
    shelves = members.compactMapValues { members in
      members.first.flatMap { offers[$0].key }.flatMap { key in
        ComparableShelf(members, of: offers, key: groups.group(of: key))
      }
    }
  }

  /// The places of those that are comparables, of every id one.
  static func eligible(_ offers: [Offer], now: Timestamp, rules: DealRules) -> [Int] {
    eligible(offers, latest(offers), now, rules)
  }

  private static func eligible(
    _ offers: [Offer], _ indexOfID: [String: Int], _ now: Timestamp, _ rules: DealRules
  ) -> [Int] {
    let isDistinct = indexOfID.count == offers.count
    return offers.indices.filter { index in
      isComparable(offers[index], now, rules)
        && (isDistinct || indexOfID[offers[index].id] == index)
    }
  }

  /// Nil if its product or condition is not known, or its title is in no group.
  private static func place(of offer: Offer, _ groups: ProductGroups) -> Place? {
    guard let key = offer.key, let condition = offer.condition else { return nil }
    let product: Place.Product
    if case .title(let title) = key {
      guard let number = groups.number(of: title) else { return nil }
      product = .title(number)
    } else {
      product = .number(key)
    }
    return Place(
      product: product, condition: condition, currency: offer.currency,
      marketplace: offer.marketplace, category: key.rule == .title ? offer.category : nil)
  }

  static func isComparable(_ offer: Offer, _ now: Timestamp, _ rules: DealRules) -> Bool {
    guard offer.exclusion == nil, offer.key != nil, offer.condition != nil,
      rules.comparesUnknownShipping || !offer.isShippingUnknown
    else { return false }
    if let sold = offer.soldAt {
      return sold >= now.advanced(byMilliseconds: -rules.oldestSale)
    }
    return offer.seen >= now.advanced(byMilliseconds: -rules.oldestSeen)
      && refusal(byTimeOf: offer, now, rules) == nil
  }

  private static func refusal(
    byTimeOf offer: Offer, _ now: Timestamp, _ rules: DealRules
  ) -> DealRefusal? {
    if offer.soldAt != nil { return .sold }
    if let end = offer.endsAt, end <= now { return .ended }
    guard offer.isAuction else { return nil }
    let latest = now.advanced(byMilliseconds: rules.auctionWindow)
    return offer.endsAt.map { $0 <= latest } ?? false ? nil : .auctionTooEarly
  }

  /// The first instant after `now` at which time alone may change whether an offer is a comparable, or its verdict.
  static func nextChange(of offer: Offer, after now: Timestamp, rules: DealRules) -> Timestamp? {
    let gone =
      offer.soldAt?.advanced(byMilliseconds: rules.oldestSale + 1)
      ?? offer.seen.advanced(byMilliseconds: rules.oldestSeen + 1)
    var next = gone > now ? gone : nil
    if let end = offer.endsAt {
      for instant in [end.advanced(byMilliseconds: -rules.auctionWindow), end] where instant > now {
        next = min(next ?? instant, instant)
      }
    }
    return next
  }

  /// Of every id what was seen last; the cheapest of those, and the first by title and seller among equals.
  private static func latest(_ offers: [Offer]) -> [String: Int] {
    var places: [String: Int] = [:]
    places.reserveCapacity(offers.count)
    for index in offers.indices {
      guard let other = places.updateValue(index, forKey: offers[index].id) else { continue }
      if !isLater(offers[index], offers[other]) { places[offers[index].id] = other }
    }
    return places
  }

  private static func isLater(_ offer: Offer, _ other: Offer) -> Bool {
    (other.seen, offer.total, offer.title, offer.seller.token ?? 0)
      < (offer.seen, other.total, other.title, other.seller.token ?? 0)
  }
}

// MARK: - Verdicts

extension ComparableBook {
  /// One for each offer, in the same order.
  package func verdicts(on offers: [Offer]) -> [DealVerdict] { offers.map { verdict(on: $0) } }

  /// The score of an offer, which may itself be in the book. It is compared with other sellers only: what its own
  /// seller asks elsewhere is no evidence, and could be there to make it look cheap.
  package func verdict(on offer: Offer) -> DealVerdict {
    if let exclusion = offer.exclusion { return .unscored(.excluded(exclusion)) }
    if let refusal = Self.refusal(byTimeOf: offer, now, rules) { return .unscored(refusal) }
    guard let condition = offer.condition else { return .unscored(.unknownCondition) }
    guard offer.key != nil else { return .unscored(.unknownProduct) }
    guard let place = Self.place(of: offer, groups), let shelf = shelves[place] else {
      return .unscored(tooFew(0))
    }
    let seller = offer.seller.token
    var gap = shelf.place(of: seller)
    if let index = indexOfID[offer.id] {
      guard offers[index].seller.token == seller else {
        // The id stands here without a seller, or with another one: an answer can leave the seller out.
        guard let rest = shelf.rest(without: offer, of: offers) else { return .unscored(tooFew(0)) }
        return verdict(on: offer, condition, rest, without: nil, shelf.oldestSeen)
      }
      if seller == nil { gap = shelf.place(ofOffer: index, of: offers) }
    }
    return verdict(on: offer, condition, shelf, without: gap, shelf.oldestSeen)
  }

  private func tooFew(_ count: Int) -> DealRefusal {
    .tooFewComparables(count, needed: Int(rules.minimumComparables))
  }

  private func verdict(
    on offer: Offer, _ condition: ConditionGroup, _ shelf: ComparableShelf, without gap: Int?,
    _ oldestSeen: Timestamp
  ) -> DealVerdict {
    let sample = SortedAmounts(shelf.totals, without: gap)
    guard sample.count >= rules.minimumComparables else { return .unscored(tooFew(sample.count)) }
    let cut = RobustStatistics.Cut(sample, limits: rules.limits)
    guard cut.kept.count >= rules.minimumComparables,
      let statistics = RobustStatistics(sample, cut)
    else { return .unscored(tooFew(cut.kept.count)) }
    let comparables = DealScore.Comparables(
      key: shelf.key, condition: condition, statistics: statistics,
      sold: shelf.sold(in: cut.kept, without: gap), oldestSeen: oldestSeen)
    return .scored(DealScore(offer, comparables, rules))
  }
}
