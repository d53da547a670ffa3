import Algorithms
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

// With whose credentials a batch is bought: each account's needs with those that may send its calls, one after the other
// until all is bought or none is left.

extension ReserveCommand {
  /// - Returns: what is to be answered instead of the draft; nil: nothing is.
  func buy(
    _ wanted: [Int], _ draft: inout Draft, _ books: PurchaseBooks, _ state: borrowing LogReading
  ) throws(LogError) -> Answer? {
    guard !wanted.isEmpty else { return nil }
    let accounts = Array(wanted.map(account).uniqued())
    let book = try CredentialBook(
      members, upstream: upstream, accounts: Set(accounts), books, at: now, state)
    let groups = book.groups(of: accounts)
    for group in groups {
      let places = groups.count == 1 ? wanted : wanted.filter { group.contains(account(of: $0)) }
      switch book.order(for: group[0], draw: draw) {
      case .failure(.rejected(let credential, let detail)) where groups.count == 1:
        return .keyRejected(credential: credential, detail: detail)
      case .failure(let unusable):
        draft.decision.refused.append(
          RefusedNeeds(places: places, refusal: ReserveRefusal(unusable)))
      case .success(let order):
        let unread =
          batch.isWhole
          ? try buyWhole(places, with: order.onDifferentMeters, &draft, books, state)
          : try buy(places, with: order.onDifferentMeters, &draft, books, state)
        // The rest is left for the next batch.
        if let unread, draft.decision.started.isEmpty { return .needsReading(credential: unread) }
      }
    }
    return nil
  }

  private func account(of place: Int) -> String {
    batch.askers[batch.askerOf[place]].demand.account
  }

  /// - Returns: the credential whose balance has to be asked for first; nil: none.
  private func buy(
    _ places: [Int], with order: [CredentialMember], _ draft: inout Draft,
    _ books: PurchaseBooks, _ state: borrowing LogReading
  ) throws(LogError) -> String? {
    var rest = places
    var earliest: Timestamp?
    for (index, member) in order.enumerated() {
      let part = try buy(rest, with: member, &draft, books, state)
      if draft.decision.shortOf == nil, part.refused.contains(where: \.isShort) {
        draft.decision.shortOf = member.id
      }
      if part.isUnread { return member.id }
      earliest = ([earliest] + part.refused.map(\.refusal.retryAt)).compactMap(\.self).min()
      rest = part.refused.flatMap(\.places).sorted()
      if rest.isEmpty { return nil }
      guard index == order.count - 1 else { continue }
      draft.decision.refused += part.refused.map { refused in
        var refused = refused
        // With one credential each refusal has a time of its own.
        if order.count > 1 { refused.refusal.retryAt = earliest }
        return refused
      }
    }
    return nil
  }

  /// All with one credential, or nothing.
  ///
  /// - Returns: as ``buy(_:with:_:_:_:)``.
  private func buyWhole(
    _ places: [Int], with order: [CredentialMember], _ draft: inout Draft,
    _ books: PurchaseBooks, _ state: borrowing LogReading
  ) throws(LogError) -> String? {
    var first: (draft: Draft, isUnread: Bool, id: String)?
    for member in order {
      var trial = draft
      let part = try buy(places, with: member, &trial, books, state)
      trial.decision.refused += part.refused
      let isBought = trial.decision.refused.count == draft.decision.refused.count
      if isBought, !part.isUnread {
        draft = trial
        return nil
      }
      if trial.decision.shortOf == nil, part.refused.contains(where: \.isShort) {
        trial.decision.shortOf = member.id
      }
      first = first ?? (trial, part.isUnread, member.id)
    }
    guard let first else { return nil }
    guard !first.isUnread else {
      draft.decision.started = []
      return first.id
    }
    draft = first.draft
    return nil
  }
}

extension RefusedNeeds {
  /// Whether the upstream has too little left.
  fileprivate var isShort: Bool { refusal.reason == .insufficientTokens && refusal.detail.isEmpty }
}

extension ReserveRefusal {
  /// None of an account's credentials can send a call.
  fileprivate init(_ unusable: CredentialBook.Unusable) {
    switch unusable {
    case .none(let detail):
      self.init(reason: .noCredential)
      self.detail = detail
    case .rejected(_, let detail):
      self.init(reason: .noCredential)
      self.detail = "the upstream refuses the credential: \(detail)"
    case .limited(let until, let detail):
      self.init(reason: .insufficientTokens)
      self.detail = detail
      retryAt = until
    }
  }
}
