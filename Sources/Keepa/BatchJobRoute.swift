import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST /keepa/batch-analyze` with `Prefer: respond-async`: takes a long list on as a job, and says what it will cost and
  /// where its results will be.
  func takeOnBatch(_ request: Request, by principal: Principal) async throws -> Response {
    let fields = try await JSONFields(
      of: request, limit: BatchOrder.mostBytes, names: BatchQuestion.names)
    try refuseWhatNoJobCanHold(fields, request.headers)
    let order = try BatchOrder(fields)
    var demand = order.products.demand.warming
    demand.principal = principal
    let taken = try await takeOn(
      .batchKeepa, request: order.bytes, total: order.products.asins.count, demand)
    let invalid = order.places.count { if case .invalid = $0 { true } else { false } }
    var response = Response.object(position: log.head) { json in
      json.field("job", taken.id.description)
      json.field("products", order.places.count)
      json.field("different", order.products.asins.count)
      json.field("invalid", invalid)
      json.field("cached", taken.estimate.cached)
      json.field("would_buy", taken.estimate.missing)
      json.field("units_expected", taken.expected?.units ?? 0)
      json.field("unit", KeepaUpstream.unit)
      json.field("expected_end_at", taken.expected?.end)
      json.field("job_url", "/jobs/\(taken.id)")
      json.field("results_url", Self.results(of: taken.id))
      json.field(
        "detail",
        "units_expected and expected_end_at are estimates: of what the price list says, and of the"
          + " tokens that arrive if nobody else spends any")
    }
    response.status = .accepted
    response.headers[.location] = "/jobs/\(taken.id)"
    response.headers[.preferenceApplied] = Preference.respondAsync
    return response
  }

  /// `GET /keepa/batch-analyze/{job}`: a page of the results of a job, in the order of its list. Buys nothing.
  func batchResults(_ request: Request, _ context: TollbookContext) async throws -> Response {
    let query = QueryParameters(request)
    let accept = request.headers[.accept]
    let limit = try query.limit()
    let after = try query.position("after") ?? 0
    let text = context.parameters.get("job") ?? ""
    guard let id = JobID(text), case .recorded(let number) = id,
      let job = try gateway.job(id), job.isSeen(by: context.principal),
      job.kind == PurchaseJobKind.batchKeepa.name
    else {
      throw Problem(
        .notFound, "“\(text.inOneLine(atMost: 40))” names no job of batch-analyze", field: "job")
    }
    guard let request = try gateway.request(of: number) else {
      throw Problem(
        .gone, "the job ended before the snapshot that this log goes on from; its list is not kept",
        field: "job")
    }
    guard let order = BatchOrder(request) else {
      throw Problem(.internalError, "the list of job \(id) cannot be read")
    }
    let results = BatchResults(id, job, order, after: Int(clamping: after), limit: limit)
    return try await answer(
      results, isTable: wantsTable(accept), by: context.principal)
  }

  private func answer(
    _ results: BatchResults, isTable: Bool, by principal: Principal
  ) async throws -> Response {
    // A look first: what is there and may not answer yet is not read.
    var products = results.order.products
    products.principal = principal
    products.asins = results.asins
    var look = products.demand
    look.age = .neverBuy
    let preview: DemandPreview
    switch gateway.preview(look) {
    case .failure(let problem): throw Problem(problem)
    case .success(let found): preview = found
    }
    products.asins = results.answered(by: preview)
    let answer = await gateway.storedProducts(products)
    var response: Response
    if isTable {
      response = try results.table(answer).response()
    } else {
      var json = JSONWriter(capacity: 1_024 + results.range.count * 2_560)
      results.write(answer, to: &json)
      response = Response(json: json.bytes, position: answer.position)
    }
    if let next = results.next {
      let place = Self.results(of: results.id)
      response.headers[.link] =
        "<\(place)?after=\(next)&limit=\(results.range.count)>; rel=\"next\""
    }
    return response
  }

  static func results(of job: JobID) -> String { "/keepa/batch-analyze/\(job)" }

  /// Refuses what is about an answer that somebody waits for.
  private func refuseWhatNoJobCanHold(
    _ fields: JSONFields, _ headers: HTTPFields
  ) throws(Problem) {
    func refuse(_ name: String, _ why: String) -> Problem {
      Problem(
        .invalidParameter, "\(name) does not go with Prefer: respond-async: \(why)", field: name)
    }
    guard headers[.dryRun] == nil else {
      throw refuse(
        "Tollbook-Dry-Run", "a dry run takes no job on; ask for up to 1,000 products without Prefer"
      )
    }
    if fields.value("wait_seconds") != nil {
      throw refuse("wait_seconds", "nobody waits, and the job goes on for as long as it takes")
    }
    let age = "a job buys for hours, and what is fresh when its turn comes is not bought again"
    if fields.value("max_age_seconds") != nil { throw refuse("max_age_seconds", age) }
    if BatchQuestion.maximumAge(headers[.cacheControl]) != nil {
      throw refuse("Cache-Control", age)
    }
    guard gateway.settings.isCacheOn else {
      throw refuse(
        "TOLLBOOK_CACHE", "the results of a job are read from the cache, which is switched off")
    }
  }
}
