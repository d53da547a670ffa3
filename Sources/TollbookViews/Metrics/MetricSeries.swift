import TollbookEvents

/// The counters that are folded from the log. The number is part of a stored key and never given to another series.
package enum MetricSeries: UInt8, CaseIterable, Sendable {
  case readsFresh = 1
  case readsStale = 2
  case readsJoined = 3
  /// Resources in calls that were begun: reads that found nothing to answer with.
  case readsBought = 4
  case fetchesStarted = 10
  case fetchesSucceeded = 11
  case fetchesFailed = 12
  case attemptsFailed = 13
  case resourcesFound = 20
  case resourcesAbsent = 21
  case entriesExpired = 22
  case entriesEvicted = 23
  case bytesReceived = 24
  case entriesPurged = 25
  case bodiesPruned = 26
  case amountsCharged = 30
  case amountsExpected = 31
  case amountsReleased = 32
  case amountsInDoubt = 33
  case amountsUnexplained = 34
  case refusals = 35
  case resourcesRefused = 36
  /// What corrections add to charges. It may fall.
  case amountsCorrected = 37

  /// Whether the series has amounts of different units, which are never added to each other.
  package var hasUnit: Bool {
    switch self {
    case .amountsCharged, .amountsExpected, .amountsReleased, .amountsInDoubt,
      .amountsUnexplained, .amountsCorrected:
      true
    default: false
    }
  }

  /// What an event adds to which series that only counts.
  static func changes(by event: Event) -> [(series: MetricSeries, amount: Int64)] {
    switch event {
    case .fetchStarted(let event):
      [(.fetchesStarted, 1), (.readsBought, Int64(event.resources.count))]
    case .fetchAttemptFailed: [(.attemptsFailed, 1)]
    case .fetchSucceeded(let event):
      [
        (.fetchesSucceeded, 1), (.resourcesFound, Int64(event.found)),
        (.resourcesAbsent, Int64(event.absent)),
        (.bytesReceived, Int64(clamping: event.receivedBytes)),
      ]
    case .fetchFailed: [(.fetchesFailed, 1)]
    case .cacheExpired: [(.entriesExpired, 1)]
    case .cacheEvicted: [(.entriesEvicted, 1)]
    case .entriesSwept(let event):
      [
        (.entriesExpired, Int64(event.entries.count { !$0.evicted })),
        (.entriesEvicted, Int64(event.entries.count { $0.evicted })),
      ]
    case .readsTallied(let event):
      [
        (.readsFresh, event.rows.reduce(0) { $0 + Int64($1.fresh) }),
        (.readsStale, event.rows.reduce(0) { $0 + Int64($1.stale) }),
        (.readsJoined, event.rows.reduce(0) { $0 + Int64($1.joined) }),
      ]
    case .spendRefused(let event):
      [(.refusals, 1), (.resourcesRefused, Int64(event.resources))]
    case .cachePurged: [(.entriesPurged, 1)]
    case .bodiesPruned(let event): [(.bodiesPruned, Int64(event.bodies.count))]
    case .cacheWritten, .tokensCharged, .reservationReleased, .chargeInDoubt, .chargeResolved,
      .balanceObserved, .windowObserved, .credentialAdded, .credentialStatusChanged,
      .serviceStarted, .serviceRecovered, .snapshotTaken, .logRestored, .jobQueued, .jobStarted,
      .jobProgressed, .jobFinished, .accountOpened, .accountClosed, .accessKeyIssued,
      .accessKeyRevoked, .budgetSet, .budgetRemoved, .webhookSet, .webhookRemoved, .alertRaised,
      .alertCleared, .notificationSent, .notificationRequeued,
      .credentialSet, .credentialRemoved, .credentialCooled, .poolSet, .requestBegun,
      .requestAnswered, .requestsForgotten, .chargeCorrected, .invoicePosted:
      []
    }
  }

  /// Whether an event has postings that a series counts: all but reservations.
  static func countsAmounts(of event: Event) -> Bool {
    switch event {
    case .fetchStarted, .fetchAttemptFailed: false
    default: event.hasPostings
    }
  }

  /// What a posting adds to which series of amounts. What only limits a cost is not a cost.
  static func changes(by posting: Posting) -> [(series: MetricSeries, amount: Int64)] {
    guard !posting.isLimitOnly else { return [] }
    return switch posting.change {
    case .reserved: []
    case .charged(let amount, _):
      [(.amountsCharged, amount), (.amountsExpected, posting.expected)]
    case .released(let amount): [(.amountsReleased, amount)]
    case .doubted(let amount): [(.amountsInDoubt, amount)]
    case .closed(let doubt): [(.amountsCharged, doubt.settled)]
    case .corrected(let difference): [(.amountsCorrected, difference)]
    case .observed(let unexplained): [(.amountsUnexplained, unexplained)]
    }
  }
}
