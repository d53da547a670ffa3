package import TollbookEvents

/// What is to be sold.
package struct PricingQuestion: Hashable, Sendable {
  /// By a number, or else by the title.
  package let key: ProductKey?
  /// By the title alone.
  package let titleKey: ProductKey?
  package let exclusion: ListingExclusion?
  /// Nil: it is not known, and no price is suggested.
  package let condition: ConditionGroup?
  package let currency: String
  /// Of the comparables; own sales count wherever they were made.
  package let marketplace: String
  package let today: CalendarDay

  package init(
    title: String, gtin: String? = nil, epid: String? = nil, condition: ConditionGroup?,
    currency: String, marketplace: String, today: CalendarDay
  ) {
    let words = TitleWords(title)
    key = ProductKey(gtin: gtin, epid: epid, words: words)
    titleKey = ProductKey(gtin: nil, epid: nil, words: words)
    exclusion = condition == .parts ? .parts : ListingExclusion(words)
    self.condition = condition
    self.currency = currency
    self.marketplace = marketplace
    self.today = today
  }
}

/// Suggests prices from the user's own sales. Only where these are too few are licensed comparables added, each
/// counting as much as a sale. A pure function.
///
/// Where a number tells which product it is, what has the same number counts. Only where that is too little does what
/// has no number count too, by its title: listings in a page of a search have none, and few sales are told with one.
package enum PriceAdvisor {
  /// - Parameters:
  ///   - comparables: nil: nothing permits any.
  ///   - fees: as the user states them; nil: nets are not told.
  /// - Throws: the first field of the rules that is out of its range.
  package static func answer(
    _ question: PricingQuestion, sales: [SoldItem], comparables: LicensedComparables? = nil,
    fees: SellingFees? = nil, rules: PricingRules = PricingRules()
  ) throws(RuleError) -> PricingAnswer {
    try rules.validate()
    if let exclusion = question.exclusion { return .refused(.excluded(exclusion)) }
    guard let condition = question.condition else { return .refused(.unknownCondition) }
    guard let key = question.key else { return .refused(.unknownProduct) }
    let pool = EvidencePool(question, condition, sales, comparables, rules)
    let answer = answer(
      question, condition, pool.evidence(key, or: nil), key.rule, comparables, fees, rules)
    guard answer.suggestion == nil, key.rule != .title, let title = question.titleKey else {
      return answer
    }
    return self.answer(
      question, condition, pool.evidence(key, or: title), .title, comparables, fees, rules)
  }

  private static func answer(
    _ question: PricingQuestion, _ condition: ConditionGroup, _ evidence: Evidence,
    _ rule: ProductKey.Rule, _ comparables: LicensedComparables?, _ fees: SellingFees?,
    _ rules: PricingRules
  ) -> PricingAnswer {
    let minimum = Int(rules.minimumSales)
    var chosen = evidence.own
    var statistics = RobustStatistics(chosen.map(\.total), limits: rules.deals.limits)
    if statistics.map({ $0.kept < minimum }) ?? true, !evidence.others.isEmpty {
      chosen += evidence.others
      statistics = RobustStatistics(chosen.map(\.total), limits: rules.deals.limits)
    }
    guard let statistics, statistics.kept >= minimum,
      let basis = PriceSuggestion.Basis(chosen, rule, comparables?.licence, statistics)
    else {
      return .refused(
        .tooFew(
          sales: evidence.own.count, comparables: comparables == nil ? nil : evidence.others.count,
          kept: statistics?.kept ?? 0, needed: minimum))
    }
    func price(_ amount: QuarterUnits) -> PriceSuggestion.Price {
      PriceSuggestion.Price(total: amount.minorUnits, net: fees?.net(of: amount.minorUnits))
    }
    return .suggested(
      PriceSuggestion(
        currency: question.currency, condition: condition,
        quick: price(statistics.keptLowerQuartile), typical: price(statistics.keptMedian),
        patient: price(statistics.keptUpperQuartile),
        confidence: confidence(basis, question.today, rules), basis: basis))
  }

  /// High only for enough sales of the user's own alone; one step lower for prices far apart, and for old ones.
  private static func confidence(
    _ basis: PriceSuggestion.Basis, _ today: CalendarDay, _ rules: PricingRules
  ) -> Confidence {
    var confidence = Confidence.medium
    if basis.comparables == 0, basis.statistics.kept >= rules.highConfidenceSales {
      confidence = .high
    }
    if basis.statistics.isKeptWider(than: rules.widestSpread) { confidence = confidence.lowered }
    let stale = CalendarDay(number: today.number &- rules.staleAfterDays)
    return basis.newest < stale ? confidence.lowered : confidence
  }
}

/// What is known of the prices of the product in question.
private struct Evidence {
  struct Piece {
    let total: Int64
    let day: CalendarDay
    let isOwn: Bool
    let isSold: Bool
    let isShippingUnknown: Bool
  }

  let own: [Piece]
  let others: [Piece]
}

/// The sales and offers whose prices could say something, of the families that the product in question may be in.
private struct EvidencePool {
  private let sales: [(key: ProductKey, piece: Evidence.Piece)]
  private let offers: [(key: ProductKey, offer: Offer)]
  private let groups: ProductGroups

  init(
    _ question: PricingQuestion, _ condition: ConditionGroup, _ sales: [SoldItem],
    _ comparables: LicensedComparables?, _ rules: PricingRules
  ) {
    let oldest = CalendarDay(number: question.today.number &- rules.oldestSaleDays)
    let days = oldest...max(oldest, question.today)
    let usable = sales.compactMap { sale -> (key: ProductKey, piece: Evidence.Piece)? in
      guard sale.condition == condition, sale.price.currency.code == question.currency,
        days ~= sale.soldOn, let total = sale.total
      else { return nil }
      let words = TitleWords(sale.title)
      guard ListingExclusion(words) == nil,
        let key = ProductKey(gtin: sale.gtin, epid: nil, words: words)
      else { return nil }
      return (
        key,
        Evidence.Piece(
          total: total, day: sale.soldOn, isOwn: true, isSold: true,
          isShippingUnknown: sale.shipping == nil)
      )
    }
    let offers = Self.offers(comparables, question, condition, rules)
    // What words weigh is told by all that is there; groups of other families need not be made.
    var weights = WordWeights()
    for case .title(let key) in [usable.map(\.key), offers.map(\.key)].joined() {
      weights.count(key.parts.words, 1)
    }
    let families = Set(
      [question.key, question.titleKey].compactMap(\.self).map { ProductFamily($0) })
    self.sales = usable.filter { families.contains(ProductFamily($0.key)) }
    self.offers = offers.filter { families.contains(ProductFamily($0.key)) }
    groups = ProductGroups(
      [self.sales.map(\.key), self.offers.map(\.key)].joined(), weights: weights)
  }

  private static func offers(
    _ comparables: LicensedComparables?, _ question: PricingQuestion, _ condition: ConditionGroup,
    _ rules: PricingRules
  ) -> [(key: ProductKey, offer: Offer)] {
    guard let comparables else { return [] }
    let inPlace = comparables.offers.filter { offer in
      offer.condition == condition && offer.currency == question.currency
        && offer.marketplace == question.marketplace
    }
    return ComparableBook.eligible(inPlace, now: comparables.now, rules: rules.deals)
      .compactMap { index in inPlace[index].key.map { ($0, inPlace[index]) } }
  }

  /// What is of one product.
  ///
  /// - Parameter title: what has no number may be told by it; nil: by `key` alone.
  func evidence(_ key: ProductKey, or title: ProductKey?) -> Evidence {
    let wanted = Set([key, title].compactMap { $0.map { groups.group(of: $0) } })
    let same = offers.filter { wanted.contains(groups.group(of: $0.key)) }.map(\.offer)
    let shelf = ComparableShelf(Array(same.indices), of: same, key: groups.group(of: key))
    return Evidence(
      own: sales.filter { wanted.contains(groups.group(of: $0.key)) }.map(\.piece),
      others: (shelf?.chosen ?? []).map { same[$0] }.map { offer in
        Evidence.Piece(
          total: offer.total, day: (offer.soldAt ?? offer.seen).calendarDay, isOwn: false,
          isSold: offer.soldAt != nil, isShippingUnknown: offer.isShippingUnknown)
      })
  }
}

extension PriceSuggestion.Basis {
  /// Nil for no evidence.
  fileprivate init?(
    _ pieces: [Evidence.Piece], _ rule: ProductKey.Rule, _ licence: LicensedComparables.Licence?,
    _ statistics: RobustStatistics
  ) {
    guard let oldest = pieces.map(\.day).min(), let newest = pieces.map(\.day).max() else {
      return nil
    }
    let own = pieces.filter(\.isOwn)
    self.rule = rule
    ownSales = own.count
    ownSalesWithoutShipping = own.count(where: \.isShippingUnknown)
    comparables = pieces.count - own.count
    soldComparables = pieces.count { !$0.isOwn && $0.isSold }
    self.licence = own.count < pieces.count ? licence : nil
    self.oldest = oldest
    self.newest = newest
    self.statistics = statistics
  }
}
