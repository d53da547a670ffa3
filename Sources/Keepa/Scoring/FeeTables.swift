package import TollbookEvents
package import TollbookUpstreams

/// Amazon's fees by marketplace and day, from a file that can be replaced.
///
/// The file that the program is built with is `AmazonFees.json`; every table in it names its source.
package struct FeeTables: Sendable {
  let marketplaces: [KeepaDomain: MarketplaceFees]

  /// Reads a file of fees and checks all of it: members that are not known or stand twice, days without a table or with two,
  /// prices and weights without a fee, categories that are not there.
  ///
  /// - Throws: the first member that is wrong, and what is wrong with it.
  package init(json: [UInt8]) throws(FeeTableError) {
    marketplaces = try FeeTableReading.marketplaces(try CheckedJSON(text: json))
  }

  /// The bytes of the file that the program is built with, for a digest.
  package static var builtInJSON: [UInt8] { PackageResources.AmazonFees_json }

  /// The fees that the program is built with.
  package static func builtIn() throws(FeeTableError) -> FeeTables {
    try FeeTables(json: builtInJSON)
  }

  /// The tables of a day in a marketplace. Nil if the file has none for the marketplace: there only Keepa's own figures
  /// count, and fulfilment cannot be estimated.
  package func tables(on day: CalendarDay, in domain: KeepaDomain) -> DayFees? {
    marketplaces[domain].map { DayFees($0, on: day) }
  }
}

/// All fees of a marketplace.
struct MarketplaceFees: Sendable {
  /// Whether Keepa's `pickAndPackFee` already has the surcharge in it, once there was one.
  let keepaFeeHoldsSurcharge: Bool
  let referral: DatedSeries<ReferralTable>
  let closing: DatedSeries<ClosingFee>
  let surcharge: DatedSeries<Surcharge>
  let fulfilment: DatedSeries<FulfilmentCard>
}

/// A fixed fee on each item of some fee categories.
package struct ClosingFee: Hashable, Sendable {
  package let fee: Int64
  package let categories: Set<String>
  package let source: String

  package func fee(for category: String) -> Int64 { categories.contains(category) ? fee : 0 }
}

/// A share of the fulfilment fee that comes on top of it.
package struct Surcharge: Hashable, Sendable {
  package let rate: FeeRate
  package let source: String
}

/// The tables of one day; nil where the file has none so early.
package struct DayFees: Sendable {
  package let referral: DatedSeries<ReferralTable>.Found?
  package let closing: DatedSeries<ClosingFee>.Found?
  package let surcharge: DatedSeries<Surcharge>.Found?
  package let fulfilment: DatedSeries<FulfilmentCard>.Found?
  private let marketplace: MarketplaceFees

  init(_ marketplace: MarketplaceFees, on day: CalendarDay) {
    referral = marketplace.referral.value(on: day)
    closing = marketplace.closing.value(on: day)
    surcharge = marketplace.surcharge.value(on: day)
    fulfilment = marketplace.fulfilment.value(on: day)
    self.marketplace = marketplace
  }

  /// Whether a fee that Keepa learned on a day has the surcharge in it. An unknown day (nil) counts as one without: that
  /// never makes the fees too low.
  func holdsSurcharge(_ learned: CalendarDay?) -> Bool {
    guard marketplace.keepaFeeHoldsSurcharge, let learned else { return false }
    return marketplace.surcharge.value(on: learned).map { $0.value.rate > .zero } ?? false
  }

  /// Whether a fee that Keepa learned on a day comes from the card that holds now.
  func isOfThisCard(_ learned: CalendarDay) -> Bool {
    marketplace.fulfilment.value(on: learned)?.from == fulfilment?.from
  }
}
