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
    /// Of the title.
    let pairs: SIMD4<UInt64>

    init(_ row: DealBoard.Row) {
      let listing = row.listing
      total = listing.total ?? listing.price
      tenths = row.score?.tenths ?? -1
      ends = listing.endsAt?.milliseconds ?? .max
      confidence = row.score?.confidence
      condition = listing.offer?.condition
      pairs = row.title.pairs
    }
  }

  /// A row in an order, by what it is sorted there.
  struct Place: Sendable {
    let key: Int64
    let row: Int32
  }

  package let rows: [DealBoard.Row]
  let facts: [Facts]
  /// Of the index.
  let version: UInt64
  let made: Timestamp
  private let orders: [DealQuestion.Order: [Place]]
  private let numbers: [EbayItemID: Int32]
  private let rowsOfSearch: [String: [Int32]]
  private let rowsOfCategory: [String: [Int32]]

  /// - Parameters:
  ///   - unsorted: each listing once.
  ///   - searches: the ids of what each shows, by its key without the page; those of no row are passed over.
  init(
    _ unsorted: [DealBoard.Row] = [], searches: [String: Set<EbayItemID>] = [:],
    version: UInt64 = 0, made: Timestamp
  ) {
    let rows = unsorted.sorted { $0.listing.id.description < $1.listing.id.description }
    let facts = rows.map { Facts($0) }
    var numbers: [EbayItemID: Int32] = [:]
    numbers.reserveCapacity(rows.count)
    var categories: [String: [Int32]] = [:]
    for (number, row) in rows.enumerated() {
      numbers[row.listing.id] = Int32(number)
      for category in Set(row.listing.categories) {
        categories[category, default: []].append(Int32(number))
      }
    }
    var orders: [DealQuestion.Order: [Place]] = [:]
    for order in DealQuestion.Order.allCases {
      orders[order] = rows.indices
        .map { Place(key: order.key(of: rows[$0], facts[$0]), row: Int32($0)) }
        .sorted { ($0.key, $0.row) < ($1.key, $1.row) }
    }
    self.orders = orders
    self.rows = rows
    self.facts = facts
    self.version = version
    self.made = made
    self.numbers = numbers
    rowsOfSearch = searches.mapValues { ids in ids.compactMap { numbers[$0] } }
    rowsOfCategory = categories
  }

  /// All rows in an order.
  func places(in order: DealQuestion.Order) -> [Place] { orders[order] ?? [] }

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
  func number(of id: EbayItemID) -> Int? { numbers[id].map { Int($0) } }
}
