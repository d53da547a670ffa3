import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension Scout {
  /// What is known of listings without asking eBay: from pages, and from the items that are kept. One that nobody knows of
  /// is left out.
  func looks(
    at ids: some Sequence<EbayItemID>, _ gateway: Gateway
  ) throws(LogError) -> [EbayItemID: ListingLook] {
    let now = gateway.log.time.now()
    var looks: [EbayItemID: ListingLook] = [:]
    for id in ids {
      let look = try look(at: id, gateway, now)
      if let look { looks[id] = look }
    }
    return looks
  }

  private func look(
    at id: EbayItemID, _ gateway: Gateway, _ now: Timestamp
  ) throws(LogError) -> ListingLook? {
    var found: [ListingLook] = []
    if let listing = index[id] {
      let price = EbayMoney(minorUnits: listing.price, listing.currency)
      found.append(
        ListingLook(
          state: listing.isOver(at: now) ? .ended : .shown(price), title: listing.title,
          url: listing.webURL, at: listing.seen))
    }
    if let entry = try gateway.kept(EbayNeed.item(id).resource) {
      if !entry.isPresent {
        found.append(ListingLook(state: .ended, at: entry.fetched))
      } else if let content = try gateway.content(of: entry), let item = try? EbayItem(content) {
        found.append(
          ListingLook(
            state: item.isGone(at: now) ? .ended : .shown(item.listing.currentPrice),
            title: item.listing.title, url: item.listing.webURL, at: entry.fetched))
      }
    }
    if found.isEmpty, index.isGone(id) { return ListingLook(state: .ended, at: now) }
    // What was seen by a clock that was ahead counts for less: nobody knows how old it is.
    return found.max { ($0.at <= now ? 1 : 0, $0.at) < ($1.at <= now ? 1 : 0, $1.at) }
  }

  /// What there is to tell of all watches, account after account. Once it was told, that is noted:
  /// ``WatchBook/noteTold(_:to:)``.
  func watchNews(_ gateway: Gateway) async throws -> [NotificationFact] {
    try await fill(gateway)
    let book = WatchBook(gateway: gateway)
    var news: [NotificationFact] = []
    for account in try book.accounts() {
      let watches = try book.watches(of: account)
      guard !watches.rows.isEmpty else { continue }
      let looks = try looks(at: watches.rows.map(\.id), gateway)
      news += WatchBook.news(of: watches, account, looks)
      await Task.yield()
    }
    return news
  }
}
