/// What an event books on one page of the books, that is on one meter and, where it counts in windows, in one window.
///
/// What a reservation, a charge, a release, a doubt, its end and a reading mean is said here and nowhere else: the
/// ledger, the audit, statements and metrics all read postings. Events of format 1, which knew one meter and wrote it
/// into fields of their own, post like the others.
package struct Posting: Hashable, Sendable {
  package enum Change: Hashable, Sendable {
    /// Held for an attempt that begins.
    case reserved(Int64)
    /// What an attempt cost, and how much of its reservation ends with that.
    case charged(Int64, of: Int64)
    /// A reservation given back.
    case released(Int64)
    /// A reservation whose attempt was sent and not answered: held as spent until there is evidence.
    case doubted(Int64)
    case closed(ClosedDoubt)
    /// What is added to a charge that was found wrong, with its sign. Nothing is held for it.
    case corrected(Int64)
    /// A reading of the upstream's own books, and what of it somebody else has moved.
    case observed(unexplained: Int64)
  }

  package var page: MeterKey
  package var change: Change
  /// What the event posts as granted: an opening balance, refills, the limit of a window.
  package var granted: Int64 = 0
  /// What the event posts as spent before the page was first used.
  package var carried: Int64 = 0
  /// When the window ends, where that is told.
  package var windowEnds: Timestamp?
  /// What was expected by the price list.
  package var expected: Int64 = 0
  package var basis = Basis.told
  /// Whether another posting of the event tells the same cost: this one limits it, and is in no sum of spend.
  package var isLimitOnly = false
  package var fetch: Position = 0
  package var attempt: UInt32 = 0
  package var operation = ""
  /// Who pays; empty: the event does not tell.
  package var payers: [Payer] = []
  /// Of a charge: what each payer has of it. Empty: by the weights.
  package var parts: [Int64] = []

  package init(_ page: MeterKey, _ change: Change) {
    self.page = page
    self.change = change
  }

  /// An amount of this posting as it is divided over the payers.
  package func divided(_ amount: Int64) -> [Int64] { payers.dividing(amount) }

  /// What of the charge, or of its correction, each payer has.
  package var shares: [Int64] {
    guard parts.isEmpty else { return parts }
    return switch change {
    case .charged(let amount, _), .corrected(let amount): divided(amount)
    default: []
    }
  }
}

extension [Payer] {
  /// An amount divided over the payers by their weights.
  package func dividing(_ amount: Int64) -> [Int64] {
    guard amount < 0 else { return allot(amount, over: map { Swift.max(0, $0.weight) }) }
    return allot(0 - Swift.max(amount, -.max), over: map { Swift.max(0, $0.weight) }).map { 0 - $0 }
  }
}

/// How a doubt ended, or an unprovable hold: `amount` = settled + released + unprovable.
package struct ClosedDoubt: Hashable, Sendable {
  package var amount: Int64
  package var settled: Int64
  package var released: Int64
  package var unprovable: Int64
  /// Whether it was unprovable before; else it was in doubt.
  package var wasUnprovable: Bool
  /// When it became doubtful; nil: the event does not tell.
  package var since: Timestamp?
}

extension Event {
  /// Whether the event books anything at all: quicker than asking for the postings.
  package var hasPostings: Bool {
    switch self {
    case .fetchStarted, .tokensCharged, .reservationReleased, .chargeInDoubt, .chargeResolved,
      .balanceObserved, .windowObserved, .chargeCorrected, .invoicePosted:
      true
    case .fetchAttemptFailed(let event): event.nextAttempt > 0
    default: false
    }
  }

  /// What the event books, in its order.
  ///
  /// - Parameter position: where it stands in the log, which is the number of the fetch that it starts.
  package func postings(at position: Position) -> [Posting] {
    switch self {
    case .fetchStarted(let event): event.postings(at: position)
    case .fetchAttemptFailed(let event): event.postings
    case .tokensCharged(let event): event.postings
    case .reservationReleased(let event): event.postings
    case .chargeInDoubt(let event): event.postings
    case .chargeResolved(let event): event.postings
    case .balanceObserved(let event): [event.posting]
    case .windowObserved(let event): [event.posting]
    case .chargeCorrected(let event): event.postings
    case .invoicePosted(let event): [event.posting]
    default: []
    }
  }
}

extension Posting {
  /// A move, and what it changes.
  fileprivate init(_ move: Move, _ change: Change) {
    self.init(MeterKey(move.meter, window: move.window), change)
    granted = move.granted
    carried = move.carried
    windowEnds = move.windowEndsMs == 0 ? nil : Timestamp(milliseconds: move.windowEndsMs)
    expected = move.expected
    basis = move.basis
    isLimitOnly = move.limitOnly
  }

  fileprivate func of(_ fetch: Position, _ attempt: UInt32, _ operation: String, _ payers: [Payer])
    -> Posting
  {
    var posting = self
    posting.fetch = fetch
    posting.attempt = attempt
    posting.operation = operation
    posting.payers = payers
    return posting
  }
}

extension MeterKey {
  /// The meter of a format 1 event.
  fileprivate init(credential: String, unit: String) { self.init(owner: credential, unit: unit) }
}

extension FetchStarted {
  fileprivate func postings(at position: Position) -> [Posting] {
    let payers = payers
    guard moves.isEmpty else {
      return moves.map { move in
        Posting(move, .reserved(move.amount)).of(position, 1, operation, payers)
      }
    }
    var posting = Posting(MeterKey(credential: credential, unit: unit), .reserved(bound))
    posting.expected = expected
    return [posting.of(position, 1, operation, payers)]
  }
}

extension FetchAttemptFailed {
  fileprivate var postings: [Posting] {
    guard nextAttempt > 0 else { return [] }
    guard moves.isEmpty else {
      return moves.map { move in
        Posting(move, .reserved(move.amount)).of(fetch, nextAttempt, operation, payers)
      }
    }
    let posting = Posting(MeterKey(credential: credential, unit: unit), .reserved(nextBound))
    return [posting.of(fetch, nextAttempt, operation, [Payer(account: account)])]
  }
}

extension TokensCharged {
  fileprivate var postings: [Posting] {
    guard !moves.isEmpty else {
      var posting = Posting(
        MeterKey(credential: credential, unit: unit), .charged(tokens, of: reserved))
      posting.expected = expected
      return [posting.of(fetch, attempt, operation, [Payer(account: account)])]
    }
    var told = 0
    return moves.map { move in
      var posting = Posting(move, .charged(move.amount, of: move.reserved))
        .of(fetch, attempt, operation, payers)
      if !move.limitOnly {
        posting.parts = parts(ofMove: told)
        told += 1
      }
      return posting
    }
  }

  /// What each payer has of the cost, by the shares.
  private func parts(ofMove index: Int) -> [Int64] {
    guard !shares.isEmpty else { return [] }
    var parts = [Int64](repeating: 0, count: payers.count)
    for share in shares {
      guard index < share.amounts.count, Int(share.payer) < parts.count else { return [] }
      parts[Int(share.payer)] &+= share.amounts[index]
    }
    return parts
  }
}

extension ReservationReleased {
  fileprivate var postings: [Posting] {
    guard moves.isEmpty else {
      return moves.map { move in
        Posting(move, .released(move.amount)).of(fetch, attempt, "", [])
      }
    }
    let posting = Posting(MeterKey(credential: credential, unit: unit), .released(tokens))
    return [posting.of(fetch, attempt, "", [])]
  }
}

extension ChargeInDoubt {
  fileprivate var postings: [Posting] {
    guard moves.isEmpty else {
      return moves.map { move in
        Posting(move, .doubted(move.amount)).of(fetch, attempt, operation, payers)
      }
    }
    let posting = Posting(MeterKey(credential: credential, unit: unit), .doubted(tokens))
    return [posting.of(fetch, attempt, "", [])]
  }
}

extension ChargeResolved {
  fileprivate var postings: [Posting] {
    doubts.map { doubt in
      let page =
        hasMeter
        ? MeterKey(meter, window: doubt.window) : MeterKey(credential: credential, unit: unit)
      let closed = ClosedDoubt(
        amount: doubt.tokens, settled: doubt.settled, released: doubt.released,
        unprovable: doubt.unprovable, wasUnprovable: doubt.wasUnprovable,
        since: doubt.sinceMs == 0 ? nil : Timestamp(milliseconds: doubt.sinceMs))
      var posting = Posting(page, .closed(closed))
      posting.isLimitOnly = doubt.limitOnly
      let payers = doubt.payers.isEmpty ? [Payer(account: doubt.account)] : doubt.payers
      return posting.of(doubt.fetch, doubt.attempt, doubt.operation, payers)
    }
  }
}

extension BalanceObserved {
  fileprivate var posting: Posting {
    let page = hasMeter ? MeterKey(meter) : MeterKey(credential: credential, unit: unit)
    var posting = Posting(page, .observed(unexplained: unexplained))
    posting.granted = hasPrevious ? refill : reading.balance
    posting.fetch = fetch
    return posting
  }
}

extension WindowObserved {
  fileprivate var posting: Posting {
    var posting = Posting(
      MeterKey(meter, window: window), .observed(unexplained: unexplained))
    posting.granted = granted
    posting.windowEnds = windowEndsMs == 0 ? nil : Timestamp(milliseconds: windowEndsMs)
    posting.fetch = fetch
    return posting
  }
}

extension ChargeCorrected {
  fileprivate var postings: [Posting] {
    moves.map { move in
      Posting(move, .corrected(move.amount)).of(fetch, attempt, operation, payers)
    }
  }
}

extension InvoicePosted {
  fileprivate var posting: Posting {
    Posting(MeterKey(meter, window: window), .observed(unexplained: unexplained))
  }
}
