import LMDB
import TollbookEvents

extension AuditFold {
  mutating func written(_ event: WrittenFields, _ record: RawSpan) {
    let place = shelf.place(of: event.resource, in: record)
    var entry = AuditEntry(
      contentSet: event.contentSet, fetch: event.fetch, written: position,
      digest: BodyDigest(record, event.body, presence: event.presence), fetched: event.fetched,
      freshUntil: event.freshUntil, tokens: event.tokens)
    let call = calls[event.fetch]
    entry.credential = call?.credential
    entry.isBehind = call?.isBehind ?? false
    let isUnchanged = shelf[place].entries.contains {
      $0.contentSet == entry.contentSet && $0.digest == entry.digest
    }
    replace(by: entry, in: place)
    if followsResources {
      mark(place, isUnchanged ? [.brought, .unchanged] : .brought, event.fetch)
    }
    guard isCounting, isWanted(call?.account) else { return }
    var delta = AuditSums()
    delta.bought = 1
    if options.grouping.divides {
      groups.add(delta, to: group(ofResource: shelf[place].name))
    } else {
      let key = group(
        at: last, account: call?.account, credential: call?.credential,
        operation: call?.operation)
      groups.add(delta, to: key)
    }
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
    if let older = shelf[place].replaced { settle(older, of: place, isOver: true) }
    shelf[place].replaced = entry
  }

  private mutating func mark(_ place: Int, _ marks: AuditCall.Marks, _ fetch: Position) {
    // Answers come in the order in which they were asked for: what is marked next is mostly the first without a mark.
    guard let call = calls[fetch] else { return }
    let hint = call.marked
    guard let index = index(of: place, near: hint, in: fetch) else { return }
    calls[fetch]?.marks[index].formUnion(marks)
    calls[fetch]?.marked = index + 1
  }

  mutating func expired(_ event: ExpiredFields, _ record: RawSpan) {
    guard let place = shelf.find(event.resource, in: record),
      let index = shelf[place].entries.firstIndex(where: { $0.written == event.written })
    else { return }
    shelf[place].entries[index].isMarkedExpired = true
  }

  mutating func removed(_ resource: String, _ contentSet: UInt32, written: Position) {
    guard let place = shelf.find(ByteName(resource)),
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
  }

  /// Decides about an entry.
  ///
  /// - Parameter isOver: whether it is gone; else the range ends while it is there.
  mutating func settle(_ entry: AuditEntry, of place: Int, isOver: Bool) {
    if entry.pending != 0 {
      let isFresh = !isOver && entry.freshUntil > last.milliseconds
      let wasteClass: WasteClass = entry.isRead ? .refreshed : isFresh ? .live : .neverRead
      waste[wasteClass] &+= entry.pending
    }
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
    let account = names.number(of: tally.account, in: record)
    guard isCounting, isWanted(account) else { return }
    var delta = AuditSums()
    delta.readsFresh = tally.fresh
    delta.readsStale = tally.stale
    delta.readsJoined = tally.joined
    delta.readsBooked = tally.booked
    delta.readsUnmet = tally.unmet
    if let entry {
      delta.avoided = entry.tokens &* (tally.fresh + tally.stale)
      delta.avoidedByJoining = entry.tokens &* tally.joined
    } else {
      delta.readsOfUnknownCost = delta.hits
    }
    let key: AuditGroups.Key
    switch options.grouping {
    case .resource: key = .name(names.number(of: tally.resource, in: record))
    // What buys a kind of resources has its name.
    case .kind, .operation:
      key = .name(names.number(of: ByteName(record, tally.resource).kind))
    case .day, .hour, .account, .credential:
      key = group(
        at: last, account: account, credential: entry?.credential, operation: nil)
    }
    groups.add(delta, to: key)
  }

  /// The entry that answered, marked as read if it was fresh.
  private mutating func answering(_ tally: TallyFields, _ record: RawSpan) -> AuditEntry? {
    guard let place = shelf.find(tally.resource, in: record) else { return nil }
    let isFresh = tally.fresh > 0 || tally.joined > 0
    let index = shelf[place].entries.firstIndex {
      $0.contentSet == tally.contentSet && $0.fetched <= tally.lastRead
    }
    if let index {
      if isFresh { shelf[place].entries[index].isRead = true }
      return shelf[place].entries[index]
    }
    // Read before the one that is there now was fetched.
    guard let replaced = shelf[place].replaced, replaced.contentSet == tally.contentSet else {
      return nil
    }
    if isFresh { shelf[place].replaced?.isRead = true }
    return replaced
  }
}
