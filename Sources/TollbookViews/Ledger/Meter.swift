import LMDB
package import TollbookEvents

/// A limit of a credential as the ledger sees it: its terms and the last reading of the upstream's own books.
package struct Meter: Hashable, Sendable {
  /// What the upstream said last about a refill bucket.
  package struct LastReading: Hashable, Sendable {
    package var balance: Int64
    /// The upstream's clock.
    package var upstream: Timestamp
    /// The next refill, by the upstream's clock.
    package var nextRefill: Timestamp
    /// Our clock.
    package var observed: Timestamp
    /// Units per refill.
    package var refillRate: Int64
    /// Units per refill that the upstream holds back for something else, in thousandths.
    package var flowReductionThousandths: Int64
    /// Refill that may have happened and was not posted, because holds may explain it too.
    package var slack: Int64
  }

  package private(set) var terms: [Int64]
  package var reading: LastReading?
  /// When the youngest of the doubts that are open was sent, at the latest.
  package private(set) var lastDoubtSent: Timestamp?
  /// Whether the log was restored since the last reading: the next one may differ by what the log does not know of.
  package private(set) var awaitsRestoreGap = false
  /// Position of the last event that changed it, 0 before the first.
  package private(set) var lastChange: Position = 0

  package init() { terms = Array(repeating: 0, count: LedgerTerm.allCases.count) }

  package subscript(term: LedgerTerm) -> Int64 { terms[term.rawValue] }

  /// What conservation leaves over: zero, or a fold is wrong.
  package var residual: Int64 {
    LedgerTerm.allCases.filter { $0 != .granted }.reduce(self[.granted]) { $0 &- self[$1] }
  }

  /// Applies an event of this meter, or one that concerns all meters, and notes where it stands.
  package mutating func apply(_ recorded: RecordedEvent) {
    apply(recorded.event)
    lastChange = recorded.position
  }

  /// Applies an event that is not in the log yet.
  package mutating func apply(_ event: Event) {
    for term in LedgerTerm.allCases {
      terms[term.rawValue] &+= term.change(by: event)
    }
    switch event {
    case .balanceObserved(let event):
      awaitsRestoreGap = false
      reading = LastReading(
        balance: event.reading.balance,
        upstream: Timestamp(milliseconds: event.reading.upstreamMs),
        nextRefill: Timestamp(milliseconds: event.reading.nextRefillMs),
        observed: Timestamp(milliseconds: event.reading.observedMs),
        refillRate: event.refillRate,
        flowReductionThousandths: event.flowReductionThousandths, slack: event.slack)
    case .chargeInDoubt(let event):
      let sent = Timestamp(milliseconds: event.sentMs)
      lastDoubtSent = max(lastDoubtSent ?? sent, sent)
    case .chargeResolved where self[.inDoubt] == 0: lastDoubtSent = nil
    case .logRestored: awaitsRestoreGap = true
    default: break
    }
  }
}

// MARK: As a row

extension Meter {
  var row: [UInt8] {
    var row: [UInt8] = []
    for term in terms { row.append(field: term) }
    row.append(
      (reading == nil ? 0 : 1) | (lastDoubtSent == nil ? 0 : 2) | (awaitsRestoreGap ? 4 : 0))
    row.append(bigEndian: lastChange)
    row.append(field: lastDoubtSent?.milliseconds ?? 0)
    if let reading {
      row.append(field: reading.balance)
      row.append(field: reading.upstream.milliseconds)
      row.append(field: reading.nextRefill.milliseconds)
      row.append(field: reading.observed.milliseconds)
      row.append(field: reading.refillRate)
      row.append(field: reading.flowReductionThousandths)
      row.append(field: reading.slack)
    }
    return row
  }

  init(row: RawSpan) {
    var field = RowOffset()
    terms = []
    for _ in LedgerTerm.allCases { terms.append(field.signed(row)) }
    let flags = field.byte(row)
    awaitsRestoreGap = flags & 4 != 0
    lastChange = field.unsigned(row)
    let sent = field.signed(row)
    lastDoubtSent = flags & 2 == 0 ? nil : Timestamp(milliseconds: sent)
    guard flags & 1 != 0 else { return }
    reading = LastReading(
      balance: field.signed(row), upstream: Timestamp(milliseconds: field.signed(row)),
      nextRefill: Timestamp(milliseconds: field.signed(row)),
      observed: Timestamp(milliseconds: field.signed(row)), refillRate: field.signed(row),
      flowReductionThousandths: field.signed(row), slack: field.signed(row))
  }
}
