import TollbookEvents

extension AuditFold {
  mutating func written(_ event: WrittenFields, _ record: RawSpan) {
    let place = shelf.place(of: event.resource, in: record)
    var entry = AuditEntry(
      contentSet: event.contentSet, fetch: event.fetch, written: position,
      digest: BodyDigest(record, event.body, presence: event.presence), fetched: event.fetched,
      freshUntil: event.freshUntil, upstreamUpdated: event.upstreamUpdated)
    entry.costs = amounts(event.costs, record)
    let isUnchanged = shelf[place].entries.contains {
      $0.contentSet == entry.contentSet && $0.digest == entry.digest
    }
    var index: Int?
    if followsResources {
      index = mark(place, isUnchanged ? [.brought, .unchanged] : .brought, event.fetch)
    }
    let call = calls[event.fetch]
    entry.credential = call?.credential
    entry.isBehind = index.flatMap { call?.isBehind($0) } ?? false
    replace(by: entry, in: place)
    let account = index.flatMap { call?.demand(ofResource: $0)?.account } ?? call?.account
    // What was bought elsewhere is no purchase.
    guard isCounting, event.fetch > 0, isWanted(account) else { return }
    var delta = AuditCounts()
    delta.bought = 1
    if options.grouping.dividesByResource {
      groups.add(delta, to: group(ofResource: shelf[place].name))
    } else {
      let key = group(
        at: wall, account: account, credential: call?.credential, operation: call?.operation)
      groups.add(delta, to: key)
    }
  }

  /// Costs with the numbers of their units.
  private mutating func amounts(
    _ costs: ShortList<CostFields>, _ record: RawSpan
  ) -> ShortList<UnitAmount> {
    var amounts = ShortList<UnitAmount>()
    for cost in costs {
      let unit =
        cost.unit.map { units.number(of: $0, in: record) } ?? units.number(of: Amount.firstUnit)
      amounts.add(cost.amount, unit: unit)
    }
    return amounts
  }

  /// Puts an entry in the place of those that it covers.
  private mutating func replace(by entry: AuditEntry, in place: Int) {
    if !shelf[place].entries.isEmpty {
      let covered = shelf[place].entries.filter {
        $0.contentSet & entry.contentSet == $0.contentSet
      }
      shelf[place].entries.removeAll { $0.contentSet & entry.contentSet == $0.contentSet }
      for old in covered { putAside(old, in: place) }
    }
    shelf[place].entries.append(entry)
  }

  /// Keeps an entry that was replaced, since reads of it may still be written down: until the next one is replaced, or
  /// the last one is removed.
  private mutating func putAside(_ entry: AuditEntry, in place: Int) {
    refreshEnded(entry.written)
    if let older = shelf[place].replaced { settle(older, of: place, isOver: true) }
    shelf[place].replaced = entry
  }

  /// - Returns: the index of the resource among those of the call; nil: the call is not known.
  private mutating func mark(
    _ place: Int, _ marks: AuditCall.Marks, _ fetch: Position
  ) -> Int? {
    // Answers come in the order in which they were asked for: what is marked next is mostly the first without a mark.
    guard let hint = calls[fetch]?.marked, let index = index(of: place, near: hint, in: fetch)
    else { return nil }
    calls[fetch]?.marks[index].formUnion(marks)
    calls[fetch]?.marked = index + 1
    return index
  }

  // MARK: Sweeping and purging

  mutating func expired(_ event: SweptFields, _ record: RawSpan) {
    refreshEnded(event.written)
    guard let place = shelf.find(event.resource, in: record),
      let index = shelf[place].entries.firstIndex(where: { $0.written == event.written })
    else { return }
    shelf[place].entries[index].isMarkedExpired = true
  }

  /// - Returns: false for a payload that is no message.
  mutating func swept(_ record: RawSpan, _ payload: Range<Int>) -> Bool {
    var rows = WireFields(payload)
    while let row = rows.next(in: record) {
      guard row.number == 1, row.kind == .bytes else { continue }
      guard let entry = SweptFields(record, row.range) else { return false }
      if options.parkedByCache.contains(position) { continue }
      if !entry.isEvicted {
        expired(entry, record)
      } else if let place = shelf.find(entry.resource, in: record) {
        removed(place, entry.contentSet, written: entry.written)
      }
    }
    return !rows.isMalformed
  }

  mutating func removed(_ resource: String, _ contentSet: UInt64, written: Position) {
    if let place = shelf.find(ByteName(resource)) {
      removed(place, contentSet, written: written)
    }
  }

  private mutating func removed(_ place: Int, _ contentSet: UInt64, written: Position) {
    refreshEnded(written)
    guard
      let index = shelf[place].entries.firstIndex(where: {
        $0.contentSet == contentSet && $0.written == written
      })
    else { return }
    let entry = shelf[place].entries.remove(at: index)
    settle(entry, of: place, isOver: true)
    if shelf[place].entries.isEmpty, let replaced = shelf[place].replaced {
      settle(replaced, of: place, isOver: true)
      shelf[place].replaced = nil
    }
    shelf.giveUp(place)
  }

  mutating func purged(_ event: CachePurged) {
    refreshEnded(event.written)
    if event.hard {
      return removed(event.resource, event.contentSet, written: event.written)
    }
    guard let place = shelf.find(ByteName(event.resource)),
      let index = shelf[place].entries.firstIndex(where: {
        $0.contentSet == event.contentSet && $0.written == event.written
      })
    else { return }
    let freshUntil = shelf[place].entries[index].freshUntil
    shelf[place].entries[index].freshUntil = min(freshUntil, event.staleFromMs)
    // The sweeper does not come to it again.
    shelf[place].entries[index].isMarkedExpired = true
  }

  /// Decides about an entry.
  ///
  /// - Parameter isOver: whether it is gone; else the range ends while it is there.
  mutating func settle(_ entry: AuditEntry, of place: Int, isOver: Bool) {
    let isFresh = !isOver && entry.freshUntil > wall.milliseconds
    let wasteClass: WasteClass = entry.isRead ? .refreshed : isFresh ? .live : .neverRead
    for amount in entry.pending { addWaste(amount.count, wasteClass, unit: amount.unit) }
    // Its call is remembered only while something of it is open.
    if isOver, entry.isBehind, let index = calls[entry.fetch]?.index(of: place, near: 0) {
      calls[entry.fetch]?.marks[index].insert(entry.isRead ? .used : .unread)
    }
  }

  // MARK: Reads

  /// - Returns: false for a payload that is no message.
  mutating func tallied(_ record: RawSpan, _ payload: Range<Int>) -> Bool {
    var rows = WireFields(payload)
    while let row = rows.next(in: record) {
      guard row.number == 1 || row.number == 2, row.kind == .bytes else { continue }
      guard let tally = TallyFields(record, row.range) else { return false }
      read(tally, record, isAnswered: row.number == 1)
    }
    return !rows.isMalformed
  }

  private mutating func read(_ tally: TallyFields, _ record: RawSpan, isAnswered: Bool) {
    let entry = isAnswered ? answering(tally, record) : nil
    if tally.written != 0, tally.fresh > 0 || tally.joined > 0 { refreshUsed(tally.written) }
    let account = names.number(of: tally.account, in: record)
    guard isCounting, isWanted(account) else { return }
    var delta = AuditCounts()
    delta.readsFresh = tally.fresh
    delta.readsStale = tally.stale
    delta.readsJoined = tally.joined
    delta.readsBooked = tally.booked
    delta.readsUnmet = tally.unmet
    // A row that tells what would have bought it tells what the entry had cost too, if that was known.
    let tellsCosts = !tally.operation.isEmpty
    if tally.costs.isEmpty, entry == nil || tellsCosts { delta.readsOfUnknownCost = delta.hits }
    let key: AuditGroups.Key
    switch options.grouping {
    case .resource: key = .name(names.number(of: tally.resource, in: record))
    case .operation where !tally.operation.isEmpty:
      key = .name(names.number(of: tally.operation, in: record))
    // What buys a kind of resources has its name, as far as format 1 goes.
    case .kind, .operation:
      key = .name(names.number(of: ByteName(record, tally.resource).kind))
    case .day, .hour, .account, .credential:
      key = group(at: wall, account: account, credential: entry?.credential, operation: nil)
    }
    groups.add(delta, to: key)
    let costs =
      tally.costs.isEmpty && !tellsCosts ? entry?.costs : amounts(tally.costs, record)
    for cost in costs ?? ShortList() {
      var delta = UnitAmounts()
      delta.avoided = cost.count &* (tally.fresh + tally.stale)
      delta.avoidedByJoining = cost.count &* tally.joined
      groups.add(delta, unit: cost.unit, to: key)
    }
  }

  /// The entry that answered, marked as read if it was fresh.
  private mutating func answering(_ tally: TallyFields, _ record: RawSpan) -> AuditEntry? {
    guard let place = shelf.find(tally.resource, in: record) else { return nil }
    let isFresh = tally.fresh > 0 || tally.joined > 0
    // Where no position tells which one it was: the one that is there, unless it was read before that was fetched.
    let index = shelf[place].entries.firstIndex { entry in
      tally.written == 0
        ? entry.contentSet == tally.contentSet && entry.fetched <= tally.lastRead
        : entry.written == tally.written
    }
    if let index {
      if isFresh { shelf[place].entries[index].isRead = true }
      return shelf[place].entries[index]
    }
    guard let replaced = shelf[place].replaced,
      tally.written == 0
        ? replaced.contentSet == tally.contentSet : replaced.written == tally.written
    else { return nil }
    if isFresh { shelf[place].replaced?.isRead = true }
    return replaced
  }
}
