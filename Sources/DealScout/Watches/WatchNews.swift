import TollbookEvents

extension WatchBook {
  /// What there is to tell of watches. A pure function: the same looks bring the same facts, and once they are noted as told
  /// (``Watches/note(_:)``) they bring none.
  ///
  /// 1. A price that rises again changes nothing: the next fact is a price below the last that was told.
  /// 2. Of a watch with a mark nothing is told at or above the mark; the first fact tells the mark as the price before.
  /// 3. Prices of two currencies are not compared.
  static func news(
    of watches: Watches, _ account: String, _ looks: [EbayItemID: ListingLook]
  ) -> [NotificationFact] {
    watches.rows.compactMap { watch in
      looks[watch.id].flatMap { news(of: watch, account, $0) }
    }
  }

  private static func news(
    of watch: Watch, _ account: String, _ look: ListingLook
  ) -> NotificationFact? {
    let id = watch.id.description
    let title = look.title.isEmpty ? id : look.title
    if case .ended = look.state {
      guard !watch.isEndTold else { return nil }
      return try? .watchEnded(id, of: account, title: title, url: look.url, at: look.at)
    }
    guard let price = look.price else { return nil }
    if let mark = watch.below {
      guard price.currency == mark.currency, price.minorUnits < mark.minorUnits else { return nil }
    }
    let before = watch.told ?? watch.below
    guard let before, before.currency == price.currency, price.minorUnits < before.minorUnits,
      let from = before.nanoUnits, let to = price.nanoUnits
    else { return nil }
    return try? .priceDrop(
      id, of: account, title: title, url: look.url, from: Amount(from, price.currency.code),
      to: Amount(to, price.currency.code), at: look.at)
  }
}
