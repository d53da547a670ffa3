import TollbookHTTP

/// A part of a list that is there as a whole.
struct ListPage<Row> {
  let rows: [Row]
  /// What to ask for the next part with; nil: there is none.
  let next: String?

  /// The rows behind the one that the cursor names; from the beginning if it is not there any more.
  init(_ all: [Row], _ query: QueryParameters, _ id: (Row) -> String) throws(Problem) {
    let limit = try query.limit()
    let cursor = query["cursor"]
    let place = all.firstIndex { id($0) == cursor }
    let start = place.map { $0 + 1 } ?? 0
    rows = Array(all[start...].prefix(limit))
    next = start + rows.count < all.count ? rows.last.map(id) : nil
  }
}
