package import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// What a bill says, beside what the ledger says of the same days.
///
/// The ledger tells an interval: what is certain, and that with what is in doubt or unprovable. A bill that says something
/// in between is explained. A correction counts on the day of its charge, since it is the charge that was wrong. What was
/// posted from bills before counts as booked.
package struct InvoiceComparison: Sendable {
  package struct Row: Hashable, Sendable {
    package let day: CalendarDay
    /// The operation or the model; empty: all.
    package let name: String
    package let unit: String
    /// Nil: the bill has no such line.
    package let billed: Int64?
    /// Nil: the ledger does not count that unit, and there is no price by which it could.
    package let booked: AmountInterval?
    /// The page of the books that tells the cost; nil: nothing of it was booked on that day.
    package let page: MeterKey?
    /// The first line of the file about it.
    package let line: Int?
    /// Whether what is booked is made from tokens by their price.
    package let isPriced: Bool

    /// What is billed beyond what is booked; negative: it is less.
    package var difference: Int64 {
      guard let booked else { return 0 }
      let billed = billed ?? 0
      return billed > booked.high
        ? billed &- booked.high : billed < booked.low ? billed &- booked.low : 0
    }
  }

  /// By day, name and unit.
  package let rows: [Row]

  package var differences: [Row] { rows.filter { $0.difference != 0 } }

  /// Reads the events from the first day of the bill on.
  ///
  /// - Parameters:
  ///   - calendar: of which zone the days are.
  ///   - price: what a token costs, for bills in money where the ledger counts tokens.
  package init(
    _ invoice: Invoice, calendar: AuditCalendar = .utc, price: TokenPrice? = nil,
    in source: LogSource
  ) throws(LogError) {
    var books = BilledDays(invoice, calendar)
    let start = try source.start()
    if let first = invoice.days.min() {
      let beginning = calendar.start(of: first).advanced(byMilliseconds: -1)
      let after = max(start, try source.position(asOf: beginning))
      try source.scan(after: after, kinds: BilledDays.kinds) { (recorded) throws(LogError) in
        if case .chargeCorrected(let event) = recorded.event {
          let charge = try source.read { (reading) throws(LogError) in
            event.charge > start ? try source.reader.event(at: event.charge, in: reading) : nil
          }
          books.add(recorded, at: charge?.wall ?? recorded.wall)
        } else {
          books.add(recorded, at: recorded.wall)
        }
        return .next
      }
    }
    rows = books.rows(invoice, price)
  }
}

/// What the ledger says of the days of a bill.
private struct BilledDays {
  static let kinds: Set<EventKind> = [
    .tokensCharged, .chargeInDoubt, .chargeResolved, .chargeCorrected, .invoicePosted,
  ]

  private struct Slot: Hashable {
    var day: CalendarDay
    var name: String
    var unit: String
  }

  private struct Sum {
    var certain: Int64 = 0
    var held: Int64 = 0
    var page: MeterKey?
  }

  private let days: Set<CalendarDay>
  private let division: Invoice.Division
  private var calendar: AuditCalendar
  private var sums: [Slot: Sum] = [:]

  init(_ invoice: Invoice, _ calendar: AuditCalendar) {
    days = invoice.days
    division = invoice.division
    self.calendar = calendar
  }

  private mutating func day(_ time: Timestamp) -> CalendarDay {
    CalendarDay(number: calendar.day(of: time))
  }

  mutating func add(_ recorded: RecordedEvent, at time: Timestamp) {
    if case .invoicePosted(let event) = recorded.event {
      guard let day = CalendarDay(event.day), days.contains(day) else { return }
      let slot = Slot(day: day, name: event.operation, unit: event.meter.unit)
      sums[slot, default: Sum()].certain &+= event.unexplained
      return
    }
    for posting in recorded.postings where !posting.isLimitOnly {
      switch posting.change {
      case .charged(let amount, _), .corrected(let amount):
        add(posting, on: day(time)) { $0.certain &+= amount }
      case .doubted(let amount): add(posting, on: day(time)) { $0.held &+= amount }
      case .closed(let doubt):
        add(posting, on: day(time)) { $0.certain &+= doubt.settled }
        add(posting, on: day(doubt.since ?? time)) {
          $0.held = $0.held &+ doubt.unprovable &- doubt.amount
        }
      default: continue
      }
    }
  }

  private mutating func add(
    _ posting: Posting, on day: CalendarDay, _ change: (inout Sum) -> Void
  ) {
    guard days.contains(day), let name = name(of: posting) else { return }
    let slot = Slot(day: day, name: name, unit: posting.page.unit)
    var sum = sums[slot] ?? Sum()
    change(&sum)
    sum.page = max(sum.page ?? posting.page, posting.page)
    sums[slot] = sum
  }

  /// By what the bill divides; nil: it has no part in that.
  private func name(of posting: Posting) -> String? {
    switch division {
    case .none: ""
    case .operation: posting.operation
    case .model: posting.page.dimensions.first { $0.name == "model" }?.value
    }
  }

  // MARK: Rows

  func rows(_ invoice: Invoice, _ price: TokenPrice?) -> [InvoiceComparison.Row] {
    var billed: [Slot: (amount: Int64, line: Int)] = [:]
    for line in invoice.lines {
      let slot = Slot(day: line.day, name: line.name, unit: line.amount.unit)
      let known = billed[slot] ?? (0, line.number)
      billed[slot] = (known.amount &+ line.amount.count, known.line)
    }
    let units = Set(billed.keys.map(\.unit))
    let upstreams = Set(billed.keys.map { Self.upstream($0.name) })
    // What the bill leaves out, of the upstreams and units that it is about.
    let left = sums.keys.filter { slot in
      billed[slot] == nil && units.contains(slot.unit)
        && (division != .operation || upstreams.contains(Self.upstream(slot.name)))
    }
    let slots = Array(billed.keys) + left
    return slots.sorted { Self.order($0) < Self.order($1) }.map { slot in
      let booked = booked(slot, price)
      return InvoiceComparison.Row(
        day: slot.day, name: slot.name, unit: slot.unit, billed: billed[slot]?.amount,
        booked: booked?.amounts, page: sums[slot]?.page, line: billed[slot]?.line,
        isPriced: booked?.isPriced ?? false)
    }.filter { $0.billed != nil || $0.booked != .zero }
  }

  private static func order(_ slot: Slot) -> (CalendarDay, String, String) {
    (slot.day, slot.name, slot.unit)
  }

  /// The first part of an operation's name.
  private static func upstream(_ operation: String) -> Substring { operation.prefix { $0 != "." } }

  /// What is booked, by itself or by the price of tokens; nil: neither tells.
  private func booked(
    _ slot: Slot, _ price: TokenPrice?
  ) -> (amounts: AmountInterval, isPriced: Bool)? {
    let isCounted = !Amount.isMoney(slot.unit) || sums.keys.contains { $0.unit == slot.unit }
    if isCounted { return (interval(slot), false) }
    guard let price, price.currency == slot.unit else { return nil }
    var tokens = slot
    tokens.unit = Amount.firstUnit
    let amounts = interval(tokens)
    return (
      AmountInterval(
        low: price.nanoUnits(of: amounts.low), high: price.nanoUnits(of: amounts.high)), true
    )
  }

  private func interval(_ slot: Slot) -> AmountInterval {
    let sum = sums[slot] ?? Sum()
    return AmountInterval(low: sum.certain, high: sum.certain &+ max(0, sum.held))
  }
}
