import Bytes
import TollbookEvents

/// What an audit books of a posting: whose it is but for its parts, and how much.
private struct Booking {
  var unit: Int
  /// Whose meter it is, and with which key the call was made, as names.
  var owner: Int?
  var credential: Int?
  var operation: Int?
  /// Whether it counts as a charge; a charge in several units does once.
  var isCounted = true
  /// Whether it is a charge of its unit; else it corrects one.
  var isCharge = true
}

extension AuditFold {
  mutating func charged(_ event: ChargedFields, _ record: RawSpan) {
    let credential = names.number(of: event.credential, in: record)
    let operation = names.number(of: event.operation, in: record)
    let payers = payers(of: event, record)
    var told = 0
    for move in event.moves {
      let meter = meter(move.meter, record)
      note(call: event.fetch, meter)
      reservationEnded(event, move, meter, record)
      // Another move tells the same cost.
      guard isCounting, !move.isLimitOnly else { continue }
      let booking = Booking(
        unit: meter.unit, owner: meter.owner, credential: credential, operation: operation,
        isCounted: told == 0)
      if followsResources {
        let parts = parts(of: event, move, told, payers, record)
        let wanted = book(booking, parts, expected: move.expected)
        if options.withWaste {
          for var part in wanted {
            if event.tellsUse, part.use == .unspecified { part.use = .failed }
            classify(part, unit: meter.unit, of: event.fetch, attempt: event.attempt)
          }
        }
        if !wanted.isEmpty { checkPrice(move, meter, event, record) }
      } else {
        book(booking, certain: move.amount, expected: move.expected)
        checkPrice(move, meter, event, record)
      }
      told += 1
    }
    attemptBooked(event.fetch, event.attempt)
  }

  private mutating func checkPrice(
    _ move: MoveFields, _ meter: AuditMeter, _ event: ChargedFields, _ record: RawSpan
  ) {
    if move.amount > move.reserved {
      reconciliation.add(
        excess: move.amount &- move.reserved, unit: units.all[meter.unit].text)
    }
    guard move.amount != move.expected else { return }
    reconciliation.add(
      price: PriceDrift(
        position: position, time: last, fetch: event.fetch,
        operation: String(decoding: record.bytes(in: event.operation), as: UTF8.self),
        unit: units.all[meter.unit].text, amount: move.amount, expected: move.expected,
        reserved: move.reserved))
  }

  // MARK: Booking

  /// Adds a charge to its group, where groups do not divide it.
  private mutating func book(_ booking: Booking, certain: Int64, expected: Int64) {
    var delta = UnitAmounts()
    delta.certain = certain
    delta.expected = expected
    delta.charges = booking.isCharge ? 1 : 0
    let key = group(
      at: wall, account: nil, credential: booking.owner, operation: booking.operation)
    groups.add(delta, unit: booking.unit, to: key)
    guard booking.isCounted else { return }
    var count = AuditCounts()
    count.charges = 1
    // A charge on meters of several owners counts once: with the key of its call.
    let group =
      options.grouping == .credential ? booking.credential.map { .name($0) } ?? .unknown : key
    groups.add(count, to: group)
  }

  /// Adds a charge: to its group, or to the groups of its parts.
  ///
  /// - Returns: the parts that are wanted.
  @discardableResult
  private mutating func book(
    _ booking: Booking, _ parts: [AuditPart], expected: Int64
  ) -> [AuditPart] {
    let amounts = parts.map(\.amount)
    let expectations = parts.dividing(expected)
    let wanted = parts.indices.filter { isWanted(parts[$0].account) }
    guard !wanted.isEmpty else { return [] }
    guard options.grouping.divides else {
      book(
        booking, certain: wanted.reduce(0) { $0 &+ amounts[$1] },
        expected: wanted.reduce(0) { $0 &+ expectations[$1] })
      return account == nil ? parts : wanted.map { parts[$0] }
    }
    var touched = TouchedGroups()
    var total = UnitAmounts()
    for index in wanted {
      let key = group(of: parts[index])
      var delta = UnitAmounts()
      delta.certain = amounts[index]
      delta.expected = expectations[index]
      total += delta
      if touched.insert(key), booking.isCharge { delta.charges = 1 }
      groups.addToGroup(delta, unit: booking.unit, key)
    }
    total.charges = booking.isCharge ? 1 : 0
    groups.addToTotal(total, unit: booking.unit)
    if booking.isCounted {
      var count = AuditCounts()
      count.charges = 1
      groups.addToTotal(count)
      for key in touched.keys { groups.addToGroup(count, key) }
    }
    return wanted.map { parts[$0] }
  }

  // MARK: Corrections

  /// What is added to a charge counts when that is found: whose it is the event tells.
  mutating func corrected(_ event: ChargeCorrected, _ postings: [Posting]) {
    let payers = payers(event.payers)
    for posting in postings where !posting.isLimitOnly {
      guard isCounting, case .corrected(let difference) = posting.change else { continue }
      let meter = meter(posting.page)
      let booking = Booking(
        unit: meter.unit, owner: meter.owner, credential: names.number(of: event.credential),
        operation: names.number(of: event.operation), isCounted: false, isCharge: false)
      guard followsResources else {
        book(booking, certain: difference, expected: 0)
        continue
      }
      let parts = zip(payers, payers.dividing(difference)).enumerated().map { number, part in
        AuditPart(
          account: part.0.account, payer: number, kind: part.0.kind, amount: part.1)
      }
      for part in book(booking, parts, expected: 0) where options.withWaste {
        addWaste(part.amount, .corrected, unit: meter.unit)
      }
    }
  }

  // MARK: Doubts

  mutating func doubted(_ event: ChargeInDoubt, _ postings: [Posting]) {
    let call = calls[event.fetch]
    let key = AttemptKey(fetch: event.fetch, attempt: event.attempt)
    reservationEnded(postings)
    let origin = AuditOrigin(
      time: wall,
      payers: event.payers.isEmpty ? payers(call?.account) : payers(event.payers),
      operation: event.operation.isEmpty ? call?.operation : names.number(of: event.operation))
    var doubt = AuditDoubt(origin: origin)
    for posting in postings {
      let meter = meter(posting.page)
      note(call: event.fetch, meter)
      guard !posting.isLimitOnly, case .doubted(let amount) = posting.change else { continue }
      doubt.openPages += 1
      doubt.isCounted = isCounting
      guard isCounting else { continue }
      post(amount, to: \.inDoubt, .inDoubt, origin, meter, fetch: event.fetch)
    }
    if doubt.openPages > 0 {
      if let old = doubts[key] {
        doubt.openPages += old.openPages
      } else {
        calls[event.fetch]?.openDoubts += 1
      }
      doubts[key] = doubt
    }
    attemptBooked(event.fetch, event.attempt)
  }

  mutating func resolved(_ event: ChargeResolved, _ postings: [Posting]) {
    for (closing, posting) in zip(event.doubts, postings) {
      guard !posting.isLimitOnly, case .closed(let closed) = posting.change else { continue }
      let key = AttemptKey(fetch: closing.fetch, attempt: closing.attempt)
      let meter = meter(posting.page)
      let payers =
        closing.payers.isEmpty
        ? payers(names.number(of: closing.account)) : payers(closing.payers)
      // One from before what the log holds counts when it is closed.
      var doubt =
        doubts[key]
        ?? AuditDoubt(
          origin: AuditOrigin(
            time: wall, payers: payers, operation: names.number(of: closing.operation)))
      if options.through == nil ? isCounting : isInRange(doubts[key], closed) {
        let state = closed.wasUnprovable ? \UnitAmounts.unprovable : \UnitAmounts.inDoubt
        post(
          0 &- closed.amount, to: state, closed.wasUnprovable ? .unprovable : .inDoubt,
          doubt.origin, meter, fetch: closing.fetch)
        post(
          closed.unprovable, to: \.unprovable, .unprovable, doubt.origin, meter,
          fetch: closing.fetch)
      }
      if closed.settled != 0 {
        if doubt.countedUnit == nil { doubt.countedUnit = meter.unit }
        let isCounted = doubt.countedUnit == meter.unit
        if isCounting {
          settle(
            closing, closed.settled, payers, meter, isCounted: isCounted,
            tellsUse: event.hasMeter)
        }
      }
      close(key, doubt, isOver: closed.unprovable == 0)
    }
  }

  /// Whether a doubt began in the range.
  private func isInRange(_ doubt: AuditDoubt?, _ closed: ClosedDoubt) -> Bool {
    // One that is not known, but since when, is from before what the log holds.
    doubt?.isCounted ?? (closed.since == nil && isCounting)
  }

  /// Notes that a doubt is no longer open on a page, or is open on.
  private mutating func close(_ key: AttemptKey, _ doubt: AuditDoubt, isOver: Bool) {
    guard doubts[key] != nil else { return }
    var doubt = doubt
    if isOver { doubt.openPages -= 1 }
    guard doubt.openPages <= 0 else {
      doubts[key] = doubt
      return
    }
    doubts[key] = nil
    calls[key.fetch]?.openDoubts -= 1
    forget(key.fetch)
  }

  /// What is left of a doubt is a charge like any other, at the time when that was found.
  private mutating func settle(
    _ closing: ResolvedDoubt, _ amount: Int64, _ payers: ShortList<AuditPayer>,
    _ meter: AuditMeter, isCounted: Bool, tellsUse: Bool
  ) {
    let booking = Booking(
      unit: meter.unit, owner: meter.owner,
      credential: calls[closing.fetch]?.credential ?? meter.owner,
      operation: names.number(of: closing.operation), isCounted: isCounted)
    let parts = parts(amount, over: payers, of: closing.fetch)
    let wanted = book(booking, parts, expected: 0)
    guard options.withWaste else { return }
    for var part in wanted {
      // What was in doubt brought nothing.
      if tellsUse { part.use = .failed }
      classify(part, unit: meter.unit, of: closing.fetch, attempt: closing.attempt)
    }
  }

  /// Moves a term of what is held for an attempt, in the group where that began.
  mutating func post(
    _ amount: Int64, to term: WritableKeyPath<UnitAmounts, Int64>, _ wasteClass: WasteClass,
    _ origin: AuditOrigin, _ meter: AuditMeter, fetch: Position
  ) {
    guard amount != 0 else { return }
    var delta = UnitAmounts()
    if options.grouping.dividesByResource {
      for part in parts(amount, over: origin.payers, of: fetch) where isWanted(part.account) {
        delta[keyPath: term] = part.amount
        groups.add(delta, unit: meter.unit, to: group(of: part))
        addWaste(part.amount, wasteClass, unit: meter.unit)
      }
    } else {
      for (payer, amount) in zip(origin.payers, origin.payers.dividing(amount))
      where isWanted(payer.account) {
        delta[keyPath: term] = amount
        let key = group(
          at: origin.time, account: payer.account, credential: meter.owner,
          operation: origin.operation)
        groups.add(delta, unit: meter.unit, to: key)
        addWaste(amount, wasteClass, unit: meter.unit)
      }
    }
  }

  // MARK: Waste

  /// Brings what is certainly spent into its class.
  private mutating func classify(
    _ part: AuditPart, unit: Int, of fetch: Position, attempt: UInt32
  ) {
    switch part.use {
    case .served: addWaste(part.amount, .served, unit: unit)
    case .duplicate: addWaste(part.amount, .duplicate, unit: unit)
    case .unchanged: addWaste(part.amount, .unchanged, unit: unit)
    case .failed: addWaste(part.amount, .failed, unit: unit)
    case .handedOn:
      // The part of no resource is the call's own.
      addWaste(part.amount, part.place == nil ? .passedThrough : .handedOn, unit: unit)
    case .refreshed where options.through == nil: refreshed(part, unit: unit, of: fetch)
    case .refreshed where part.written == 0: addWaste(part.amount, .neverRead, unit: unit)
    case .refreshed: watch(part.amount, unit: unit, for: part.written)
    case .unspecified, .UNRECOGNIZED: judge(part, unit: unit, of: fetch, attempt: attempt)
    }
  }

  /// Judges what no share tells, by what is known of the call.
  private mutating func judge(
    _ part: AuditPart, unit: Int, of fetch: Position, attempt: UInt32
  ) {
    guard let call = calls[fetch], let index = part.index else {
      return addWaste(part.amount, .failed, unit: unit)
    }
    let marks = call.marks[index]
    if marks.contains(.duplicate) {
      addWaste(part.amount, .duplicate, unit: unit)
    } else if call.succeeded != attempt || !marks.contains(.brought) {
      addWaste(part.amount, .failed, unit: unit)
    } else if marks.contains(.unchanged) {
      addWaste(part.amount, .unchanged, unit: unit)
    } else if !call.isBehind(index) {
      addWaste(part.amount, .served, unit: unit)
    } else {
      refreshed(part, unit: unit, of: fetch)
    }
  }

  /// What was paid for a refresh waits with the entry, until it is known whether somebody reads it.
  private mutating func refreshed(_ part: AuditPart, unit: Int, of fetch: Position) {
    let marks = part.index.flatMap { calls[fetch]?.marks[$0] } ?? []
    if marks.contains(.used) {
      addWaste(part.amount, .refreshed, unit: unit)
    } else if !marks.contains(.unread), let place = part.place,
      hold(part, unit: unit, for: fetch, in: place)
    {
      return
    } else {
      addWaste(part.amount, .neverRead, unit: unit)
    }
  }

  /// - Returns: false if there is no such entry.
  private mutating func hold(
    _ part: AuditPart, unit: Int, for fetch: Position, in place: Int
  ) -> Bool {
    func isPaid(_ entry: AuditEntry) -> Bool {
      part.written == 0 ? entry.fetch == fetch : entry.written == part.written
    }
    if let index = shelf[place].entries.firstIndex(where: isPaid) {
      shelf[place].entries[index].pending.add(part.amount, unit: unit)
      return true
    }
    guard let replaced = shelf[place].replaced, isPaid(replaced) else { return false }
    shelf[place].replaced?.pending.add(part.amount, unit: unit)
    return true
  }

  // MARK: Refusals

  mutating func refused(_ event: SpendRefused) {
    let demand = event.anyDemand
    let account = names.number(of: demand.account)
    guard isCounting, isWanted(account) else { return }
    func refusals(_ count: Int64) -> AuditCounts {
      var counts = AuditCounts()
      counts.refused = count
      counts.refusedBehind = demand.isBehind ? count : 0
      return counts
    }
    guard options.grouping.dividesByResource else {
      let key = group(
        at: wall, account: account, credential: names.number(of: event.credential),
        operation: names.number(of: event.operation))
      return groups.add(refusals(Int64(event.resources)), to: key)
    }
    groups.addToTotal(refusals(Int64(event.resources)))
    var left = Int64(event.resources)
    let isByKind =
      options.grouping == .kind && event.payers.reduce(0) { $0 &+ $1.weight } == left
    if isByKind {
      for payer in event.payers {
        groups.addToGroup(refusals(payer.weight), .name(names.number(of: payer.kind)))
      }
      return
    }
    for resource in event.refused where left > 0 {
      groups.addToGroup(refusals(1), group(ofResource: ByteName(resource)))
      left -= 1
    }
    if left > 0 { groups.addToGroup(refusals(left), .unknown) }
  }
}
