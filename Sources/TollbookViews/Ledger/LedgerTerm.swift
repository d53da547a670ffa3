import LMDB
package import TollbookEvents

/// The terms of a meter. In every prefix of the log
/// `granted = settled + reserved + in doubt + unprovable + unexplained + free`.
///
/// Each term is a fold of its own over the events; none is computed from the others, so that a mistake in one shows as a
/// residual. Sums wrap around: a fold must not stop the process, and conservation holds all the same.
package enum LedgerTerm: Int, CaseIterable, Sendable {
  /// What the upstream gave: the opening balance and all refills.
  case granted
  /// Charged, with the upstream's word for it.
  case settled
  /// Held for attempts under way.
  case reserved
  /// Held for attempts that were sent and never answered, until a reading tells.
  case inDoubt
  /// Held as spent for good: no reading can tell any more.
  case unprovable
  /// Moved by somebody else on the key; negative if the balance rose without a reason.
  case unexplained
  /// Left to spend, before refills that no reading has shown yet. May be negative.
  case free

  /// By how much an event changes the term of the meter that it is about.
  package func change(by event: Event) -> Int64 {
    switch self {
    case .granted: Self.granted(event)
    case .settled: Self.settled(event)
    case .reserved: Self.reserved(event)
    case .inDoubt: Self.inDoubt(event)
    case .unprovable: Self.unprovable(event)
    case .unexplained: Self.unexplained(event)
    case .free: Self.free(event)
    }
  }

  private static func granted(_ event: Event) -> Int64 {
    guard case .balanceObserved(let event) = event else { return 0 }
    return event.hasPrevious ? event.refill : event.reading.balance
  }

  private static func settled(_ event: Event) -> Int64 {
    switch event {
    case .tokensCharged(let event): event.tokens
    case .chargeResolved(let event): event.doubts.reduce(0) { $0 &+ $1.settled }
    default: 0
    }
  }

  private static func reserved(_ event: Event) -> Int64 {
    switch event {
    case .fetchStarted(let event): event.bound
    case .fetchAttemptFailed(let event): event.nextBound
    case .tokensCharged(let event): 0 &- event.reserved
    case .reservationReleased(let event): 0 &- event.tokens
    case .chargeInDoubt(let event): 0 &- event.tokens
    default: 0
    }
  }

  private static func inDoubt(_ event: Event) -> Int64 {
    switch event {
    case .chargeInDoubt(let event): event.tokens
    case .chargeResolved(let event):
      event.doubts.reduce(0) { $1.wasUnprovable ? $0 : $0 &- $1.tokens }
    default: 0
    }
  }

  private static func unprovable(_ event: Event) -> Int64 {
    guard case .chargeResolved(let event) = event else { return 0 }
    return event.doubts.reduce(0) {
      $0 &+ $1.unprovable &- ($1.wasUnprovable ? $1.tokens : 0)
    }
  }

  /// What is given back of an unprovable hold goes here, and not to what is free: a reading has told since what is there,
  /// and posted as moved by somebody else what the hold had not cost.
  private static func unexplained(_ event: Event) -> Int64 {
    switch event {
    case .balanceObserved(let event): event.unexplained
    case .chargeResolved(let event):
      event.doubts.reduce(0) { $1.wasUnprovable ? $0 &+ $1.released : $0 }
    default: 0
    }
  }

  private static func free(_ event: Event) -> Int64 {
    switch event {
    case .fetchStarted(let event): 0 &- event.bound
    case .fetchAttemptFailed(let event): 0 &- event.nextBound
    case .tokensCharged(let event): event.reserved &- event.tokens
    case .reservationReleased(let event): event.tokens
    case .chargeResolved(let event):
      event.doubts.reduce(0) { $1.wasUnprovable ? $0 : $0 &+ $1.released }
    case .balanceObserved(let event):
      (event.hasPrevious ? event.refill : event.reading.balance) &- event.unexplained
    default: 0
    }
  }
}

/// The name of a meter. Two are the same if their bytes are, as in the tables.
package struct MeterKey: Hashable, Sendable {
  package let credential: String
  package let unit: String

  package init(credential: String, unit: String) {
    self.credential = credential
    self.unit = unit
  }

  /// The meter that an event moves, nil if it moves none.
  package init?(of event: Event) {
    switch event {
    case .fetchStarted(let event): self.init(credential: event.credential, unit: event.unit)
    case .fetchAttemptFailed(let event) where event.nextAttempt > 0:
      self.init(credential: event.credential, unit: event.unit)
    case .tokensCharged(let event): self.init(credential: event.credential, unit: event.unit)
    case .reservationReleased(let event):
      self.init(credential: event.credential, unit: event.unit)
    case .chargeInDoubt(let event): self.init(credential: event.credential, unit: event.unit)
    case .chargeResolved(let event): self.init(credential: event.credential, unit: event.unit)
    case .balanceObserved(let event): self.init(credential: event.credential, unit: event.unit)
    default: return nil
    }
  }

  package static func == (left: MeterKey, right: MeterKey) -> Bool { left.bytes == right.bytes }

  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

  var bytes: [UInt8] { Array(credential.utf8) + [0] + Array(unit.utf8) }

  init(bytes: RawSpan) { self.init(bytes: [UInt8](copying: bytes)) }

  init(bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
    credential = String(decoding: parts.first ?? [], as: UTF8.self)
    unit = String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self)
  }
}
