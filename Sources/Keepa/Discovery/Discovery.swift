import Crypto
import Hummingbird
import JSONText
import Logging
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// The products that somebody looks for, and where the list came from. The list for all filters is kept for as long as an
/// answer of the finder is, an empty one too.
struct Discovery: Sendable {
  let request: DiscoveryRequest
  let asins: [KeepaASIN]
  /// How many there are, if Keepa said so; else those that are listed.
  let total: Int64
  /// Whether the list was there: never if anything was asked of Keepa for it, by this request or by one that it joined.
  let isCached: Bool
  let tokens: Int64
  /// What may have been spent beside that.
  let tokensInDoubt: Int64
  let position: Position
  let now: Timestamp

  /// - Parameter logger: told of a hit, or of a miss and what is kept of it.
  /// - Throws: why there is no list.
  init(
    _ request: DiscoveryRequest, _ service: HTTPService, by principal: Principal, _ logger: Logger
  ) async throws(Problem) {
    let gateway = service.gateway
    self.request = request
    // What is cached costs nothing, whichever way it was listed.
    let ways = [request.question, request.bestSellers].compactMap(\.self)
    let cheaper = request.isCheaperByBestSellers ? request.bestSellers : request.question
    guard let cheaper else { throw Problem(.invalidField, "these filters cannot be asked for") }
    var chosen = cheaper
    for way in ways where Self.isFresh(way, gateway) { chosen = way }
    var demand = chosen.demand
    demand.principal = principal
    let answer = await gateway.answer(demand)
    guard let outcome = answer.outcomes.first else {
      throw Problem(.storageFailed, "nothing was decided about it")
    }
    if let problem = outcome.problem, outcome.entry == nil {
      var refusal = Problem(problem)
      refusal.headers.tell(inDoubt: outcome.inDoubt)
      throw refusal
    }
    var asins: [KeepaASIN] = []
    var total: Int64 = 0
    if let entry = outcome.entry, entry.isPresent {
      let content: [UInt8]?
      do { content = try gateway.body(of: entry)?.content() } catch {
        throw Problem(.storageFailed, "the list cannot be read").retrying(after: 5)
      }
      if let content, let list = try? KeepaList(content) {
        (asins, total) = (list.asins, list.total)
      }
    }
    self.asins = Array(asins.prefix(request.limit))
    self.total = total
    isCached = outcome.source == .cache || outcome.source == .stale
    tokens = outcome.cost + outcome.lost
    tokensInDoubt = outcome.inDoubt
    position = answer.position
    now = answer.now
    tell(logger, outcome.resource, found: asins.count)
  }

  /// - Parameter found: how many the list holds, whatever the limit.
  private func tell(_ logger: Logger, _ resource: ResourceKey, found: Int) {
    guard !isCached else { return logger.debug("discovery hit: \(found) ASINs") }
    logger.debug("discovery miss")
    let key = SHA256.hash(data: Array(resource.description.utf8)).prefix(4).map(\.self).hexadecimal
    logger.debug("cached \(found) ASINs with key \(key)")
  }

  private static func isFresh(_ question: KeepaQuestion, _ gateway: Gateway) -> Bool {
    guard case .success(let preview) = gateway.preview(question.demand),
      case .cached? = preview.fates.first?.fate
    else { return false }
    return true
  }
}

extension HTTPService {
  /// `POST /api/v1/products/discover`: the products that filters leave, the best-selling first.
  func addDiscovery(to router: Router<TollbookContext>) {
    router.route(
      "/api/v1/products/discover",
      post: { request, context in
        let fields = try await JSONFields(
          of: request, limit: context.maxUploadSize, names: DiscoveryRequest.names)
        let question = try DiscoveryRequest(fields)
        if let way = question.isCheaperByBestSellers ? question.bestSellers : question.question,
          let answer = try dryRun(way.demand, request.headers)
        {
          return answer
        }
        let found = try await Discovery(question, self, by: context.principal, context.logger)
        var response = Response.object(position: found.position) { json in
          json.array("asins", found.asins) { json, asin in json.string(asin.description) }
          json.field("total_count", found.total)
          json.field("cache_hit", found.isCached)
          json.object("metadata") { json in
            json.object("filters_applied") { json in question.write(to: &json) }
            json.field("timestamp", found.now)
            json.field("source", found.isCached ? "cache" : "keepa_api")
          }
          json.field("tokens_used", found.tokens)
        }
        response.headers[.charge] = "\(found.tokens)"
        response.headers.tell(inDoubt: found.tokensInDoubt)
        return response
      })
  }
}
