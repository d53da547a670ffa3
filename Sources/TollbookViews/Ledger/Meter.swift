import Bytes
package import TollbookEvents

/// A page of the books: the terms of a meter, or of one window of it, and the last reading of the upstream's own books.
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

  /// What the upstream said last about the use of a window, by all who use it.
  package struct WindowReading: Hashable, Sendable {
    package var used: Int64
    /// 0: it did not tell.
    package var limit: Int64
    /// Our clock.
    package var observed: Timestamp
  }

  package private(set) var terms: [Int64]
  package var reading: LastReading?
  package private(set) var use: WindowReading?
  /// When the youngest of the doubts that are open was sent, at the latest.
  package private(set) var lastDoubtSent: Timestamp?
  /// Whether the log was restored since the last reading: the next one may differ by what the log does not know of.
  package private(set) var awaitsRestoreGap = false
  /// When the window ends, where that was told.
  package private(set) var windowEnds: Timestamp?
  /// Position of the last event that changed it, 0 before the first.
  package private(set) var lastChange: Position = 0
  /// Of a page of a window: the position of its first event.
  package private(set) var opened: Position = 0

  package init() { terms = Array(repeating: 0, count: LedgerTerm.allCases.count) }

  package subscript(term: LedgerTerm) -> Int64 { terms[term.rawValue] }

  /// What conservation leaves over: zero, or a fold is wrong.
  package var residual: Int64 {
    LedgerTerm.allCases.filter { $0 != .granted }.reduce(self[.granted]) { $0 &- self[$1] }
  }

  /// Whether something is held on it whose end will still be booked here.
  var isHolding: Bool { self[.reserved] != 0 || self[.inDoubt] != 0 }

  /// Applies an event that is not in the log yet.
  package mutating func apply(_ event: Event, to key: MeterKey) {
    apply(event, postings: event.postings(at: 0), to: key)
  }

  /// Applies an event of this page, or one that concerns all meters, and notes where it stands.
  ///
  /// - Parameters:
  ///   - postings: all postings of the event.
  ///   - key: which page this is.
  mutating func apply(
    _ event: Event, postings: [Posting], at position: Position, opening key: MeterKey
  ) {
    if opened == 0, key.isOfWindow { opened = position }
    apply(event, postings: postings, to: key)
    lastChange = position
  }

  /// Applies an event whose postings are known.
  package mutating func apply(_ event: Event, postings: [Posting], to key: MeterKey) {
    if case .logRestored = event {
      awaitsRestoreGap = true
      return
    }
    var isTouched = false
    for posting in postings where posting.page == key {
      isTouched = true
      for term in LedgerTerm.allCases {
        terms[term.rawValue] &+= term.change(by: posting)
      }
      if let ends = posting.windowEnds { windowEnds = ends }
    }
    guard isTouched else { return }
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
    case .windowObserved(let event):
      awaitsRestoreGap = false
      use = WindowReading(
        used: event.used, limit: event.limit,
        observed: Timestamp(milliseconds: event.observedMs))
    case .chargeInDoubt(let event):
      let sent = Timestamp(milliseconds: event.sentMs)
      lastDoubtSent = max(lastDoubtSent ?? sent, sent)
    case .chargeResolved where self[.inDoubt] == 0: lastDoubtSent = nil
    default: break
    }
  }
}

// MARK: As a row

extension Meter {
  var row: [UInt8] {
    var row: [UInt8] = []
    row.reserveCapacity(160)
    for term in terms { row.append(field: term) }
    row.append(
      (reading == nil ? 0 : 1) | (lastDoubtSent == nil ? 0 : 2) | (awaitsRestoreGap ? 4 : 0)
        | (use == nil ? 0 : 8) | (windowEnds == nil ? 0 : 16) | (opened == 0 ? 0 : 32))
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
    if let use {
      row.append(field: use.used)
      row.append(field: use.limit)
      row.append(field: use.observed.milliseconds)
    }
    if let windowEnds { row.append(field: windowEnds.milliseconds) }
    if opened != 0 { row.append(bigEndian: opened) }
    return row
  }

  /// The position of the event that closed a page, which stands behind its row where the window is over; nil if the row
  /// is too short.
  static func closed(row: RawSpan) -> Position? {
    row.byteCount < 8 ? nil : row.bigEndianUInt64(at: row.byteCount - 8)
  }

  /// Nil if the row is not what is written. What stands behind it is not looked at.
  init?(row: RawSpan) {
    var field = RowOffset()
    terms = []
    terms.reserveCapacity(LedgerTerm.allCases.count)
    for _ in LedgerTerm.allCases { terms.append(field.signed(row)) }
    let flags = field.byte(row)
    awaitsRestoreGap = flags & 4 != 0
    lastChange = field.unsigned(row)
    let sent = field.signed(row)
    lastDoubtSent = flags & 2 == 0 ? nil : Timestamp(milliseconds: sent)
    if flags & 1 != 0 {
      reading = LastReading(
        balance: field.signed(row), upstream: Timestamp(milliseconds: field.signed(row)),
        nextRefill: Timestamp(milliseconds: field.signed(row)),
        observed: Timestamp(milliseconds: field.signed(row)), refillRate: field.signed(row),
        flowReductionThousandths: field.signed(row), slack: field.signed(row))
    }
    if flags & 8 != 0 {
      use = WindowReading(
        used: field.signed(row), limit: field.signed(row),
        observed: Timestamp(milliseconds: field.signed(row)))
    }
    if flags & 16 != 0 { windowEnds = Timestamp(milliseconds: field.signed(row)) }
    if flags & 32 != 0 { opened = field.unsigned(row) }
    guard field.isSound else { return nil }
  }
}
