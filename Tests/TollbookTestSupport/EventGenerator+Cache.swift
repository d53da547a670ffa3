import Foundation
import TollbookEvents
import TollbookViews

extension EventGenerator {
  mutating func tally() {
    let isFirst = choosesFirstFormat()
    var event = ReadsTallied()
    for _ in 0..<random.int(1...6) {
      let row = isFirst ? firstTally() : secondTally()
      event.rows.append(row)
      model.read(
        .init(resource: bytes(row.resource), contentSet: row.contentSet),
        written: row.written == 0 ? nil : row.written,
        times: Int(row.fresh + row.stale + row.joined),
        last: Timestamp(milliseconds: row.lastReadMs))
      model.count(.readsFresh, Int64(row.fresh), at: time)
      model.count(.readsStale, Int64(row.stale), at: time)
      model.count(.readsJoined, Int64(row.joined), at: time)
    }
    if !isFirst, random.chance(30) {
      var row = ReadTally()
      row.resource = random.pick(Self.resources)
      row.account = random.pick(Self.accounts)
      row.operation = random.pick(Self.operations)
      row.wantedContentSet = random.pick(Self.contentSets)
      row.unmet = UInt32(random.int(1...9))
      event.unmet = [row]
    }
    emit(.readsTallied(event))
  }

  private mutating func firstTally() -> ReadTally {
    var row = ReadTally()
    row.resource = random.pick(Self.resources)
    row.contentSet = random.pick(Self.firstContentSets)
    row.account = random.pick(Self.accounts)
    if random.chance(30) { row.maxAgeSeconds = UInt32(random.int(0...3_600)) }
    row.firstReadMs = time.milliseconds - random.int64(500...1_000)
    row.lastReadMs = time.milliseconds - random.int64(0...500)
    row.fresh = UInt32(random.int(0...50))
    row.stale = UInt32(random.int(0...5))
    row.joined = UInt32(random.int(0...5))
    return row
  }

  /// It names the entry that answered: mostly one that is there, sometimes one that was there before it.
  private mutating func secondTally() -> ReadTally {
    var row = firstTally()
    row.operation = random.pick(Self.operations)
    row.tags = someTags()
    row.ageBasis = random.pick([.fetch, .upstream, .live, .neverBuy])
    let entries = model.entries.sorted { $0.value.written < $1.value.written }
    guard !entries.isEmpty, random.chance(80) else { return row }
    let (key, entry) = random.pick(entries)
    row.resource = text(key.resource)
    row.contentSet = key.contentSet
    row.wantedContentSet = key.contentSet & random.pick(Self.contentSets)
    row.written = random.chance(85) ? entry.written : random.pick([1, entry.written - 1])
    row.costs = costs(of: entry)
    return row
  }

  private func costs(of entry: LogModel.Entry) -> [Cost] {
    entry.amounts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { Cost(Amount($0.value, text($0.key))) }
  }

  /// Finds some of the entries that are no longer fresh or no longer to be kept: in an event for each, or in one.
  mutating func sweep() {
    let due = model.entries.sorted { $0.value.written < $1.value.written }
      .prefix(random.int(1...5))
      .filter {
        $0.value.isMarkedExpired ? $0.value.keepUntil <= time : $0.value.freshUntil <= time
      }
    guard !due.isEmpty else { return }
    if choosesFirstFormat() {
      for (key, entry) in due { sweepAlone(key, entry) }
      return
    }
    var event = EntriesSwept()
    event.entries = due.map { key, entry in
      var row = SweptEntry()
      row.resource = text(key.resource)
      row.contentSet = key.contentSet
      row.written = entry.written
      row.evicted = entry.isMarkedExpired
      row.untilMs = (entry.isMarkedExpired ? entry.keepUntil : entry.freshUntil).milliseconds
      return row
    }
    emit(.entriesSwept(event))
    for (key, entry) in due { note(key, entry) }
  }

  private mutating func sweepAlone(_ key: LogModel.EntryKey, _ entry: LogModel.Entry) {
    if entry.isMarkedExpired {
      var event = CacheEvicted()
      event.resource = text(key.resource)
      event.contentSet = key.contentSet
      event.written = entry.written
      event.keepUntilMs = entry.keepUntil.milliseconds
      emit(.cacheEvicted(event))
    } else {
      var event = CacheExpired()
      event.resource = text(key.resource)
      event.contentSet = key.contentSet
      event.written = entry.written
      event.freshUntilMs = entry.freshUntil.milliseconds
      emit(.cacheExpired(event))
    }
    note(key, entry)
  }

  private mutating func note(_ key: LogModel.EntryKey, _ entry: LogModel.Entry) {
    if entry.isMarkedExpired {
      model.evict(key, at: time)
      model.count(.entriesEvicted, 1, at: time)
    } else {
      model.markExpired(key)
      model.count(.entriesExpired, 1, at: time)
    }
  }

  /// Purges some entries, mostly softly, fresh ones and others.
  mutating func purge() {
    let isHard = random.chance(30)
    let all = model.entries.sorted { $0.value.written < $1.value.written }
    for (key, entry) in all.shuffled(using: &random).prefix(random.int(1...4)) {
      var event = CachePurged()
      event.resource = text(key.resource)
      event.contentSet = key.contentSet
      event.written = entry.written
      event.hard = isHard
      event.staleFromMs = isHard ? 0 : time.milliseconds
      event.note = "made up"
      let isOfFirstFormat = Array(entry.amounts.keys) == [bytes(Amount.firstUnit)]
      if isOfFirstFormat, choosesFirstFormat() {
        event.tokens = entry.amounts[bytes(Amount.firstUnit)] ?? 0
      } else {
        event.costs = costs(of: entry)
        event.actor = "somebody"
      }
      emit(.cachePurged(event))
      model.purge(key, isHard: isHard, at: time)
      model.count(.entriesPurged, 1, at: time)
    }
  }

  /// Removes some of the bodies that no entry names.
  mutating func prune() {
    let released = model.released.keys.sorted { $0.lexicographicallyPrecedes($1) }
    guard !released.isEmpty else { return }
    let pruned = Array(released.shuffled(using: &random).prefix(random.int(1...3)))
    var event = BodiesPruned()
    event.bodies = pruned.map { Data($0) }
    event.storedBytes = UInt64(pruned.count * 80)
    emit(.bodiesPruned(event))
    for digest in pruned { model.prune(digest) }
    model.count(.bodiesPruned, Int64(pruned.count), at: time)
    step.prunedBodies += pruned
  }
}
