import Hummingbird
import JSONText
import TollbookGateway
import TollbookHTTP
import TollbookLog

// What accounts keep under names that they choose: searches, channels, rules.

extension HTTPService {
  /// Answers with all that an account keeps of a sort.
  func list<Row>(
    _ sort: String, _ rows: [Row], _ write: (Row, inout JSONWriter) -> Void
  ) -> Response {
    .object(position: log.head, capacity: 256 * (rows.count + 1)) { json in
      json.array(sort, rows) { json, row in json.object { json in write(row, &json) } }
    }
  }

  /// Keeps something under a name that is new to its account.
  ///
  /// - Parameters:
  ///   - sort: what it is, one and several, such as `search` and `searches`.
  ///   - count: how many of its sort the account has.
  ///   - add: keeps it; false: there is one of that name.
  func keepNew(
    _ sort: (one: String, several: String), _ name: String, beside count: Int, atMost most: Int,
    _ add: () async throws(PurchaseProblem) -> Bool
  ) async throws {
    guard count < most else {
      throw Problem(
        .conflict, "the account has \(most) \(sort.several), as many as it may", field: "name")
    }
    let isNew: Bool
    do throws(PurchaseProblem) { isNew = try await add() } catch { throw Problem(error) }
    guard isNew else {
      throw Problem(
        .conflict, "there is a \(sort.one) \(name) already; remove it, or take another name",
        field: "name")
    }
  }
}
