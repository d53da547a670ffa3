import Hummingbird
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// A long look lets others have their turn: after so many records a page ends, even if it is short.
  private static let mostPortions = 10

  /// The predecessor's tables and views by their names, under `/views/`, as JSON or, with `Accept: text/csv`, as a table;
  /// and `GET /cache/status`.
  func addPredecessor(to router: Router<TollbookContext>) {
    for table in EventTables.all {
      router.route(
        RouterPath("/views/\(table.name)"),
        query: QueryNames(["account", "cursor", "limit", "from", "to", "as_of"]),
        scope: table.isOfAccounts ? .read : .admin,
        get: { request, context in try await rows(of: table, request, by: context.principal) })
    }
    router.route(
      "/views/vw_UsageSummary", query: QueryNames(["account", "as_of"]),
      get: { request, context in try usageSummary(request, by: context.principal) })
    addTokens("TokenMaster", to: router) { $0.master }
    addTokens("TokenUsageSummary", to: router) { $0.summary }
    addTokens("vw_TokenStatus", to: router) { $0.status }
    router.route("/cache/status", get: { _, _ in try cacheStatus() })
  }

  private func addTokens(
    _ name: String, to router: Router<TollbookContext>,
    _ read: @escaping @Sendable (TokenTables) -> ViewTable
  ) {
    router.route(
      RouterPath("/views/\(name)"), query: QueryNames(["as_of"]), scope: .admin,
      get: { request, _ in
        try AsOf.refuse(QueryParameters(request), view: "ledger")
        let (ledger, accounts) = (ledger, accounts)
        let credentials = try gateway.credentials()
        let (tables, head) = try log.read { (reading) throws(LogError) in
          (
            try TokenTables(credentials, ledger, accounts, reading),
            try log.reader.head(in: reading)
          )
        }
        var table = read(tables)
        table.position = head
        return table.response(request)
      })
  }

  /// A page of a table that is made from events, in the order of the log. It may be shorter than its limit, even empty, and
  /// still have a next one.
  private func rows(
    of table: EventTables.Table, _ request: Request, by principal: Principal
  ) async throws -> Response {
    let query = QueryParameters(request)
    let limit = try query.limit()
    let account = try principal.account(named: query["account"])
    var filter = EventFilter()
    filter.kinds = table.kinds
    filter.account = table.isOfAccounts ? account : nil
    let source = LogSource(log)
    let range = try query.eventRange(in: source)
    let end = min(range.through, try AsOf(query, log)?.position ?? .max)
    let events = EventQuery(filter, in: source, index: log.index)
    var view = ViewTable(table.name, table.columns)
    var place = max(range.after, try query.position("cursor") ?? 0)
    for _ in 0..<Self.mostPortions {
      let page = try events.page(after: place, through: end, limit: limit - view.rows.count)
      for event in page.events { view.rows += table.rows(event, account, systems) }
      place = page.last
      view.position = min(page.head, end)
      view.next = page.isComplete ? nil : "\(place)"
      guard !page.isComplete, view.rows.count < limit else { break }
      await Task.yield()
    }
    return view.response(request)
  }

  private func usageSummary(_ request: Request, by principal: Principal) throws -> Response {
    let query = QueryParameters(request)
    try AsOf.refuse(query, view: "rollups")
    let account = try principal.account(named: query["account"])
    let (rollups, accounts) = (RollupView(log), accounts)
    let (summary, head) = try log.read { (reading) throws(LogError) in
      (
        try UsageSummary(of: account, hours: 0 ..< .max, rollups, accounts, reading),
        try log.reader.head(in: reading)
      )
    }
    var table = ViewTable("vw_UsageSummary", UsageSummary.columns)
    table.rows = summary.rows
    table.position = head
    return table.response(request)
  }

  /// Whether what is asked for is answered, from the cache or by the upstreams.
  private func cacheStatus() throws -> Response {
    let figures = try CacheFigures(self)
    let statuses = gateway.statuses
    let failing = statuses.filter { [.keyRejected, .unreachable, .paused].contains($0.state) }
    return .object(position: log.head) { json in
      json.field("status", failing.isEmpty ? "ok" : "degraded")
      json.object("cache") { json in
        figures.write(to: &json)
        json.field("hits", figures.hits)
        json.field("misses", figures.misses)
      }
      json.array("upstreams", statuses) { json, status in
        json.object { json in
          json.field("name", status.name)
          json.field("state", status.state.rawValue)
          json.field("detail", status.detail.isEmpty ? nil : status.detail)
        }
      }
    }
  }
}
