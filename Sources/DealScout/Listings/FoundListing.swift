import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// What became of a listing that was asked for by its id.
enum FoundListing: Sendable {
  /// eBay has it; whether it is over says the item.
  case shown(EbayItem, CacheEntry)
  /// It was there, and eBay has it no more.
  case ended(CacheEntry)
  /// eBay has no such listing, and nobody here has ever seen it.
  case unknown(CacheEntry)
  case failed(PurchaseProblem)
}

extension Scout {
  /// What outcomes say of listings. What eBay has no more is taken out of all that is kept.
  func found(
    _ outcomes: [ResourceOutcome], _ gateway: Gateway
  ) async throws(LogError) -> [EbayItemID: FoundListing] {
    var found: [EbayItemID: FoundListing] = [:]
    var gone: Set<EbayItemID> = []
    for outcome in outcomes {
      guard let id = EbayNeed.item(outcome.resource) else { continue }
      let listing = try self.found(outcome, id, gateway)
      found[id] = listing
      if case .ended(let entry) = listing, isShownStill(id, entry) || outcome.source == .upstream {
        gone.insert(id)
      }
    }
    try await forget(gone, gateway)
    return found
  }

  private func found(
    _ outcome: ResourceOutcome, _ id: EbayItemID, _ gateway: Gateway
  ) throws(LogError) -> FoundListing {
    guard let entry = outcome.entry else { return .failed(outcome.problem ?? .unread) }
    guard entry.isPresent else {
      return try wasSeen(id, gateway) ? .ended(entry) : .unknown(entry)
    }
    guard let content = try gateway.content(of: entry), let item = try? EbayItem(content) else {
      return .failed(outcome.problem ?? .unread)
    }
    if outcome.source == .upstream { index.noteShown(id) }
    return .shown(item, entry)
  }

  /// Whether the index has it from a page of before eBay said that it is gone.
  func isShownStill(_ id: EbayItemID, _ entry: CacheEntry) -> Bool {
    index[id].map { $0.seen <= entry.fetched } ?? false
  }

  /// Whether a listing was ever seen here: in a page, or by itself.
  private func wasSeen(_ id: EbayItemID, _ gateway: Gateway) throws(LogError) -> Bool {
    if index[id] != nil || index.isGone(id) { return true }
    let name = EbayNeed.item(id).resource.description
    let (log, reader) = (gateway.log, gateway.log.reader)
    return try log.read { (reading) throws(LogError) in
      let positions = try log.index.positions(
        of: name, after: 0, limit: Self.mostPast, in: reading)
      for position in positions {
        let event = try reader.event(at: position, in: reading)?.event
        if case .cacheWritten(let written)? = event, written.presence == .present { return true }
      }
      return false
    }
  }

  /// Events of one listing that are looked at.
  private static let mostPast = 64
}

extension PurchaseProblem {
  static let unread = PurchaseProblem(
    .answerLost, "what eBay has answered is not kept any more")
}
