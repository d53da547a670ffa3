/// Writes an invented product as Keepa writes products: the same members, in the same order.
package struct ProductDocument {
  private let profile: ProductProfile
  private let query: ProductQuery
  private let lastUpdate: Int
  private let histories: ProductHistories
  private let csv: [[Int]?]
  private let offers: ProductOffers?
  /// Before this minute histories are cut, if the query says so.
  private let since: Int?

  /// A product as a query sees it.
  ///
  /// - Parameters:
  ///   - lastUpdate: the Keepa minute of the copy
  ///   - lastOffers: the Keepa minute at which its offers were collected
  package init(asin: String, query: ProductQuery, lastUpdate: Int, lastOffers: Int? = nil) {
    let profile = ProductProfile(asin: asin, domain: query.domain)
    self.profile = profile
    self.query = query
    self.lastUpdate = lastUpdate
    histories = ProductHistories(profile: profile, lastUpdate: lastUpdate)
    csv = histories.csv(for: query.parts)
    offers = query.parts.offers.map { limit in
      ProductOffers(
        profile: profile, collected: lastOffers ?? lastUpdate, limit: limit,
        onlyLive: query.onlyLiveOffers)
    }
    since = query.days.map { lastUpdate - $0 * 1440 }
  }

  /// How many offers an ASIN has, and whether it is a variation: what its price depends on.
  package static func priceFacts(asin: String, domain: Int) -> (offers: Int, hasParent: Bool) {
    let profile = ProductProfile(asin: asin, domain: domain)
    return (profile.offerCount, profile.parentASIN != nil)
  }

  /// Whether no shop has the ASIN: it is malformed, or begins with X.
  package static func isUnknown(asin: String) -> Bool {
    asin.utf8.count != 10 || asin.utf8.first == UInt8(ascii: "X")
      || !asin.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) }
  }

  /// Writes the entry that stands for an ASIN that no shop has.
  package static func writeUnknown(asin: String, domain: Int, to json: inout JSONBytes) {
    json.object { json in
      json.member("asin", asin)
      json.nullMembers("brand", "categories", "categoryTree", "csv")
      json.member("domainId", domain)
      json.member("lastUpdate", 0)
      json.member("productType", 4)
      json.member("rootCategory", 0)
      json.nullMembers("title")
      json.member("trackingSince", 0)
    }
  }

  /// Writes the product.
  package func write(to json: inout JSONBytes) {
    json.object { json in
      writeIdentity(to: &json)
      writeText(to: &json)
      writeMeasures(to: &json)
      writeUpdates(to: &json)
      writeRanks(to: &json)
      writeCatalogFacts(to: &json)
    }
  }

  // MARK: Members, in alphabetical order

  private func writeIdentity(to json: inout JSONBytes) {
    if query.aPlus { writeAPlus(to: &json) }
    json.member("asin", profile.asin)
    json.nullMembers("author")
    json.member("availabilityAmazon", profile.soldByAmazon && csv[0]?.last != -1 ? 0 : -1)
    json.nullMembers("binding")
    json.member("brand", profile.brand)
    json.member(
      "buyBoxEligibleOfferCounts",
      [profile.offerCount, 0, profile.hasUsed ? 2 : 0, 0, profile.hasCollectible ? 1 : 0, 0, 0, 0])
    if query.history { writeBuyBoxHistories(to: &json) }
    json.member("categories", [profile.leafCategory])
    writeCategoryTree(to: &json)
    json.member("color", profile.color)
    json.member("coupon", currentCoupon())
    if query.history, let coupons = histories.coupons() {
      json.member("couponHistory", cut(coupons, stride: 3))
    }
    json.key("csv")
    if query.history {
      json.array { json in
        for (flat, type) in zip(csv, HistoryType.allCases) {
          json.ints(flat.map { cut($0, stride: type.stride) })
        }
      }
    } else {
      json.null()
    }
  }

  private func writeText(to json: inout JSONBytes) {
    var numbers = profile.numbers(500)
    json.member("description", sentences(numbers.within(4...8), &numbers))
    json.member("domainId", profile.domain)
    let ean = ProductCodes.ean(asin: profile.asin)
    json.member("eanList", ean.map { [$0] })
    json.nullMembers("ebayListingIds", "edition")
    json.key("fbaFees")
    json.object { json in
      json.member("lastUpdate", lastUpdate - 20_000)
      json.member("pickAndPackFee", 306 + numbers.below(600))
    }
    json.member(
      "features",
      (0..<5).map { _ in
        numbers.pick(ProductWords.remarks) + " " + sentences(2, &numbers)
      })
    json.nullMembers("format")
    json.member("frequentlyBoughtTogether", ["B0" + numbers.code(8)])
    json.member("g", numbers.within(1...900))
    json.member("hasReviews", true)
    if query.historicalVariations, profile.parentASIN != nil {
      json.member("historicalVariations", (0..<3).map { _ in "B0" + numbers.code(8) })
    }
    writeImages(numbers.within(3...7), &numbers, to: &json)
    json.member(
      "includedComponents", "\(profile.pieces) \(profile.noun), 1 Cleaning Cloth, 1 Leaflet")
  }

  private func writeMeasures(to json: inout JSONBytes) {
    var numbers = profile.numbers(501)
    json.member("isAdultProduct", false)
    json.member("isEligibleForSuperSaverShipping", true)
    json.member("isEligibleForTradeIn", false)
    json.member("isHeatSensitive", false)
    json.member("isRedirectASIN", false)
    json.member("isSNS", numbers.chance(20))
    let size = (0..<3).map { _ in numbers.within(20...400) }
    let weight = numbers.within(50...4000)
    json.member("itemHeight", size[0])
    json.member("itemLength", size[1])
    json.member(
      "itemTypeKeyword", profile.noun.lowercased().split(separator: " ").joined(separator: "-"))
    json.member("itemWeight", weight)
    json.member("itemWidth", size[2])
    json.nullMembers("languages")
  }

  private func writeUpdates(to json: inout JSONBytes) {
    json.member("lastEbayUpdate", 0)
    json.member("lastPriceChange", histories.history(.new).map { $0[$0.count - 2] })
    json.member("lastRatingUpdate", ratingUpdate)
    json.member("lastSoldUpdate", ratingUpdate)
    if query.stock, offers != nil { json.member("lastStockUpdate", offers?.collected) }
    json.member("lastUpdate", lastUpdate)
    json.member("launchpad", false)
    json.member("listedSince", profile.trackingSince - 2880)
    json.member("liveOffersOrder", offers.map { Array($0.live.indices) })
    json.member("manufacturer", profile.manufacturer)
    json.nullMembers("model")
    let sold = histories.monthlySold()
    json.member("monthlySold", max(0, sold.last ?? 0))
    if query.history { json.member("monthlySoldHistory", cut(sold, stride: 2)) }
    json.member("numberOfItems", profile.pieces)
    json.member("numberOfPages", -1)
    if let offers {
      json.key("offers")
      offers.writeOffers(to: &json, stock: query.stock, since: since)
    }
    json.member("offersSuccessful", offers != nil)
  }

  private func writeRanks(to json: inout JSONBytes) {
    var numbers = profile.numbers(502)
    json.member("packageHeight", numbers.within(30...420))
    json.member("packageLength", numbers.within(30...420))
    json.member("packageQuantity", -1)
    json.member("packageWeight", numbers.within(80...4400))
    json.member("packageWidth", numbers.within(30...420))
    json.member("parentAsin", profile.parentASIN)
    json.member("partNumber", numbers.code(7))
    json.nullMembers("productGroup")
    json.member("productType", 0)
    json.nullMembers("promotions")
    json.member("publicationDate", 0)
    json.member("referralFeePercent", 15)
    json.key("referralFeePercentage")
    json.raw("15.0".utf8)
    json.member("releaseDate", 0)
    if query.parts.rating || offers != nil { writeReviews(to: &json) }
    json.member("rootCategory", profile.rootCategory)
    json.member("salesRankDisplayGroup", profile.family.group)
    let reference = histories.rankReference()
    json.member("salesRankReference", reference.last)
    guard query.history else { return }
    json.member("salesRankReferenceHistory", cut(reference, stride: 2))
    json.key("salesRanks")
    json.object { json in
      for entry in histories.salesRanks() {
        json.member(String(entry.category), cut(entry.ranks, stride: 2))
      }
    }
  }

  private func writeCatalogFacts(to json: inout JSONBytes) {
    json.nullMembers("size")
    if let span = query.stats {
      let stats = ProductStats(profile: profile, csv: csv, lastUpdate: lastUpdate, span: span)
      json.key("stats")
      stats.write(to: &json, parts: query.parts, offers: offers)
    }
    json.member("title", profile.title)
    json.member("trackingSince", profile.trackingSince)
    json.member("type", profile.family.type)
    json.member("upcList", ProductCodes.upc(asin: profile.asin).map { [$0] })
    json.member(
      "urlSlug",
      [profile.brand, profile.quality, profile.noun].joined(separator: " ")
        .split(separator: " ").joined(separator: "-"))
    json.nullMembers("variations")
    if query.videos { writeVideos(to: &json) }
    json.member("websiteDisplayGroup", profile.family.group)
    json.member("websiteDisplayGroupName", profile.family.root)
  }

  // MARK: Parts

  private func cut(_ flat: [Int], stride: Int) -> [Int] {
    since.map { ProductHistories.cut(flat, stride: stride, since: $0) } ?? flat
  }

  /// Ratings are looked at every few days.
  private var ratingUpdate: Int {
    max(profile.trackingSince, lastUpdate - lastUpdate % 4320)
  }

  private func currentCoupon() -> [Int]? {
    guard let coupons = histories.coupons(), coupons[coupons.count - 2] != 0 else { return nil }
    return Array(coupons.suffix(2))
  }

  private func sentences(_ count: Int, _ numbers: inout SeededNumbers) -> String {
    (0..<count).map { _ in
      let opening = numbers.pick(ProductWords.openings)
      let place = numbers.pick(ProductWords.places)
      let claim = numbers.pick(ProductWords.claims)
      return "\(opening) \(place), this \(profile.noun.lowercased()) \(claim)."
    }.joined(separator: " ")
  }

  private func writeCategoryTree(to json: inout JSONBytes) {
    json.key("categoryTree")
    json.array { json in
      for (id, name) in [
        (profile.rootCategory, profile.family.root),
        (profile.branchCategory, profile.family.branch),
        (profile.leafCategory, profile.family.leaf),
      ] {
        json.object { json in
          json.member("catId", id)
          json.member("name", name)
        }
      }
    }
  }

  private func writeImages(
    _ count: Int, _ numbers: inout SeededNumbers, to json: inout JSONBytes
  ) {
    json.key("images")
    json.array { json in
      for _ in 0..<count {
        json.object { json in
          json.member("l", "71\(numbers.code(8))L.jpg")
          json.member("lH", 1500)
          json.member("lW", 1500)
          json.member("m", "41\(numbers.code(8))L.jpg")
          json.member("mH", 500)
          json.member("mW", 500)
        }
      }
    }
  }

  private func writeBuyBoxHistories(to json: inout JSONBytes) {
    guard query.parts.showsBuyBox else { return json.nullMembers("buyBoxSellerIdHistory") }
    let holders = histories.buyBoxSellers()
    let first = since.map { since in holders.lastIndex { $0.minute <= since } ?? 0 } ?? 0
    json.member(
      "buyBoxSellerIdHistory", holders[first...].flatMap { [String($0.minute), $0.seller] })
    guard profile.hasUsed else { return json.nullMembers("buyBoxUsedHistory") }
    let used = histories.history(.buyBoxUsedShipping) ?? []
    let shown = cut(used, stride: 3)
    json.member(
      "buyBoxUsedHistory",
      stride(from: 0, to: shown.count, by: 3).flatMap { index in
        shown[index + 1] < 0
          ? [String(shown[index]), "-1", "", "0"]
          : [String(shown[index]), profile.seller(at: shown[index] % 7), "3", "1"]
      })
  }

  private func writeReviews(to json: inout JSONBytes) {
    let counts = histories.history(.countReviews) ?? []
    json.key("reviews")
    json.object { json in
      json.member("lastUpdate", ratingUpdate)
      json.member("ratingCount", counts)
      json.member("reviewCount", Array(counts.prefix(2)))
    }
  }

  private func writeVideos(to json: inout JSONBytes) {
    var numbers = profile.numbers(504)
    json.key("videos")
    json.array { json in
      for _ in 0..<numbers.below(4) {
        json.object { json in
          json.member("title", "\(profile.noun) in use")
          json.member("image", "51\(numbers.code(8))L.jpg")
          json.member("duration", numbers.within(15...240))
          json.member("creator", "Seller")
          json.member("name", profile.brand)
          json.member("url", "\(numbers.code(12)).mp4")
        }
      }
    }
  }

  private func writeAPlus(to json: inout JSONBytes) {
    var numbers = profile.numbers(505)
    json.key("aPlus")
    json.array { json in
      json.object { json in
        json.member("fromManufacturer", false)
        json.key("module")
        json.array { json in
          for _ in 0..<numbers.within(1...3) {
            json.object { json in
              json.member("image", ["61\(numbers.code(8))L.jpg"])
              json.member("imageAltText", ["\(profile.quality) \(profile.noun)"])
              json.member("text", [sentences(3, &numbers)])
            }
          }
        }
      }
    }
  }
}
