import Bytes
package import TollbookEvents
import TollbookLog

/// Which events are wanted. All that is said must hold; what is left out holds for every event.
package struct EventFilter: Hashable, Sendable {
  /// A resource, or all whose names begin so.
  package struct Resource: Hashable, Sendable {
    package let name: [UInt8]
    package let isPrefix: Bool

    /// Reads `shared/atlas.place/fr/paris`, or with a star at its end the beginning of names.
    package init(_ text: String) {
      isPrefix = text.hasSuffix("*")
      name = Array(text.utf8.dropLast(isPrefix ? 1 : 0))
    }

    package func matches(_ resource: String) -> Bool {
      isPrefix ? resource.utf8.starts(with: name) : resource.utf8.elementsEqual(name)
    }
  }

  /// Empty: all.
  package var kinds: Set<EventKind> = []
  /// Who pays, or has read.
  package var account: String?
  /// Bought, charged, read, written, handed on, expired, removed or refused.
  package var resource: Resource?
  /// The position of a FetchStarted: that event, those that came of it, and those that closed its doubts.
  package var fetch: Position?

  package init() {}

  package var isEmpty: Bool { self == EventFilter() }

  package func matches(_ recorded: RecordedEvent) -> Bool {
    if !kinds.isEmpty, !kinds.contains(recorded.event.kind) { return false }
    if let fetch, recorded.fetch != fetch, !recorded.event.closesDoubt(ofFetch: fetch) {
      return false
    }
    if let account, !recorded.event.names(account: account) { return false }
    if let resource, !recorded.event.names(resource) { return false }
    return true
  }

  /// Whether a record is worth decoding, by its tag and by the texts that stand in it as they are.
  package func mayMatch(_ record: RawSpan) -> Bool {
    if !kinds.isEmpty {
      guard let kind = EventKind(rawValue: Record.tag(of: record)), kinds.contains(kind) else {
        return false
      }
    }
    if let resource, !record.contains(resource.name) { return false }
    if let account, !record.contains(Array(account.utf8)) { return false }
    return true
  }
}

// MARK: Planning

extension EventFilter {
  /// How the events are found.
  package enum Plan: Hashable, Sendable {
    /// By looking at every record.
    case scan
    /// By the index over fetches, and the one over kinds for what closed doubts.
    case fetch(Position)
    /// By the index over resources.
    case resource(String)
    /// By the index over kinds.
    case kinds([EventKind])
  }

  /// Kinds of which the index over resources has every event.
  private static let indexedByResource: Set<EventKind> = [
    .cacheWritten, .cacheExpired, .cacheEvicted, .cachePurged, .entriesSwept,
  ]
  /// With more kinds than this most events are wanted anyway.
  private static let fewKinds = 4

  package var plan: Plan {
    if let fetch { return .fetch(fetch) }
    if let resource, !resource.isPrefix, !kinds.isEmpty,
      kinds.isSubset(of: Self.indexedByResource)
    {
      return .resource(String(decoding: resource.name, as: UTF8.self))
    }
    if !kinds.isEmpty, kinds.count <= Self.fewKinds {
      return .kinds(kinds.sorted { $0.rawValue < $1.rawValue })
    }
    return .scan
  }
}

// MARK: What events name

extension Event {
  fileprivate func closesDoubt(ofFetch fetch: Position) -> Bool {
    guard case .chargeResolved(let event) = self else { return false }
    return event.doubts.contains { $0.fetch == fetch }
  }

  fileprivate func names(account: String) -> Bool {
    func isIt(_ other: String) -> Bool { account.utf8.elementsEqual(other.utf8) }
    func isOne(of payers: [Payer]) -> Bool { payers.contains { isIt($0.account) } }
    switch self {
    case .fetchStarted(let event): return event.allDemands.contains { isIt($0.account) }
    case .fetchAttemptFailed(let event): return isIt(event.account) || isOne(of: event.payers)
    case .fetchSucceeded(let event): return isOne(of: event.payers)
    case .tokensCharged(let event): return isIt(event.account) || isOne(of: event.payers)
    case .chargeInDoubt(let event): return isOne(of: event.payers)
    case .chargeResolved(let event):
      return event.doubts.contains { isIt($0.account) || isOne(of: $0.payers) }
    case .spendRefused(let event): return isIt(event.anyDemand.account) || isOne(of: event.payers)
    case .readsTallied(let event):
      return event.rows.contains { isIt($0.account) } || event.unmet.contains { isIt($0.account) }
    case .jobQueued(let event): return isIt(event.account)
    case .accountOpened(let event): return isIt(event.account)
    case .accountClosed(let event): return isIt(event.account)
    case .accessKeyIssued(let event): return isIt(event.account)
    case .budgetSet(let event): return isIt(event.scope.account)
    case .credentialSet(let event): return isIt(event.account)
    case .poolSet(let event): return isIt(event.account)
    case .requestBegun(let event): return isIt(event.account)
    case .chargeCorrected(let event): return isOne(of: event.payers)
    case .alertRaised(let event): return isIt(event.alert.account)
    case .alertCleared(let event): return isIt(event.alert.account)
    case .fetchFailed, .cacheWritten, .cacheExpired, .cacheEvicted, .cachePurged, .entriesSwept,
      .bodiesPruned, .reservationReleased, .balanceObserved, .windowObserved, .credentialAdded,
      .credentialStatusChanged, .serviceStarted, .serviceRecovered, .snapshotTaken, .logRestored,
      .jobStarted, .jobProgressed, .jobFinished, .accessKeyRevoked, .budgetRemoved, .webhookSet,
      .webhookRemoved, .notificationSent, .notificationRequeued,
      .credentialRemoved, .credentialCooled, .requestAnswered, .requestsForgotten, .invoicePosted:
      return false
    }
  }

  fileprivate func names(_ resource: EventFilter.Resource) -> Bool {
    switch self {
    case .fetchStarted(let event): event.resources.contains(where: resource.matches)
    case .fetchSucceeded(let event): event.handedOn.contains { resource.matches($0.resource) }
    case .cacheWritten(let event): resource.matches(event.resource)
    case .cacheExpired(let event): resource.matches(event.resource)
    case .cacheEvicted(let event): resource.matches(event.resource)
    case .cachePurged(let event): resource.matches(event.resource)
    case .entriesSwept(let event): event.entries.contains { resource.matches($0.resource) }
    case .readsTallied(let event):
      event.rows.contains { resource.matches($0.resource) }
        || event.unmet.contains { resource.matches($0.resource) }
    case .tokensCharged(let event): event.shares.contains { resource.matches($0.resource) }
    case .spendRefused(let event): event.refused.contains(where: resource.matches)
    case .fetchAttemptFailed, .fetchFailed, .bodiesPruned, .reservationReleased, .chargeInDoubt,
      .chargeResolved, .balanceObserved, .windowObserved, .credentialAdded,
      .credentialStatusChanged, .serviceStarted, .serviceRecovered, .snapshotTaken, .logRestored,
      .jobQueued, .jobStarted, .jobProgressed, .jobFinished, .accountOpened, .accountClosed,
      .accessKeyIssued,
      .accessKeyRevoked, .budgetSet, .budgetRemoved, .webhookSet, .webhookRemoved, .alertRaised,
      .alertCleared, .notificationSent, .notificationRequeued,
      .credentialSet, .credentialRemoved, .credentialCooled, .poolSet, .requestBegun,
      .requestAnswered, .requestsForgotten, .chargeCorrected, .invoicePosted:
      false
    }
  }
}
