package import TollbookGateway

/// How long what eBay says may answer, in milliseconds. Its licence lets listings be shown for six hours, or with their age,
/// and other data for a day: nothing answers longer.
package struct EbayFreshness: Hashable, Sendable {
  private static let hour: Int64 = 3_600_000
  private static let day: Int64 = 24 * hour

  /// Of a page of a search.
  package var search: Int64 = 300_000
  /// Of a page of a search for prices to compare with.
  package var comparables: Int64 = day
  package var item: Int64 = hour
  /// Of an item that is not there.
  package var absentItem: Int64 = day

  package init() {}

  package var kinds: [ResourceKind] {
    [
      kind(EbayUpstream.searchKind, search), kind(EbayUpstream.comparablesKind, comparables),
      kind(EbayUpstream.itemKind, item, absent: absentItem),
      // Neither answers anybody: what is in memory does.
      kind(EbayUpstream.tokenKind, 0), kind(EbayUpstream.limitsKind, 0),
      Self.own(SearchBook.kind, isSealed: true), Self.own(MarkBook.kind, isSealed: true),
      Self.own(Scout.scheduleKind),
      Self.own(UserBook.kind, isSealed: true),
    ]
  }

  /// What accounts keep, and nobody sells: until it is removed.
  private static func own(_ name: String, isSealed: Bool = false) -> ResourceKind {
    let century = 36_525 * day
    var policy = FreshnessPolicy()
    policy.present = FreshnessWindows(fresh: century, grace: 0, errorGrace: 0, keep: century)
    return ResourceKind(name, freshness: policy, isSealed: isSealed, isBought: false)
  }

  private func kind(_ name: String, _ fresh: Int64, absent: Int64 = 0) -> ResourceKind {
    let fresh = min(max(0, fresh), Self.day)
    var policy = FreshnessPolicy()
    policy.present = FreshnessWindows(
      fresh: fresh, grace: 0, errorGrace: Self.day - fresh, keep: Self.day)
    policy.absent = FreshnessWindows(fresh: absent, grace: 0, errorGrace: 0, keep: Self.day)
    return ResourceKind(name, freshness: policy)
  }
}
