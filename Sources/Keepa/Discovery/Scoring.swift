import Hummingbird
import JSONText
import Logging
import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Scores products from what is cached of them, and remembers scores for a while: one is the same for the same body, costs,
/// day, tables and settings, and is looked up before a body is read.
final class Scorer: Sendable {
  let basis: ScoringBasis
  private let known: Mutex<RememberedScores>

  /// - Parameter window: how long a score answers, in milliseconds.
  init(_ basis: ScoringBasis, window: Int64) {
    self.basis = basis
    known = Mutex(RememberedScores(window: window))
  }

  /// The score of an entry's product, and whether it was remembered. Nil: its body is not kept.
  func score(
    _ entry: CacheEntry, _ costs: ProductCosts, at now: Timestamp, _ gateway: Gateway,
    _ logger: Logger
  ) -> (score: ProductScore, isRemembered: Bool)? {
    // The day of the sale by UTC: fees change at the turn of a day some hours apart.
    let day = CalendarDay(number: now.milliseconds / 86_400_000)
    let key = RememberedScores.Key(
      digest: entry.digest, costs: costs, day: day.number, version: basis.version)
    if let score = known.withLock({ $0.score(key, at: now) }) {
      logger.debug("scoring hit: \(entry.resource.lastStep)")
      return (score, true)
    }
    logger.debug("scoring miss: \(entry.resource.lastStep)")
    guard let content = (try? gateway.body(of: entry)).flatMap({ try? $0?.content() }),
      let product = try? JSONDocument(content).root
    else { return nil }
    let score = ProductScore(
      product: product, costs: costs, tables: basis.tables, day: day,
      configuration: basis.configuration)
    known.withLock { $0.remember(score, key, at: now) }
    let roi = score.roi.map { "\(Double($0) / 10) %" } ?? "unknown"
    logger.debug("cached \(entry.resource.lastStep) with ROI \(roi)")
    return (score, false)
  }
}

/// What products cost who sells them: `costs` for all, `costs_by_asin` for some.
struct CostOrder {
  static let names = ["costs", "costs_by_asin"]

  let common: ProductCosts
  let own: [KeepaASIN: ProductCosts]

  init(_ fields: JSONFields) throws(Problem) {
    if let value = fields.value("costs") {
      common = try Self.costs(value, "costs")
    } else {
      common = .unknown
    }
    var own: [KeepaASIN: ProductCosts] = [:]
    if let value = fields.value("costs_by_asin") {
      guard let members = value.members else {
        throw Problem(
          .invalidField, "costs_by_asin must be an object, not \(value.kind)",
          field: "costs_by_asin")
      }
      for member in members {
        guard let asin = KeepaASIN(member.name) else {
          throw Problem(
            .invalidField, "“\(member.name.prefix(50))” is no ASIN", field: "costs_by_asin")
        }
        guard own[asin] == nil else {
          throw Problem(
            .invalidField, "\(asin) stands twice; send one of them", field: "costs_by_asin")
        }
        own[asin] = try Self.costs(member.value, "costs_by_asin.\(asin)")
      }
    }
    self.own = own
  }

  func costs(of asin: KeepaASIN) -> ProductCosts { own[asin] ?? common }

  private static func costs(_ value: JSONValue, _ field: String) throws(Problem) -> ProductCosts {
    guard let members = value.members else {
      throw Problem(
        .invalidField, "\(field) must be an object of buy, inbound and prep, not \(value.kind)",
        field: field)
    }
    var found: [String: Int64] = [:]
    for member in members {
      guard ["buy", "inbound", "prep"].contains(member.name), let amount = member.value.int64 else {
        throw Problem(
          .invalidField,
          "\(field) takes buy, inbound and prep: whole numbers in the currency's minor unit",
          field: "\(field).\(member.name.prefix(50))")
      }
      guard found.updateValue(amount, forKey: member.name) == nil else {
        throw Problem(
          .invalidField, "\(member.name) stands twice; send one of them",
          field: "\(field).\(member.name)")
      }
    }
    do throws(ProductCostError) {
      return try ProductCosts(buy: found["buy"], inbound: found["inbound"], prep: found["prep"])
    } catch {
      throw Problem(.invalidField, "\(error)", field: "\(field).\(error.name)")
    }
  }
}

extension HTTPService {
  /// `POST /api/v1/products/discover-with-scoring` and `POST /api/v1/products/{domain}/{asin}/score`.
  func addScoring(
    _ basis: ScoringBasis, window: Int64, to router: Router<TollbookContext>
  ) {
    let scorer = Scorer(basis, window: window)
    router.route(
      "/api/v1/products/discover-with-scoring",
      post: { request, context in
        let fields = try await JSONFields(
          of: request, limit: context.maxUploadSize,
          names: DiscoveryRequest.names + CostOrder.names + ["include"])
        let question = try DiscoveryRequest(fields)
        let costs = try CostOrder(fields)
        let parts = try ContentSet(included: fields)
        let found = try await Discovery(question, self, by: context.principal, context.logger)
        let answer = await gateway.products(
          ProductsRequest(
            asins: found.asins, domain: question.domain, contentSet: parts,
            principal: context.principal))
        let tokens = found.tokens + answer.outcomes.reduce(0) { $0 + $1.paid }
        let isAllCached = answer.outcomes.allSatisfy { $0.source == .cache || $0.source == .stale }
        let isNoneCached = answer.outcomes.allSatisfy { $0.source != .cache && $0.source != .stale }
        var response = Response.object(
          position: answer.position, capacity: 1_024 * (answer.outcomes.count + 1)
        ) { json in
          json.array("products", answer.outcomes) { json, outcome in
            write(
              outcome, costs.costs(of: outcome.asin), scorer, at: answer.now, context.logger, &json)
          }
          json.field("total_count", found.total)
          json.field("cache_hit", found.isCached && isAllCached)
          json.object("metadata") { json in
            json.object("filters_applied") { json in question.write(to: &json) }
            json.field("timestamp", answer.now)
            json.field(
              "source",
              found.isCached && isAllCached
                ? "cache" : !found.isCached && isNoneCached ? "keepa_api" : "mixed")
            json.field("scoring_version", basis.version)
          }
          json.field("tokens_used", tokens)
        }
        response.headers[.charge] = "\(tokens)"
        response.headers.tell(
          inDoubt: found.tokensInDoubt + answer.outcomes.reduce(0) { $0 + $1.inDoubt })
        return response
      })
    router.route(
      "/api/v1/products/{domain}/{asin}/score",
      post: { request, context in
        let domain = try Self.domain(context)
        let asin = try Self.asin(context)
        let fields = try await JSONFields(
          of: request, limit: context.maxUploadSize, names: ["costs", "include"])
        let costs = try CostOrder(fields)
        let parts = try ContentSet(included: fields)
        let answer = await gateway.products(
          ProductsRequest(
            asins: [asin], domain: domain, contentSet: parts, principal: context.principal))
        guard let outcome = answer.outcomes.first, let entry = outcome.entry else {
          var refusal =
            answer.outcomes.first?.problem.map { Problem($0) }
            ?? Problem(.notFound, "nothing is known about \(asin)")
          refusal.headers.tell(inDoubt: answer.outcomes.first?.inDoubt ?? 0)
          throw refusal
        }
        guard entry.isPresent else {
          throw Problem(.notFound, "Keepa does not know \(asin) in domain \(domain.rawValue)")
        }
        var response = Response.object(position: answer.position) { json in
          json.name("product")
          write(outcome, costs.costs(of: asin), scorer, at: answer.now, context.logger, &json)
          json.field("cache_hit", outcome.source == .cache || outcome.source == .stale)
          json.field("scoring_version", basis.version)
          json.field("tokens_used", outcome.paid)
        }
        response.headers[.charge] = "\(outcome.paid)"
        response.headers.tell(inDoubt: outcome.inDoubt)
        return response
      })
  }

  private func write(
    _ outcome: ProductOutcome, _ costs: ProductCosts, _ scorer: Scorer, at now: Timestamp,
    _ logger: Logger, _ json: inout JSONWriter
  ) {
    let scored = outcome.entry.flatMap { entry in
      entry.isPresent ? scorer.score(entry, costs, at: now, gateway, logger) : nil
    }
    json.object { json in
      if let scored {
        scored.score.writeMembers(to: &json)
      } else {
        json.field("asin", outcome.asin.description)
      }
      json.field("source", outcome.source == .keepa ? "keepa_api" : outcome.source.rawValue)
      json.field("score_cached", scored?.isRemembered ?? false)
      if scored == nil {
        let isUnknown = outcome.problem == nil && outcome.entry?.isPresent == false
        json.field(
          "error",
          outcome.problem?.detail
            ?? (isUnknown ? "Keepa does not know this ASIN" : "its body is not kept any more"))
      }
    }
  }
}
