import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookViews

/// The sums of a batch. Every place of the list counts once, so that
/// `requested = cache_hits + stale_hits + joined + api_fetches + failed + refused`.
struct BatchStatistics {
  private(set) var requested = 0
  /// Answered from the cache.
  private(set) var cacheHits = 0
  /// Answered from the cache past its time, because nothing better could be had.
  private(set) var staleHits = 0
  /// Bought by another request, or for an earlier place of this one.
  private(set) var joined = 0
  /// Products bought for this request.
  private(set) var fetches = 0
  private(set) var failed = 0
  /// Not bought, by rule.
  private(set) var refused = 0
  /// What it has cost, attempts that brought nothing included.
  private(set) var tokens: Int64 = 0
  /// What may have been spent beside that.
  private(set) var tokensInDoubt: Int64 = 0
  /// When the first of what is missing may be tried again.
  private(set) var retryAt: Timestamp?

  /// Counts a place without an answer.
  mutating func countFailed() {
    requested += 1
    failed += 1
  }

  /// - Parameter isFirst: whether no earlier place of the list named the same product.
  mutating func count(_ outcome: ProductOutcome, isFirst: Bool) {
    requested += 1
    if let instant = outcome.problem?.retryAt { retryAt = min(retryAt ?? instant, instant) }
    if isFirst {
      tokens += outcome.paid
      tokensInDoubt += outcome.inDoubt
    }
    switch outcome.source {
    case .cache: cacheHits += 1
    case .stale: staleHits += 1
    case .keepa where outcome.isJoined || !isFirst: joined += 1
    case .keepa: fetches += 1
    case .none:
      if outcome.problem?.reason.isRefusal == true { refused += 1 } else { failed += 1 }
    }
  }

  /// Where the whole answer comes from: `cache`, `keepa_api`, `mixed`, or `none` if nothing could be answered.
  var source: String {
    if cacheHits + staleHits == requested { return "cache" }
    if joined + fetches == requested { return "keepa_api" }
    return failed + refused == requested ? "none" : "mixed"
  }

  /// Whether every place was answered from the cache.
  var isCacheHit: Bool { cacheHits + staleHits == requested }

  private var ratio: Double {
    requested == 0 ? 0 : Double(cacheHits + staleHits) / Double(requested)
  }

  func write(to json: inout JSONWriter, reading: Meter.LastReading?) {
    json.object("stats") { json in
      json.field("requested", requested)
      json.field("cache_hits", cacheHits)
      json.field("stale_hits", staleHits)
      json.field("joined", joined)
      json.field("api_fetches", fetches)
      json.field("failed", failed)
      json.field("refused", refused)
      json.field("tokens_used", tokens)
      json.field("tokens_in_doubt", tokensInDoubt)
      json.field("tokens_remaining", reading?.balance)
      json.field("tokens_observed_at", reading?.observed)
      json.field("retry_at", retryAt)
      json.field("hit_rate", rounded(ratio * 100, digits: 2))
      json.field("hit_ratio", rounded(ratio, digits: 4))
    }
  }
}

extension PurchaseProblem.Reason {
  /// Whether a rule of Tollbook says no, not the upstream.
  var isRefusal: Bool {
    switch self {
    case .insufficientTokens, .limitReached, .budgetExceeded, .accountClosed, .notAllowed,
      .requestLimit, .storageFull, .busy, .answerLost:
      true
    case .upstreamUnavailable, .tooLate, .incomplete, .keyRejected, .requestRejected,
      .notConfigured, .stopping, .storageFailed:
      false
    }
  }
}
