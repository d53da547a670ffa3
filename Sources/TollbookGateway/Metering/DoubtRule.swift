package import TollbookEvents
package import TollbookViews

/// By which evidence a doubt on a meter ends. Every meter has a rule, so that no doubt stays for ever and silts a limit
/// up.
///
/// Nothing is released on evidence that another user of the meter could have made: others can only make a difference
/// larger, and one that is larger than all doubts together proves none of them.
package enum DoubtRule: Hashable, Sendable {
  /// The meter's own readings: see ``BalanceReconciliation`` and ``WindowReconciliation``.
  case ownReadings
  /// As the doubt of the same attempt on that meter ends.
  case follows(MeterKey)
  /// After the window's end nothing can prove it: it stays spent, unprovable.
  case atWindowEnd
  /// The upstream's bill.
  case invoice
  /// By hand.
  case byOperator

  /// A doubt may be resolved by a reading that is at least this much younger, in milliseconds.
  package static let settlesAfter: Int64 = 60_000

  /// The end of doubts on a page whose window is over: of such a window no reading comes any more.
  ///
  /// - Parameters:
  ///   - page: the page as it stands; it knows when its window ends.
  ///   - doubts: holds on it that are in doubt.
  package func end(
    ofWindow page: Meter, _ doubts: [Hold], at now: Timestamp, windows: [String]
  ) -> ChargeResolved? {
    guard self == .ownReadings || self == .atWindowEnd, let first = doubts.first,
      let ends = page.windowEnds, now >= ends
    else { return nil }
    // An answer or a reading that was on its way at the end may still come.
    if self == .ownReadings, now < ends.advanced(byMilliseconds: Self.settlesAfter) { return nil }
    var event = ChargeResolved(doubts, on: first.meter, unprovableBy: .windowEnded, difference: 0)
    event.windows = windows
    return event
  }

  /// The end of the doubts that follow those which another event closes, a page at a time.
  ///
  /// What limits the same cost is closed alike, as far as it is held. A meter of another unit says nothing of how much:
  /// it is spent if the followed doubt was spent, in part or whole, and released if that was released whole.
  ///
  /// - Parameter doubts: holds of this rule's meter that are in doubt.
  package func end(
    following resolution: ChargeResolved, _ doubts: [Hold], windows: [String]
  ) -> [ChargeResolved] {
    guard case .follows(let leader) = self, leader.name == resolution.meter else { return [] }
    var byPage: [MeterKey: [ResolvedDoubt]] = [:]
    for hold in doubts {
      let led = resolution.doubts.first { $0.fetch == hold.fetch && $0.attempt == hold.attempt }
      guard let led else { continue }
      let isSameCost = hold.meter.unit.utf8.elementsEqual(leader.unit.utf8)
      var doubt = ResolvedDoubt(closing: hold)
      if isSameCost {
        doubt.settled = min(max(0, led.settled), hold.amount)
        doubt.unprovable = min(max(0, led.unprovable), hold.amount - doubt.settled)
      } else if led.settled > 0 {
        doubt.settled = hold.amount
      } else if led.unprovable > 0 {
        doubt.unprovable = hold.amount
      }
      doubt.released = hold.amount - doubt.settled - doubt.unprovable
      byPage[hold.meter, default: []].append(doubt)
    }
    return byPage.sorted { $0.key < $1.key }.map { page, doubts in
      var event = ChargeResolved()
      event.meter = page.name
      event.evidence = .followed
      event.difference = doubts.reduce(0) { $0 + $1.settled }
      event.doubts = doubts
      event.windows = windows
      return event
    }
  }

  /// The end of all doubts that a bill is about.
  ///
  /// - Parameters:
  ///   - billed: what the upstream bills for the time, or the window, that the page is of.
  ///   - doubts: holds on one page that are in doubt, all of them.
  package func end(
    byInvoice billed: Int64, page: Meter, _ doubts: [Hold], windows: [String]
  ) -> ChargeResolved? {
    guard self == .invoice, let first = doubts.first, page[.reserved] == 0 else { return nil }
    let (difference, overflow) = billed.subtractingReportingOverflow(page[.settled])
    guard !overflow else { return nil }
    var event = ChargeResolved(doubts, on: first.meter, spent: difference, by: .invoice)
    event.windows = windows
    return event
  }
}

extension [Hold] {
  var sum: Int64 { reduce(0) { $0 &+ $1.amount } }
}

extension ChargeResolved {
  /// Closes a set of doubts together, on evidence of what they were charged. Where it cannot be, since it is less than
  /// nothing or more than all of them, they are unprovable.
  init(_ doubts: [Hold], on page: MeterKey, spent: Int64, by evidence: Evidence) {
    guard spent >= 0, spent <= doubts.sum else {
      self.init(doubts, on: page, unprovableBy: .unexplained, difference: spent)
      return
    }
    self.init()
    meter = page.name
    self.evidence = evidence
    difference = spent
    let settled = allot(spent, over: doubts.map(\.amount))
    self.doubts = zip(doubts, settled).map { hold, settled in
      var doubt = ResolvedDoubt(closing: hold)
      doubt.settled = settled
      doubt.released = hold.amount - settled
      return doubt
    }
  }

  /// Closes a set of doubts together as unprovable: still spent, in a column of its own.
  init(
    _ doubts: [Hold], on page: MeterKey, unprovableBy evidence: Evidence, difference: Int64
  ) {
    self.init()
    meter = page.name
    self.evidence = evidence
    self.difference = difference
    self.doubts = doubts.map { hold in
      var doubt = ResolvedDoubt(closing: hold)
      doubt.unprovable = hold.amount
      return doubt
    }
  }
}

extension ResolvedDoubt {
  /// A doubt of which nothing is decided yet.
  init(closing hold: Hold) {
    self.init()
    fetch = hold.fetch
    attempt = hold.attempt
    operation = hold.operation
    tokens = hold.amount
    wasUnprovable = hold.state == .unprovable
    window = hold.meter.window
    payers = hold.payers
    sinceMs = hold.doubted?.milliseconds ?? 0
    limitOnly = hold.isLimitOnly
  }
}
