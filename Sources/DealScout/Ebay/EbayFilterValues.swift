package import TollbookEvents

/// How a listing is sold. Words that eBay adds one day are not known here.
package enum EbayBuyingOption: String, Hashable, Sendable, CaseIterable {
  case auction = "AUCTION"
  case bestOffer = "BEST_OFFER"
  case classifiedAd = "CLASSIFIED_AD"
  case fixedPrice = "FIXED_PRICE"
}

/// The conditions that eBay searches by. Ids and not words are compared: the words vary by category and language.
package enum EbayCondition: Int, Hashable, Sendable, CaseIterable {
  case new = 1000
  case newOther = 1500
  case newWithDefects = 1750
  case certifiedRefurbished = 2000
  case excellentRefurbished = 2010
  case veryGoodRefurbished = 2020
  case goodRefurbished = 2030
  case sellerRefurbished = 2500
  case likeNew = 2750
  case used = 3000
  case veryGood = 4000
  case good = 5000
  case acceptable = 6000
  case forParts = 7000
}

/// The order of a result. Whether the order by price counts shipping is not documented: the first page need not hold
/// what is cheapest in total.
package enum EbaySort: String, Hashable, Sendable, CaseIterable {
  /// Best Match, which is asked for by saying nothing.
  case bestMatch = ""
  case price = "price"
  case priceDescending = "-price"
  case newlyListed = "newlyListed"
  case endingSoonest = "endingSoonest"
}

/// What an answer holds beside the plain listings.
package enum EbayFieldGroup: String, Hashable, Sendable, CaseIterable {
  case aspectRefinements = "ASPECT_REFINEMENTS"
  case buyingOptionRefinements = "BUYING_OPTION_REFINEMENTS"
  case categoryRefinements = "CATEGORY_REFINEMENTS"
  case conditionRefinements = "CONDITION_REFINEMENTS"
  /// A short description, and the city that an item is in.
  case extended = "EXTENDED"
  case full = "FULL"
  case matchingItems = "MATCHING_ITEMS"
}

/// Amounts of one currency, ends included. At least one end is there.
package struct EbayPriceRange: Hashable, Sendable {
  package let minimum: EbayMoney?
  package let maximum: EbayMoney?
  package let currency: EbayCurrency

  package init(
    minimum: EbayMoney?, maximum: EbayMoney?, field: String = "filters"
  ) throws(EbayRequestFault) {
    guard let currency = (minimum ?? maximum)?.currency else {
      throw EbayRequestFault(.needsOne(of: "min_price, max_price"), of: field)
    }
    if let minimum, let maximum {
      guard maximum.currency == currency else {
        throw EbayRequestFault(
          .currency(maximum.currency.code, expected: currency.code), of: "\(field).max_price")
      }
      guard minimum.minorUnits <= maximum.minorUnits else {
        throw EbayRequestFault(.belowMinimum, of: "\(field).max_price")
      }
    }
    // How an amount was written is not part of a search: 5 and 5.00 are the same.
    self.minimum = minimum.flatMap { EbayMoney(minorUnits: $0.minorUnits, currency) }
    self.maximum = maximum.flatMap { EbayMoney(minorUnits: $0.minorUnits, currency) }
    self.currency = currency
  }

  /// Whether an amount lies between, in its own currency or in the one that eBay converted it from.
  package func contains(_ money: EbayMoney) -> Bool {
    guard let units = money.minorUnits(in: currency) else { return false }
    return units >= minimum?.minorUnits ?? 0 && units <= maximum?.minorUnits ?? .max
  }

  /// As the filter writes it: `[10.00..50.00]`, `[10.00..]`, `[..50.00]`.
  var text: String { "[\(minimum?.plainText ?? "")..\(maximum?.plainText ?? "")]" }
}

/// Instants between two ends, which are included. At least one end is there.
package struct EbayDateRange: Hashable, Sendable {
  /// The years 1995, when eBay began, to 2100.
  package static let years: ClosedRange<Int64> = 788_918_400_000...4_133_980_799_999

  package let start: Timestamp?
  package let end: Timestamp?

  /// - Parameters:
  ///   - startField: how a fault names the start.
  ///   - endField: how it names the end.
  package init(
    start: Timestamp?, end: Timestamp?, startField: String, endField: String
  ) throws(EbayRequestFault) {
    guard start != nil || end != nil else {
      throw EbayRequestFault(.needsOne(of: "\(startField), \(endField)"), of: startField)
    }
    for (instant, field) in [(start, startField), (end, endField)] {
      guard let instant, !Self.years.contains(instant.milliseconds) else { continue }
      throw EbayRequestFault(
        .form(instant.description, expected: "of the years 1995 to 2100"), of: field)
    }
    if let start, let end, end < start { throw EbayRequestFault(.beforeStart, of: endField) }
    self.start = start
    self.end = end
  }

  package func contains(_ instant: Timestamp) -> Bool {
    start.map { $0 <= instant } ?? true && end.map { instant <= $0 } ?? true
  }

  /// As the filter writes it: `[2026-11-20T08:15:00.000Z..]`.
  var text: String { "[\(start?.description ?? "")..\(end?.description ?? "")]" }
}
