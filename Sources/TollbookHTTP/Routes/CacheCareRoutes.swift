import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /cache/health`, `/cache/performance` and `/cache/recommendations`: how the cache does, and what would do
  /// better.
  func addCacheCare(to router: Router<TollbookContext>) {
    router.route("/cache/health", get: { _, _ in try answerCacheHealth() })
    router.route(
      "/cache/performance",
      get: { request, context in
        let hours = try Self.hours(QueryParameters(request))
        let own = context.principal.may(.admin) ? nil : context.principal.account
        let performance = try await CachePerformance(self, hours: hours, account: own)
        return .object(position: log.head, capacity: 512 * (performance.buckets.count + 2)) {
          json in
          json.field("success", true)
          json.object("data") { json in performance.write(to: &json) }
        }
      })
    router.route(
      "/cache/recommendations", scope: .admin, get: { _, _ in answerRecommendations() })
  }

  /// How far back the cache's health looks, the running minute included.
  private static let healthMinutes: Int64 = 15

  private func answerCacheHealth() throws -> Response {
    let health = CacheHealth(try healthFigures())
    return .object(position: log.head) { json in
      json.field("success", true)
      json.object("data") { json in health.write(to: &json, minutes: Self.healthMinutes) }
    }
  }

  private func healthFigures() throws(LogError) -> CacheHealth.Figures {
    let pending = gateway.tallies.pendingReads
    let now = log.time.now()
    let first = now.advanced(byMilliseconds: -60_000 * (Self.healthMinutes - 1))
    let end = now.advanced(byMilliseconds: 60_000)
    let totals = try log.read { (transaction) throws(LogError) in
      try metrics.totals(ofMinutes: first.minute..<end.minute, in: transaction)
    }
    let answers = requests.answers(inMinutes: first..<end)
    return CacheHealth.Figures(
      hits: totals.hits + pending, misses: totals.misses, memory: ProcessMemory.privateBytes,
      memoryLimit: settings.memoryLimit, answers: answers.count, errors: answers.errors,
      averageTime: answers.cachedSeconds.mean, highTime: answers.cachedSeconds.percentile(0.95))
  }

  private static func hours(_ query: QueryParameters) throws(Problem) -> Int {
    guard let text = query["hours"] else { return 24 }
    guard let hours = Int(text), (1...168).contains(hours) else {
      throw query.invalid("hours", text, "a whole number from 1 to 168")
    }
    return hours
  }

  private func answerRecommendations() -> Response {
    let advice = advisor.advice
    let now = log.time.now()
    return .object(position: log.head) { json in
      json.field("success", true)
      json.object("data") { json in
        guard let advice else { return CacheAdvice.writeNothing(to: &json) }
        advice.write(to: &json, at: now)
      }
    }
  }
}
