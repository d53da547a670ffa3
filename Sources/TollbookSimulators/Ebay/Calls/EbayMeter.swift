/// What an application used of its limits on a day.
struct EbayMeter: Sendable {
  private(set) var day: EbayPacificDay
  private(set) var calls: [EbayRoute.Resource: Int] = [:]
  private(set) var minted: [EbayGrant: Int] = [:]

  init(at now: Int64) { day = EbayPacificDay(containing: now) }

  /// Begins anew if it is another day.
  mutating func advance(to now: Int64) {
    if !day.contains(now) { self = EbayMeter(at: now) }
  }

  /// Counts a call, if there is one left.
  mutating func count(_ resource: EbayRoute.Resource, limit: Int, foreign: Int) -> Bool {
    let used = calls[resource] ?? 0
    guard used + foreign < limit else { return false }
    calls[resource] = used + 1
    return true
  }

  /// Counts a token, if there is one left.
  mutating func mint(_ grant: EbayGrant, limit: Int) -> Bool {
    let used = minted[grant] ?? 0
    guard used < limit else { return false }
    minted[grant] = used + 1
    return true
  }

  /// Begins anew in the middle of the day.
  mutating func reset() { calls = [:] }
}

/// What a token is given for.
package enum EbayGrant: String, Sendable, Codable, CaseIterable {
  case clientCredentials = "client_credentials"
  case authorizationCode = "authorization_code"
  case refreshToken = "refresh_token"
}
