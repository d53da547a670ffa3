import TollbookEvents

/// How much an event is worth the attention of who runs Tollbook: the level that it has in `ApplicationLogs`.
enum LogLevel: String, CaseIterable {
  case debug = "DEBUG"
  case info = "INFO"
  case warning = "WARNING"
  case error = "ERROR"

  /// The level of an event.
  init(_ event: Event) {
    switch event {
    case .credentialStatusChanged(let event):
      self = event.status == .rejected ? .error : .info
    case .jobFinished(let event): self = event.end == .failed ? .error : .info
    default: self = Self.level(of: event.kind)
    }
  }

  /// The kinds that have events of a level.
  static func kinds(of level: LogLevel) -> Set<EventKind> {
    let own = EventKind.allCases.filter { Self.level(of: $0) == level }
    // Of these one event has one level, and another event another.
    return Set(own).union([.credentialStatusChanged, .jobFinished])
  }

  private static func level(of kind: EventKind) -> LogLevel {
    switch kind {
    case .fetchFailed, .serviceRecovered: .error
    case .fetchAttemptFailed, .chargeInDoubt, .spendRefused: .warning
    case .cacheExpired, .cacheEvicted, .entriesSwept, .bodiesPruned, .readsTallied, .jobProgressed,
      .requestBegun, .requestAnswered, .requestsForgotten:
      .debug
    default: .info
    }
  }
}
