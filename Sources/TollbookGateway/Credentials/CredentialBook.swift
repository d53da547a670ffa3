import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// The credentials of an upstream as one decision sees them: whose calls each sends, and which of them can.
///
/// 1. An account's calls are sent with its own credentials and with those that are everybody's.
/// 2. What was disabled or has expired sends nothing, nor what the upstream refuses, whose limit is used up, or of whose
///    quota group the upstream wants no calls yet.
struct CredentialBook {
  /// Why none of an account's credentials can send a call.
  enum Unusable: Error, Hashable, Sendable {
    /// There is none, or none that somebody has left switched on.
    case none(String)
    /// The upstream refuses them.
    ///
    /// - Parameter credential: the first of them.
    case rejected(credential: String, detail: String)
    /// Their limits are used up, or the upstream wants no calls.
    ///
    /// - Parameter until: when the first can again; nil: waiting does not help.
    case limited(until: Timestamp?, detail: String)
  }

  private struct Known {
    var candidate: CandidateCredential
    var row: CredentialRow?
    var standing: CredentialStanding
  }

  private let upstream: String
  private let selections: [String: Selection]
  private let known: [Known]

  /// - Parameters:
  ///   - members: in the order in which they are tried.
  ///   - accounts: who asks.
  init(
    _ members: [CredentialMember], upstream: String, accounts: Set<String>,
    _ books: PurchaseBooks, at now: Timestamp, _ state: borrowing LogReading
  ) throws(LogError) {
    self.upstream = upstream
    var known: [Known] = []
    for member in members {
      let row = try books.credentials.credential(member.id, in: state)
      let standing = try CredentialStanding(
        of: member.id, row, on: member.upstream.meters, books, at: now, state)
      known.append(
        Known(
          candidate: CandidateCredential(
            member: member, weight: row?.weight ?? 1, remaining: standing.remaining,
            limited: standing.cooling?.until),
          row: row, standing: standing))
    }
    self.known = known
    var selections: [String: Selection] = [:]
    if known.count > 1 {
      for account in accounts {
        selections[account] = try books.credentials.selection(
          upstream: upstream, account: account, in: state)
      }
    }
    self.selections = selections
  }

  /// The accounts whose calls the same credentials send, together.
  func groups(of accounts: [String]) -> [[String]] {
    var groups: [(pool: [String], selection: Selection?, accounts: [String])] = []
    for account in accounts {
      let pool = own(account).map(\.candidate.member.id)
      let selection = selections[account]
      if let place = groups.firstIndex(where: { $0.pool == pool && $0.selection == selection }) {
        groups[place].accounts.append(account)
      } else {
        groups.append((pool, selection, [account]))
      }
    }
    return groups.map(\.accounts)
  }

  /// The credentials that can send an account's calls, in the order in which they are tried.
  ///
  /// - Parameter draw: from 0 up to, not including, 1.
  func order(for account: String, draw: Double) -> Result<[CredentialMember], Unusable> {
    let own = own(account)
    let usable = own.filter { $0.standing.isUsable }
    guard usable.isEmpty else {
      // Those of the settings stand there in the order in which they are meant to be tried.
      let isChosen = own.contains { $0.row != nil }
      let selection = isChosen ? selections[account] ?? .failover : .failover
      let order = selection.order(usable.map(\.candidate), draw: draw)
      return .success(order.map(\.member))
    }
    return .failure(unusable(own))
  }

  private func own(_ account: String) -> [Known] {
    known.filter { known in
      guard let row = known.row else { return true }
      return row.account.isEmpty || row.account == account
    }
  }

  private func unusable(_ own: [Known]) -> Unusable {
    guard !own.isEmpty else { return .none("No active token found: there is no credential") }
    let limited = own.filter { known in
      known.standing.isSwitchedOn && !known.standing.isRejected
    }
    if let first = limited.first {
      let until = limited.compactMap(\.standing.coolsUntil).min()
      let detail = limited.compactMap { known in
        known.standing.coolsUntil == nil ? nil : known.standing.cooling?.detail
      }.first { !$0.isEmpty }
      let usedUp = "the limit of the credential \(first.candidate.member.id) is used up"
      return .limited(
        until: until,
        detail: until == nil ? usedUp : detail ?? "the upstream wants no calls yet")
    }
    if let rejected = own.first(where: { $0.standing.isRejected && $0.standing.isSwitchedOn }) {
      return .rejected(
        credential: rejected.candidate.member.id, detail: rejected.standing.detail)
    }
    if own.contains(where: { $0.standing.status == .expired }) { return .none("Token expired") }
    return .none("No active token found: every credential is disabled")
  }
}
