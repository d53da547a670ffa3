import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `POST /seller/post`, `GET /seller/drafts`, `GET` and `DELETE /seller/drafts/{id}`, and both exports as CSV.
  func addDrafts(to router: Router<TollbookContext>, _ desk: SellerDesk) {
    let book = desk.drafts
    router.route(
      "/seller/post", query: QueryNames(["account"]),
      post: { request, context in try await postDraft(request, context, desk) })
    router.route(
      "/seller/drafts", query: QueryNames(["account", "limit", "cursor"]),
      get: { request, context in
        let query = QueryParameters(request)
        let all = try book.drafts(of: try account(query["account"], context))
        let page = try ListPage(all, query) { $0.id }
        return list("drafts", page, of: all.count) { $0.writeMembers(to: &$1) }
      })
    router.route(
      "/seller/drafts/export", query: QueryNames(["account", "marketplace"]),
      get: { request, context in
        let query = QueryParameters(request)
        return try exportedDrafts(
          of: try account(query["account"], context), query["marketplace"], book)
      })
    router.route(
      "/seller/drafts/{id}", query: QueryNames(["account"]), deleteScope: .fetch,
      get: { request, context in
        let draft = try draft(request, context, book)
        return .object(position: log.head) { json in draft.writeMembers(to: &json) }
      },
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let id = Self.name(context, "id")
        guard try await book.remove(id, of: account) else { throw Self.noDraft(id) }
        return removed("id", id)
      })
    router.route(
      "/seller/drafts/{id}/export", query: QueryNames(["account"]),
      get: { request, context in
        let draft = try draft(request, context, book)
        return Self.table([draft], of: draft.content.marketplace)
      })
  }

  /// The drafts of an account that are not sold, as a table of one marketplace.
  func exportedDrafts(
    of account: String, _ marketplace: String?, _ book: DraftBook
  ) throws -> Response {
    let open = try book.drafts(of: account).filter { !$0.isSold }
    let marketplace = try self.marketplace(of: open, marketplace)
    return Self.table(open.filter { $0.content.marketplace == marketplace }, of: marketplace)
  }

  static func noDraft(_ id: String) -> Problem {
    Problem(.notFound, "there is no draft “\(id.inOneLine(atMost: 40))”", field: "id")
  }

  private func draft(
    _ request: Request, _ context: TollbookContext, _ book: DraftBook
  ) throws -> Draft {
    let id = Self.name(context, "id")
    let account = try account(QueryParameters(request)["account"], context)
    guard let draft = try book.draft(id, of: account) else { throw Self.noDraft(id) }
    return draft
  }

  static func table(_ drafts: [Draft], of marketplace: EbayMarketplace) -> Response {
    Response(
      status: .ok,
      headers: [
        .contentType: "text/csv; charset=utf-8; header=present",
        .contentDisposition: #"attachment; filename="ebay-drafts.csv""#,
      ],
      body: .init(byteBuffer: ByteBuffer(string: DraftCSV.table(drafts, of: marketplace))))
  }

  /// Whose drafts a table holds: a table is of one marketplace.
  private func marketplace(
    of drafts: [Draft], _ named: String?
  ) throws(Problem) -> EbayMarketplace {
    if let named {
      do throws(EbayRequestFault) { return try EbayMarketplace(id: named) } catch {
        throw Problem(error)
      }
    }
    let found = Set(drafts.map(\.content.marketplace))
    guard found.count <= 1 else {
      let names = found.map(\.id).sorted().joined(separator: ", ")
      throw Problem(
        .invalidParameter,
        "there are drafts for \(names), and a file is for one of them; name it with ?marketplace=",
        field: "marketplace")
    }
    return found.first ?? .unitedStates
  }

  // MARK: Making one

  private func postDraft(
    _ request: Request, _ context: TollbookContext, _ desk: SellerDesk
  ) async throws -> Response {
    let account = try account(QueryParameters(request)["account"], context)
    let order = try DraftOrder(try await collectedBody(of: request, limit: DraftOrder.mostBytes))
    let key = request.headers[.idempotencyKey]
    let draft = try await makeDraft(order, key.map { .key($0) }, of: account, desk)
    return Response.object(position: log.head) { json in draft.writeMembers(to: &json) }
      .created(at: "/seller/drafts/\(draft.id)")
  }

  /// - Parameter distinction: how it is told from another one; nil: by what it says, which is said once a day.
  func makeDraft(
    _ order: DraftOrder, _ distinction: DraftBook.Distinction?, of account: String,
    _ desk: SellerDesk
  ) async throws -> Draft {
    let content = try order.content(try snap(order.snap, of: account)) { digest in
      try desk.photos.record(digest, of: account).map { $0.deleted == nil } ?? false
    }
    guard try desk.drafts.drafts(of: account).count < DraftBook.mostOfAccount else {
      throw Problem(
        .conflict, "the account has \(DraftBook.mostOfAccount) drafts, as many as it may")
    }
    let (draft, isNew) = try await Problem.ofPhotos {
      try await desk.drafts.add(
        content, distinction ?? .content(log.time.now().calendarDay), of: account)
    }
    guard isNew || distinction != nil else {
      throw Problem(
        .conflict,
        "the draft \(draft.id) of today says the same; send an Idempotency-Key to make another one")
    }
    guard draft.content == content else {
      throw Problem(
        .keyReused, "the key has made the draft \(draft.id), which says something else",
        field: "Idempotency-Key")
    }
    return draft
  }

  func snap(_ number: Position?, of account: String) throws -> Snap? {
    guard let number else { return nil }
    guard let job = try gateway.job(.recorded(number)), job.kind == SnapOrder.job,
      job.record?.account == account
    else { throw Problem(.notFound, "there is no snap “\(number)”", field: "snap") }
    let snap = try Snap(number, job, of: account, in: gateway)
    guard snap.finding != nil else {
      throw Problem(
        .conflict, "the snap \(number) has found nothing, or not yet: see /seller/snap/\(number)",
        field: "snap")
    }
    return snap
  }
}
