package import TollbookEvents

/// What is to be sold.
package struct PricingQuestion: Hashable, Sendable {
  package let key: ProductKey?
  package let exclusion: ListingExclusion?
  package let condition: ConditionGroup
  package let currency: String
  /// Of the comparables; own sales count wherever they were made.
  package let marketplace: String
  package let today: CalendarDay

  package init(
    title: String, gtin: String? = nil, epid: String? = nil, condition: ConditionGroup,
    currency: String, marketplace: String, today: CalendarDay
  ) {
    let words = TitleWords(title)
    key = ProductKey(gtin: gtin, epid: epid, words: words)
    exclusion = condition == .parts ? .parts : ListingExclusion(words)
    self.condition = condition
    self.currency = currency
    self.marketplace = marketplace
    self.today = today
  }
}

/// Suggests prices from the user's own sales. Only where these are too few are licensed comparables added, each
/// counting as much as a sale. A pure function.
package enum PriceAdvisor {
  /// - Parameters:
  ///   - comparables: nil: nothing permits any.
  ///   - fees: as the user states them; nil: nets are not told.
  /// - Throws: the first field of the rules that is out of its range.
  package static func answer(
    _ question: PricingQuestion, sales: [OwnSale], comparables: LicensedComparables? = nil,
    fees: SellingFees? = nil, rules: PricingRules = PricingRules()
  ) throws(RuleError) -> PricingAnswer {
    try rules.validate()
    if let exclusion = question.exclusion { return .refused(.excluded(exclusion)) }
    guard let key = question.key else { return .refused(.unknownProduct) }
    let evidence = Evidence(key, question, sales, comparables, rules)
    let minimum = Int(rules.minimumSales)
    var chosen = evidence.own
    var statistics = RobustStatistics(chosen.map(\.total), limits: rules.deals.limits)
    if statistics.map({ $0.kept < minimum }) ?? true, !evidence.others.isEmpty {
      chosen += evidence.others
      statistics = RobustStatistics(chosen.map(\.total), limits: rules.deals.limits)
    }
    guard let statistics, statistics.kept >= minimum,
      let basis = PriceSuggestion.Basis(chosen, key, comparables?.licence, statistics)
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
        currency: question.currency, condition: question.condition,
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

  init(
    _ key: ProductKey, _ question: PricingQuestion, _ sales: [OwnSale],
    _ comparables: LicensedComparables?, _ rules: PricingRules
  ) {
    let oldest = CalendarDay(number: question.today.number &- rules.oldestSaleDays)
    let usable = sales.filter { sale in
      sale.exclusion == nil && sale.condition == question.condition
        && sale.currency == question.currency && oldest...max(oldest, question.today) ~= sale.soldOn
    }
    let offers = Self.offers(comparables, question, rules)
    let groups = ProductGroups(usable.compactMap(\.key) + offers.compactMap(\.key))
    let group = groups.group(of: key)
    func isSame(_ other: ProductKey?) -> Bool {
      other.map { groups.group(of: $0) == group } ?? false
    }
    own = usable.filter { isSame($0.key) }.map { sale in
      Piece(
        total: sale.total, day: sale.soldOn, isOwn: true, isSold: true,
        isShippingUnknown: sale.shipping == nil)
    }
    let same = offers.filter { isSame($0.key) }
    let shelf = ComparableShelf(Array(same.indices), of: same, key: group)
    others = (shelf?.chosen ?? []).map { same[$0] }.map { offer in
      Piece(
        total: offer.total, day: (offer.soldAt ?? offer.seen).calendarDay, isOwn: false,
        isSold: offer.soldAt != nil, isShippingUnknown: offer.isShippingUnknown)
    }
  }

  private static func offers(
    _ comparables: LicensedComparables?, _ question: PricingQuestion, _ rules: PricingRules
  ) -> [Offer] {
    guard let comparables else { return [] }
    let inPlace = comparables.offers.filter { offer in
      offer.condition == question.condition && offer.currency == question.currency
        && offer.marketplace == question.marketplace
    }
    return ComparableBook.eligible(inPlace, now: comparables.now, rules: rules.deals)
      .map { inPlace[$0] }
  }
}

extension PriceSuggestion.Basis {
  /// Nil for no evidence.
  fileprivate init?(
    _ pieces: [Evidence.Piece], _ key: ProductKey, _ licence: LicensedComparables.Licence?,
    _ statistics: RobustStatistics
  ) {
    guard let oldest = pieces.map(\.day).min(), let newest = pieces.map(\.day).max() else {
      return nil
    }
    let own = pieces.filter(\.isOwn)
    rule = key.rule
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
