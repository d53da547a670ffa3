import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST /searches`, `GET /searches` and `DELETE /searches/{id}`.
  func addSearches(_ scout: Scout, to router: Router<TollbookContext>) {
    let book = SearchBook(gateway: gateway)
    router.route(
      "/searches", query: QueryNames(["account"]),
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        return list("searches", try book.searches(of: account)) { $0.write(to: &$1) }
      },
      post: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let bytes = try await collectedBody(of: request, limit: EbaySavedSearch.mostBytes)
        let saved: EbaySavedSearch
        do throws(EbayRequestFault) { saved = try EbaySavedSearch(bytes) } catch {
          throw Problem(error)
        }
        let search = SavedSearch(saved, of: account, created: log.time.now())
        try await keepNew(
          ("search", "searches"), search.id, beside: book.searches(of: account).count,
          atMost: SearchBook.mostOfAccount
        ) { () throws(PurchaseProblem) in try await book.add(search) }
        scout.noteUse()
        return Response.object(position: log.head) { json in search.write(to: &json) }
          .created(at: "/searches/\(search.id)")
      })
    router.route(
      "/searches/{id}", query: QueryNames(["account"]), scope: .fetch,
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let id = Self.name(context, "id")
        guard try await book.remove(id, of: account) else {
          throw Problem(
            .notFound, "there is no search “\(id.inOneLine(atMost: 100))”", field: "id")
        }
        return removed("id", id)
      })
  }

  /// Whose searches, deals and marks are meant: the client's own account, or for an administrator the one that is named.
  func account(_ named: String?, _ context: TollbookContext) throws(Problem) -> String {
    guard let named else { return context.principal.account }
    return try context.principal.account(named: named) ?? context.principal.account
  }
}

extension SavedSearch {
  func write(to json: inout JSONWriter) {
    json.field("id", id)
    json.field("account", account)
    saved.writeMembers(to: &json)
    json.field("created_at", created)
  }
}

extension Problem {
  /// A question that eBay would not take, or would answer as another one.
  init(_ fault: EbayRequestFault) {
    if case .notJSON(let error) = fault.problem {
      self.init(.invalidJSON, "at byte \(error.offset): \(error.reason.rawValue)")
      return
    }
    let kind: Kind
    switch fault.problem {
    case .missing, .needsOne: kind = .missingField
    default: kind = .invalidField
    }
    self.init(kind, "\(fault)", field: fault.field.isEmpty ? nil : fault.field)
  }
}
