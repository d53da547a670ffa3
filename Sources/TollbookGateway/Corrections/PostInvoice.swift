import FoundationEssentials
package import TollbookEvents
package import TollbookLog

/// What an upstream's bill says of a day beyond what the books say.
package struct BilledDifference: Hashable, Sendable {
  /// Such as `2026-11-21`.
  package var day: String
  /// The operation or the model, as the bill names it; empty: all.
  package var name: String
  /// The page on which it is posted.
  package var page: MeterKey
  package var billed: Int64
  /// The nearest of what may be booked.
  package var booked: Int64

  package init(day: String, name: String, page: MeterKey, billed: Int64, booked: Int64) {
    self.day = day
    self.name = name
    self.page = page
    self.billed = billed
    self.booked = booked
  }
}

/// Post the differences of a bill: each as unexplained, on the meter that it is about.
package struct PostInvoice: Sendable {
  /// So many differences one bill may post.
  package static let most = 1_000
  private static let chunk = 512

  package var differences: [BilledDifference]
  /// SHA-256 of the bill.
  package var digest: [UInt8]
  package var reason: String
  package var actor: String

  package init(
    _ differences: [BilledDifference], of digest: [UInt8], reason: String, actor: String
  ) throws(AccountRefusal) {
    try GivenReason.check(reason, "reason")
    guard differences.count <= Self.most else {
      throw AccountRefusal(
        .invalid, "csv",
        "the bill differs in \(differences.count) lines; up to \(Self.most) are posted at once")
    }
    self.differences = differences
    self.digest = digest
    self.reason = reason.inOneLine()
    self.actor = actor
  }

  /// - Parameter looked: bills up to this position are others.
  func decide(
    after looked: Position, _ index: EventIndex, _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    if let position = try posted(after: looked, index, reader, state) {
      return .refused(.conflict, "csv", "this bill was posted already, at position \(position)")
    }
    let events = differences.map { difference in
      var event = InvoicePosted()
      event.meter = difference.page.name
      event.window = difference.page.window
      event.day = difference.day
      event.operation = difference.name
      event.invoiced = difference.billed
      event.booked = difference.booked
      event.unexplained = difference.billed &- difference.booked
      event.invoice = Data(digest)
      event.note = reason
      event.actor = actor
      return Event.invoicePosted(event)
    }
    return Decision(events: events, answer: .success(()))
  }

  /// Where the bill was posted; nil: it was not.
  private func posted(
    after looked: Position, _ index: EventIndex, _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) -> Position? {
    var last = looked
    while true {
      let positions = try index.positions(
        of: .invoicePosted, after: last, limit: Self.chunk, in: state)
      for position in positions {
        last = position
        guard case .invoicePosted(let event)? = try reader.event(at: position, in: state)?.event
        else { continue }
        if [UInt8](event.invoice) == digest { return position }
      }
      if positions.count < Self.chunk { return nil }
    }
  }

  /// - Returns: the position of the first event; nothing is written if nothing differs.
  package func run(on log: EventLog) async throws -> Position {
    let (index, reader) = (log.index, log.reader)
    // Most of the bills are looked at before the writer's turn: one that is found here the decision finds again.
    let looked = try log.read { (state) throws(LogError) in
      if let position = try posted(after: 0, index, reader, state) { return position - 1 }
      return try reader.head(in: state)
    }
    return try await log.decide { (state, context) throws(LogError) in
      let decision = try decide(after: looked, index, reader, state)
      return Decision(
        events: decision.events, answer: decision.answer.map { _ in context.next })
    }.answer.get()
  }
}

extension Gateway {
  /// The page of an upstream's own meter on which counts what an operation spends of a unit at an instant; nil: there is
  /// none, or more than one.
  ///
  /// - Parameter operation: empty: of any.
  package func page(of unit: String, operation: String, at time: Timestamp) -> MeterKey? {
    let name = operation.prefix { $0 != "." }
    let meters = purchasers.filter { operation.isEmpty || $0.upstream.name == name }
      .flatMap { $0.upstream.meters }.filter { $0.key.unit == unit }
    guard meters.count == 1 else { return nil }
    return meters[0].key.inWindow(meters[0].rule.window(at: time).name)
  }
}
