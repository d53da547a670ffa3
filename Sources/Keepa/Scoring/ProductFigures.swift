package import JSONText
package import TollbookEvents

/// What the score needs of Keepa's product object (fact sheet, sections 1, 2 and 6; fee fact sheet, section 4). A
/// figure that is missing, a sentinel, of another kind than Keepa writes, or beyond belief is nil.
package struct ProductFigures: Sendable {
  /// A price and its average, in the currency's minor unit.
  package struct Price: Hashable, Sendable {
    package let current: Int64?
    package let average90Days: Int64?
  }

  package let asin: KeepaASIN?
  package let title: String?
  package let domain: KeepaDomain?
  package let buyBox: Price
  /// The lowest offer that Amazon fulfils.
  package let fba: Price
  /// The lowest new offer.
  package let new: Price

  /// Keepa's `referralFeePercentage`, or the older whole percent.
  package let referralRate: FeeRate?
  /// Keepa's `pickAndPackFee`.
  package let fulfilmentFee: Int64?
  /// When Keepa learned it.
  package let fulfilmentFeeDay: CalendarDay?
  /// Keepa's `variableClosingFee`.
  package let closingFee: Int64?
  package let parcel: PackageSize?
  /// The names of its categories, the most particular one first.
  package let categories: [String]

  package let monthlySold: Int64?
  package let rankDrops30Days: Int64?
  package let rankDrops90Days: Int64?
  package let rankAverage30Days: Int64?
  package let rankAverage90Days: Int64?
  package let sellersFBA: Int64?
  package let offersNew: Int64?
  package let amazonHoldsBuyBox: Bool
  /// Whether Amazon itself sells it.
  package let amazonOffers: Bool

  package init(_ product: JSONValue) {
    asin = product["asin"]?.string.flatMap { KeepaASIN($0) }
    let line = product["title"]?.string?.inOneLine(atMost: KeepaLimits.text)
    title = line.flatMap { $0.isEmpty ? nil : $0 }
    domain = product["domainId"]?.int.flatMap { KeepaDomain(rawValue: $0) }
    let histories = KeepaHistories(product)
    buyBox = Price(histories.buyBox)
    fba = Price(histories.statistic(.newFBA))
    new = Price(histories.statistic(.new))
    referralRate = Self.referralRate(product)
    fulfilmentFee = Self.count(product["fbaFees"]?["pickAndPackFee"]).flatMap { $0 > 0 ? $0 : nil }
    fulfilmentFeeDay = Self.day(product["fbaFees"]?["lastUpdate"])
    closingFee = Self.count(product["variableClosingFee"])
    parcel = Self.parcel(product)
    categories = product["categoryTree"]?.array?.compactMap { $0["name"]?.string }.reversed() ?? []

    let stats = product["stats"]
    monthlySold = Self.count(product["monthlySold"]).flatMap { $0 > 0 ? $0 : nil }
    rankDrops30Days = Self.count(stats?["salesRankDrops30"])
    rankDrops90Days = Self.count(stats?["salesRankDrops90"])
    let rank = histories.statistic(.salesRank)
    rankAverage30Days = rank.flatMap { $0.hasAverage30Days ? $0.average30Days : nil }
    rankAverage90Days = rank.flatMap { $0.hasAverage90Days ? $0.average90Days : nil }
    sellersFBA =
      Self.count(stats?["current"]?[Self.countNewFBA]) ?? Self.count(stats?["offerCountFBA"])
    offersNew = histories.current(.countNew).flatMap { $0 <= Int64(Int32.max) ? $0 : nil }
    amazonHoldsBuyBox = stats?["buyBoxIsAmazon"]?.bool ?? false
    amazonOffers = histories.current(.amazon) != nil
  }

  /// The place of COUNT_NEW_FBA in the arrays of `stats` (fact sheet, section 2).
  private static let countNewFBA = 34

  /// A whole number that is not one of Keepa's sentinels and fits into its 32 bits.
  private static func count(_ value: JSONValue?) -> Int64? {
    value?.int64.flatMap { 0...Int64(Int32.max) ~= $0 ? $0 : nil }
  }

  private static func referralRate(_ product: JSONValue) -> FeeRate? {
    let percent = product["referralFeePercentage"]?.double ?? product["referralFeePercent"]?.double
    guard let percent, let hundredths = Int64(exactly: (percent * 100).rounded()), hundredths > 0
    else { return nil }
    return FeeRate(hundredths: hundredths)
  }

  private static func day(_ minutes: JSONValue?) -> CalendarDay? {
    let milliseconds = KeepaTime.milliseconds(minutes: count(minutes) ?? 0)
    return milliseconds > 0 ? CalendarDay(number: milliseconds / 86_400_000) : nil
  }

  private static func parcel(_ product: JSONValue) -> PackageSize? {
    guard let length = count(product["packageLength"]), let width = count(product["packageWidth"]),
      let height = count(product["packageHeight"]), let grams = count(product["packageWeight"])
    else { return nil }
    return PackageSize(length, width, height, grams: grams)
  }
}

extension ProductFigures.Price {
  init(_ statistic: Statistic?) {
    current = statistic.flatMap { $0.hasCurrent ? Self.price($0.current) : nil }
    average90Days = statistic.flatMap { $0.hasAverage90Days ? Self.price($0.average90Days) : nil }
  }

  private static func price(_ value: Int64) -> Int64? {
    1...MoneyBounds.maximumPrice ~= value ? value : nil
  }
}
