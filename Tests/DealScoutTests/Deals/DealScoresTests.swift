import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

/// What is scored anew beside scoring all.
@Suite struct `Scores of listings that change a little` {
  private static let minute: Int64 = 60_000

  /// What a book of all listings says, by the weights of words that there are.
  private static func plain(
    _ listings: [SeenListing], _ scores: DealScores, _ now: Timestamp
  ) -> [EbayItemID: ShownVerdict] {
    let offers = listings.compactMap(\.offer)
    let book = ComparableBook(offers, weights: scores.weights, now: now, rules: DealRules())
    return Dictionary(
      uniqueKeysWithValues: listings.compactMap { listing in
        listing.offer.map { (listing.id, ShownVerdict(book.verdict(on: $0))) }
      })
  }

  private static func expectSame(
    _ rows: [DealBoard.Row], _ plain: [EbayItemID: ShownVerdict], _ listings: [SeenListing],
    _ what: String
  ) {
    #expect(Set(rows.map(\.listing.id)) == Set(listings.map(\.id)), "\(what)")
    #expect(rows.count == listings.count, "\(what)")
    let wrong = rows.filter { $0.verdict != plain[$0.listing.id] }
    #expect(wrong.isEmpty, "\(what): \(wrong.first?.listing.title ?? "")")
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `whatever comes, goes, is seen again or ends, verdicts are those of all listings`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    var now = ListingSamples.now
    var scores = DealScores()
    var listings: [EbayItemID: SeenListing] = [:]
    func take(_ count: Int, _ random: inout SeededGenerator) throws {
      for _ in 0..<count {
        let listing = try ListingSamples.listing(random.int(0...80), seen: now, &random)
        listings[listing.id] = listing
      }
    }
    try take(60, &random)
    for step in 0..<12 {
      switch random.int(0...4) {
      case 0: try take(random.int(1...3), &random)
      case 1:
        for id in listings.keys.sorted(by: { $0.description < $1.description }).prefix(2) {
          listings[id] = nil
        }
      case 2: now = now.advanced(byMilliseconds: random.int64(1...40) * Self.minute)
      case 3: now = now.advanced(byMilliseconds: random.int64(-2...40) * 60 * Self.minute)
      default: break
      }
      let open = listings.values.filter { !$0.isOver(at: now) }
      let judges = random.chance(95)
      let rows = scores.rows(of: open, judges: judges, now: now)
      Self.expectSame(
        rows, judges ? Self.plain(open, scores, now) : [:], open, "seed \(seed), step \(step)")
    }
  }

  @Test func `at first, and an hour later, words are weighed by all that is there`() throws {
    var random = SeededGenerator(seed: 3)
    var listings = try (0..<200).map { try ListingSamples.listing($0, &random) }
    listings = listings.filter { $0.endsAt == nil }
    var scores = DealScores()
    for now in [ListingSamples.now, ListingSamples.now.advanced(byMilliseconds: 60 * Self.minute)] {
      let rows = scores.rows(of: listings, judges: true, now: now)
      #expect(scores.scored == listings.count)
      let offers = listings.compactMap(\.offer)
      let all = try DealScorer.score(all: offers, against: offers, now: now)
      let byID = Dictionary(zip(offers.map(\.id), all.map { ShownVerdict($0) })) { first, _ in
        first
      }
      let wrong = rows.filter { $0.verdict != byID[$0.listing.id.description] }
      #expect(wrong.isEmpty)
      #expect(rows.contains { $0.score != nil })
    }
  }

  @Test func `a page of one product has its family scored, and no other`() throws {
    func made(_ seed: UInt64) throws -> SeenListing {
      var random = SeededGenerator(seed: seed)
      return try ListingSamples.listing(Int(seed), &random)
    }
    var listings: [SeenListing] = []
    var seeds: [UInt64] = []
    for seed in 0..<400 as Range<UInt64> {
      let listing = try made(seed)
      if listing.endsAt != nil || listing.offer?.key?.rule != .title { continue }
      listings.append(listing)
      seeds.append(seed)
    }
    var scores = DealScores()
    _ = scores.rows(of: listings, judges: true, now: ListingSamples.now)
    #expect(scores.scored == listings.count)
    _ = scores.rows(of: listings, judges: true, now: ListingSamples.now)
    #expect(scores.scored == 0)
    let place = try #require(listings.firstIndex { $0.title.hasPrefix("Trident") })
    // The same, seen again.
    listings[place] = try made(seeds[place])
    let rows = scores.rows(of: listings, judges: true, now: ListingSamples.now)
    #expect(scores.scored == listings.count { $0.title.hasPrefix("Trident") })
    #expect(rows.count == listings.count)
  }
}
