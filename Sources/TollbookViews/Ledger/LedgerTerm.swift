package import TollbookEvents

/// The terms of a page of the books. In every prefix of the log
/// `granted = settled + reserved + in doubt + unprovable + unexplained + free`.
///
/// Each term is a fold of its own over the postings; none is computed from the others, so that a mistake in one shows as
/// a residual. Sums wrap around: a fold must not stop the process, and conservation holds all the same.
package enum LedgerTerm: Int, CaseIterable, Sendable {
  /// What the upstream gave: the opening balance and all refills; of a window or a total, the limit.
  case granted
  /// Charged, with the upstream's word for it.
  case settled
  /// Held for attempts under way.
  case reserved
  /// Held for attempts that were sent and whose cost nobody told, until there is evidence.
  case inDoubt
  /// Held as spent for good: no reading can tell any more.
  case unprovable
  /// Moved by somebody else on the meter; negative if the balance rose without a reason.
  case unexplained
  /// Left to spend, before refills that no reading has shown yet. May be negative.
  case free

  /// By how much a posting changes the term of its page.
  package func change(by posting: Posting) -> Int64 {
    switch self {
    case .granted: posting.granted
    case .settled: posting.carried &+ Self.settled(posting.change)
    case .reserved: Self.reserved(posting.change)
    case .inDoubt: Self.inDoubt(posting.change)
    case .unprovable: Self.unprovable(posting.change)
    case .unexplained: Self.unexplained(posting.change)
    case .free: posting.granted &- posting.carried &+ Self.free(posting.change)
    }
  }

  private static func settled(_ change: Posting.Change) -> Int64 {
    switch change {
    case .charged(let amount, _): amount
    case .closed(let doubt): doubt.settled
    case .corrected(let difference): difference
    default: 0
    }
  }

  private static func reserved(_ change: Posting.Change) -> Int64 {
    switch change {
    case .reserved(let amount): amount
    case .charged(_, let reservation): 0 &- reservation
    case .released(let amount), .doubted(let amount): 0 &- amount
    default: 0
    }
  }

  private static func inDoubt(_ change: Posting.Change) -> Int64 {
    switch change {
    case .doubted(let amount): amount
    case .closed(let doubt): doubt.wasUnprovable ? 0 : 0 &- doubt.amount
    default: 0
    }
  }

  private static func unprovable(_ change: Posting.Change) -> Int64 {
    guard case .closed(let doubt) = change else { return 0 }
    return doubt.unprovable &- (doubt.wasUnprovable ? doubt.amount : 0)
  }

  /// What is given back of an unprovable hold goes here, and not to what is free: a reading has told since what is there,
  /// and posted as moved by somebody else what the hold had not cost.
  private static func unexplained(_ change: Posting.Change) -> Int64 {
    switch change {
    case .observed(let unexplained): unexplained
    case .closed(let doubt): doubt.wasUnprovable ? doubt.released : 0
    default: 0
    }
  }

  private static func free(_ change: Posting.Change) -> Int64 {
    switch change {
    case .reserved(let amount): 0 &- amount
    case .charged(let amount, let reservation): reservation &- amount
    case .released(let amount): amount
    case .doubted: 0
    case .closed(let doubt): doubt.wasUnprovable ? 0 : doubt.released
    case .corrected(let difference): 0 &- difference
    case .observed(let unexplained): 0 &- unexplained
    }
  }
}
