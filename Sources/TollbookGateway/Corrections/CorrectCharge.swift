package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Correct a charge that was found wrong. The charge stays; the difference is posted beside it.
package struct CorrectCharge: Sendable {
  /// So often one charge may be corrected.
  package static let mostCorrections = 100

  /// By how much, with its sign.
  package enum Difference: Hashable, Sendable {
    /// A whole number of units.
    case count(Int64)
    /// As it was written: a whole number, or of money up to nine decimals.
    case text(String)
  }

  /// Of the charge.
  package var charge: Position
  package var difference: Difference
  /// Nil: the only one that the charge tells.
  package var unit: String?
  package var reason: String
  package var now: Timestamp
  package var actor: String

  package init(
    _ charge: Position, by difference: Difference, unit: String? = nil, reason: String,
    now: Timestamp, actor: String
  ) throws(AccountRefusal) {
    try GivenReason.check(reason, "reason")
    self.charge = charge
    self.difference = difference
    self.unit = unit
    self.reason = reason.inOneLine()
    self.now = now
    self.actor = actor
  }

  func decide(
    _ books: PurchaseBooks, _ index: EventIndex, _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    let found: Result<(standing: ChargeStanding, event: RecordedEvent), AccountRefusal>
    found = try standing(books, index, reader, state)
    let standing: ChargeStanding
    let charge: RecordedEvent
    switch found {
    case .success((let found, let event)): (standing, charge) = (found, event)
    case .failure(let refusal): return .refused(refusal)
    }
    let difference: Int64
    do throws(AccountRefusal) { difference = try amount(of: standing) } catch {
      return .refused(error)
    }
    var counts: [MeterKey: (Payer) -> Bool] = [:]
    for part in standing.parts where part.isLimitOnly {
      counts[part.page] = try counting(part.page, charge.event, books, state)
    }
    var event = standing.correction(by: difference) { counts[$0] }
    for move in event.moves {
      let page = MeterKey(move.meter, window: move.window)
      let settled = try books.ledger.meter(page, in: state)[.settled]
      guard !settled.addingReportingOverflow(move.amount).overflow else {
        return .refused(.tooMuch(difference, standing.told.unit))
      }
    }
    guard case .tokensCharged(let charged) = charge.event else {
      return .refused(.noCharge(self.charge, charge.event.kind))
    }
    event.charge = self.charge
    event.fetch = charged.fetch
    event.attempt = charged.attempt
    event.credential = charged.credential
    event.operation = charged.operation
    event.windows = [dayWindow(now)]
    event.reason = reason
    event.actor = actor
    return Decision(events: [.chargeCorrected(event)], answer: .success(()))
  }

  /// The charge as it stands, or why it cannot be corrected.
  private func standing(
    _ books: PurchaseBooks, _ index: EventIndex, _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) -> Result<(standing: ChargeStanding, event: RecordedEvent), AccountRefusal> {
    let head = try reader.head(in: state)
    guard charge > 0, charge <= head, let found = try reader.event(at: charge, in: state) else {
      return .failure(
        AccountRefusal(.notFound, "position", "there is no event at position \(charge)"))
    }
    guard case .tokensCharged(let event) = found.event else {
      return .failure(.noCharge(charge, found.event.kind))
    }
    let parked = try reader.parked(
      of: LedgerFold.fold, after: charge - 1, through: charge, in: state)
    guard parked.isEmpty else {
      return .failure(
        AccountRefusal(
          .conflict, "position", "the charge at position \(charge) was never booked"))
    }
    let postings = found.event.postings(at: charge)
    var units: [String] = []
    for posting in postings where !posting.isLimitOnly && !units.contains(posting.page.unit) {
      units.append(posting.page.unit)
    }
    guard let unit = unit ?? (units.count == 1 ? units[0] : nil) else {
      return .failure(
        AccountRefusal(
          .invalid, "unit",
          "the charge tells several units; name one: \(units.joined(separator: ", "))"))
    }
    guard var standing = ChargeStanding(postings, in: unit) else {
      return .failure(
        AccountRefusal(
          .invalid, "unit",
          "the charge does not tell one cost in “\(unit.inOneLine(atMost: 100))”; it tells"
            + " \(units.joined(separator: ", "))"))
    }
    var corrections = 0
    for position in try index.positions(ofFetch: event.fetch, in: state) where position > charge {
      guard
        case .chargeCorrected(let correction)? = try reader.event(at: position, in: state)?.event,
        correction.charge == charge
      else { continue }
      standing.add(correction, at: position)
      corrections += 1
    }
    guard corrections < Self.mostCorrections else {
      return .failure(
        AccountRefusal(
          .conflict, "position",
          "the charge at position \(charge) was corrected \(corrections) times; it is not again"))
    }
    return .success((standing, found))
  }

  /// The difference in whole units, or nano-units of money.
  private func amount(of standing: ChargeStanding) throws(AccountRefusal) -> Int64 {
    let unit = standing.told.unit
    let difference = try count(in: unit)
    guard difference != 0 else {
      throw AccountRefusal(.invalid, "units", "units is 0; that corrects nothing")
    }
    let (sum, isTooMuch) = standing.amount.addingReportingOverflow(difference)
    guard !isTooMuch else { throw .tooMuch(difference, unit) }
    guard sum >= 0 else {
      throw AccountRefusal(
        .invalid, "units",
        "\(difference.text(in: unit)) would take the charge below zero: it stands at"
          + " \(standing.amount.text(in: unit))")
    }
    return difference
  }

  private func count(in unit: String) throws(AccountRefusal) -> Int64 {
    switch (difference, Amount.isMoney(unit)) {
    case (.count(let count), false): return count
    case (.text(let text), false):
      guard let count = Int64(text) else {
        throw AccountRefusal(
          .invalid, "units",
          "units is “\(text.inOneLine(atMost: 50))”; \(unit) are a whole number, such as -30")
      }
      return count
    case (.text(let text), true):
      let isNegative = text.hasPrefix("-")
      guard let count = DecimalText.nanoUnits(isNegative ? String(text.dropFirst()) : text) else {
        throw AccountRefusal(
          .invalid, "units",
          "units is “\(text.inOneLine(atMost: 50))”; write money as text with up to nine"
            + " decimals, such as \"-0.50\"")
      }
      return isNegative ? 0 - count : count
    case (.count, true):
      throw AccountRefusal(
        .invalid, "units", "write money as text with up to nine decimals, such as \"-0.50\"")
    }
  }

  /// Which payers a page counts that limits; nil: its budget is gone, or goes by what payers do not tell.
  private func counting(
    _ page: MeterKey, _ event: Event, _ books: PurchaseBooks, _ state: borrowing LogReading
  ) throws(LogError) -> ((Payer) -> Bool)? {
    guard page.ownerKind == .budget, case .tokensCharged(let charge) = event,
      let row = try books.accounts.budget(page.owner, in: state),
      let budget = Budget(page.owner, row), budget.owns(page), row.scope.accessKey.isEmpty
    else { return nil }
    let value = page.dimensions.first { $0.name == budget.wildcard }?.value
    return { budget.counts($0.account, charge.operation, $0.tags, value) }
  }

  /// - Returns: where the event stands in the log.
  package func run(on log: EventLog) async throws -> Position {
    let books = PurchaseBooks(log)
    let (index, reader) = (log.index, log.reader)
    return try await log.decide { (state, context) throws(LogError) in
      let decision = try decide(books, index, reader, state)
      return Decision(
        events: decision.events, answer: decision.answer.map { _ in context.next })
    }.answer.get()
  }
}

extension AccountRefusal {
  fileprivate static func noCharge(_ position: Position, _ kind: EventKind) -> AccountRefusal {
    AccountRefusal(
      .invalid, "position",
      "the event at position \(position) is a \(kind.name); only a TokensCharged is corrected")
  }

  fileprivate static func tooMuch(_ difference: Int64, _ unit: String) -> AccountRefusal {
    AccountRefusal(
      .invalid, "units", "\(difference.text(in: unit)) is more than the books hold")
  }
}

extension Int64 {
  /// Such as `-30 tokens`, and of money `-0.50 EUR`.
  func text(in unit: String) -> String {
    if Amount.isMoney(unit) { return "\(DecimalText.text(nanoUnits: self)) \(unit)" }
    return "\(self) \(magnitude == 1 && unit.hasSuffix("s") ? String(unit.dropLast()) : unit)"
  }
}
