import JSONText
import Testing

@testable import TollbookSimulators

/// The invented market is the same for everybody who asks at the same instant, and it moves.
@Suite struct EbayMarketTests {
  private static let seeds: [UInt64] = [1, 2, 77, .max]

  private func market(_ seed: UInt64, families: Int = 6, listings: Int = 150) -> EbayMarket {
    EbayMarket(seed: seed, EbayExtent(families: families, listings: listings, deals: 2))
  }

  /// What a listing looks like at an instant.
  private func look(_ offer: EbayOffer, _ market: EbayMarket, at now: Int64) -> String {
    let family = market.families[offer.number.family]
    return "\(offer.itemId) \(offer.title(family)) \(offer.ask(at: now)) \(offer.shipping)"
  }

  @Test(arguments: seeds)
  func `an instant is the same whatever was asked for before`(seed: UInt64) {
    let walked = market(seed)
    for hour in 0..<60 {
      let now = EbayBench.start + Int64(hour) * EbayBench.hour
      let fresh = market(seed)
      #expect(
        walked.offers(.usual, 3, at: now).map { look($0, walked, at: now) }
          == fresh.offers(.usual, 3, at: now).map { look($0, fresh, at: now) })
    }
    // Backwards too.
    let early = EbayBench.start - 30 * EbayBench.day
    #expect(
      walked.offers(.usual, 3, at: early).map(\.itemId)
        == market(seed).offers(.usual, 3, at: early).map(\.itemId))
  }

  @Test(arguments: seeds)
  func `every listing is found by its number for as long as it is there`(seed: UInt64) throws {
    let market = market(seed)
    for site in [EbaySite.usual, EbaySite.named("EBAY_SG")] {
      for family in 0..<6 {
        let offers = market.offers(site, family, at: EbayBench.start)
        #expect(offers.count > 90)
        #expect(Set(offers.map(\.legacy)).count == offers.count)
        for offer in offers {
          #expect(offer.isThere(at: EbayBench.start))
          let found = try #require(market.offer(legacy: offer.legacy))
          #expect(found.itemId == offer.itemId && found.number == offer.number)
          #expect((12...13).contains(String(offer.legacy).count))
        }
      }
    }
  }

  @Test(arguments: seeds)
  func `listings appear, get cheaper, end and come again under another number`(seed: UInt64) {
    let market = market(seed)
    var seen: [Int64: EbayOffer] = [:]
    var prices: [Int64: Int64] = [:]
    var appeared = 0
    var ended = 0
    var cheaper = 0
    var before: Set<Int64> = []
    for hour in 0..<(14 * 24) {
      let now = EbayBench.start + Int64(hour) * EbayBench.hour
      let offers = market.offers(.usual, 0, at: now)
      let ids = Set(offers.map(\.legacy))
      if hour > 0 {
        appeared += ids.subtracting(before).count
        ended += before.subtracting(ids).count
      }
      before = ids
      for offer in offers {
        seen[offer.legacy] = offer
        guard offer.sale == .fixed else { continue }
        let price = offer.ask(at: now).price
        if let last = prices[offer.legacy] {
          #expect(price <= last, "a fixed price never rises")
          if price < last { cheaper += 1 }
        }
        prices[offer.legacy] = price
      }
    }
    #expect(appeared > 50 && ended > 50 && cheaper > 20)
    let again = seen.values.filter { $0.number.part == 1 }
    #expect(!again.isEmpty)
    for offer in again {
      #expect(offer.origin < offer.created)
      let first = seen.values.first {
        $0.number.slot == offer.number.slot && $0.number.cycle == offer.number.cycle
          && $0.number.part == 0
      }
      guard let first else { continue }
      #expect(first.origin == offer.origin && first.legacy != offer.legacy)
      #expect(first.ends < offer.created)
    }
    #expect(seen.values.filter { $0.number.part == 0 }.allSatisfy { $0.origin == $0.created })
  }

  @Test(arguments: seeds)
  func `bids climb up to the end, and who bids first ends the fixed price`(seed: UInt64) throws {
    let market = market(seed, listings: 400)
    let auctions = (0..<6).flatMap { market.offers(.usual, $0, at: EbayBench.start) }
      .filter { $0.sale == .auction }
    #expect(auctions.count > 50)
    for auction in auctions {
      var last: EbayAsk?
      for step in 0..<50 {
        let now = auction.created + (auction.ends - auction.created) * Int64(step) / 50
        let ask = auction.ask(at: now)
        let bid = try #require(ask.currentBid)
        #expect(bid >= last?.currentBid ?? 0 && ask.bidCount ?? -1 >= last?.bidCount ?? 0)
        #expect(ask.options.contains("AUCTION"))
        #expect(!(ask.options.contains("FIXED_PRICE") && ask.bidCount ?? 0 > 0))
        last = ask
      }
      #expect(auction.tellsEnd)
      #expect(auction.bids == 0 || last?.currentBid ?? 0 > auction.opening)
    }
  }

  @Test func `the market has every kind of trouble`() {
    let market = market(1, listings: 600)
    let offers = (0..<6).flatMap { market.offers(.usual, $0, at: EbayBench.start) }
    #expect(offers.contains { $0.shipping == .untold })
    #expect(offers.contains { $0.shipping == .free })
    #expect(offers.contains { if case .calculated = $0.shipping { true } else { false } })
    #expect(offers.contains { $0.foreign?.code == "JPY" && $0.isConverted })
    #expect(offers.contains { $0.foreign != nil && !$0.isConverted })
    for shape in [EbayOffer.Shape.group, .bundle, .parts, .cheap, .box, .lot(3)] {
      #expect(offers.contains { $0.shape == shape }, "\(shape)")
    }
    #expect(offers.contains { $0.seller.feedback.tenths < 980 })
    #expect(Set(offers.map(\.grade)).isSuperset(of: [.new, .used, .certified, .forParts]))
  }

  @Test func `what is written of them is what it should be`() async throws {
    let bench = EbayBench { $0.listingsPerFamily = 600 }
    let items = try await bench.everything(
      bench.familySearch + EbayBench.filter("buyingOptions:{AUCTION|FIXED_PRICE}"))
    #expect(items.contains { $0["shippingOptions"] == nil })
    let calculated = items.filter {
      $0["shippingOptions"]?[0]?["shippingCostType"]?.string == "CALCULATED"
    }
    #expect(!calculated.isEmpty)
    #expect(calculated.allSatisfy { $0["shippingOptions"]?[0]?["shippingCost"] == nil })
    let converted = items.compactMap { $0["price"] }.filter { $0["convertedFromValue"] != nil }
    #expect(converted.contains { $0["convertedFromCurrency"]?.string == "JPY" })
    #expect(converted.allSatisfy { $0["currency"]?.string == "USD" })
    #expect(
      converted.filter { $0["convertedFromCurrency"]?.string == "JPY" }
        .allSatisfy { $0["convertedFromValue"]?.string?.contains(".") == false })
    #expect(items.contains { $0["price"]?["currency"]?.string != "USD" })
    #expect(items.contains { $0["itemGroupType"]?.string == "SELLER_DEFINED_VARIATIONS" })
    #expect(items.contains { $0["marketingPrice"]?["originalPrice"] != nil })
    #expect(items.contains { $0["itemEndDate"] == nil })
    let placed = try await bench.everything(
      bench.familySearch,
      headers: ["x-ebay-c-enduserctx": "contextualLocation=country%3DUS%2Czip%3D19406"])
    #expect(
      placed.filter { $0["shippingOptions"]?[0]?["shippingCostType"]?.string == "CALCULATED" }
        .allSatisfy { $0["shippingOptions"]?[0]?["shippingCost"]?.hundredths ?? 0 > 0 })
  }

  @Test(arguments: seeds)
  func `only planted deals lie between cheap and usual`(seed: UInt64) {
    let market = market(seed)
    for hour in stride(from: 0, to: 48, by: 3) {
      let now = EbayBench.start + Int64(hour) * EbayBench.hour
      for family in market.families {
        for offer in market.offers(.usual, family.index, at: now) where offer.sale != .auction {
          let told: Int64 =
            switch offer.shipping {
            case .fixed(let cost), .calculated(let cost): cost
            case .free, .untold: 0
            }
          let share =
            (offer.ask(at: now).price + told) * 1_000 / family.fair(offer.grade, in: offer.coin)
          switch (offer.sale, offer.shape) {
          case (.deal, _): #expect((515...661).contains(share))
          case (_, .cheap), (_, .box): #expect(share <= 301)
          default: #expect(share >= 770, "\(offer.itemId) \(offer.shape) \(share)")
          }
        }
      }
    }
  }

  @Test func `families differ in their words, and sites in their listings`() {
    let market = market(5, families: 400, listings: 5)
    #expect(Set(market.families.map(\.words)).count == 400)
    #expect(Set(market.families.map(\.gtin)).count == 400)
    for family in market.families {
      let digits = family.gtin.utf8.map { Int($0) - 48 }
      let sum = digits.enumerated().reduce(0) { $0 + $1.element * ($1.offset % 2 == 0 ? 1 : 3) }
      #expect(digits.count == 13 && sum % 10 == 0, "\(family.gtin)")
    }
    #expect(EbaySite.all.count == EbaySite.mostSites)
    #expect(EbaySite.all.enumerated().allSatisfy { $0.offset == $0.element.index })
  }

  @Test func `instants are read and written alike`() {
    for text in [
      "1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z", "2026-11-18T11:06:52.345Z",
      "2100-03-01T00:00:00.001Z",
    ] {
      #expect(EbayReadingText.milliseconds(text).map(EbayReadingText.instant) == text)
    }
    for text in ["", "2026-11-18", "2026-13-01T00:00:00Z", "2026-11-18 11:06:52Z", "x"] {
      #expect(EbayReadingText.milliseconds(text) == nil)
    }
  }
}
