/// How old Keepa's own copies of products and storefronts are.
///
/// Keepa looks at products of its own accord now and then (here: on a fixed beat per ASIN, hours to
/// days) and whenever a caller demands fresher data.
package struct KeepaCopies: Sendable {
  /// One product, or seller, of one shop.
  private struct Key: Hashable {
    let asin: String
    let domain: Int
  }

  /// What callers made Keepa collect.
  private struct Collected {
    var product: Int?
    var offers: Int?
  }

  private var collected: [Key: Collected] = [:]
  /// By the seller's id.
  private var storefronts: [Key: Int] = [:]

  /// Nothing collected yet.
  package init() {}

  /// The Keepa minute of the copy that Keepa holds at a minute.
  package func lastUpdate(asin: String, domain: Int, at minute: Int) -> Int {
    var numbers = SeededNumbers(asin, salt: 7000 + domain)
    let beat = numbers.within(360...4320)
    let phase = numbers.below(beat)
    let sinceBeat = ((minute - phase) % beat + beat) % beat
    let ofItsOwn = minute - sinceBeat
    return max(ofItsOwn, collected[Key(asin: asin, domain: domain)]?.product ?? Int.min)
  }

  /// The ages of what Keepa holds at a minute.
  package func ages(asin: String, domain: Int, at minute: Int) -> ProductPrices.Ages {
    ProductPrices.Ages(
      copy: minute - lastUpdate(asin: asin, domain: domain, at: minute),
      offers: collected[Key(asin: asin, domain: domain)]?.offers.map { minute - $0 })
  }

  /// Refreshes what the query demands and tells the minute of the copy that is then served.
  package mutating func serve(asin: String, for query: ProductQuery, at minute: Int) -> Int {
    let key = Key(asin: asin, domain: query.domain)
    let ages = ages(asin: asin, domain: query.domain, at: minute)
    if query.parts.offers != nil, !ProductPrices.isFresh(offers: ages.offers, update: query.update)
    {
      collected[key, default: Collected()].offers = minute
      collected[key, default: Collected()].product = minute
    } else if query.update >= 0, ages.copy >= query.update * 60 {
      collected[key, default: Collected()].product = minute
    }
    return lastUpdate(asin: asin, domain: query.domain, at: minute)
  }

  /// When somebody last made Keepa collect the offers.
  package func lastOffers(asin: String, domain: Int) -> Int? {
    collected[Key(asin: asin, domain: domain)]?.offers
  }

  /// When somebody last made Keepa collect a seller's storefront.
  func lastStorefront(of seller: String, domain: Int) -> Int? {
    storefronts[Key(asin: seller, domain: domain)]
  }

  /// Collects a seller's storefront.
  mutating func collectStorefront(of seller: String, domain: Int, at minute: Int) {
    storefronts[Key(asin: seller, domain: domain)] = minute
  }
}
