import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog

/// The predecessor's tables that are lists of what happened: rows made from events.
struct EventTables {
  /// A table that is made from events.
  struct Table: Sendable {
    let name: String
    let columns: [String]
    let kinds: Set<EventKind>
    /// Whether an account sees its own rows; else they are an administrator's.
    let isOfAccounts: Bool
    /// The rows of an event; none if it is not meant.
    let rows: @Sendable (RecordedEvent, _ account: String?, [HTTPSystem]) -> [[ViewTable.Cell]]
  }

  static let all: [Table] = [
    usageLogs, applicationLogs, retryAttempts, recentErrors, failedRetries,
  ]

  // MARK: TokenUsageLogs

  /// What became final: a row for each payer and unit of a charge.
  static let usageLogs = Table(
    name: "TokenUsageLogs",
    columns: [
      "LogID", "LoggedAt", "TokenID", "CompanyID", "Branch", "RequestedBy", "Provider", "Operation",
      "Unit", "InputTokens", "OutputTokens", "TextTokens", "ImageTokens", "CandidateTokens",
      "TotalTokens", "RequestCount", "FetchID", "Tags",
    ], kinds: [.tokensCharged, .chargeResolved, .chargeCorrected], isOfAccounts: true
  ) { recorded, account, systems in
    Charge.all(in: recorded).flatMap { charge in
      charge.spending.flatMap { cost in
        charge.payers.indices.compactMap { index in
          let payer = charge.payers[index]
          guard account == nil || payer.account == account else { return nil }
          // A call counts once, with the first of its payers.
          return usage(
            charge, cost, payer, part: cost.parts[index], isFirst: index == 0, recorded, systems)
        }
      }
    }
  }

  private static func usage(
    _ charge: Charge, _ cost: ChargedCost, _ payer: Payer, part: Int64, isFirst: Bool,
    _ recorded: RecordedEvent, _ systems: [HTTPSystem]
  ) -> [ViewTable.Cell] {
    var counts: [String: Int64] = [:]
    // Tokens by their kinds stand where tokens are counted, and once: a charge has a row for each of its units.
    if isFirst, cost.meter.unit == "tokens", case .tokensCharged(let event) = recorded.event {
      for count in event.counts { counts[count.name, default: 0] &+= count.count }
    }
    func count(_ name: String) -> ViewTable.Cell { counts[name].map { .number($0) } ?? .nothing }
    let kinds = systems.tokenKinds(of: charge.operation)
    /// Of several kinds together: those of which there were none are not in the event.
    func sum(_ names: [String]) -> ViewTable.Cell {
      guard !counts.isEmpty, !names.isEmpty else { return .nothing }
      return .number(names.reduce(0) { $0 &+ (counts[$1] ?? 0) })
    }
    return [
      .number(Int64(clamping: charge.position)), .time(charge.time), .text(cost.meter.owner),
      .optional(payer.account), .optional(payer.tag("branch")), .optional(payer.tag("user")),
      .optional(String(charge.operation.prefix { $0 != "." })), .optional(charge.operation),
      .text(cost.meter.unit), sum(kinds.input), sum(kinds.output), count("text"), count("image"),
      count("candidates"), .amount(part, cost.meter.unit),
      .number(isFirst && charge.kind != .chargeCorrected ? 1 : 0),
      .number(Int64(clamping: charge.fetch)), .optional(payer.tags.joined(separator: ",")),
    ]
  }

  // MARK: ApplicationLogs

  private static let logColumns = ["LogID", "Timestamp", "LogLevel", "Source", "Message"]

  /// Every event as a line with a level.
  static let applicationLogs = Table(
    name: "ApplicationLogs", columns: logColumns, kinds: Set(EventKind.allCases),
    isOfAccounts: false
  ) { recorded, _, systems in [line(recorded, systems)] }

  /// Those of the level ERROR.
  static let recentErrors = Table(
    name: "vw_RecentErrors", columns: logColumns, kinds: LogLevel.kinds(of: .error),
    isOfAccounts: false
  ) { recorded, _, systems in
    LogLevel(recorded.event) == .error ? [line(recorded, systems)] : []
  }

  private static func line(
    _ recorded: RecordedEvent, _ systems: [HTTPSystem]
  ) -> [ViewTable.Cell] {
    [
      .number(Int64(clamping: recorded.position)), .time(recorded.time),
      .text(LogLevel(recorded.event).rawValue), .text(recorded.event.kind.name),
      .text(recorded.sentence(systems)),
    ]
  }

  // MARK: RetryAttempts

  /// Attempts that brought nothing.
  static let retryAttempts = Table(
    name: "RetryAttempts",
    columns: [
      "AttemptID", "Timestamp", "FetchID", "Attempt", "NextAttempt", "Provider", "Operation",
      "Reason", "StatusCode", "Detail",
    ], kinds: [.fetchAttemptFailed], isOfAccounts: true
  ) { recorded, account, _ in
    guard case .fetchAttemptFailed(let event) = recorded.event,
      account == nil || event.payers.contains(where: { $0.account == account })
    else { return [] }
    return [
      [
        .number(Int64(clamping: recorded.position)), .time(recorded.time),
        .number(Int64(clamping: event.fetch)), .number(Int64(event.attempt)),
        event.nextAttempt == 0 ? .nothing : .number(Int64(event.nextAttempt)),
        .optional(String(event.operation.prefix { $0 != "." })), .optional(event.operation),
        .text(event.reason.word), event.status == 0 ? .nothing : .number(Int64(event.status)),
        .optional(event.detail.inOneLine(atMost: 500)),
      ]
    ]
  }

  /// Calls that were given up after more than one attempt.
  static let failedRetries = Table(
    name: "vw_FailedRetries",
    columns: ["FetchID", "Timestamp", "Attempts", "Reason", "StatusCode", "Detail"],
    kinds: [.fetchFailed], isOfAccounts: false
  ) { recorded, _, _ in
    guard case .fetchFailed(let event) = recorded.event, event.attempts > 1 else { return [] }
    return [
      [
        .number(Int64(clamping: event.fetch)), .time(recorded.time), .number(Int64(event.attempts)),
        .text(event.reason.word), event.status == 0 ? .nothing : .number(Int64(event.status)),
        .optional(event.detail.inOneLine(atMost: 500)),
      ]
    ]
  }
}

extension Payer {
  /// The value of the tag of that name.
  func tag(_ name: String) -> String? {
    tags.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
  }
}

extension FailureReason {
  /// In one word, as the tables of the predecessor have it.
  var word: String {
    switch self {
    case .unspecified: "UNSPECIFIED"
    case .notSent: "NOT_SENT"
    case .timedOut: "TIMED_OUT"
    case .connectionLost: "CONNECTION_LOST"
    case .unreadable: "UNREADABLE"
    case .upstreamError: "UPSTREAM_ERROR"
    case .insufficientTokens: "INSUFFICIENT_TOKENS"
    case .keyRejected: "KEY_REJECTED"
    case .requestRejected: "REQUEST_REJECTED"
    case .processEnded: "PROCESS_ENDED"
    case .retryRefused: "RETRY_REFUSED"
    case .UNRECOGNIZED(let number): "\(number)"
    }
  }
}
