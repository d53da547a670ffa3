import Keepa
import Testing
import TollbookUpstreams

@Suite("Keepa's vocabulary and prices") struct KeepaVocabularyTests {
  @Test(
    arguments: [
      ("B0F7XPYCSJ", "B0F7XPYCSJ"), ("b0f7xpycsj", "B0F7XPYCSJ"), ("0123456789", "0123456789"),
      ("B0F7XPYCS", nil), ("B0F7XPYCSJJ", nil), ("B0F7XPYCS ", nil), ("B0F7XPYCSé", nil),
      ("B0F7XPYC\u{FF33}J", nil), ("", nil), ("B0F7XPYC,J", nil),
    ] as [(String, String?)]
  )
  func `an ASIN is ten ASCII letters or digits`(text: String, expected: String?) {
    #expect(KeepaASIN(text)?.description == expected)
  }

  @Test func `domains are Keepa's, without the reserved one`() {
    #expect(KeepaDomain.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12])
    #expect(KeepaDomain(rawValue: 7) == nil)
    #expect(KeepaDomain(rawValue: 0) == nil)
    #expect(KeepaDomain.japan.currencyDigits == 0)
    #expect(KeepaDomain.mexico.name == "com.mx")
    #expect(KeepaDomain.spain.currency == "EUR")
  }

  @Test func `offers bring what they imply`() {
    #expect(ContentSet.offers.rawValue == 7)
    #expect(ContentSet(keepa: 4) == .offers)
    #expect(ContentSet(keepa: 3) == [.rating, .buyBox])
    #expect(ContentSet(rating: false, buyBox: false, offers: true) == .offers)
    #expect(ContentSet(rating: true, buyBox: false, offers: false).rawValue == 1)
    #expect(ContentSet.keepaSets.map(\.rawValue) == [0, 1, 2, 3, 7])
    #expect(
      ContentSet.keepaSets.map(\.keepaName) == [
        "plain", "rating", "buybox", "rating+buybox", "offers",
      ])
  }

  @Test func `a richer body serves a poorer request and not the other way`() {
    for held in ContentSet.keepaSets {
      for wanted in ContentSet.keepaSets {
        #expect(held.covers(wanted) == (held.rawValue & wanted.rawValue == wanted.rawValue))
      }
    }
    #expect(ContentSet.offers.covers([.rating, .buyBox]))
    #expect(!ContentSet.rating.covers(.buyBox))
  }

  @Test(
    arguments: [
      (.plain, false, 1, 1), (.rating, false, 2, 2), (.buyBox, false, 3, 3),
      ([.rating, .buyBox], false, 4, 4), (.offers, false, 12, 6),
      (.offers(upTo: 21), false, 18, 6), (.offers(upTo: 100), false, 60, 6), (.plain, true, 2, 1),
      (.offers, true, 13, 6), ([.offers, .stock], false, 14, 8),
      (.historicalVariations, false, 2, 2),
    ] as [(ContentSet, Bool, Int64, Int64)]
  )
  func `the price list`(
    contentSet: ContentSet, isLive: Bool, bound: Int64, expected: Int64
  ) {
    #expect(KeepaPriceList.bound(contentSet, isLive: isLive) == bound)
    #expect(KeepaPriceList.expected(contentSet) == expected)
    #expect(bound >= expected)
  }

  @Test func `calls with offers are shorter`() {
    #expect(KeepaPriceList.maximumProducts(for: .plain) == 100)
    #expect(KeepaPriceList.maximumProducts(for: [.rating, .buyBox]) == 100)
    #expect(KeepaPriceList.maximumProducts(for: .offers) == 20)
  }

  @Test(arguments: [20, 21, 30, 31, 99, 100])
  func `more offers hold fewer, and are asked for as they are held`(count: Int) {
    let set = ContentSet.offers(upTo: count)
    #expect(set.offerCount == (count + 9) / 10 * 10)
    #expect(set.isSuperset(of: .offers(upTo: 20)))
    #expect(ContentSet.offers(upTo: 100).isSuperset(of: set))
    #expect(set.isSuperset(of: .offers(upTo: 100)) == (count > 90))
  }

  @Test(
    arguments: [
      (.plain, nil, ""), (.rating, nil, "&rating=1"), (.buyBox, nil, "&buybox=1"),
      ([.rating, .buyBox], 0, "&rating=1&buybox=1&update=0"), (.offers, nil, "&offers=20"),
      (.plain, -1, "&update=-1"),
    ] as [(ContentSet, Int?, String)]
  )
  func `a call asks for all that is free and for nothing else`(
    contentSet: ContentSet, updateHours: Int?, extra: String
  ) {
    let request = KeepaProductRequest(
      domain: .unitedStates, asins: [KeepaASIN("B00000000A")!, KeepaASIN("B00000000B")!],
      contentSet: contentSet, updateHours: updateHours)
    let query = request.parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    #expect(
      query == "domain=1&asin=B00000000A,B00000000B&stats=90&history=1&videos=1&aplus=1" + extra)
    #expect(
      request.boundPerProduct
        == KeepaPriceList.bound(contentSet, isLive: updateHours == 0))
  }

  @Test(
    arguments: [
      (8_075_776, 1_778_386_560_000), (1, 1_293_840_060_000), (0, 0), (-1, 0), (.max, 0),
    ] as [(Int64, Int64)]
  )
  func `Keepa minutes become milliseconds`(minutes: Int64, milliseconds: Int64) {
    #expect(KeepaTime.milliseconds(minutes: minutes) == milliseconds)
    if milliseconds > 0 {
      #expect(KeepaTime.minutes(milliseconds: milliseconds) == minutes)
      #expect(KeepaTime.minutes(milliseconds: milliseconds + 59_999) == minutes)
    }
  }
}
