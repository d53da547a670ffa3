import TollbookEvents
import TollbookGateway

/// Which sales were of which drafts.
///
/// 1. A sale can be of a draft whose title is the same, apart from capitals and from what stands between words; that is
///    in the same currency; that was made on its day or before; and whose price is at most a tenth away from it: buyers
///    haggle.
/// 2. A sale is of one draft, and of a draft no more are sold than there were.
/// 3. Of those that can be, the pair with the nearest price comes first; then the earlier sale, and then the older
///    draft.
///
/// What was found before stays.
enum SalesReconciliation {
  /// How far the prices may be apart, in hundredths of the draft's.
  static let tolerance: Int64 = 10

  struct Match: Hashable, Sendable {
    let draft: String
    let sale: SoldItem
  }

  private struct Pair {
    let difference: Int64
    let sale: SoldItem
    let draft: Draft
  }

  static func matches(_ drafts: [Draft], _ sales: [SoldItem]) -> [Match] {
    var taken = Set(drafts.flatMap(\.sales))
    var left: [String: Int] = [:]
    var byTitle: [String: [Draft]] = [:]
    for draft in drafts where !draft.isSold {
      left[draft.id] = draft.left
      byTitle[words(draft.content.title), default: []].append(draft)
    }
    var pairs: [Pair] = []
    for sale in sales where !taken.contains(sale.id) {
      for draft in byTitle[words(sale.title)] ?? [] {
        let price = draft.content.price
        guard price.currency == sale.price.currency, draft.created.calendarDay <= sale.soldOn
        else { continue }
        let difference = abs(price.minorUnits - sale.price.minorUnits)
        guard
          difference <= price.minorUnits / 100 * tolerance
            + price.minorUnits % 100 * tolerance / 100
        else { continue }
        pairs.append(Pair(difference: difference, sale: sale, draft: draft))
      }
    }
    pairs.sort { first, second in
      if first.difference != second.difference { return first.difference < second.difference }
      if first.sale.soldOn != second.sale.soldOn { return first.sale.soldOn < second.sale.soldOn }
      if first.draft.created != second.draft.created {
        return first.draft.created < second.draft.created
      }
      return (first.sale.id, first.draft.id) < (second.sale.id, second.draft.id)
    }
    var matches: [Match] = []
    for pair in pairs {
      guard left[pair.draft.id, default: 0] > 0, taken.insert(pair.sale.id).inserted else {
        continue
      }
      left[pair.draft.id, default: 0] -= 1
      matches.append(Match(draft: pair.draft.id, sale: pair.sale))
    }
    return matches
  }

  /// The words of a title in small letters, with one blank between two.
  private static func words(_ title: String) -> String {
    title.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: " ")
  }
}

extension SellerDesk {
  /// Finds the sales of an account that were of its drafts, and notes them there: for an hourly schedule. Again it does
  /// nothing more.
  ///
  /// - Returns: how many were found.
  package func reconcile(_ account: String) async throws -> Int {
    let found = SalesReconciliation.matches(
      try drafts.drafts(of: account), try sales.sales(of: account))
    var noted = 0
    for (draft, matches) in Dictionary(grouping: found, by: \.draft).sorted(by: { $0.key < $1.key })
    {
      if try await drafts.note(matches.map(\.sale), of: draft, of: account) {
        noted += matches.count
      }
    }
    return noted
  }

  /// The same for all accounts.
  package func reconcileAll() async throws -> Int {
    var noted = 0
    for account in try gateway.accounts(keeping: [SellerKinds.draft]) {
      try Task.checkCancellation()
      noted += try await reconcile(account)
    }
    return noted
  }
}
