import Foundation
package import TollbookLog
import LMDB
import TollbookEvents

/// Keeps an entry per resource and content set, and the order in which they come due for the sweeper.
///
/// | table | key | value |
/// |---|---|---|
/// | `entries` | resource, 0, content set (1) | an entry's row |
/// | `due` | instant (8), key of the entry | nothing |
package enum CacheFold {
  package static let fold = Fold(
    name: "cache", version: 1, tables: ["entries", "due"], cadence: .eachDecision
  ) { (events, tables, transaction) throws(LMDBError) in
    var parked: [Fold.Parked] = []
    var books = CacheBooks(entries: tables[0], due: tables[1])
    for recorded in events {
      if let problem = try books.apply(recorded, in: transaction.reading) {
        parked.append(Fold.Parked(position: recorded.position, reason: problem))
      }
    }
    try books.write(to: &transaction)
    return parked
  }
}

/// The entries that a run of events touches, changed in memory and written once at its end.
private struct CacheBooks {
  /// What a stored entry has in the tables.
  private struct Stored {
    let contentSet: UInt8
    let nextSweep: Timestamp
  }

  /// The entries of one resource, mostly one: as they shall be, and what is in the tables now.
  private struct Shelf {
    var entries: [CacheEntry]
    let stored: [Stored]
  }

  private let entries: Table
  private let due: Table
  /// Under the bytes that begin the resource's keys, and not under its name: to Swift two texts can be equal that differ
  /// in their bytes, and then the rows would depend on how the events are cut into runs.
  private var shelves: [[UInt8]: Shelf] = [:]

  init(entries: Table, due: Table) {
    self.entries = entries
    self.due = due
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .cacheWritten(let event):
      return try write(event, at: recorded.position, in: transaction)
    case .cacheExpired(let event):
      return try update(
        event.resource, event.contentSet, written: event.written, in: transaction
      ) { entries, index in entries[index].isMarkedExpired = true }
    case .cacheEvicted(let event):
      return try update(
        event.resource, event.contentSet, written: event.written, in: transaction
      ) { entries, index in entries.remove(at: index) }
    case .readsTallied(let event):
      for tally in event.rows { try count(tally, in: transaction) }
      return nil
    default: return nil
    }
  }

  /// Puts an entry in place of what it supersedes: its own predecessor, and poorer ones that it serves from now on.
  private mutating func write(
    _ event: CacheWritten, at position: Position, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    guard let contentSet = UInt8(exactly: event.contentSet), CacheKey.isPossible(event.resource)
    else { return "its resource or content set cannot be a key" }
    let entry = CacheEntry(event, contentSet: contentSet, written: position)
    try change(event.resource, in: transaction) { entries in
      entries.removeAll { $0.contentSet & contentSet == $0.contentSet }
      entries.append(entry)
    }
    return nil
  }

  /// Changes or removes the entry that was written at that position.
  private mutating func update(
    _ resource: String, _ contentSet: UInt32, written: Position,
    in transaction: borrowing ReadTransaction, _ body: (inout [CacheEntry], Int) -> Void
  ) throws(LMDBError) -> String? {
    let missing = "no entry was written at position \(written)"
    guard CacheKey.isPossible(resource) else { return missing }
    var isFound = false
    try change(resource, in: transaction) { entries in
      let index = entries.firstIndex { UInt32($0.contentSet) == contentSet }
      guard let index, entries[index].written == written else { return }
      isFound = true
      body(&entries, index)
    }
    return isFound ? nil : missing
  }

  /// Adds reads to the entry that they were answered from. One that is gone by now needs no count.
  private mutating func count(
    _ tally: ReadTally, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard CacheKey.isPossible(tally.resource) else { return }
    try change(tally.resource, in: transaction) { entries in
      let index = entries.firstIndex { UInt32($0.contentSet) == tally.contentSet }
      guard let index else { return }
      entries[index].hits &+= UInt64(tally.fresh) + UInt64(tally.stale) + UInt64(tally.joined)
      entries[index].lastRead = max(
        entries[index].lastRead ?? entries[index].fetched,
        Timestamp(milliseconds: tally.lastReadMs))
    }
  }

  private mutating func change(
    _ resource: String, in transaction: borrowing ReadTransaction,
    _ body: (inout [CacheEntry]) -> Void
  ) throws(LMDBError) {
    let prefix = CacheKey.prefix(resource)
    if shelves[prefix] == nil {
      shelves[prefix] = try shelf(prefix, in: transaction)
    }
    body(&shelves[prefix, default: Shelf(entries: [], stored: [])].entries)
  }

  private func shelf(
    _ prefix: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Shelf {
    var found: [CacheEntry] = []
    try transaction.scan(entries, prefix: prefix.span) {
      (key, value) throws(LMDBError) in
      found.append(CacheEntry(key: key, row: value))
      return .next
    }
    let stored = found.map { Stored(contentSet: $0.contentSet, nextSweep: $0.nextSweep) }
    return Shelf(entries: found, stored: stored)
  }

  /// Writes the entries in key order, which a tree of pages takes best.
  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let nothing: [UInt8] = []
    for (prefix, shelf) in shelves.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      for old in shelf.stored {
        let new = shelf.entries.first { $0.contentSet == old.contentSet }
        let key = prefix + [old.contentSet]
        if new == nil { _ = try transaction.delete(key: key.span, in: entries) }
        if new?.nextSweep != old.nextSweep {
          let dueKey = CacheKey.dueKey(old.nextSweep, of: key)
          _ = try transaction.delete(key: dueKey.span, in: due)
        }
      }
      for new in shelf.entries {
        let old = shelf.stored.first { $0.contentSet == new.contentSet }
        let key = prefix + [new.contentSet]
        try transaction.put(new.row.span, forKey: key.span, in: entries)
        if new.nextSweep != old?.nextSweep {
          let dueKey = CacheKey.dueKey(new.nextSweep, of: key)
          try transaction.put(nothing.span, forKey: dueKey.span, in: due)
        }
      }
    }
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
    hits = 0
    lastRead = nil
    bodyBytes = Int64(event.bodyBytes)
    digest = Array(event.body.prefix(32))
    summary = Array(event.summary)
  }
}

/// Keys of the cache's tables.
enum CacheKey {
  /// Longer names would not fit beside an instant into a key of LMDB.
  private static let longestResource = 480

  /// Whether a resource of that name can have entries.
  static func isPossible(_ resource: String) -> Bool {
    let count = resource.utf8.count
    return count > 0 && count <= longestResource && !resource.utf8.contains(0)
  }

  /// What the keys of a resource begin with; the content set follows.
  static func prefix(_ resource: String) -> [UInt8] {
    var key: [UInt8] = []
    key.reserveCapacity(resource.utf8.count + 2)
    key.append(utf8: resource)
    key.append(0)
    return key
  }

  /// The key in `due` of an entry by its key in `entries`.
  static func dueKey(_ instant: Timestamp, of entry: [UInt8]) -> [UInt8] {
    var key: [UInt8] = []
    key.reserveCapacity(8 + entry.count)
    // Instants before 1970 sort first too.
    key.append(bigEndian: UInt64(bitPattern: instant.milliseconds) ^ (1 << 63))
    key += entry
    return key
  }
}
