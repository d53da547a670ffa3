package import TollbookEvents

/// The entries of one resource, and the rules by which events change them: the same for the live view and for the past.
package struct CacheShelf: Hashable, Sendable {
  package private(set) var entries: [CacheEntry]

  package init(entries: [CacheEntry] = []) { self.entries = entries }

  /// The resource whose entries an event changes; nil for the others, and for tallies and sweeps, which have one in each
  /// row.
  package static func resource(of event: Event) -> String? {
    switch event {
    case .cacheWritten(let event): event.resource
    case .cacheExpired(let event): event.resource
    case .cacheEvicted(let event): event.resource
    case .cachePurged(let event): event.resource
    default: nil
    }
  }

  /// Applies an event of this resource, or says why it cannot be and leaves everything as it was.
  ///
  /// - Parameter released: gets the digest of each entry that is gone. One that was written is the last of `entries`.
  package mutating func apply(
    _ event: Event, at position: Position, releasing released: inout [[UInt8]]
  ) -> String? {
    switch event {
    case .cacheWritten(let event): return write(event, at: position, releasing: &released)
    case .cacheExpired(let event):
      return sweep(SweptEntry(event), releasing: &released)
    case .cacheEvicted(let event):
      return sweep(SweptEntry(event), releasing: &released)
    case .entriesSwept(let event):
      for row in event.entries where has(row) { _ = sweep(row, releasing: &released) }
    case .cachePurged(let event):
      guard let index = index(event.contentSet, written: event.written) else {
        return Self.absent(event.written)
      }
      if event.hard {
        released.append(entries.remove(at: index).digest)
      } else {
        entries[index].purge(staleFrom: Timestamp(milliseconds: event.staleFromMs))
      }
    default: break
    }
    return nil
  }

  /// Marks or removes one of its entries, or says why it cannot and leaves everything as it was.
  mutating func sweep(_ row: SweptEntry, releasing released: inout [[UInt8]]) -> String? {
    guard let index = index(row.contentSet, written: row.written) else {
      return Self.absent(row.written)
    }
    if row.evicted {
      released.append(entries.remove(at: index).digest)
    } else {
      entries[index].isMarkedExpired = true
    }
    return nil
  }

  /// Whether a row of a sweep is about one of its entries.
  func has(_ row: SweptEntry) -> Bool {
    guard let index = index(row.contentSet, written: row.written) else { return false }
    return entries[index].resource == ResourceKey(stored: row.resource)
  }

  /// Adds reads to the entry that they were answered from. One that is gone by now needs no count.
  mutating func count(_ tally: ReadTally) {
    let index = entries.firstIndex { entry in
      entry.contentSet == tally.contentSet
        && (tally.written == 0 || tally.written == entry.written)
    }
    guard let index else { return }
    entries[index].hits &+= UInt64(tally.fresh) + UInt64(tally.stale) + UInt64(tally.joined)
    entries[index].lastRead = max(
      entries[index].lastRead ?? entries[index].fetched,
      Timestamp(milliseconds: tally.lastReadMs))
  }

  /// Puts an entry in place of what it supersedes: its own predecessor, and poorer ones that it serves from now on.
  private mutating func write(
    _ event: CacheWritten, at position: Position, releasing released: inout [[UInt8]]
  ) -> String? {
    entries.removeAll { old in
      let isSuperseded = old.contentSet & event.contentSet == old.contentSet
      if isSuperseded { released.append(old.digest) }
      return isSuperseded
    }
    entries.append(CacheEntry(event, written: position))
    return nil
  }

  /// Where the entry stands that was written at that position.
  private func index(_ contentSet: UInt64, written: Position) -> Int? {
    entries.firstIndex { $0.contentSet == contentSet && $0.written == written }
  }

  /// Why an entry cannot be written whose key would not be one.
  static let impossible = "its resource cannot be a key"

  static func absent(_ written: Position) -> String {
    "no entry was written at position \(written)"
  }
}

extension CacheEntry {
  /// The entry that an event writes.
  fileprivate init(_ event: CacheWritten, written: Position) {
    resource = ResourceKey(stored: event.resource)
    contentSet = event.contentSet
    isPresent = event.presence == .present
    self.written = written
    fetched = Timestamp(milliseconds: event.fetchedMs)
    freshUntil = Timestamp(milliseconds: event.freshUntilMs)
    graceUntil = Timestamp(milliseconds: event.graceUntilMs)
    errorGraceUntil = Timestamp(milliseconds: event.errorGraceUntilMs)
    keepUntil = Timestamp(milliseconds: event.keepUntilMs)
    upstreamUpdated =
      event.upstreamUpdatedMs == 0 ? nil : Timestamp(milliseconds: event.upstreamUpdatedMs)
    amounts = event.amounts
    isMarkedExpired = false
    isPurged = false
    hits = 0
    lastRead = nil
    bodyBytes = Int64(event.bodyBytes)
    digest = Array(event.body.prefix(32))
    summary = Array(event.summary)
    summaryForm = event.summaryForm.isKnown ? event.summaryForm : .none
  }
}

extension SummaryForm {
  /// Whether this version knows how such a summary may be read.
  fileprivate var isKnown: Bool {
    if case .UNRECOGNIZED = self { return false }
    return true
  }
}

extension SweptEntry {
  fileprivate init(_ event: CacheExpired) {
    self.init()
    resource = event.resource
    contentSet = event.contentSet
    written = event.written
  }

  fileprivate init(_ event: CacheEvicted) {
    self.init()
    resource = event.resource
    contentSet = event.contentSet
    written = event.written
    evicted = true
  }
}
