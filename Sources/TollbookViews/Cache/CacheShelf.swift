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
  ///
  /// - Parameter released: gets the digest of each entry that is gone. One that was written is the last of `entries`.
  package mutating func apply(
    _ event: Event, at position: Position, releasing released: inout [[UInt8]]
  ) -> String? {
    switch event {
    case .cacheWritten(let event): return write(event, at: position, releasing: &released)
    case .cacheExpired(let event):
      guard let index = index(event.contentSet, written: event.written) else {
        return Self.absent(event.written)
      }
      entries[index].isMarkedExpired = true
    case .cacheEvicted(let event):
      guard let index = index(event.contentSet, written: event.written) else {
        return Self.absent(event.written)
      }
      released.append(entries.remove(at: index).digest)
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
  private mutating func write(
    _ event: CacheWritten, at position: Position, releasing released: inout [[UInt8]]
  ) -> String? {
    guard let contentSet = UInt8(exactly: event.contentSet) else { return Self.impossible }
    entries.removeAll { old in
      let isSuperseded = old.contentSet & contentSet == old.contentSet
      if isSuperseded { released.append(old.digest) }
      return isSuperseded
    }
    entries.append(CacheEntry(event, contentSet: contentSet, written: position))
    return nil
  }

  /// Where the entry stands that was written at that position.
  private func index(_ contentSet: UInt32, written: Position) -> Int? {
    entries.firstIndex { UInt32($0.contentSet) == contentSet && $0.written == written }
  }

  /// Why an entry cannot be written whose key would not be one.
  static let impossible = "its resource or content set cannot be a key"

  private static func absent(_ written: Position) -> String {
    "no entry was written at position \(written)"
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
