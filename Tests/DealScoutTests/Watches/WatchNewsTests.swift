import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

/// What there is to tell of watches.
@Suite struct `News of watches` {
  private static func id(_ number: Int = 1) throws -> EbayItemID {
    try #require(EbayItemID("v1|\(number)|0"))
  }

  private static func money(
    _ units: Int64, _ currency: EbayCurrency = .dollar
  ) throws -> EbayMoney {
    try #require(EbayMoney(minorUnits: units, currency))
  }

  private static func watches(
    below: EbayMoney? = nil, told: EbayMoney? = nil
  ) throws -> WatchBook.Watches {
    var watches = WatchBook.Watches()
    try watches.add(Watch(id(), created: .testStart, below: below, told: told))
    return watches
  }

  /// When eBay said so.
  private static let seen = Timestamp.testStart.advanced(byMilliseconds: -7_200_000)

  private static func news(
    _ watches: WatchBook.Watches, _ state: ListingLook.State, title: String = "Widget"
  ) throws -> [NotificationFact] {
    let look = ListingLook(state: state, title: title, url: "https://e.test/1", at: seen)
    return try WatchBook.news(of: watches, "acme", [id(): look])
  }

  @Test func `a price that drops is told once, from what to what, and a further drop again`() throws
  {
    var watches = try Self.watches(told: Self.money(2_000))
    let first = try #require(try Self.news(watches, .shown(Self.money(1_500))).first)
    #expect(first.kind == .priceDrop)
    #expect(first.account == "acme")
    #expect(first.title == "Widget")
    // It tells when that was seen, and not when it is told.
    #expect(first.at == Self.seen)
    #expect(
      first.detail
        == .drop(from: Amount(20_000_000_000, "USD"), to: Amount(15_000_000_000, "USD")))
    // The same until it was told.
    let same = try Self.news(watches, .shown(Self.money(1_500)))
    #expect(same.map(\.key) == [first.key])
    watches.note([first])
    #expect(try Self.news(watches, .shown(Self.money(1_500))).isEmpty)
    // It rises and comes back: that was told.
    #expect(try Self.news(watches, .shown(Self.money(1_900))).isEmpty)
    #expect(try Self.news(watches, .shown(Self.money(1_500))).isEmpty)
    let second = try #require(try Self.news(watches, .shown(Self.money(1_499))).first)
    #expect(second.key != first.key)
    #expect(
      second.detail
        == .drop(from: Amount(15_000_000_000, "USD"), to: Amount(14_990_000_000, "USD")))
  }

  @Test func `with a mark only what is below it is told`() throws {
    var watches = try Self.watches(below: Self.money(1_000))
    for price: Int64 in [5_000, 1_001, 1_000] {
      #expect(try Self.news(watches, .shown(Self.money(price))).isEmpty, "\(price)")
    }
    let first = try #require(try Self.news(watches, .shown(Self.money(999))).first)
    #expect(
      first.detail
        == .drop(from: Amount(10_000_000_000, "USD"), to: Amount(9_990_000_000, "USD")))
    watches.note([first])
    #expect(try Self.news(watches, .shown(Self.money(999))).isEmpty)
    #expect(try Self.news(watches, .shown(Self.money(998))).count == 1)
  }

  @Test func `prices of two currencies are not compared`() throws {
    let told = try Self.watches(told: Self.money(2_000))
    #expect(try Self.news(told, .shown(Self.money(1, .euro))).isEmpty)
    let marked = try Self.watches(below: Self.money(2_000))
    #expect(try Self.news(marked, .shown(Self.money(1, .euro))).isEmpty)
    #expect(try Self.news(told, .shown(Self.money(1))).count == 1)
  }

  @Test func `that it has ended is told once, by its id if eBay shows its title no more`() throws {
    var watches = try Self.watches(told: Self.money(2_000))
    let ended = try #require(try Self.news(watches, .ended, title: "").first)
    #expect(ended.kind == .watchEnded)
    #expect(ended.title == "v1|1|0")
    #expect(ended.at == Self.seen)
    watches.note([ended])
    #expect(try Self.news(watches, .ended).isEmpty)
    #expect(watches.rows.first?.isEndTold == true)
  }

  @Test func `nothing is told of what nobody has looked at, nor of an unknown price`() throws {
    let watches = try Self.watches(told: Self.money(2_000))
    #expect(WatchBook.news(of: watches, "acme", [:]).isEmpty)
    #expect(try Self.news(watches, .shown(nil)).isEmpty)
  }

  @Test func `what is told twice out of order leaves the lower price`() throws {
    var watches = try Self.watches(told: Self.money(2_000))
    let high = try #require(try Self.news(watches, .shown(Self.money(1_500))).first)
    let low = try #require(try Self.news(watches, .shown(Self.money(1_200))).first)
    watches.note([low, high])
    #expect(try watches.rows.first?.told == Self.money(1_200))
  }

  @Test func `watches are kept as they are, and are bounded`() throws {
    var watches = try Self.watches(below: Self.money(999, .euro), told: Self.money(5))
    for number in 2...WatchBook.mostOfAccount {
      try watches.add(Watch(Self.id(number), created: .testStart))
    }
    #expect(throws: WatchBook.Refusal.full) {
      try watches.add(Watch(Self.id(9_999), created: .testStart))
    }
    #expect(throws: WatchBook.Refusal.isThere) {
      try watches.add(Watch(Self.id(7), created: .testStart))
    }
    let ended = try #require(try Self.news(watches, .ended).first)
    watches.note([ended])
    let read = WatchBook.Watches(watches.bytes)
    #expect(read.rows.count == WatchBook.mostOfAccount)
    let first = try #require(read.rows.first)
    #expect(try first.below == Self.money(999, .euro))
    #expect(try first.told == Self.money(5))
    #expect(first.isEndTold)
    #expect(read.bytes.elementsEqual(watches.bytes))
    #expect(WatchBook.Watches(Array("{".utf8)).rows.isEmpty)
  }
}
