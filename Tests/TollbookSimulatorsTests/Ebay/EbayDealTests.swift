import JSONText
import Testing

@testable import TollbookSimulators

/// Planted deals: the books name every one, and a search finds it while it is there.
@Suite struct EbayDealTests {
  private func total(_ item: JSONValue) -> Int64 {
    (item["price"]?.hundredths ?? 0)
      + (item["shippingOptions"]?[0]?["shippingCost"]?.hundredths ?? 0)
  }

  @Test func `a deal is found from the instant on that the books say and up to the other`()
    async throws
  {
    let bench = EbayBench()
    let deals = bench.simulator.deals(
      from: EbayBench.start, to: EbayBench.start + EbayBench.day)
    #expect(deals.count >= 12)
    for deal in deals.prefix(8) {
      let query = "q=\(deal.family.split(separator: " ").joined(separator: "+"))"
      for (instant, isThere) in [
        (deal.from - 1, false), (deal.from, true), (deal.until - 1, true), (deal.until, false),
      ] {
        bench.clock.now = instant
        let found = try await bench.everything(query)
          .first { $0["itemId"]?.string == deal.itemId }
        #expect((found != nil) == isThere, "\(deal.itemId) at \(instant - deal.from)")
        guard let found else { continue }
        #expect(total(found) == deal.total)
        #expect(found["conditionId"]?.string == String(deal.conditionId))
        #expect(found["price"]?["currency"]?.string == "USD")
        #expect(found["leafCategoryIds"]?[0]?.string == deal.categoryId)
      }
    }
  }

  @Test func `deals last four to twelve hours and are worth half as much again`() {
    let bench = EbayBench { $0.families = 40 }
    let deals = bench.simulator.deals(
      from: EbayBench.start, to: EbayBench.start + 10 * EbayBench.day)
    #expect((400...440).contains(deals.count))
    for deal in deals {
      #expect((4 * EbayBench.hour...12 * EbayBench.hour).contains(deal.until - deal.from))
      #expect((515...661).contains(deal.total * 1_000 / deal.fair))
    }
    #expect(deals.map(\.from) == deals.map(\.from).sorted())
    #expect(Set(deals.map(\.itemId)).count == deals.count)
  }

  @Test func `the books tell the deals since the start, of the sites that were asked for`()
    async throws
  {
    let bench = EbayBench()
    let first = bench.simulator.books.deals
    #expect(first.allSatisfy { $0.from <= EbayBench.start && $0.until > EbayBench.start })
    bench.clock.now += EbayBench.day
    let later = bench.simulator.books.deals
    #expect(
      later == bench.simulator.deals(from: EbayBench.start, to: bench.clock.now + 1))
    #expect(later.count > first.count && later.allSatisfy { $0.marketplace == "EBAY_US" })
    _ = try await bench.search(
      bench.familySearch, headers: ["x-ebay-c-marketplace-id": "EBAY_GB"])
    let both = bench.simulator.books.deals
    #expect(Set(both.map(\.marketplace)) == ["EBAY_US", "EBAY_GB"])
    #expect(both.filter { $0.marketplace == "EBAY_GB" }.allSatisfy { $0.currency == "GBP" })
    bench.clock.now -= 2 * EbayBench.day
    #expect(bench.simulator.books.deals.isEmpty)
  }

  @Test func `who scans every 90 minutes sees every deal at least twice`() async throws {
    let bench = EbayBench { $0.families = 3 }
    var scans: [String: Int] = [:]
    for _ in 0..<16 {
      for family in bench.market.families {
        let query = "q=\(family.words.split(separator: " ").joined(separator: "+"))"
        for item in try await bench.everything(query) {
          if let id = item["itemId"]?.string { scans[id, default: 0] += 1 }
        }
      }
      bench.clock.now += 90 * 60_000
    }
    let whole = bench.simulator.books.deals.filter {
      $0.from >= EbayBench.start && $0.until <= EbayBench.start + 15 * 90 * 60_000
    }
    #expect(!whole.isEmpty && whole.allSatisfy { scans[$0.itemId] ?? 0 >= 2 })
  }

  @Test func `none are planted if none are wanted`() {
    let bench = EbayBench { $0.dealsPerFamilyDay = 0 }
    #expect(
      bench.simulator.deals(from: EbayBench.start, to: EbayBench.start + EbayBench.day).isEmpty)
  }
}
