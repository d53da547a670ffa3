/// What is not as usual with eBay; may be changed at any time.
package struct EbayConditions: Sendable, Equatable, Codable {
  /// Milliseconds that eBay's clock is ahead of this machine's: the market, the days and the lives of tokens follow it.
  package var clockOffset: Int64
  /// Items by their id that are gone before their time.
  package var endedItems: Set<String>
  /// Whether users say no on the page of consent.
  package var consentDenied: Bool
  /// Whether the applications may see what was sold (Marketplace Insights).
  package var insightsGranted: Bool
  /// Refresh tokens that were minted before this instant are revoked, milliseconds since 1970.
  package var refreshRevokedBefore: Int64?
  /// Calls of the Browse API that others made today with the same application.
  package var foreignCalls: Int

  /// All as usual.
  package init(
    clockOffset: Int64 = 0, endedItems: Set<String> = [], consentDenied: Bool = false,
    insightsGranted: Bool = false, refreshRevokedBefore: Int64? = nil, foreignCalls: Int = 0
  ) {
    self.clockOffset = clockOffset
    self.endedItems = endedItems
    self.consentDenied = consentDenied
    self.insightsGranted = insightsGranted
    self.refreshRevokedBefore = refreshRevokedBefore
    self.foreignCalls = foreignCalls
  }

  private enum CodingKeys: String, CodingKey {
    case clockOffset = "clock_offset_ms"
    case endedItems = "ended_items"
    case consentDenied = "consent_denied"
    case insightsGranted = "insights_granted"
    case refreshRevokedBefore = "refresh_revoked_before"
    case foreignCalls = "foreign_calls"
  }

  /// Reads the control endpoint's JSON; what is left out is as usual.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    clockOffset = try members.decodeIfPresent(Int64.self, forKey: .clockOffset) ?? 0
    endedItems = try members.decodeIfPresent(Set<String>.self, forKey: .endedItems) ?? []
    consentDenied = try members.decodeIfPresent(Bool.self, forKey: .consentDenied) ?? false
    insightsGranted = try members.decodeIfPresent(Bool.self, forKey: .insightsGranted) ?? false
    refreshRevokedBefore = try members.decodeIfPresent(Int64.self, forKey: .refreshRevokedBefore)
    foreignCalls = try members.decodeIfPresent(Int.self, forKey: .foreignCalls) ?? 0
  }

  /// eBay's clock at a time of this machine; an offset is at most a year.
  func time(_ now: Int64) -> Int64 {
    EbayMarket.bounded(EbayMarket.bounded(now) + BinanceConditions.bounded(clockOffset))
  }

  /// Calls of others that count against a limit.
  func foreign(_ resource: EbayRoute.Resource) -> Int {
    resource == .browse ? min(1_000_000_000, max(0, foreignCalls)) : 0
  }
}
