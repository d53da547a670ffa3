package import TollbookEvents
package import TollbookViews

extension LogModel {
  package struct MeterName: Hashable, Sendable {
    package var ownerKind: Int
    package var owner: Text
    package var dimensions: [[Text]]
    package var unit: Text

    package init(ownerKind: Int, owner: Text, dimensions: [[Text]] = [], unit: Text) {
      self.ownerKind = ownerKind
      self.owner = owner
      self.dimensions = dimensions
      self.unit = unit
    }
  }

  /// A page of the books: a meter, or one window of it.
  package struct Page: Hashable, Sendable {
    package var meter: MeterName
    /// Empty: the meter does not count in windows.
    package var window: Text

    package init(meter: MeterName, window: Text = []) {
      self.meter = meter
      self.window = window
    }

    /// By which pages can be put in an order that does not depend on how a dictionary is laid out.
    package var order: Text {
      let dimensions = meter.dimensions.map { Array($0.joined(separator: [2])) }
      return [UInt8(meter.ownerKind)] + meter.owner + [0]
        + Array(dimensions.joined(separator: [1])) + [0] + meter.unit + [0] + window
    }
  }

  /// What an attempt holds on one page.
  package struct HoldKey: Hashable, Sendable {
    package var fetch: Position
    package var attempt: UInt32
    package var page: Page

    package init(fetch: Position, attempt: UInt32, page: Page) {
      self.fetch = fetch
      self.attempt = attempt
      self.page = page
    }
  }

  package struct Payer: Hashable, Sendable {
    package var account: Text
    package var tags: [Text]
    package var kind: Text
    package var weight: Int64
  }

  package struct Hold: Hashable, Sendable {
    package var state: TollbookViews.Hold.State
    package var amount: Int64
    package var isLimitOnly: Bool
    package var payers: [Payer]
    package var operation: Text
    package var since: Timestamp
    /// When it became doubtful.
    package var doubted: Timestamp?
  }

  /// What was charged on a page at once.
  package struct Charge: Hashable, Sendable {
    package var amount: Int64
    package var isLimitOnly: Bool
    package var operation: Text
    /// What of it is whose.
    package var parts: [Text: Int64]
    package var windows: [String]
    /// Whether it corrects a charge, and is none of its own.
    package var isCorrection = false
  }

  package struct Slice: Hashable, Sendable {
    package var account: Text
    package var operation: Text
    package var unit: Text

    package init(account: Text, operation: Text, unit: Text) {
      self.account = account
      self.operation = operation
      self.unit = unit
    }
  }

  package struct Spent: Hashable, Sendable {
    package var amount: Int64 = 0
    package var charges: Int64 = 0
  }

  package struct Reading: Hashable, Sendable {
    package var balance: Int64
    package var upstream: Timestamp
    package var nextRefill: Timestamp
    package var observed: Timestamp
    package var refillRate: Int64
    package var flowReductionThousandths: Int64
    package var slack: Int64
  }

  package struct WindowReading: Hashable, Sendable {
    package var used: Int64
    package var limit: Int64
    package var observed: Timestamp
  }

  package struct Credential: Hashable, Sendable {
    package var upstream: String
    package var unit: String
    package var status: CredentialStatus
    package var detail: String

    package init(
      upstream: String, unit: String, status: CredentialStatus = .unspecified,
      detail: String = ""
    ) {
      self.upstream = upstream
      self.unit = unit
      self.status = status
      self.detail = detail
    }
  }

  /// What is known of a page beside its terms.
  package struct PageState: Hashable, Sendable {
    /// The position of its first event.
    package var opened: Position
    /// Whether its window is over and nothing is held on it.
    package var isClosed = false
    package var windowEnds: Timestamp?
    package var reading: Reading?
    package var use: WindowReading?
    /// Whether it was not read since the log was restored.
    package var awaitsRestoreGap = false
    /// When the doubts that are open were sent, and those closed since none was open.
    package var lastDoubtSent: Timestamp?
  }

  /// All that is known of what happened on meters.
  package struct Ledger: Sendable {
    package fileprivate(set) var pages: [Page: PageState] = [:]
    /// What is held on each page.
    fileprivate var held: [Page: [HoldKey: Hold]] = [:]
    package fileprivate(set) var charges: [Page: [Charge]] = [:]
    package fileprivate(set) var granted: [Page: Int64] = [:]
    /// What windows had seen before their pages were first used.
    fileprivate var carried: [Page: Int64] = [:]
    package fileprivate(set) var unexplained: [Page: Int64] = [:]
    package internal(set) var credentials: [Text: Credential] = [:]

    package init() {}
  }
}

// MARK: What happens

extension LogModel.Ledger {
  /// An event that stands at a position moves these pages.
  mutating func open(_ touched: [LogModel.Page], at position: Position) {
    for page in touched {
      pages[page, default: LogModel.PageState(opened: position)].isClosed = false
    }
  }

  /// Pages were moved: of their meters' windows those before the last one are over on which nothing is held.
  mutating func closeOld(like touched: [LogModel.Page]) {
    for page in touched where !page.window.isEmpty {
      let open = pages.filter {
        !$0.value.isClosed && $0.key.meter == page.meter && !$0.key.window.isEmpty
      }.map(\.key)
      let last = open.map(\.window).max { $0.lexicographicallyPrecedes($1) }
      for other in open where other.window != last && !isHolding(other) {
        pages[other]?.isClosed = true
      }
    }
  }

  private func isHolding(_ page: LogModel.Page) -> Bool {
    held(page, .reserved) != 0 || held(page, .inDoubt) != 0
  }

  mutating func grant(_ amount: Int64, on page: LogModel.Page, until end: Timestamp? = nil) {
    granted[page, default: 0] &+= amount
    if let end { pages[page]?.windowEnds = end }
  }

  mutating func carry(_ amount: Int64, on page: LogModel.Page) {
    carried[page, default: 0] &+= amount
  }

  mutating func reserve(_ key: LogModel.HoldKey, _ hold: LogModel.Hold) {
    precondition(self.hold(key) == nil)
    held[key.page, default: [:]][key] = hold
  }

  /// Ends so much of a hold.
  mutating func end(_ amount: Int64, of key: LogModel.HoldKey) {
    guard let hold = hold(key) else { preconditionFailure("nothing is held") }
    precondition((0...hold.amount).contains(amount))
    if amount == hold.amount {
      held[key.page]?[key] = nil
    } else {
      held[key.page]?[key]?.amount -= amount
    }
  }

  mutating func charge(_ charge: LogModel.Charge, on page: LogModel.Page) {
    charges[page, default: []].append(charge)
  }

  mutating func doubt(_ key: LogModel.HoldKey, at time: Timestamp, sent: Timestamp) {
    precondition(hold(key)?.state == .reserved)
    held[key.page]?[key]?.state = .inDoubt
    held[key.page]?[key]?.doubted = time
    let last = pages[key.page]?.lastDoubtSent
    pages[key.page]?.lastDoubtSent = last.map { max($0, sent) } ?? sent
  }

  mutating func keepUnprovable(_ amount: Int64, of key: LogModel.HoldKey) {
    held[key.page]?[key]?.state = .unprovable
    held[key.page]?[key]?.amount = amount
  }

  /// Some doubts of these pages were closed.
  mutating func noteClosed(_ touched: [LogModel.Page]) {
    for page in touched where held(page, .inDoubt) == 0 { pages[page]?.lastDoubtSent = nil }
  }

  mutating func post(unexplained amount: Int64, on page: LogModel.Page) {
    unexplained[page, default: 0] &+= amount
  }

  mutating func read(_ page: LogModel.Page, _ reading: LogModel.Reading) {
    pages[page]?.reading = reading
    pages[page]?.awaitsRestoreGap = false
  }

  mutating func read(_ page: LogModel.Page, _ use: LogModel.WindowReading) {
    pages[page]?.use = use
    pages[page]?.awaitsRestoreGap = false
  }

  /// The log was restored: what does not begin anew with its next window waits for a reading.
  mutating func restore() {
    for page in pages.keys where page.window.isEmpty { pages[page]?.awaitsRestoreGap = true }
  }
}

// MARK: What the views must say

extension LogModel.Ledger {
  /// All that is held.
  package var holds: [LogModel.HoldKey: LogModel.Hold] {
    held.values.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
  }

  func hold(_ key: LogModel.HoldKey) -> LogModel.Hold? { held[key.page]?[key] }

  private func held(_ page: LogModel.Page, _ state: TollbookViews.Hold.State) -> Int64 {
    (held[page] ?? [:]).values.filter { $0.state == state }.reduce(0) { $0 &+ $1.amount }
  }

  /// The pages that are not closed.
  package var openPages: Set<LogModel.Page> {
    Set(pages.filter { !$0.value.isClosed }.keys)
  }

  /// The terms of a page; free is what the others leave.
  package func terms(of page: LogModel.Page) -> [LedgerTerm: Int64] {
    var terms: [LedgerTerm: Int64] = [
      .granted: granted[page] ?? 0,
      .settled: (charges[page] ?? []).reduce(carried[page] ?? 0) { $0 &+ $1.amount },
      .reserved: held(page, .reserved),
      .inDoubt: held(page, .inDoubt),
      .unprovable: held(page, .unprovable),
      .unexplained: unexplained[page] ?? 0,
    ]
    terms[.free] = terms.reduce(0) { $1.key == .granted ? $0 &+ $1.value : $0 &- $1.value }
    return terms
  }

  /// What was charged in a window of spend, or ever.
  package func spend(in window: String? = nil) -> [LogModel.Slice: LogModel.Spent] {
    var spend: [LogModel.Slice: LogModel.Spent] = [:]
    for (page, charges) in charges {
      for charge in charges where !charge.isLimitOnly {
        guard window.map({ charge.windows.contains($0) }) ?? true else { continue }
        for (account, amount) in charge.parts {
          let slice = LogModel.Slice(
            account: account, operation: charge.operation, unit: page.meter.unit)
          spend[slice, default: LogModel.Spent()].amount &+= amount
          spend[slice, default: LogModel.Spent()].charges += charge.isCorrection ? 0 : 1
        }
      }
    }
    return spend
  }

  /// The windows in which spend was added up.
  package var windows: Set<String> { Set(charges.values.joined().flatMap(\.windows)) }
}

// MARK: As the views have it

extension LogModel.Page {
  package init(_ key: MeterKey) {
    self.init(
      meter: LogModel.MeterName(
        ownerKind: key.ownerKind.rawValue, owner: Array(key.owner.utf8),
        dimensions: key.dimensions.map { [Array($0.name.utf8), Array($0.value.utf8)] },
        unit: Array(key.unit.utf8)),
      window: Array(key.window.utf8))
  }
}

extension LogModel.Payer {
  package init(_ payer: TollbookEvents.Payer) {
    self.init(
      account: Array(payer.account.utf8), tags: payer.tags.map { Array($0.utf8) },
      kind: Array(payer.kind.utf8), weight: payer.weight)
  }
}

extension LogModel.Hold {
  package init(_ hold: TollbookViews.Hold) {
    self.init(
      state: hold.state, amount: hold.amount, isLimitOnly: hold.isLimitOnly,
      payers: hold.payers.map { LogModel.Payer($0) }, operation: Array(hold.operation.utf8),
      since: hold.since, doubted: hold.doubted)
  }
}

extension LogModel.Spent {
  package init(_ spend: Spend) { self.init(amount: spend.amount, charges: spend.charges) }
}

extension LogModel.Reading {
  package init(_ reading: Meter.LastReading) {
    self.init(
      balance: reading.balance, upstream: reading.upstream, nextRefill: reading.nextRefill,
      observed: reading.observed, refillRate: reading.refillRate,
      flowReductionThousandths: reading.flowReductionThousandths, slack: reading.slack)
  }
}

extension LogModel.WindowReading {
  package init(_ use: Meter.WindowReading) {
    self.init(used: use.used, limit: use.limit, observed: use.observed)
  }
}
