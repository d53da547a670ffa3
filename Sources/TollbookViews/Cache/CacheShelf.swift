package import TollbookEvents

/// The entries of one resource, and the rules by which events change them: the same for the live view and for the past.
package struct CacheShelf: Hashable, Sendable {
  package private(set) var entries: [CacheEntry]

  package init(entries: [CacheEntry] = []) { self.entries = entries }

  /// The resource whose entries an event changes; nil for the others, and for tallies, which have one in each row.
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
  package mutating func apply(_ event: Event, at position: Position) -> String? {
    switch event {
    case .cacheWritten(let event): return write(event, at: position)
    case .cacheExpired(let event):
      return update(event.resource, event.contentSet, written: event.written) { entries, index in
        entries[index].isMarkedExpired = true
      }
    case .cacheEvicted(let event):
      return update(event.resource, event.contentSet, written: event.written) { entries, index in
        entries.remove(at: index)
      }
    case .cachePurged(let event):
      return update(event.resource, event.contentSet, written: event.written) { entries, index in
        if event.hard {
          entries.remove(at: index)
        } else {
          entries[index].purge(staleFrom: Timestamp(milliseconds: event.staleFromMs))
        }
      }
    default: return nil
    }
  }

  /// Adds reads to the entry that they were answered from. One that is gone by now needs no count.
  mutating func count(_ tally: ReadTally) {
    let index = entries.firstIndex { UInt32($0.contentSet) == tally.contentSet }
    guard let index else { return }
    entries[index].hits &+= UInt64(tally.fresh) + UInt64(tally.stale) + UInt64(tally.joined)
    entries[index].lastRead = max(
      entries[index].lastRead ?? entries[index].fetched,
      Timestamp(milliseconds: tally.lastReadMs))
  }

  /// Puts an entry in place of what it supersedes: its own predecessor, and poorer ones that it serves from now on.
  private mutating func write(_ event: CacheWritten, at position: Position) -> String? {
    guard let contentSet = UInt8(exactly: event.contentSet), CacheKey.isPossible(event.resource)
    else { return "its resource or content set cannot be a key" }
    entries.removeAll { $0.contentSet & contentSet == $0.contentSet }
    entries.append(CacheEntry(event, contentSet: contentSet, written: position))
    return nil
  }

  /// Changes or removes the entry that was written at that position.
  private mutating func update(
    _ resource: String, _ contentSet: UInt32, written: Position,
    _ body: (inout [CacheEntry], Int) -> Void
  ) -> String? {
    let index = entries.firstIndex { UInt32($0.contentSet) == contentSet }
    guard let index, entries[index].written == written else {
      return "no entry was written at position \(written)"
    }
    body(&entries, index)
    return nil
  }
}

extension CacheEntry {
  /// The entry that an event writes.
  fileprivate init(_ event: CacheWritten, contentSet: UInt8, written: Position) {
    resource = ResourceKey(stored: event.resource)
    self.contentSet = contentSet
    isPresent = event.presence == .present
    self.written = written
    fetched = Timestamp(milliseconds: event.fetchedMs)
    freshUntil = Timestamp(milliseconds: event.freshUntilMs)
    graceUntil = Timestamp(milliseconds: event.graceUntilMs)
    errorGraceUntil = Timestamp(milliseconds: event.errorGraceUntilMs)
    keepUntil = Timestamp(milliseconds: event.keepUntilMs)
    upstreamUpdated =
      event.upstreamUpdatedMs == 0 ? nil : Timestamp(milliseconds: event.upstreamUpdatedMs)
    tokens = event.tokens
    isMarkedExpired = false
    isPurged = false
    hits = 0
    lastRead = nil
    bodyBytes = Int64(event.bodyBytes)
    digest = Array(event.body.prefix(32))
    summary = Array(event.summary)
  }
}
