package import SwiftProtobuf

/// Any fact that the log can hold.
///
/// Closed on purpose: a new kind makes the compiler name every fold and every page that has to know it. Indirect: it goes
/// through every fold, and to copy a box is to count once, whatever the event holds.
package indirect enum Event: Hashable, Sendable {
  case fetchStarted(FetchStarted)
  case fetchAttemptFailed(FetchAttemptFailed)
  case fetchSucceeded(FetchSucceeded)
  case fetchFailed(FetchFailed)
  case cacheWritten(CacheWritten)
  case cacheExpired(CacheExpired)
  case cacheEvicted(CacheEvicted)
  case cachePurged(CachePurged)
  case readsTallied(ReadsTallied)
  case bodiesPruned(BodiesPruned)
  case entriesSwept(EntriesSwept)
  case tokensCharged(TokensCharged)
  case reservationReleased(ReservationReleased)
  case chargeInDoubt(ChargeInDoubt)
  case chargeResolved(ChargeResolved)
  case balanceObserved(BalanceObserved)
  case spendRefused(SpendRefused)
  case windowObserved(WindowObserved)
  case chargeCorrected(ChargeCorrected)
  case invoicePosted(InvoicePosted)
  case credentialAdded(CredentialAdded)
  case credentialStatusChanged(CredentialStatusChanged)
  case accountOpened(AccountOpened)
  case accountClosed(AccountClosed)
  case accessKeyIssued(AccessKeyIssued)
  case accessKeyRevoked(AccessKeyRevoked)
  case budgetSet(BudgetSet)
  case budgetRemoved(BudgetRemoved)
  case webhookSet(WebhookSet)
  case webhookRemoved(WebhookRemoved)
  case alertRaised(AlertRaised)
  case alertCleared(AlertCleared)
  case notificationSent(NotificationSent)
  case notificationRequeued(NotificationRequeued)
  case credentialSet(CredentialSet)
  case credentialRemoved(CredentialRemoved)
  case credentialCooled(CredentialCooled)
  case poolSet(PoolSet)
  case requestBegun(RequestBegun)
  case requestAnswered(RequestAnswered)
  case requestsForgotten(RequestsForgotten)
  case serviceStarted(ServiceStarted)
  case serviceRecovered(ServiceRecovered)
  case snapshotTaken(SnapshotTaken)
  case logRestored(LogRestored)
  case jobQueued(JobQueued)
  case jobStarted(JobStarted)
  case jobProgressed(JobProgressed)
  case jobFinished(JobFinished)

  /// The tag that its record begins with.
  package var kind: EventKind {
    switch self {
    case .fetchStarted: .fetchStarted
    case .fetchAttemptFailed: .fetchAttemptFailed
    case .fetchSucceeded: .fetchSucceeded
    case .fetchFailed: .fetchFailed
    case .cacheWritten: .cacheWritten
    case .cacheExpired: .cacheExpired
    case .cacheEvicted: .cacheEvicted
    case .cachePurged: .cachePurged
    case .readsTallied: .readsTallied
    case .bodiesPruned: .bodiesPruned
    case .entriesSwept: .entriesSwept
    case .tokensCharged: .tokensCharged
    case .reservationReleased: .reservationReleased
    case .chargeInDoubt: .chargeInDoubt
    case .chargeResolved: .chargeResolved
    case .balanceObserved: .balanceObserved
    case .spendRefused: .spendRefused
    case .windowObserved: .windowObserved
    case .chargeCorrected: .chargeCorrected
    case .invoicePosted: .invoicePosted
    case .credentialAdded: .credentialAdded
    case .credentialStatusChanged: .credentialStatusChanged
    case .accountOpened: .accountOpened
    case .accountClosed: .accountClosed
    case .accessKeyIssued: .accessKeyIssued
    case .accessKeyRevoked: .accessKeyRevoked
    case .budgetSet: .budgetSet
    case .budgetRemoved: .budgetRemoved
    case .webhookSet: .webhookSet
    case .webhookRemoved: .webhookRemoved
    case .alertRaised: .alertRaised
    case .alertCleared: .alertCleared
    case .notificationSent: .notificationSent
    case .notificationRequeued: .notificationRequeued
    case .credentialSet: .credentialSet
    case .credentialRemoved: .credentialRemoved
    case .credentialCooled: .credentialCooled
    case .poolSet: .poolSet
    case .requestBegun: .requestBegun
    case .requestAnswered: .requestAnswered
    case .requestsForgotten: .requestsForgotten
    case .serviceStarted: .serviceStarted
    case .serviceRecovered: .serviceRecovered
    case .snapshotTaken: .snapshotTaken
    case .logRestored: .logRestored
    case .jobQueued: .jobQueued
    case .jobStarted: .jobStarted
    case .jobProgressed: .jobProgressed
    case .jobFinished: .jobFinished
    }
  }

  /// The protobuf message that it carries, for encoding and for printing.
  package var message: any SwiftProtobuf.Message {
    switch self {
    case .fetchStarted(let message): message
    case .fetchAttemptFailed(let message): message
    case .fetchSucceeded(let message): message
    case .fetchFailed(let message): message
    case .cacheWritten(let message): message
    case .cacheExpired(let message): message
    case .cacheEvicted(let message): message
    case .cachePurged(let message): message
    case .readsTallied(let message): message
    case .bodiesPruned(let message): message
    case .entriesSwept(let message): message
    case .tokensCharged(let message): message
    case .reservationReleased(let message): message
    case .chargeInDoubt(let message): message
    case .chargeResolved(let message): message
    case .balanceObserved(let message): message
    case .spendRefused(let message): message
    case .windowObserved(let message): message
    case .chargeCorrected(let message): message
    case .invoicePosted(let message): message
    case .credentialAdded(let message): message
    case .credentialStatusChanged(let message): message
    case .accountOpened(let message): message
    case .accountClosed(let message): message
    case .accessKeyIssued(let message): message
    case .accessKeyRevoked(let message): message
    case .budgetSet(let message): message
    case .budgetRemoved(let message): message
    case .webhookSet(let message): message
    case .webhookRemoved(let message): message
    case .alertRaised(let message): message
    case .alertCleared(let message): message
    case .notificationSent(let message): message
    case .notificationRequeued(let message): message
    case .credentialSet(let message): message
    case .credentialRemoved(let message): message
    case .credentialCooled(let message): message
    case .poolSet(let message): message
    case .requestBegun(let message): message
    case .requestAnswered(let message): message
    case .requestsForgotten(let message): message
    case .serviceStarted(let message): message
    case .serviceRecovered(let message): message
    case .snapshotTaken(let message): message
    case .logRestored(let message): message
    case .jobQueued(let message): message
    case .jobStarted(let message): message
    case .jobProgressed(let message): message
    case .jobFinished(let message): message
    }
  }
}

/// The kinds of event with the tags their records begin with. A tag is never given to another kind.
package enum EventKind: UInt8, CaseIterable, Sendable {
  case fetchStarted = 1
  case fetchAttemptFailed = 2
  case fetchSucceeded = 3
  case fetchFailed = 4
  case cacheWritten = 17
  case cacheExpired = 18
  case cacheEvicted = 19
  case cachePurged = 20
  case readsTallied = 21
  case bodiesPruned = 22
  case entriesSwept = 23
  case tokensCharged = 33
  case reservationReleased = 34
  case chargeInDoubt = 35
  case chargeResolved = 36
  case balanceObserved = 37
  case spendRefused = 38
  case windowObserved = 39
  case chargeCorrected = 40
  case invoicePosted = 41
  case credentialAdded = 50
  case credentialStatusChanged = 51
  case accountOpened = 52
  case accountClosed = 53
  case accessKeyIssued = 54
  case accessKeyRevoked = 55
  case budgetSet = 56
  case budgetRemoved = 57
  case webhookSet = 58
  case webhookRemoved = 59
  case alertRaised = 60
  case alertCleared = 61
  case notificationSent = 62
  case notificationRequeued = 63
  case serviceStarted = 65
  case serviceRecovered = 66
  case snapshotTaken = 67
  case logRestored = 68
  case jobQueued = 69
  case jobStarted = 70
  case jobProgressed = 71
  case jobFinished = 72
  case credentialSet = 80
  case credentialRemoved = 81
  case credentialCooled = 82
  case poolSet = 83
  case requestBegun = 90
  case requestAnswered = 91
  case requestsForgotten = 92

  /// The name of the kind as people and the HTTP API write it, such as `TokensCharged`.
  package var name: String {
    switch self {
    case .fetchStarted: "FetchStarted"
    case .fetchAttemptFailed: "FetchAttemptFailed"
    case .fetchSucceeded: "FetchSucceeded"
    case .fetchFailed: "FetchFailed"
    case .cacheWritten: "CacheWritten"
    case .cacheExpired: "CacheExpired"
    case .cacheEvicted: "CacheEvicted"
    case .cachePurged: "CachePurged"
    case .readsTallied: "ReadsTallied"
    case .bodiesPruned: "BodiesPruned"
    case .entriesSwept: "EntriesSwept"
    case .tokensCharged: "TokensCharged"
    case .reservationReleased: "ReservationReleased"
    case .chargeInDoubt: "ChargeInDoubt"
    case .chargeResolved: "ChargeResolved"
    case .balanceObserved: "BalanceObserved"
    case .spendRefused: "SpendRefused"
    case .windowObserved: "WindowObserved"
    case .chargeCorrected: "ChargeCorrected"
    case .invoicePosted: "InvoicePosted"
    case .credentialAdded: "CredentialAdded"
    case .credentialStatusChanged: "CredentialStatusChanged"
    case .accountOpened: "AccountOpened"
    case .accountClosed: "AccountClosed"
    case .accessKeyIssued: "AccessKeyIssued"
    case .accessKeyRevoked: "AccessKeyRevoked"
    case .budgetSet: "BudgetSet"
    case .budgetRemoved: "BudgetRemoved"
    case .webhookSet: "WebhookSet"
    case .webhookRemoved: "WebhookRemoved"
    case .alertRaised: "AlertRaised"
    case .alertCleared: "AlertCleared"
    case .notificationSent: "NotificationSent"
    case .notificationRequeued: "NotificationRequeued"
    case .credentialSet: "CredentialSet"
    case .credentialRemoved: "CredentialRemoved"
    case .credentialCooled: "CredentialCooled"
    case .poolSet: "PoolSet"
    case .requestBegun: "RequestBegun"
    case .requestAnswered: "RequestAnswered"
    case .requestsForgotten: "RequestsForgotten"
    case .serviceStarted: "ServiceStarted"
    case .serviceRecovered: "ServiceRecovered"
    case .snapshotTaken: "SnapshotTaken"
    case .logRestored: "LogRestored"
    case .jobQueued: "JobQueued"
    case .jobStarted: "JobStarted"
    case .jobProgressed: "JobProgressed"
    case .jobFinished: "JobFinished"
    }
  }

  /// The kind of that name, nil if there is none.
  package init?(name: String) {
    guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = kind
  }
}
