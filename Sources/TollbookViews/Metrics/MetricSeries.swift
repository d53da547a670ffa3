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
  case tokensCharged = 30
  case tokensExpected = 31
  case tokensReleased = 32
  case tokensInDoubt = 33
  case tokensUnexplained = 34
  case refusals = 35
  case resourcesRefused = 36

  /// What an event adds to which series.
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
    case .readsTallied(let event):
      [
        (.readsFresh, event.rows.reduce(0) { $0 + Int64($1.fresh) }),
        (.readsStale, event.rows.reduce(0) { $0 + Int64($1.stale) }),
        (.readsJoined, event.rows.reduce(0) { $0 + Int64($1.joined) }),
      ]
    case .tokensCharged(let event):
      [(.tokensCharged, event.tokens), (.tokensExpected, event.expected)]
    case .reservationReleased(let event): [(.tokensReleased, event.tokens)]
    case .chargeInDoubt(let event): [(.tokensInDoubt, event.tokens)]
    case .chargeResolved(let event):
      [(.tokensCharged, event.doubts.reduce(0) { $0 &+ $1.settled })]
    case .balanceObserved(let event): [(.tokensUnexplained, event.unexplained)]
    case .spendRefused(let event):
      [(.refusals, 1), (.resourcesRefused, Int64(event.resources))]
    case .cachePurged: [(.entriesPurged, 1)]
    case .bodiesPruned(let event): [(.bodiesPruned, Int64(event.bodies.count))]
    case .cacheWritten, .credentialAdded, .credentialStatusChanged, .serviceStarted,
      .serviceRecovered, .snapshotTaken, .logRestored:
      []
    }
  }
}
