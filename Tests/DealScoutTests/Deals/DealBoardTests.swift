import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

/// When a table is made anew, and who waits for it.
@Suite struct `The board of deals` {
  private static let now = ListingSamples.now

  /// An index with a page of listings.
  private static func index(_ numbers: ClosedRange<Int>) throws -> ListingIndex {
    let index = ListingIndex()
    try add(numbers, to: index)
    return index
  }

  private static func add(_ numbers: ClosedRange<Int>, to index: ListingIndex) throws {
    let items = try numbers.map { number in
      String(
        decoding: try EbaySamples.listing(["itemId": "\"v1|\(number)|0\""]), as: UTF8.self)
    }
    let search = try EbaySearch(.unitedStates, words: "widget")
    _ = index.add(try EbaySearchPage(EbaySamples.page(items)), of: search, seen: now)
  }

  private static func after(_ seconds: Int64) -> Timestamp {
    now.advanced(byMilliseconds: seconds * 1_000)
  }

  @Test func `of few listings the table is made at each change, and who asks waits for it`()
    async throws
  {
    let index = try Self.index(1...9)
    let board = DealBoard()
    let first = await board.content(of: index, judges: true, now: Self.now)
    #expect(first.rows.count == 9)
    try Self.add(10...12, to: index)
    let second = await board.content(of: index, judges: true, now: Self.after(1))
    #expect(second.rows.count == 12 && second.made == Self.after(1))
    // Nothing has changed, and then ends and ages have.
    #expect(await board.content(of: index, judges: true, now: Self.after(60)).made == second.made)
    #expect(
      await board.content(of: index, judges: true, now: Self.after(61)).made == Self.after(61))
    // The clock was set back.
    #expect(await board.content(of: index, judges: true, now: Self.now).made == Self.now)
  }

  @Test(.timeLimit(.minutes(1)))
  func `of many listings the table that is there answers, and the next one is made behind`()
    async throws
  {
    let index = try Self.index(1...9)
    let board = DealBoard(mostAtOnce: 8)
    let first = await board.content(of: index, judges: true, now: Self.now)
    #expect(first.rows.count == 9)
    try Self.add(10...12, to: index)
    let stale = await board.content(of: index, judges: true, now: Self.after(16))
    #expect(stale.rows.count == 9 && stale.made == Self.now)
    var later = stale
    while later.made == Self.now {
      later = await board.content(of: index, judges: true, now: Self.after(16))
      await Task.yield()
    }
    #expect(later.rows.count == 12 && later.made == Self.after(16))
    // What is older than that says nothing any more.
    let waited = await board.content(of: index, judges: true, now: Self.after(137))
    #expect(waited.made == Self.after(137))
  }

  @Test func `many who ask at once wait for one table`() async throws {
    let index = try Self.index(1...50)
    let board = DealBoard()
    let tables = await withTaskGroup(of: DealTable.self) { group in
      for _ in 0..<40 {
        group.addTask { await board.content(of: index, judges: true, now: Self.now) }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(tables.count == 40 && tables.allSatisfy { $0.rows.count == 50 })
    // Rows of one table are in one place.
    let places = tables.map { table in
      table.rows.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }
    #expect(Set(places).count == 1)
  }

  @Test func `who asks after a change sees it, also while a table of before is made`() async throws
  {
    let index = try Self.index(1...9)
    let board = DealBoard()
    for number in 10..<60 {
      async let before = board.content(of: index, judges: true, now: Self.now)
      await Task.yield()
      try Self.add(number...number, to: index)
      let after = await board.content(of: index, judges: true, now: Self.now)
      #expect(after.rows.count == number)
      _ = await before
    }
  }
}
