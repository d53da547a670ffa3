import Deflate
import FoundationEssentials
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Write down what a successful attempt brought and cost.
struct SettleCommand: Sendable {
  /// What is to be kept of an answer, with its body compressed.
  struct Stored: Sendable {
    var write: Write
    var body: Body?
  }

  let upstream: any Upstream
  var attempt: Attempt
  /// In the order of the answer, each resource once.
  var stored: [Stored]
  var handedOn: [Write] = []
  var silence: [ResourceKey: String] = [:]
  var raw: RawAnswer?
  var charges: [MeterKey: MeterCharge]
  var readings: [MeterReading]
  var counts: [UsageCount] = []
  /// As of the reservation.
  var elsewhere: [MeterKey: Int64] = [:]
  var observed: Timestamp
  var durationMilliseconds: Int64
  var receivedBytes: Int

  struct Answer: Sendable {
    /// What became of each need.
    var ends: [Purchase.End]
    /// What each need has cost that the answer brought nothing for.
    var lost: [LostCost]
    /// What the demand's own limit gets back.
    var left: Int64
  }

  func decide(
    _ cache: CacheView, _ ledger: LedgerView, _ state: borrowing LogReading,
    _ context: DecisionContext
  ) throws(LogError) -> Decision<Answer> {
    var attempt = attempt
    var booking = Booking(upstream)
    try booking.begin(&attempt, at: context.next, ledger, state)
    booking.append(.fetchSucceeded(succeeded(attempt)))
    var end = AttemptEnd(charges: charges, counts: counts, others: .byPrice)
    // What an answer costs does not depend on what became of each need, but that there is something.
    end.results = attempt.call.needs.map { _ in .init(use: .failed, written: 0) }
    let costs = attempt.costs(end)
    let parts = costs.map { attempt.divided($0.count) }
    let places = Dictionary(
      attempt.resources.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var written: [ResourceKey: Position] = [:]
    for item in stored {
      let before = try cache.all(of: item.write.resource, in: state)
      let position = context.next + UInt64(booking.events.count)
      written[item.write.resource] = position
      let place = places[item.write.resource]
      if let place {
        end.results[place] = Attempt.Result(
          use: use(of: item, after: before, by: attempt, place), written: position)
      }
      let shares = zip(costs, parts).map { cost, part in
        Amount(place.map { part[$0] } ?? 0, cost.unit)
      }
      booking.append(
        .cacheWritten(
          CacheWritten(
            item.write, item.body,
            in: upstream.kinds.first { $0.name == item.write.resource.kind },
            fetch: attempt.fetch, fetched: observed, costs: shares, after: before)))
    }
    for write in handedOn {
      if let place = places[write.resource] { end.results[place].use = .handedOn }
    }
    if raw != nil {
      for place in attempt.call.needs.indices where attempt.call.needs[place].resource == nil {
        end.results[place].use = .handedOn
      }
    }
    try booking.end(attempt, end, ended: observed, ledger, state)
    if upstream.takesKey {
      try booking.noteKey(attempt.credential, .accepted, ledger, state)
    }
    try booking.observe(
      readings, asked: attempt.sent, known: attempt.pages, elsewhere: elsewhere, at: observed,
      fetch: attempt.fetch, ledger, state)
    let shares = parts.first ?? attempt.call.needs.map { _ in 0 }
    let ends = attempt.call.needs.indices.map { place in
      self.end(of: place, attempt, cost: shares[place], written)
    }
    let lost = zip(ends, attempt.lost(end)).map { end, lost in
      if case .failed = end { lost } else { LostCost() }
    }
    return Decision(
      events: booking.events, bodies: stored.compactMap(\.body),
      answer: Answer(ends: ends, lost: lost, left: attempt.left(end)))
  }

  private func end(
    of place: Int, _ attempt: Attempt, cost: Int64, _ written: [ResourceKey: Position]
  ) -> Purchase.End {
    guard let resource = attempt.call.needs[place].resource else {
      guard let raw else {
        return .failed(PurchaseProblem(.upstreamUnavailable, "\(upstream.title) answered nothing"))
      }
      return .passedThrough(cost: cost, raw)
    }
    if let position = written[resource] { return .written(cost: cost, position: position) }
    if let write = handedOn.first(where: { $0.resource == resource }) {
      return .handedOn(cost: cost, write)
    }
    return .failed(
      .unanswered(
        silence[resource] ?? "\(upstream.title)'s answer does not say anything about it"))
  }

  private func succeeded(_ attempt: Attempt) -> FetchSucceeded {
    var event = FetchSucceeded()
    event.fetch = attempt.fetch
    event.attempt = attempt.number
    event.found = UInt32(stored.count { $0.body != nil })
    event.absent = UInt32(stored.count { $0.body == nil })
    event.durationMs = UInt32(clamping: durationMilliseconds)
    event.receivedBytes = UInt64(receivedBytes)
    event.operation = attempt.operation
    let resources = stored.map(\.write.resource)
    let asked = attempt.resources
    event.payers = [Payer].counting(
      resources, of: attempt.demands,
      resources.map { resource in
        asked.firstIndex(of: resource).map { attempt.demandOf[$0] } ?? 0
      })
    event.handedOn = handedOn.map { write in
      var row = HandedOn()
      row.resource = write.resource.description
      if case .handOn(let reason, let detail) = write.disposition {
        row.reason = reason
        row.detail = detail.inOneLine(atMost: 1_000)
      }
      return row
    }
    if raw != nil {
      var row = HandedOn()
      row.reason = .passedThrough
      event.handedOn.append(row)
    }
    return event
  }

  /// What an answer was good for, given what the cache held of the resource.
  private func use(
    of item: Stored, after entries: [CacheEntry], by attempt: Attempt, _ place: Int
  ) -> Use {
    let digest = item.body?.digest ?? []
    let isUnchanged = entries.contains {
      $0.contentSet == item.write.parts && $0.isPresent == (item.body != nil)
        && $0.digest == digest
    }
    if isUnchanged { return .unchanged }
    return attempt.demands[attempt.demandOf[place]].isBehind ? .refreshed : .served
  }
}

extension CacheWritten {
  /// An entry that is kept.
  ///
  /// - Parameters:
  ///   - fetch: what brought it; 0: it was bought elsewhere.
  ///   - entries: what the cache holds of the resource.
  init(
    _ write: Write, _ body: Body?, in kind: ResourceKind?, fetch: Position, fetched: Timestamp,
    costs: [Amount], after entries: [CacheEntry]
  ) {
    self.init()
    resource = write.resource.description
    contentSet = write.parts
    replaced = entries.filter { $0.contentSet & write.parts == $0.contentSet }.map(\.written)
    presence = body == nil ? .absent : .present
    self.fetch = fetch
    self.body = .init(body?.digest ?? [])
    bodyBytes = UInt32(body?.fragment.rawLength ?? 0)
    upstreamUpdatedMs = write.upstreamUpdated
    self.costs = costs.map { Cost($0) }
    summary = .init(write.summary)
    summaryForm = write.summary.isEmpty ? .none : kind?.summary ?? .none
    let windows =
      write.windows ?? (kind?.freshness ?? FreshnessPolicy()).windows(isPresent: body != nil)
    windows.stamp(&self, fetched: fetched)
  }
}

extension Booking {
  /// Writes the start of a call that is booked with its end; the limits of its windows are posted now.
  mutating func begin(
    _ attempt: inout Attempt, at position: Position, _ ledger: LedgerView,
    _ state: borrowing LogReading
  ) throws(LogError) {
    guard attempt.fetch == 0 else { return }
    attempt.fetch = position
    for index in attempt.moves.indices {
      let page = attempt.moves[index].page
      let use = attempt.call.uses.first { $0.meter == page.inWindow("") }
      let stands = try self.page(page, ledger, state)
      let amount = attempt.moves[index].amount
      attempt.moves[index].granted = use?.rule.granted(on: stands, taking: amount) ?? 0
    }
    append(.fetchStarted(attempt.started))
  }
}
