/// The `stats` object of a product, computed from the histories that are open to the caller.
struct ProductStats {
  let profile: ProductProfile
  /// The 36 histories, closed ones nil.
  let csv: [[Int]?]
  /// The Keepa minute up to which the histories are known.
  let lastUpdate: Int
  /// The span that was asked for, in Keepa minutes.
  let from: Int
  let to: Int

  init(
    profile: ProductProfile, csv: [[Int]?], lastUpdate: Int, span: ProductQuery.StatsSpan
  ) {
    self.profile = profile
    self.csv = csv
    self.lastUpdate = lastUpdate
    switch span {
    case .days(let days):
      from = lastUpdate - days * 1440
      to = lastUpdate
    case .between(let first, let last):
      from = first
      to = max(first, min(last, lastUpdate))
    }
  }

  // MARK: One history over one span

  /// What a history did between two minutes.
  struct Summary {
    var average = -1
    var atStart = -1
    var lowest: (minute: Int, value: Int)?
    var highest: (minute: Int, value: Int)?
    /// Percent of the time without a value.
    var gone = -1
  }

  /// The value that a change set: shipping included, -1 for none.
  static func value(_ flat: [Int], at index: Int, stride: Int) -> Int {
    let price = flat[index + 1]
    guard stride == 3, price >= 0 else { return price }
    return price + max(0, flat[index + 2])
  }

  /// Walks a history backwards from the end of the span to its beginning.
  static func summary(_ flat: [Int], stride: Int, from: Int, to: Int) -> Summary {
    var summary = Summary()
    var sum = 0
    var held = 0
    var total = 0
    var until = to
    var index = flat.count - stride
    while index >= 0 {
      let minute = flat[index]
      if minute <= until {
        let value = value(flat, at: index, stride: stride)
        let duration = until - max(minute, from)
        total += duration
        if value >= 0 {
          sum += value * duration
          held += duration
          if value <= summary.lowest?.value ?? Int.max {
            summary.lowest = (max(minute, from), value)
          }
          if value >= summary.highest?.value ?? Int.min {
            summary.highest = (max(minute, from), value)
          }
        }
        until = minute
        if minute <= from {
          summary.atStart = value
          break
        }
      }
      index -= stride
    }
    if held > 0 {
      summary.average = sum / held
    } else if let lowest = summary.lowest {
      summary.average = lowest.value
    }
    if total > 0 { summary.gone = 100 * (total - held) / total }
    return summary
  }

  // MARK: Writing

  /// Writes the object.
  func write(to json: inout JSONBytes, parts: PaidParts, offers: ProductOffers?) {
    let all = summaries(from: Int.min / 2, to: lastUpdate)
    let interval = summaries(from: from, to: to)
    let spans = [30, 90, 180, 365].map { days in
      (days, summaries(from: lastUpdate - days * 1440, to: lastUpdate))
    }
    let current = zip(csv, HistoryType.allCases).map { flat, type in
      flat.map { Self.value($0, at: $0.count - type.stride, stride: type.stride) } ?? -1
    }
    json.object { json in
      json.member("atIntervalStart", interval.map { $0?.atStart ?? -1 })
      json.member("avg", interval.map { $0?.average ?? -1 })
      for (days, span) in spans {
        json.member("avg\(days)", span.map { $0?.average ?? -1 })
      }
      writeBuyBox(to: &json, parts: parts, current: current)
      json.member("current", current)
      json.member("deltaPercent90_monthlySold", deltaOfMonthlySold())
      Self.writeLowest("isLowest", current, all, to: &json)
      Self.writeLowest("isLowest90", current, spans[1].1, to: &json)
      json.member("lastBuyBoxUpdate", parts.showsBuyBox ? lastUpdate : nil)
      json.member("lastOffersUpdate", offers?.collected ?? profile.trackingSince)
      json.nullMembers("lightningDealInfo")
      Self.writeExtremes("max", all.map { $0?.highest }, to: &json)
      Self.writeExtremes("maxInInterval", interval.map { $0?.highest }, to: &json)
      Self.writeExtremes("min", all.map { $0?.lowest }, to: &json)
      Self.writeExtremes("minInInterval", interval.map { $0?.lowest }, to: &json)
      json.member("offerCountFBA", offers?.countFBA ?? -2)
      json.member("offerCountFBM", offers?.countFBM ?? -2)
      json.member("outOfStockCountAmazon30", timesGone(days: 30))
      json.member("outOfStockCountAmazon90", timesGone(days: 90))
      for (days, span) in spans {
        json.member("outOfStockPercentage\(days)", Self.percentages(span))
      }
      json.member("outOfStockPercentageInInterval", Self.percentages(interval))
      json.member("retrievedOfferCount", offers?.live.count ?? -2)
      for days in [180, 30, 365, 90] {
        json.member("salesRankDrops\(days)", rankDrops(days: days))
      }
      json.member("sellerIdsLowestFBA", offers.map { $0.sellersFBA })
      json.member("sellerIdsLowestFBM", offers.map { $0.sellersFBM })
      json.member("totalOfferCount", profile.offerCount)
      json.member("tradeInPrice", -2)
    }
  }

  private func summaries(from: Int, to: Int) -> [Summary?] {
    zip(csv, HistoryType.allCases).map { flat, type in
      flat.map { Self.summary($0, stride: type.stride, from: max(from, $0[0]), to: to) }
    }
  }

  private static func percentages(_ summaries: [Summary?]) -> [Int] {
    zip(summaries, HistoryType.allCases).map { $1.isPrice ? $0?.gone ?? -1 : -1 }
  }

  private static func writeExtremes(
    _ name: String, _ extremes: [(minute: Int, value: Int)?], to json: inout JSONBytes
  ) {
    json.key(name)
    json.array { json in
      for extreme in extremes {
        json.ints(extreme.map { [$0.minute, $0.value] })
      }
    }
  }

  private static func writeLowest(
    _ name: String, _ current: [Int], _ summaries: [Summary?], to json: inout JSONBytes
  ) {
    json.key(name)
    json.array { json in
      for (current, summary) in zip(current, summaries) {
        json.bool(current >= 0 && current == summary?.lowest?.value)
      }
    }
  }

  private func writeBuyBox(to json: inout JSONBytes, parts: PaidParts, current: [Int]) {
    json.nullMembers("buyBoxAvailabilityMessage")
    guard parts.showsBuyBox, let flat = csv[HistoryType.buyBoxShipping.rawValue] else {
      json.nullMembers(
        "buyBoxCondition", "buyBoxIsAmazon", "buyBoxIsBackorder", "buyBoxIsFBA",
        "buyBoxIsFreeShippingEligible", "buyBoxIsMAP", "buyBoxIsPreorder",
        "buyBoxIsPrimeEligible", "buyBoxIsPrimeExclusive", "buyBoxIsShippable",
        "buyBoxIsUnqualified", "buyBoxIsUsed", "buyBoxIsWarehouseDeal")
      json.member("buyBoxPrice", -2)
      json.nullMembers("buyBoxSellerId")
      json.member("buyBoxShipping", -2)
      json.nullMembers("buyBoxShippingCountry")
      return
    }
    let price = flat[flat.count - 2]
    let shipping = flat[flat.count - 1]
    let holders = ProductHistories(profile: profile, lastUpdate: lastUpdate).buyBoxSellers()
    let holder = holders.last?.seller ?? "-1"
    json.member("buyBoxCondition", 1)
    json.member("buyBoxIsAmazon", false)
    json.member("buyBoxIsBackorder", false)
    json.member("buyBoxIsFBA", shipping == 0)
    json.member("buyBoxIsFreeShippingEligible", shipping == 0)
    json.member("buyBoxIsMAP", false)
    json.member("buyBoxIsPreorder", false)
    json.member("buyBoxIsPrimeEligible", shipping == 0)
    json.member("buyBoxIsPrimeExclusive", false)
    json.member("buyBoxIsShippable", price >= 0)
    json.member("buyBoxIsUnqualified", holder == "-1")
    json.member("buyBoxIsUsed", false)
    json.member("buyBoxIsWarehouseDeal", false)
    json.member("buyBoxPrice", price)
    json.member("buyBoxSavingBasis", profile.basePrice * 5 / 4)
    json.member("buyBoxSavingBasisType", "LIST_PRICE")
    json.member(
      "buyBoxSavingPercentage", price < 0 ? 0 : max(0, 100 - price * 80 / profile.basePrice))
    json.member("buyBoxSellerId", holder)
    json.member("buyBoxShipping", shipping)
    json.nullMembers("buyBoxShippingCountry")
    json.key("buyBoxStats")
    json.object { json in
      var written: Set<String> = []
      for entry in holders.reversed() where entry.seller != "-1" {
        guard written.insert(entry.seller).inserted else { continue }
        json.key(entry.seller)
        json.object { json in
          json.key("percentageWon")
          json.raw("\(100 / max(1, min(6, profile.offerCount))).0".utf8)
          json.member("avgPrice", profile.basePrice)
          json.member("avgNewOfferCount", profile.offerCount)
          json.member("avgUsedOfferCount", profile.hasUsed ? 3 : 0)
          json.member("isFBA", true)
          json.member("lastSeen", entry.minute)
        }
      }
    }
  }

  /// How often Amazon's offer ended in the last days.
  private func timesGone(days: Int) -> Int {
    guard let flat = csv[0] else { return 0 }
    let since = lastUpdate - days * 1440
    var count = 0
    for index in stride(from: 0, to: flat.count, by: 2)
    where flat[index] > since && flat[index + 1] == -1 {
      count += 1
    }
    return count
  }

  /// How often the rank improved in the last days, which hints at sales.
  private func rankDrops(days: Int) -> Int {
    guard let flat = csv[HistoryType.sales.rawValue] else { return 0 }
    let since = lastUpdate - days * 1440
    var drops = 0
    var index = flat.count - 2
    while index >= 2, flat[index] > since {
      let rank = flat[index + 1]
      let before = flat[index - 1]
      if rank > 0, before > 0, rank < before - before / 10 { drops += 1 }
      index -= 2
    }
    return drops
  }

  /// Change of the monthly sales over 90 days, in percent.
  private func deltaOfMonthlySold() -> Int {
    let flat = ProductHistories(profile: profile, lastUpdate: lastUpdate).monthlySold()
    let before = Self.summary(flat, stride: 2, from: lastUpdate - 129_600, to: lastUpdate).average
    let now = flat[flat.count - 1]
    return before > 0 && now >= 0 ? (now - before) * 100 / before : 0
  }
}
