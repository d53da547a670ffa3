import Synchronization
import TollbookEvents
import TollbookGateway

/// What is limited by itself, each with calls of its own for a day (developer.ebay.com, API call limits).
enum EbayPool: String, Hashable, Sendable, CaseIterable {
  /// All of the Browse API but `getItems`.
  case browse
  /// `getItems`.
  case items
  /// How the limits stand.
  case analytics
  /// Tokens of the application.
  case tokens
  /// Tokens of users, for codes of their consent.
  case codes
  /// Tokens of users, for refresh tokens.
  case refreshes

  /// What a day allows until eBay says another figure.
  var limit: Int64 {
    switch self {
    case .browse, .items, .analytics: 5_000
    case .tokens: EbayTokenRequest.Grant.clientCredentials.dailyLimit
    case .codes: EbayTokenRequest.Grant.authorizationCode.dailyLimit
    case .refreshes: EbayTokenRequest.Grant.refreshToken.dailyLimit
    }
  }

  /// What its calls are counted in.
  var unit: String {
    switch self {
    case .browse, .items: EbayUpstream.unit
    case .analytics: "analytics_calls"
    case .tokens, .codes, .refreshes: "tokens_minted"
    }
  }

  /// As `rate_limit` calls it; nil: it says nothing of it.
  var reported: String? {
    switch self {
    case .browse: "buy.browse"
    case .items: "buy.browse.item.bulk"
    case .analytics, .tokens, .codes, .refreshes: nil
    }
  }
}

/// What is known of the limits and tokens of one key since the process began. No token is ever written down: another one is
/// minted after a start.
package final class EbayState: Sendable {
  private struct Token {
    var answer: EbayTokenAnswer
    var renewal: Timestamp
  }

  private struct Window: Hashable {
    var limit: Int64
    /// An end of a window, as eBay named it; nil: it named none.
    var ends: Timestamp?
    /// In milliseconds.
    var length: Int64
  }

  private struct Known {
    var token: Token?
    var windows: [EbayPool: Window] = [:]
    /// When the limits were asked for last; nil: they never were.
    var asked: Timestamp?
  }

  /// How long what eBay says of its limits is believed, in milliseconds: others may use the same key.
  static let limitsLast: Int64 = 600_000

  private let known = Mutex(Known())

  package init() {}

  // MARK: Tokens

  /// For the header `Authorization`; nil: there is no token, or it is about to end.
  func authorization(at now: Timestamp) -> EbaySecret? {
    known.withLock { known in
      guard let token = known.token, now < token.renewal else { return nil }
      return token.answer.authorization
    }
  }

  func note(_ answer: EbayTokenAnswer, received: Timestamp) {
    known.withLock {
      $0.token = Token(answer: answer, renewal: answer.renewal(from: received))
    }
  }

  /// Gives up a token that eBay takes no more. One that was minted meanwhile stays.
  func forget(_ authorization: EbaySecret) {
    known.withLock { known in
      if known.token?.answer.authorization == authorization { known.token = nil }
    }
  }

  // MARK: Limits

  /// Whether the limits have to be asked for: they never were, or so long ago, or a window has ended since.
  func needsLimits(at now: Timestamp) -> Bool {
    known.withLock { known in
      guard let asked = known.asked else { return true }
      guard asked <= now, now < asked.advanced(byMilliseconds: Self.limitsLast) else { return true }
      guard let ends = known.windows[.browse]?.ends else { return false }
      return asked < ends && ends <= now
    }
  }

  /// Takes in what eBay says of its limits. Where it says nothing, its rules are as they were known.
  func note(_ limits: EbayRateLimits, asked: Timestamp) {
    known.withLock { known in
      known.asked = asked
      for pool in EbayPool.allCases {
        guard let rate = pool.rate(in: limits) else { continue }
        known.windows[pool] = Window(
          limit: rate.limit, ends: rate.reset, length: rate.timeWindow * 1_000)
      }
    }
  }

  /// Calls of a day, up to the instant that eBay names. Until it has named one: of a day in California, where its days are
  /// said to begin; where this machine does not know the zone, in UTC.
  func rule(of pool: EbayPool) -> MeterRule {
    let window = known.withLock { $0.windows[pool] }
    let limit = window?.limit ?? pool.limit
    if let window, let ends = window.ends {
      return .anchoredWindow(
        AnchoredWindow(length: window.length, endingAt: ends, limit: limit))
    }
    let zoned = CalendarWindow(.day, zone: "America/Los_Angeles", limit: limit)
    return zoned.map { .calendarWindow($0) }
      ?? .clockWindow(ClockWindow(length: 86_400_000, limit: limit))
  }
}

extension EbayPool {
  /// The limit of a day, or of the longest window that is told.
  func rate(in limits: EbayRateLimits) -> EbayRateLimits.Rate? {
    reported.flatMap { limits.resource($0) }?.rates.max { $0.timeWindow < $1.timeWindow }
  }
}
