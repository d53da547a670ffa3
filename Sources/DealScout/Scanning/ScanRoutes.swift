import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST /scan/run`, `POST /tasks/scan`, `POST /tasks/recompute-comps`, `GET /schedules`, `PATCH /schedules/{name}` and
  /// `GET /scan/plan`.
  func addScanning(_ scout: Scout, to router: Router<TollbookContext>) {
    router.route(
      "/scan/run", mayBeEmpty: true,
      post: { request, context in
        let (searches, pages, principal) = try await scanParts(request, context)
        return try await scanNow(searches, pages ?? 1, principal, scout)
      })
    for (path, purpose) in [
      ("/tasks/scan", ScanOrder.Purpose.scan), ("/tasks/recompute-comps", .comparables),
    ] {
      router.route(
        RouterPath(path), mayBeEmpty: true,
        post: { request, context in
          let (searches, asked, principal) = try await scanParts(request, context)
          let pages = asked ?? (purpose == .scan ? 1 : Scout.comparablePages)
          let order = ScanOrder(
            purpose,
            searches.map { .init(account: $0.account, search: $0.id, pages: pages) })
          guard let kind = gateway.jobKind(ScanOrder.job) else {
            throw Problem(.internalError, "no upstream has jobs of kind \(ScanOrder.job)")
          }
          let id = try await gateway.queueJob(
            kind, request: order.bytes, total: order.parts.count, by: principal)
          return try accepted(id, by: principal)
        })
    }
    router.route(
      "/scan/plan", scope: .admin,
      get: { _, _ in
        let plan = try scout.planTurn(gateway).plan
        var json = JSONWriter(capacity: 4_096)
        plan.write(to: &json)
        return Response(json: json.bytes, position: log.head)
      })
    router.route(
      "/schedules",
      get: { _, _ in
        await scout.schedules.load(gateway)
        var json = JSONWriter(capacity: 4_096)
        scout.schedules.schedules.write(to: &json, now: log.time.now())
        return Response(json: json.bytes, position: log.head)
      })
    router.route(
      "/schedules/{name}",
      patch: { request, context in
        let bytes = try await collectedBody(of: request, limit: ScheduleChange.longestBody)
        do throws(ScheduleProblem) {
          let change = try ScheduleChange(json: bytes)
          let entry = try await scout.schedules.change(
            Self.name(context, "name"), change, gateway)
          var json = JSONWriter()
          entry.write(to: &json, now: log.time.now())
          return Response(json: json.bytes, position: log.head)
        } catch {
          throw Problem(
            error.field == "name" ? .notFound : .invalidField, error.description, field: error.field
          )
        }
      })
  }

  /// The searches that are meant, the one that is named or all of the account, and how many pages of each at most.
  private func scanParts(
    _ request: Request, _ context: TollbookContext
  ) async throws -> (searches: [SavedSearch], pages: Int?, principal: Principal) {
    let fields = try await JSONFields(
      of: request, limit: 4_096, names: ["search", "account", "pages"], mostValues: 16,
      mayBeEmpty: true)
    let pages = try fields.integer("pages", in: 1...Int64(SavedSearch.mostPages)).map { Int($0) }
    let account = try account(fields.string("account"), context)
    let book = SearchBook(gateway: gateway)
    var principal = context.principal
    principal.account = account
    if let id = try fields.string("search") {
      guard let search = try book.search(id, of: account) else {
        throw Problem(
          .notFound, "there is no search “\(id.inOneLine(atMost: 100))”", field: "search")
      }
      return ([search], pages, principal)
    }
    let searches = try book.searches(of: account)
    guard !searches.isEmpty else {
      throw Problem(
        .notFound, "the account \(account) has no search; POST /searches makes one",
        field: "search")
    }
    return (searches, pages, principal)
  }

  private func scanNow(
    _ searches: [SavedSearch], _ pages: Int, _ principal: Principal, _ scout: Scout
  ) async throws -> Response {
    try await scout.fill(gateway)
    var rows: [(SavedSearch, SearchScan.Outcome)] = []
    for search in searches {
      rows.append((search, try await scout.scan(search, .scan, pages: pages, gateway, principal)))
    }
    // Where nothing could be read at all, that is the answer.
    if let problem = rows.first?.1.problem, rows.allSatisfy({ $0.1.pages == 0 }) {
      throw Problem(problem)
    }
    return .object(position: log.head, capacity: 256 * (rows.count + 2)) { json in
      json.field("calls", rows.reduce(0) { $0 + $1.1.calls })
      json.field("new", rows.reduce(0) { $0 + $1.1.new.count })
      json.array("searches", rows) { json, row in
        json.object { json in row.1.write(row.0, to: &json) }
      }
    }
  }
}

extension SearchScan.Outcome {
  fileprivate func write(_ search: SavedSearch, to json: inout JSONWriter) {
    json.field("search", search.id)
    json.field("pages", pages)
    json.field("calls", calls)
    json.field("cache_hit", isHit)
    json.field("listings", seen)
    json.field("total", total)
    json.field("new", new.count)
    json.field("cheaper", cheaper.count)
    json.field("left_out", leftOut)
    if let problem {
      json.object("error") { json in
        json.field("reason", problem.reason.rawValue)
        json.field("detail", problem.detail)
        json.field("retry_at", problem.retryAt)
      }
    } else {
      json.nullField("error")
    }
  }
}
