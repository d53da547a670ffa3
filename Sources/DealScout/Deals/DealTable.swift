import TollbookEvents

/// Listings with their scores at an instant, sorted once for each order in which they are asked for.
///
/// 1. Rows stand in the order of their ids, so that a row's number tells which of two comes first where all else is
///    equal.
/// 2. What most questions look at stands in ``facts``, a few bytes for each row, side by side.
/// 3. Of each search and each category it is kept which rows it has.
package struct DealTable: Sendable {
  /// What a row is filtered by.
  struct Facts: Sendable {
    /// In minor units; the price where the shipping is unknown.
    let total: Int64
    /// Of the score; -1: there is none.
    let tenths: Int64
    /// In milliseconds since 1970; `max`: it has no end.
    let ends: Int64
    let confidence: Confidence?
    let condition: ConditionGroup?
    let marketplace: EbayMarketplace
    /// Of the title.
    let pairs: SIMD4<UInt64>

    init(_ row: DealBoard.Row) {
      let listing = row.listing
      total = listing.total ?? listing.price
      tenths = row.score?.tenths ?? -1
      ends = listing.endsAt?.milliseconds ?? .max
      confidence = row.score?.confidence
      condition = listing.conditionGroup
      marketplace = listing.marketplace
      pairs = listing.searchedTitle.pairs
    }
  }

  package let rows: [DealBoard.Row]
  let facts: [Facts]
  /// Of the index.
  let version: UInt64
  let made: Timestamp
  /// Numbers of rows.
  private let orders: [DealQuestion.Order: [Int32]]
  /// Of the rows.
  private let ids: [EbayItemID]
  private let rowsOfSearch: [String: [Int32]]
  private let rowsOfCategory: [String: [Int32]]

  /// - Parameters:
  ///   - unsorted: each listing once.
  ///   - searches: the ids of what each shows, by its key without the page; those of no row are passed over.
  init(
    _ unsorted: [DealBoard.Row] = [], searches: [String: Set<EbayItemID>] = [:],
    version: UInt64 = 0, made: Timestamp
  ) {
    let sorted = unsorted.map { (id: $0.listing.id, row: $0) }.sorted { $0.id < $1.id }
    rows = sorted.map(\.row)
    ids = sorted.map(\.id)
    facts = rows.map { Facts($0) }
    self.version = version
    self.made = made
    var categories: [String: [Int32]] = [:]
    for (number, row) in rows.enumerated() {
      for category in row.listing.categories {
        categories[category, default: []].append(Int32(number))
      }
    }
    rowsOfCategory = categories
    let (ids, rows, facts) = (ids, rows, facts)
    rowsOfSearch = searches.mapValues { shown in
      shown.compactMap { ids.number(of: $0).map { Int32($0) } }
    }
    orders = Dictionary(
      uniqueKeysWithValues: DealQuestion.Order.allCases.map { order in
        let keys = rows.indices.map {
          (key: order.key(of: rows[$0], facts[$0]), row: Int32($0))
        }
        return (order, keys.sorted { $0 < $1 }.map(\.row))
      })
  }

  /// The numbers of all rows in an order.
  func numbers(in order: DealQuestion.Order) -> [Int32] { orders[order] ?? [] }

  /// What a row is ordered by.
  func key(of row: Int, in order: DealQuestion.Order) -> Int64 {
    order.key(of: rows[row], facts[row])
  }

  /// The rows that searches show, by their keys without the page.
  package func rows(of searches: [String]) -> RowSet {
    searches.reduce(into: RowSet(of: rows.count)) { set, search in
      for row in rowsOfSearch[search] ?? [] { set.insert(Int(row)) }
    }
  }

  /// The rows in a category.
  func rows(ofCategory category: String) -> RowSet {
    var set = RowSet(of: rows.count)
    for row in rowsOfCategory[category] ?? [] { set.insert(Int(row)) }
    return set
  }

  /// Where a listing stands; nil: it does not.
  func number(of id: EbayItemID) -> Int? { ids.number(of: id) }
}

extension [EbayItemID] {
  /// Where an id stands among those that are sorted, found by halving; nil: it does not.
  fileprivate func number(of id: EbayItemID) -> Int? {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      if self[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == id ? low : nil
  }
}
