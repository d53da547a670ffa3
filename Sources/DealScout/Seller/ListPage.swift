import Hummingbird
import JSONText
import TollbookHTTP
import TollbookLog

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

extension HTTPService {
  /// Answers with a page of something of a sort, and how many there are in all.
  func list<Row>(
    _ sort: String, _ page: ListPage<Row>, of total: Int, _ write: (Row, inout JSONWriter) -> Void
  ) -> Response {
    .object(position: log.head, capacity: 1_024 * (page.rows.count + 1)) { json in
      json.array(sort, page.rows) { json, row in json.object { json in write(row, &json) } }
      json.field("total", total)
      json.field("next", page.next)
    }
  }
}
