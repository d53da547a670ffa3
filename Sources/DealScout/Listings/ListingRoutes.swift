import HTTPTypes
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

extension HTTPService {
  /// Ids of one look-up.
  static let mostLookedUp = 100

  /// `GET /listings/{id}`: one listing, from the cache or bought; `POST /listings/lookup`: up to a hundred, twenty in a
  /// call.
  ///
  /// HEAD is refused: who only looks whether something is there must not pay for it.
  func addListings(_ scout: Scout, to router: Router<TollbookContext>) {
    router.route(
      "/listings/{id}", query: QueryNames([]), scope: .fetch,
      get: { request, context in
        guard request.method == .get else {
          throw Problem(.methodNotAllowed, "HEAD does not apply here; use GET")
        }
        let name = Self.name(context, "id")
        guard let need = EbayNeed(listing: name) else {
          throw Problem(.invalidParameter, Self.noListing(name), field: "id")
        }
        return try await listing(need, request, context, scout)
      })
    router.route(
      "/listings/lookup", query: QueryNames([]),
      post: { request, context in
        let fields = try await JSONFields(
          of: request, limit: 16_384, names: ["ids"], mostValues: 1_000)
        let names = try JSONFields.require(
          try fields.strings("ids", limit: Self.mostLookedUp), "ids",
          "up to \(Self.mostLookedUp) item ids, such as v1|110000000001|0")
        guard !names.isEmpty else {
          throw Problem(.invalidField, "ids is empty", field: "ids")
        }
        var ids: [EbayItemID] = []
        for (place, name) in names.enumerated() {
          guard let need = EbayNeed(listing: name), let id = EbayNeed.item(need.resource) else {
            throw Problem(.invalidField, Self.noListing(name), field: "ids[\(place)]")
          }
          guard !ids.contains(id) else {
            throw Problem(.invalidField, "ids names \(id) twice", field: "ids[\(place)]")
          }
          ids.append(id)
        }
        return try await listings(ids, request, context, scout)
      })
  }

  static func noListing(_ name: String) -> String {
    "“\(name.inOneLine(atMost: 100))” is no listing: that is an item id such as"
      + " v1|110000000001|0, or the number of its page"
  }

  private func demand(
    _ demand: ResourceDemand, _ request: Request, _ context: TollbookContext
  ) throws(Problem) -> ResourceDemand {
    do throws(DemandOptions.Fault) {
      return try DemandOptions(path: nil, request.headers).apply(
        to: demand, by: context.principal)
    } catch { throw Problem(.invalidParameter, error.description) }
  }

  private func listing(
    _ need: EbayNeed, _ request: Request, _ context: TollbookContext, _ scout: Scout
  ) async throws -> Response {
    let demand = try demand(need.demand(), request, context)
    if let trial = try dryRun(demand, request.headers) { return trial }
    try await scout.fill(gateway)
    let answer = await EbayAsking(gateway: gateway, state: scout.state).answer(demand)
    guard let outcome = answer.outcomes.first, let id = EbayNeed.item(need.resource) else {
      throw Problem(.internalError, "nothing became of \(need.resource)")
    }
    let found = try await scout.found([outcome], gateway)
    let row = ListingRow(id, found, outcome, now: log.time.now())
    var headers = answer.headers
    headers[.cacheStatus] = row.cacheStatus
    if let age = row.age { headers[.age] = "\(age)" }
    if var problem = row.problem {
      problem.headers.set(headers)
      throw problem
    }
    var response = Response.object(position: answer.position, capacity: 4_096) { json in
      row.write(to: &json)
      json.field("calls", answer.charge)
    }
    response.headers.set(headers)
    return response
  }

  private func listings(
    _ ids: [EbayItemID], _ request: Request, _ context: TollbookContext, _ scout: Scout
  ) async throws -> Response {
    let demand = try demand(EbayNeed.demand(items: ids), request, context)
    if let trial = try dryRun(demand, request.headers) { return trial }
    try await scout.fill(gateway)
    let answer = await EbayAsking(gateway: gateway, state: scout.state).answer(demand)
    let outcomes = Dictionary(answer.outcomes.map { ($0.resource, $0) }) { first, _ in first }
    let found = try await scout.found(answer.outcomes, gateway)
    let now = log.time.now()
    let rows = ids.compactMap { id in
      outcomes[EbayNeed.item(id).resource].map { ListingRow(id, found, $0, now: now) }
    }
    // Where nothing could be had at all, that is the answer.
    let failures = rows.compactMap(\.failure)
    if let first = failures.first, failures.count == rows.count {
      var problem = Problem(first)
      problem.headers.set(answer.headers)
      throw problem
    }
    var response = Response.object(
      position: answer.position, capacity: 2_048 * (rows.count + 1)
    ) { json in
      json.array("listings", rows) { json, row in json.object { json in row.write(to: &json) } }
      json.field("found", rows.count { $0.item != nil })
      json.field("failed", failures.count)
      json.field("calls", answer.charge)
    }
    response.headers.set(answer.headers)
    return response
  }
}

extension EbayAsking.Answer {
  /// What it has cost, and what it may have cost beside.
  var headers: HTTPFields {
    var headers: HTTPFields = [.charge: "\(charge)"]
    headers.tell(inDoubt: inDoubt)
    return headers
  }
}

extension EbayNeed {
  /// What is meant by an item id, or by the number of a listing's page; nil: the text is neither.
  init?(listing name: String) {
    if let id = EbayItemID(name) {
      self = .item(id)
    } else if EbayText.isDigits(name, 1...20), let id = EbayItemID("v1|\(name)|0") {
      self = .legacy(id)
    } else {
      return nil
    }
  }
}
