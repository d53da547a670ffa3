import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST /seller/sales`: takes in sales of the user's own, as CSV or JSON; `GET`: lists them, the newest first;
  /// `DELETE /seller/sales/{id}`.
  func addSales(to router: Router<TollbookContext>, _ desk: SellerDesk) {
    let book = desk.sales
    router.route(
      "/seller/sales", query: QueryNames(["account", "limit", "cursor"]),
      takesForm: true,
      get: { request, context in
        let query = QueryParameters(request)
        let all = try book.sales(of: try account(query["account"], context))
        let page = try ListPage(all, query) { $0.id }
        return list("sales", page, of: all.count) { $0.writeMembers(to: &$1) }
      },
      post: { request, context in
        try await once(request, context, atMost: SalesFile.mostBytes) { request, context in
          try await takeSales(request, context, book)
        }
      })
    router.route(
      "/seller/sales/{id}", query: QueryNames(["account"]), scope: .fetch,
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let id = Self.name(context, "id")
        let wasThere = try await Problem.ofPhotos { try await book.remove(id, of: account) }
        guard wasThere else {
          throw Problem(.notFound, "there is no sale “\(id.inOneLine(atMost: 40))”", field: "id")
        }
        return removed("id", id)
      })
  }

  private func takeSales(
    _ request: Request, _ context: TollbookContext, _ book: SalesBook
  ) async throws -> Response {
    let account = try account(QueryParameters(request)["account"], context)
    let isTable = try Self.isTable(request)
    let bytes = try await collectedBody(of: request, limit: SalesFile.mostBytes)
    let today = log.time.now().calendarDay
    let file =
      try isTable ? SalesFile(csv: bytes, today: today) : SalesFile(json: bytes, today: today)
    let tally = try await Problem.ofPhotos { try await book.add(file.sales, of: account) }
    return .imported(file, tally, position: log.head)
  }

  /// Whether a body is a table. Neither type is one that a form of a page could send without asking first.
  private static func isTable(_ request: Request) throws(Problem) -> Bool {
    let type = request.headers[.contentType]?.split(separator: ";").first ?? ""
    switch type.lowercased().filter({ $0 != " " }) {
    case "text/csv": return true
    case "application/json": return false
    default:
      throw Problem(
        .unsupportedMediaType, "send sales with Content-Type: text/csv or application/json",
        field: "Content-Type")
    }
  }
}

extension Response {
  fileprivate static func imported(
    _ file: SalesFile, _ tally: SalesBook.Tally, position: Position
  ) -> Response {
    .object(position: position, capacity: 128 * (file.faults.count + 4)) { json in
      json.field("imported", tally.added)
      json.field("replaced", tally.replaced)
      json.field("unchanged", tally.unchanged)
      json.field("no_room", tally.refused)
      json.field("unreadable", file.faults.count)
      json.array("problems", file.faults) { json, fault in
        json.object { json in
          json.field("line", fault.line)
          json.field("field", fault.field.isEmpty ? nil : fault.field)
          json.field("problem", fault.what)
        }
      }
    }
  }
}
