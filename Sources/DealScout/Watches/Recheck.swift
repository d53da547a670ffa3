import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

// What accounts have saved or watch is asked for by its id: a scan need not show it again.

extension Scout {
  /// Calls of one run; each asks for up to twenty listings.
  static let mostRecheckCalls = 20
  /// Questions of one run. What a budget refuses costs no call.
  private static let mostQuestions = 100

  /// Asks eBay for what is saved or watched, and takes out what is gone. Those that were asked for longest ago come first,
  /// so that all have their turn. Each account pays for its own, in calls of its own; one that may not buy, or for which
  /// eBay gives no answer, is passed over for the rest of the run, and holds up no other.
  func recheck(_ gateway: Gateway) async throws -> JobEnding {
    try await fill(gateway)
    var left = try recheckCalls(gateway)
    var questions = Self.mostQuestions
    let found = try dueListings(gateway)
    var gone = found.gone
    var asked = 0
    var problem: PurchaseProblem?
    var refused: Set<String> = []
    for question in found.due where !refused.contains(question.account) {
      guard left > 0, questions > 0 else { break }
      questions -= 1
      var demand = EbayNeed.demand(items: question.ids)
      demand.principal = Principal(account: question.account)
      demand.isBackground = true
      let answer = await EbayAsking(gateway: gateway, state: state).answer(demand)
      left -= answer.charge + answer.inDoubt
      for outcome in answer.outcomes {
        guard let id = EbayNeed.item(outcome.resource) else { continue }
        if outcome.entry?.isPresent == false { gone.insert(id) }
        if let found = outcome.problem { problem = problem ?? found } else { asked += 1 }
      }
      if answer.outcomes.allSatisfy({ $0.problem != nil }) { refused.insert(question.account) }
    }
    let removed = try await forget(gone, gateway)
    let bodies = gone.isEmpty ? try await removeReplaced(gateway) : removed.bodies
    let sentence =
      "listings asked for \(asked), gone \(gone.count); entries removed \(removed.entries), bodies"
      + " \(bodies)"
    return problem.map { .failed("\(sentence); \($0.detail)") } ?? .done(sentence)
  }

  /// As many as are left of the day beyond what people may need.
  private func recheckCalls(_ gateway: Gateway) throws(LogError) -> Int64 {
    let quota = try quota(gateway, of: .items, at: gateway.log.time.now())
    let spare = quota.limit - quota.used - quota.limit * reserve / 100
    return min(Int64(Self.mostRecheckCalls), spare)
  }

  /// What one account asks for in one call.
  private struct Question {
    let account: String
    var ids: [EbayItemID] = []
  }

  /// The listings that accounts have saved or watch, by the calls that ask for them; and those of them that are gone by
  /// what eBay has said already, though a page still shows them.
  private func dueListings(
    _ gateway: Gateway
  ) throws(LogError) -> (due: [Question], gone: Set<EbayItemID>) {
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
    var due: [Question] = []
    var last: [String: Int] = [:]
    for row in rows {
      if let place = last[row.account], due[place].ids.count < EbayItemRequest.mostItems {
        due[place].ids.append(row.id)
      } else {
        last[row.account] = due.count
        due.append(Question(account: row.account, ids: [row.id]))
      }
    }
    return (due, gone)
  }
}
