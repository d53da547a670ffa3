import Deflate
import Hummingbird
import JSONText
import Logging
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// One request of a client that speaks Keepa's wire format: answered from the cache, from Keepa, or refused as Keepa
/// would.
struct KeepaDropIn: Sendable {
  /// The longest body of a request: that of a thousand trackings.
  private static let mostBody = 1 << 20
  /// How long a client is kept waiting in all, in milliseconds: the usual one gives up after ten seconds. A call that is
  /// out by then goes on, and the client's next try joins it or finds what it brought.
  static let patience: Int64 = 8_000

  let service: HTTPService
  let items: [(name: String, value: String)]
  let body: [UInt8]
  let options: Result<DemandOptions, KeepaRefusal>
  let dryRun: String?
  let began: ContinuousClock.Instant
  /// By when it is answered, by the monotonic clock in milliseconds.
  private let deadline: Int64
  private let unknown: UnknownParameters
  private let logger: Logger
  private let principal: Principal

  init(
    _ service: HTTPService, _ unknown: UnknownParameters, _ request: Request,
    _ context: TollbookContext
  ) async throws {
    self.service = service
    self.unknown = unknown
    logger = context.logger
    principal = context.principal
    began = .now
    deadline =
      service.log.time.monotonicMilliseconds
      + min(Self.patience, service.gateway.settings.answerTimeout)
    items = formItems(request.uri.query ?? "")
    dryRun = request.headers[.dryRun]
    let step = context.parameters.get("options")
    let path = step.flatMap(DemandOptions.text(ofStep:))
    guard step == nil || path != nil else { throw HTTPError(.notFound) }
    options = Result { () throws(DemandOptions.Fault) in
      try DemandOptions(path: path, request.headers)
    }.mapError { .invalid($0.description) }
    body = request.method == .post ? try await collectedBody(of: request, limit: Self.mostBody) : []
  }

  var gateway: Gateway { service.gateway }

  // MARK: Endpoints

  /// `/token`: how the balance is believed to stand. Asks Keepa only if nothing is known of it.
  func token() async throws -> Response {
    var meter = gateway.page(gateway.keepaMeter)
    if meter.reading == nil {
      await gateway.readMeters(of: KeepaUpstream.name)
      meter = gateway.page(gateway.keepaMeter)
    }
    guard meter.reading != nil else {
      let why = gateway.status(of: KeepaUpstream.name)?.detail ?? ""
      return reply(
        KeepaReply(KeepaRefusal(503, "unavailable", why.isEmpty ? "no balance is known" : why)))
    }
    return reply(KeepaReply())
  }

  /// `/product`.
  func products() async throws -> Response {
    do throws(KeepaRefusal) {
      let options = try options.get()
      let query = try ProductQuery(items)
      guard query.unknown.isEmpty else {
        let request = PassedRequest(path: "/product", query: query.items)
        if try isDryRun {
          return estimate(ofPassed: ProductQuery.price(of: request, live: false))
        }
        unknown.note(query.unknown.map(\.name), logger)
        return reply(
          await passed(
            KeepaUpstream.product, request, options))
      }
      var (consumed, inDoubt): (Int64, Int64) = (0, 0)
      var asins = query.asins
      if !query.codes.isEmpty {
        let demand = prepared(query.codeDemand, options)
        if try isDryRun { return estimate(demand) }
        let found = await gateway.answer(demand)
        consumed += found.paid
        inDoubt += found.inDoubt
        if let reply = refusal(of: found, options, consumed, inDoubt) { return self.reply(reply) }
        asins = try products(of: found)
      }
      let demand = prepared(query.demand(for: asins), options)
      if try isDryRun { return estimate(demand) }
      var answer = await gateway.answer(demand)
      consumed += answer.paid
      inDoubt += answer.inDoubt
      if let reply = refusal(of: answer, options, consumed, inDoubt) { return self.reply(reply) }
      var bodies = try bodies(of: answer)
      // What a restored snapshot came without is bought again.
      let lost = answer.outcomes.filter {
        bodies[$0.resource] == nil && $0.entry?.isPresent == true
      }
      if !lost.isEmpty, demand.age != .neverBuy {
        var again = demand
        again.resources = lost.map(\.resource)
        again.age = .fetched(0)
        let more = await gateway.answer(again)
        consumed += more.paid
        inDoubt += more.inDoubt
        if let reply = refusal(of: more, options, consumed, inDoubt) { return self.reply(reply) }
        bodies.merge(try self.bodies(of: more)) { $1 }
        answer = answer.with(more)
      }
      var reply = KeepaReply()
      reply.consumed = consumed
      reply.inDoubt = inDoubt
      reply.headers = headers(of: answer)
      let found = answer.outcomes.compactMap { bodies[$0.resource].map(ProductBody.init) }
      if !found.isEmpty { reply.content = .products(found, query.view) }
      return self.reply(reply)
    } catch {
      return reply(KeepaReply(error))
    }
  }

  /// Everything else.
  func answer(_ endpoint: KeepaEndpoint) async throws -> Response {
    do throws(KeepaRefusal) {
      let options = try options.get()
      let question = try KeepaQuestion(endpoint, items, body: body)
      guard question.isKept else {
        if try isDryRun { return estimate(ofPassed: question.price) }
        unknown.note(question.unknown, logger)
        return reply(await passed(endpoint.operation, question.request, options))
      }
      let demand = prepared(question.demand, options)
      if try isDryRun { return estimate(demand) }
      let answer = await gateway.answer(demand)
      if let reply = refusal(of: answer, options, answer.paid, answer.inDoubt) {
        return self.reply(reply)
      }
      let contents = try contents(of: answer)
      if endpoint == .graph { return picture(answer, contents.first) }
      var reply = KeepaReply()
      reply.consumed = answer.paid
      reply.inDoubt = answer.inDoubt
      reply.headers = headers(of: answer)
      reply.content = .members(merged(contents, endpoint))
      return self.reply(reply)
    } catch {
      return reply(KeepaReply(error))
    }
  }

  /// A demand with what the client wants of Tollbook.
  private func prepared(_ demand: ResourceDemand, _ options: DemandOptions) -> ResourceDemand {
    var demand = options.apply(to: demand, by: principal)
    demand.deadline = max(1, deadline - service.log.time.monotonicMilliseconds)
    return demand
  }

  private func passed(
    _ operation: String, _ request: PassedRequest, _ options: DemandOptions
  ) async -> KeepaReply {
    let demand = prepared(ResourceDemand(operation, []), options)
    let passed = await gateway.pass(operation, request, for: demand)
    var reply: KeepaReply
    switch passed.result {
    case .success(let answer):
      reply = KeepaReply()
      reply.consumed = passed.cost
      reply.content = .members(Array(answer.body.dropFirst().dropLast()))
    case .failure(let problem) where problem.reason == .tooLate && problem.upstreamStatus == 0:
      reply = KeepaReply(
        KeepaRefusal(
          503, "timeout",
          "Keepa has not answered yet; its answer is not kept, so asking again"
            + " may cost again"))
    case .failure(let problem): reply = refusal(problem, consumed: passed.cost)
    }
    reply.inDoubt = passed.inDoubt
    return reply
  }

  // MARK: What is sent back

  private func reply(_ reply: KeepaReply) -> Response {
    let now = service.log.time.now()
    let forecast = BucketForecast(
      gateway.page(gateway.keepaMeter), KeepaUpstream.bucket(gateway.settings.overdraft), at: now)
    return reply.response(forecast, processing: began.duration(to: .now))
  }

  private func picture(_ answer: DemandAnswer, _ body: [UInt8]?) -> Response {
    guard let body else {
      return reply(KeepaReply(KeepaRefusal(404, "notFound", "Keepa has no such graph")))
    }
    var headers = headers(of: answer)
    headers[.contentType] = "image/png"
    headers[.charge] = "\(answer.paid)"
    return Response(
      status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
  }

  /// What says where the answer comes from (RFC 9211). The body holds nothing of it.
  private func headers(of answer: DemandAnswer) -> HTTPFields {
    var headers: HTTPFields = [.position: "\(answer.position)"]
    let bought = answer.outcomes.filter { $0.source == .upstream }
    let isStale = answer.outcomes.contains { $0.source == .stale }
    headers[.cacheStatus] =
      bought.isEmpty
      ? (isStale ? "tollbook; hit; detail=stale" : "tollbook; hit")
      : bought.allSatisfy(\.isJoined)
        ? "tollbook; fwd=miss; collapsed" : "tollbook; fwd=miss; stored"
    let ages = answer.outcomes.compactMap { $0.entry?.ageSeconds(at: answer.now) }
    if let age = ages.max() { headers[.age] = "\(age)" }
    return headers
  }

  /// The members of several answers as those of one: what they hold by names stands together.
  private func merged(_ bodies: [[UInt8]], _ endpoint: KeepaEndpoint) -> [UInt8] {
    guard let map = endpoint.map else { return Array((bodies.first ?? []).dropFirst().dropLast()) }
    let roots = bodies.compactMap { try? JSONDocument($0).root }
    var json = JSONWriter(capacity: bodies.reduce(64) { $0 + $1.count })
    json.beginObject()
    for name in [map, "categoryParents"] {
      let parts = roots.compactMap { $0[name]?.members }
      guard !parts.isEmpty || name == map else { continue }
      json.object(name) { json in
        var seen: Set<String> = []
        for member in parts.joined() where seen.insert(member.name).inserted {
          json.rawField(member.name, member.value.bytes)
        }
      }
    }
    json.endObject()
    return Array(json.bytes.dropFirst().dropLast())
  }

  // MARK: What was found

  /// The bodies of what was asked for, by their resources: stored, or as they were handed on.
  ///
  /// - Throws: if one cannot be read: it may be there, so that it is not bought again.
  private func bodies(of answer: DemandAnswer) throws(KeepaRefusal) -> [ResourceKey: Body] {
    var bodies: [ResourceKey: Body] = [:]
    for outcome in answer.outcomes {
      if let write = outcome.handedOn, let body = write.body {
        bodies[outcome.resource] = Body(body, cuts: write.cuts)
      } else if let entry = outcome.entry {
        do throws(LogError) { bodies[outcome.resource] = try gateway.body(of: entry) } catch {
          throw .unreadable(outcome.resource)
        }
      }
    }
    return bodies
  }

  /// The contents of bodies, in the order of what was asked for.
  private func contents(of answer: DemandAnswer) throws(KeepaRefusal) -> [[UInt8]] {
    let bodies = try bodies(of: answer)
    var contents: [[UInt8]] = []
    for outcome in answer.outcomes {
      guard let body = bodies[outcome.resource] else { continue }
      do { contents.append(try body.content()) } catch { throw .unreadable(outcome.resource) }
    }
    return contents
  }

  /// The products that codes stand for, each once.
  private func products(of answer: DemandAnswer) throws(KeepaRefusal) -> [KeepaASIN] {
    var seen: Set<KeepaASIN> = []
    return try contents(of: answer).flatMap { content in
      let list = try? JSONDocument(content).root.array
      return list?.compactMap { $0.string.flatMap { KeepaASIN($0) } } ?? []
    }.filter { seen.insert($0).inserted }
  }

  // MARK: What is refused

  /// The refusal of a demand of which something is missing: all of it is answered, or nothing. What Keepa's answer left
  /// out is left out here too: it was paid for, and a refusal would have the rest asked for again.
  private func refusal(
    of answer: DemandAnswer, _ options: DemandOptions, _ consumed: Int64, _ inDoubt: Int64
  ) -> KeepaReply? {
    for outcome in answer.outcomes {
      guard let problem = outcome.problem, problem.reason != .incomplete, !problem.isUnanswered
      else { continue }
      if options.allowsStale, outcome.entry?.isPresent == true { continue }
      var reply = refusal(problem, consumed: consumed)
      reply.inDoubt = inDoubt
      return reply
    }
    return nil
  }

  private func refusal(_ problem: PurchaseProblem, consumed: Int64) -> KeepaReply {
    var reply = KeepaReply(KeepaRefusal(problem), consumed: consumed, retryAt: problem.retryAt)
    reply.headers.tell(refusals: [problem], at: gateway.log.time.now())
    return reply
  }

  // MARK: Looking ahead

  private var isDryRun: Bool {
    get throws(KeepaRefusal) {
      guard let dryRun else { return false }
      guard dryRun == "1" else {
        throw .invalid("Tollbook-Dry-Run is “\(dryRun.prefix(50))”; it is 1, or left out")
      }
      return true
    }
  }

  /// What it would cost and what is cached: nothing is bought.
  private func estimate(_ demand: ResourceDemand) -> Response {
    switch gateway.preview(demand) {
    case .failure(let problem): return reply(refusal(problem, consumed: 0))
    case .success(let preview):
      var cached = 0
      var bought = 0
      for row in preview.fates {
        switch row.fate {
        case .cached: cached += 1
        case .bought: bought += 1
        case .refused, .unknown: break
        }
      }
      let cost = preview.costs.first { $0.unit == KeepaUpstream.unit }
      return estimate(
        cached: cached, bought: bought, expected: cost?.expected ?? 0, bound: cost?.atMost ?? 0)
    }
  }

  /// The same of a call that is sent on and not kept.
  private func estimate(ofPassed price: (bound: Int64, expected: Int64)) -> Response {
    estimate(cached: 0, bought: 1, expected: price.expected, bound: price.bound)
  }

  private func estimate(
    cached: Int, bought: Int, expected: Int64, bound: Int64
  ) -> Response {
    var response = Response.object(position: service.log.head) { json in
      json.field("dry_run", true)
      json.field("cached", cached)
      json.field("would_buy", bought)
      json.field("units_expected", expected)
      json.field("units_bound", bound)
    }
    response.headers[.charge] = "0"
    return response
  }
}

extension DemandAnswer {
  /// What the demand has paid.
  fileprivate var paid: Int64 { outcomes.reduce(0) { $0 &+ $1.cost &+ $1.lost } }
  /// What may have been spent beside that.
  fileprivate var inDoubt: Int64 { outcomes.reduce(0) { $0 &+ $1.inDoubt } }
}

extension KeepaRefusal {
  /// Why something could not be bought, with Keepa's own status where Keepa said no.
  init(_ problem: PurchaseProblem) {
    let status = problem.upstreamStatus
    switch problem.reason {
    case .insufficientTokens: self.init(429, "notEnoughTokens", problem.detail)
    case .limitReached: self.init(429, "limitReached", problem.detail)
    case .budgetExceeded: self.init(429, "budgetExceeded", problem.detail)
    case .accountClosed, .notAllowed: self.init(403, problem.reason.rawValue, problem.detail)
    case .requestLimit:
      // Waiting does not help: 429 would be asked again for ever.
      self.init(400, "requestLimit", "it may cost more than its own max-tokens allows")
    case .keyRejected: self.init(402, "unauthorized", problem.detail)
    case .requestRejected where status == 404: self.init(404, "notFound", problem.detail)
    case .requestRejected:
      self.init(status >= 400 ? status : 400, "invalidParameter", problem.detail)
    case .notConfigured: self.init(503, "notConfigured", problem.detail)
    case .answerLost: self.init(409, "answerLost", problem.detail)
    case .tooLate where status < 400:
      self.init(
        503, "timeout", "Keepa has not answered yet; a call that is out goes on, so ask again")
    case .tooLate, .upstreamUnavailable:
      self.init(status >= 400 ? status : 503, "unavailable", problem.detail)
    case .incomplete, .storageFull, .storageFailed, .busy, .stopping:
      self.init(503, problem.reason.rawValue, problem.detail)
    }
  }
}
