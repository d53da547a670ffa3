import SwiftProtobuf

/// Why the bytes of a record are not an event.
package enum EventCodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A tag that this version does not know: the log was written by a newer one.
  case unknownKind(UInt8)
  /// The payload is not the message that its tag promises.
  case malformed(EventKind)

  package var description: String {
    switch self {
    case .unknownKind(let tag): "an event of kind \(tag), which this version does not know"
    case .malformed(let kind): "a \(kind.name) whose payload cannot be read"
    }
  }
}

/// Events as bytes: the payload alone. Its tag, time and checksum belong to the record around it.
extension Event {
  /// The protobuf bytes of the message.
  package var payload: [UInt8] {
    // Encoding fails only for missing required fields, which proto3 does not have.
    (try? message.serializedBytes()) ?? []
  }

  /// The event of a tag and its payload.
  package init(tag: UInt8, payload: RawSpan) throws(EventCodingError) {
    guard let kind = EventKind(rawValue: tag) else { throw .unknownKind(tag) }
    do {
      switch kind {
      case .fetchStarted: self = .fetchStarted(try FetchStarted(serializedBytes: payload))
      case .fetchAttemptFailed:
        self = .fetchAttemptFailed(try FetchAttemptFailed(serializedBytes: payload))
      case .fetchSucceeded: self = .fetchSucceeded(try FetchSucceeded(serializedBytes: payload))
      case .fetchFailed: self = .fetchFailed(try FetchFailed(serializedBytes: payload))
      case .cacheWritten: self = .cacheWritten(try CacheWritten(serializedBytes: payload))
      case .cacheExpired: self = .cacheExpired(try CacheExpired(serializedBytes: payload))
      case .cacheEvicted: self = .cacheEvicted(try CacheEvicted(serializedBytes: payload))
      case .cachePurged: self = .cachePurged(try CachePurged(serializedBytes: payload))
      case .readsTallied: self = .readsTallied(try ReadsTallied(serializedBytes: payload))
      case .entriesSwept: self = .entriesSwept(try EntriesSwept(serializedBytes: payload))
      case .bodiesPruned: self = .bodiesPruned(try BodiesPruned(serializedBytes: payload))
      case .tokensCharged: self = .tokensCharged(try TokensCharged(serializedBytes: payload))
      case .reservationReleased:
        self = .reservationReleased(try ReservationReleased(serializedBytes: payload))
      case .chargeInDoubt: self = .chargeInDoubt(try ChargeInDoubt(serializedBytes: payload))
      case .chargeResolved: self = .chargeResolved(try ChargeResolved(serializedBytes: payload))
      case .balanceObserved: self = .balanceObserved(try BalanceObserved(serializedBytes: payload))
      case .windowObserved: self = .windowObserved(try WindowObserved(serializedBytes: payload))
      case .chargeCorrected:
        self = .chargeCorrected(try ChargeCorrected(serializedBytes: payload))
      case .invoicePosted:
        self = .invoicePosted(try InvoicePosted(serializedBytes: payload))
      case .spendRefused: self = .spendRefused(try SpendRefused(serializedBytes: payload))
      case .credentialAdded: self = .credentialAdded(try CredentialAdded(serializedBytes: payload))
      case .credentialStatusChanged:
        self = .credentialStatusChanged(try CredentialStatusChanged(serializedBytes: payload))
      case .accountOpened: self = .accountOpened(try AccountOpened(serializedBytes: payload))
      case .accountClosed: self = .accountClosed(try AccountClosed(serializedBytes: payload))
      case .accessKeyIssued: self = .accessKeyIssued(try AccessKeyIssued(serializedBytes: payload))
      case .accessKeyRevoked:
        self = .accessKeyRevoked(try AccessKeyRevoked(serializedBytes: payload))
      case .budgetSet: self = .budgetSet(try BudgetSet(serializedBytes: payload))
      case .budgetRemoved: self = .budgetRemoved(try BudgetRemoved(serializedBytes: payload))
      case .webhookSet:
        self = .webhookSet(try WebhookSet(serializedBytes: payload))
      case .webhookRemoved:
        self = .webhookRemoved(try WebhookRemoved(serializedBytes: payload))
      case .alertRaised:
        self = .alertRaised(try AlertRaised(serializedBytes: payload))
      case .alertCleared:
        self = .alertCleared(try AlertCleared(serializedBytes: payload))
      case .notificationSent:
        self = .notificationSent(try NotificationSent(serializedBytes: payload))
      case .notificationRequeued:
        self = .notificationRequeued(try NotificationRequeued(serializedBytes: payload))
      case .credentialSet:
        self = .credentialSet(try CredentialSet(serializedBytes: payload))
      case .credentialRemoved:
        self = .credentialRemoved(try CredentialRemoved(serializedBytes: payload))
      case .credentialCooled:
        self = .credentialCooled(try CredentialCooled(serializedBytes: payload))
      case .poolSet:
        self = .poolSet(try PoolSet(serializedBytes: payload))
      case .requestBegun:
        self = .requestBegun(try RequestBegun(serializedBytes: payload))
      case .requestAnswered:
        self = .requestAnswered(try RequestAnswered(serializedBytes: payload))
      case .requestsForgotten:
        self = .requestsForgotten(try RequestsForgotten(serializedBytes: payload))
      case .serviceStarted: self = .serviceStarted(try ServiceStarted(serializedBytes: payload))
      case .serviceRecovered:
        self = .serviceRecovered(try ServiceRecovered(serializedBytes: payload))
      case .snapshotTaken: self = .snapshotTaken(try SnapshotTaken(serializedBytes: payload))
      case .logRestored: self = .logRestored(try LogRestored(serializedBytes: payload))
      case .jobQueued: self = .jobQueued(try JobQueued(serializedBytes: payload))
      case .jobStarted: self = .jobStarted(try JobStarted(serializedBytes: payload))
      case .jobProgressed: self = .jobProgressed(try JobProgressed(serializedBytes: payload))
      case .jobFinished: self = .jobFinished(try JobFinished(serializedBytes: payload))
      }
    } catch { throw .malformed(kind) }
  }
}
