import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

// What accounts have saved or watch is asked for by its id: a scan need not show it again.

extension Scout {
  /// Calls of one run; each asks for twenty listings.
  static let mostRecheckCalls = 20

  /// Asks eBay for what is saved or watched, and takes out what is gone. Those that were asked for longest ago come first,
  /// so that all have their turn; each account pays for its own.
  func recheck(_ gateway: Gateway) async throws -> JobEnding {
    try await fill(gateway)
    let left = try recheckCalls(gateway) * EbayItemRequest.mostItems
    let found = try dueListings(gateway, atMost: left)
    var gone = found.gone
    var asked = 0
    var problem: PurchaseProblem?
    for (account, ids) in found.due.sorted(by: { $0.key < $1.key }) {
      var demand = EbayNeed.demand(items: ids)
      demand.principal = Principal(account: account)
      demand.isBackground = true
      let answer = await EbayAsking(gateway: gateway, state: state).answer(demand)
      for outcome in answer.outcomes {
        guard let id = EbayNeed.item(outcome.resource) else { continue }
        if outcome.entry?.isPresent == false { gone.insert(id) }
        if let found = outcome.problem { problem = problem ?? found } else { asked += 1 }
      }
    }
    let removed = try await forget(gone, gateway)
    let bodies = gone.isEmpty ? try await removeReplaced(gateway) : removed.bodies
    let sentence =
      "listings asked for \(asked), gone \(gone.count); entries removed \(removed.entries), bodies"
      + " \(bodies)"
    return problem.map { .failed("\(sentence); \($0.detail)") } ?? .done(sentence)
  }

  /// As many as are left of the day beyond what people may need.
  private func recheckCalls(_ gateway: Gateway) throws(LogError) -> Int {
    let quota = try quota(gateway, of: .items, at: gateway.log.time.now())
    let spare = quota.limit - quota.used - quota.limit * reserve / 100
    return Int(min(Int64(Self.mostRecheckCalls), max(0, spare)))
  }

  /// The listings that accounts have saved or watch, by account; and those of them that are gone by what eBay has said
  /// already, though a page still shows them.
  private func dueListings(
    _ gateway: Gateway, atMost most: Int
  ) throws(LogError) -> (due: [String: [EbayItemID]], gone: Set<EbayItemID>) {
    let book = WatchBook(gateway: gateway)
    let marks = MarkBook(gateway: gateway)
    var rows: [(id: EbayItemID, account: String, asked: Timestamp?)] = []
    var seen: Set<EbayItemID> = []
    var gone: Set<EbayItemID> = []
    for account in try gateway.openAccounts(keeping: [WatchBook.kind, MarkBook.kind]) {
      let saved = try marks.marks(of: account).rows.filter { $0.marks.contains(.saved) }
      let watched = try book.watches(of: account).rows.filter { !$0.isEndTold }
      let ids = watched.map(\.id) + saved.compactMap { EbayItemID($0.id) }
      for id in ids where seen.insert(id).inserted {
        let entry = try gateway.kept(EbayNeed.item(id).resource)
        if let entry, !entry.isPresent {
          if isShownStill(id, entry) { gone.insert(id) }
          continue
        }
        rows.append((id, account, entry?.fetched))
      }
    }
    rows.sort { left, right in
      (left.asked?.milliseconds ?? .min, left.id.description)
        < (right.asked?.milliseconds ?? .min, right.id.description)
    }
    var due: [String: [EbayItemID]] = [:]
    for row in rows.prefix(most) { due[row.account, default: []].append(row.id) }
    return (due, gone)
  }
}
