import HTTPTypes
import Hummingbird
import NIOCore
import Testing
import TollbookEvents
import TollbookHTTP
import TollbookTestSupport

@testable import DealScout

/// A table's pages beside a plain filter over all rows, sorted.
@Suite struct `The table of deals` {
  /// For all rows.
  private static func question(limit: Int) throws -> DealQuestion {
    let request = Request(
      head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/buyer/deals"),
      body: RequestBody(buffer: ByteBuffer()))
    var question = try DealQuestion(QueryParameters(request))
    question.limit = limit
    return question
  }

  private static func question(
    _ random: inout SeededGenerator, limit: Int
  ) throws -> DealQuestion {
    var question = try question(limit: limit)
    question.order = random.pick(DealQuestion.Order.allCases)
    if random.chance(40) {
      question.words = (0..<random.int(1...3)).map { _ in random.pick(ListingSamples.words) }
    }
    if random.chance(20) { question.category = random.pick(ListingSamples.categories) }
    if random.chance(20) { question.minimum = random.int64(4_000...9_600) }
    if random.chance(20) { question.maximum = random.int64(4_000...9_600) }
    if random.chance(20) { question.condition = random.pick(ConditionGroup.allCases) }
    if random.chance(20) { question.minimumScore = random.int64(0...4) * 100 }
    if random.chance(20) { question.confidence = random.pick(Confidence.allCases) }
    if random.chance(20) {
      question.endsBefore = ListingSamples.now.advanced(
        byMilliseconds: random.int64(0...10) * 1_200_000)
    }
    return question
  }

  /// The ids that a question means, in its order.
  private static func plain(
    _ question: DealQuestion, _ rows: [DealBoard.Row], _ shown: Set<EbayItemID>
  ) -> [String] {
    func total(_ row: DealBoard.Row) -> Int64 { row.listing.total ?? row.listing.price }
    func confidence(_ row: DealBoard.Row) -> Int {
      row.score.flatMap { Confidence.allCases.firstIndex(of: $0.confidence) } ?? -1
    }
    func key(_ row: DealBoard.Row) -> Int64 {
      switch question.order {
      case .score: -(row.score?.tenths ?? -1)
      case .price: total(row)
      case .highest: -total(row)
      case .newest: -(row.listing.originAt?.milliseconds ?? 0)
      case .ending: row.listing.endsAt?.milliseconds ?? .max
      }
    }
    let found = rows.filter { row in
      let listing = row.listing
      guard shown.contains(listing.id) else { return false }
      if let least = question.minimum, total(row) < least { return false }
      if let most = question.maximum, total(row) > most { return false }
      if let least = question.minimumScore, (row.score?.tenths ?? -1) < least { return false }
      if let least = question.confidence,
        confidence(row) < Confidence.allCases.firstIndex(of: least)!
      {
        return false
      }
      if let condition = question.condition, listing.offer?.condition != condition { return false }
      if let category = question.category, !listing.categories.contains(category) { return false }
      if let end = question.endsBefore, (listing.endsAt ?? end) >= end { return false }
      let title = listing.title.lowercased()
      return question.words.allSatisfy { title.contains($0) }
    }
    return found.map { (key: key($0), id: $0.listing.id.description) }
      .sorted { ($0.key, $0.id) < ($1.key, $1.id) }.map(\.id)
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `page after page a question finds what a filter over all rows finds, in its order`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    let listings = try (0..<random.int(0...120)).map { try ListingSamples.listing($0, &random) }
    var scores = DealScores()
    let rows = scores.rows(of: listings, judges: random.chance(80), now: ListingSamples.now)
    let searches = ["a", "b", "c"].map { name in
      (name, Set(listings.map(\.id).filter { _ in random.chance(60) }))
    }
    let table = DealTable(
      rows.shuffled(using: &random), searches: Dictionary(uniqueKeysWithValues: searches),
      made: ListingSamples.now)
    for _ in 0..<20 {
      var question = try Self.question(&random, limit: random.pick([1, 2, 7, 40]))
      let asked = searches.filter { _ in random.chance(60) }
      let expected = Self.plain(
        question, rows, asked.reduce(into: []) { $0.formUnion($1.1) })
      var found: [String] = []
      var pages = 0
      while pages <= expected.count {
        let (page, next) = question.page(of: table, shownBy: table.rows(of: asked.map(\.0)))
        found += page.map(\.listing.id.description)
        pages += 1
        // A page that is not the last is full.
        #expect(next == nil || page.count == question.limit)
        guard let next else { break }
        question.cursor = try DealQuestion.cursor(next)
      }
      #expect(found == expected, "seed \(seed): \(question)")
      #expect(pages == max(1, (expected.count + question.limit - 1) / question.limit))
    }
  }

  @Test func `a cursor of a row that is gone goes on behind its place`() throws {
    var random = SeededGenerator(seed: 1)
    let listings = try (0..<40).map { try ListingSamples.listing($0, &random) }
    let rows = listings.map { DealBoard.Row(listing: $0, verdict: nil) }
    var question = try Self.question(limit: 10)
    question.order = .price
    let all = ["all": Set(listings.map(\.id))]
    let whole = DealTable(rows, searches: all, made: ListingSamples.now)
    let (first, next) = question.page(of: whole, shownBy: whole.rows(of: ["all"]))
    let gone = try #require(first.last?.listing.id)
    let rest = DealTable(
      rows.filter { $0.listing.id != gone }, searches: all, made: ListingSamples.now)
    question.cursor = try DealQuestion.cursor(#require(next))
    let (before, _) = question.page(of: whole, shownBy: whole.rows(of: ["all"]))
    let (after, _) = question.page(of: rest, shownBy: rest.rows(of: ["all"]))
    #expect(before.map(\.listing.id) == after.map(\.listing.id))
    #expect(after.count == 10)
  }
}
