/// What one project may ask of one model.
package struct GeminiQuota: Sendable, Hashable {
  /// Requests in a minute.
  package var requestsPerMinute: Int
  /// Tokens of prompts in a minute.
  package var inputTokensPerMinute: Int
  /// Requests in a day.
  package var requestsPerDay: Int
  /// Whether refusals name the quotas of the free tier; they are named differently.
  package var isFreeTier: Bool

  /// A quota; generous unless given.
  package init(
    requestsPerMinute: Int = 1000, inputTokensPerMinute: Int = 4_000_000,
    requestsPerDay: Int = 100_000, isFreeTier: Bool = false
  ) {
    self.requestsPerMinute = requestsPerMinute
    self.inputTokensPerMinute = inputTokensPerMinute
    self.requestsPerDay = requestsPerDay
    self.isFreeTier = isFreeTier
  }
}

/// A limit of a quota that was reached.
struct GeminiQuotaViolation: Sendable, Hashable {
  enum Limit: Sendable {
    case requestsPerMinute, inputTokensPerMinute, requestsPerDay
  }

  let limit: Limit
  let value: Int
  let isFreeTier: Bool
  /// Milliseconds that the provider says to wait.
  let retryDelay: Int64

  /// The name of what is counted, as seen in refusals of the provider.
  var metric: String {
    let name =
      switch (limit, isFreeTier) {
      case (.requestsPerMinute, true), (.requestsPerDay, true):
        "generate_content_free_tier_requests"
      case (.requestsPerMinute, false): "generate_requests_per_model"
      case (.requestsPerDay, false): "generate_requests_per_model_per_day"
      case (.inputTokensPerMinute, true): "generate_content_free_tier_input_token_count"
      case (.inputTokensPerMinute, false): "generate_content_paid_tier_input_token_count"
      }
    return "generativelanguage.googleapis.com/\(name)"
  }

  /// The name of the limit: by `PerMinute` and `PerDay` in it callers tell whether waiting helps.
  var id: String {
    let suffix = isFreeTier ? "-FreeTier" : ""
    return switch limit {
    case .requestsPerMinute: "GenerateRequestsPerMinutePerProjectPerModel\(suffix)"
    case .requestsPerDay: "GenerateRequestsPerDayPerProjectPerModel\(suffix)"
    case .inputTokensPerMinute:
      isFreeTier
        ? "GenerateContentInputTokensPerModelPerMinute-FreeTier"
        : "GenerateContentPaidTierInputTokensPerModelPerMinute"
    }
  }
}

/// Counts what one project asked of one model in the running minute and day.
///
/// Minutes are those of the clock. Days begin at 08:00 UTC, which is midnight Pacific standard time; the hour of
/// summer time is left out. A refusal for the day carries a short delay all the same, as the provider's do.
struct GeminiQuotaMeter: Sendable, Hashable {
  private var minute: Int64 = .min
  private var day: Int64 = .min
  private var requestsOfMinute = 0
  private var tokensOfMinute = 0
  private var requestsOfDay = 0

  static let minuteLength: Int64 = 60_000
  static let dayLength: Int64 = 86_400_000
  static let dayStart: Int64 = 8 * 3_600_000

  /// The limit that a prompt of so many tokens would go beyond now; nil if it may come in.
  mutating func violation(
    of quota: GeminiQuota, tokens: Int, at now: Int64
  ) -> GeminiQuotaViolation? {
    advance(to: now)
    let rest = Self.minuteLength - Self.remainder(now, Self.minuteLength)
    func violation(_ limit: GeminiQuotaViolation.Limit, _ value: Int) -> GeminiQuotaViolation {
      GeminiQuotaViolation(
        limit: limit, value: value, isFreeTier: quota.isFreeTier, retryDelay: rest)
    }
    if requestsOfDay >= quota.requestsPerDay {
      return violation(.requestsPerDay, quota.requestsPerDay)
    }
    if requestsOfMinute >= quota.requestsPerMinute {
      return violation(.requestsPerMinute, quota.requestsPerMinute)
    }
    if tokensOfMinute > quota.inputTokensPerMinute - tokens {
      return violation(.inputTokensPerMinute, quota.inputTokensPerMinute)
    }
    return nil
  }

  /// Counts a request with a prompt of so many tokens.
  mutating func count(tokens: Int, at now: Int64) {
    advance(to: now)
    requestsOfMinute += 1
    requestsOfDay += 1
    tokensOfMinute += tokens
  }

  private mutating func advance(to now: Int64) {
    let minute = Self.quotient(now, Self.minuteLength)
    if minute > self.minute {
      self.minute = minute
      requestsOfMinute = 0
      tokensOfMinute = 0
    }
    let day = Self.quotient(now &- Self.dayStart, Self.dayLength)
    if day > self.day {
      self.day = day
      requestsOfDay = 0
    }
  }

  private static func remainder(_ time: Int64, _ length: Int64) -> Int64 {
    let rest = time % length
    return rest < 0 ? rest + length : rest
  }

  private static func quotient(_ time: Int64, _ length: Int64) -> Int64 {
    let rest = remainder(time, length)
    return (time / length) - (time < 0 && rest > 0 ? 1 : 0)
  }
}
