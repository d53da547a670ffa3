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
///
/// In memory they stand under the bytes of their keys and not under texts: see the ledger's fold.
private struct CacheBooks {
  /// The entries of one resource by content set: as they are stored, and as they shall be.
  private struct Shelf {
    let stored: [UInt8: CacheEntry]
    var entries: [UInt8: CacheEntry]
  }

  private let entries: Table
  private let due: Table
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
      ) { $0?.isMarkedExpired = true }
    case .cacheEvicted(let event):
      return try update(
        event.resource, event.contentSet, written: event.written, in: transaction
      ) { $0 = nil }
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
    try change(event.resource, in: transaction) { shelf in
      for poorer in shelf.keys where poorer & contentSet == poorer { shelf[poorer] = nil }
      shelf[contentSet] = entry
    }
    return nil
  }

  /// Changes or removes the entry that was written at that position.
  private mutating func update(
    _ resource: String, _ contentSet: UInt32, written: Position,
    in transaction: borrowing ReadTransaction, _ body: (inout CacheEntry?) -> Void
  ) throws(LMDBError) -> String? {
    let missing = "no entry was written at position \(written)"
    guard let contentSet = UInt8(exactly: contentSet), CacheKey.isPossible(resource) else {
      return missing
    }
    var isFound = false
    try change(resource, in: transaction) { shelf in
      guard shelf[contentSet]?.written == written else { return }
      isFound = true
      body(&shelf[contentSet])
    }
    return isFound ? nil : missing
  }

  /// Adds reads to the entry that they were answered from. One that is gone by now needs no count.
  private mutating func count(
    _ tally: ReadTally, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard let contentSet = UInt8(exactly: tally.contentSet), CacheKey.isPossible(tally.resource)
    else { return }
    try change(tally.resource, in: transaction) { shelf in
      guard var entry = shelf[contentSet] else { return }
      entry.hits &+= UInt64(tally.fresh) + UInt64(tally.stale) + UInt64(tally.joined)
      entry.lastRead = max(
        entry.lastRead ?? entry.fetched, Timestamp(milliseconds: tally.lastReadMs))
      shelf[contentSet] = entry
    }
  }

  private mutating func change(
    _ resource: String, in transaction: borrowing ReadTransaction,
    _ body: (inout [UInt8: CacheEntry]) -> Void
  ) throws(LMDBError) {
    let prefix = CacheKey.prefix(resource)
    if shelves[prefix] == nil {
      let stored = try self.stored(prefix, in: transaction)
      shelves[prefix] = Shelf(stored: stored, entries: stored)
    }
    if var entries = shelves[prefix]?.entries {
      shelves[prefix]?.entries = [:]
      body(&entries)
      shelves[prefix]?.entries = entries
    }
  }

  private func stored(
    _ prefix: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [UInt8: CacheEntry] {
    var found: [UInt8: CacheEntry] = [:]
    try transaction.scan(entries, prefix: prefix.span) {
      (key, value) throws(LMDBError) in
      let entry = CacheEntry(key: key, row: value)
      found[entry.contentSet] = entry
      return .next
    }
    return found
  }

  /// Writes what differs, in key order, which a tree of pages takes best.
  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let nothing: [UInt8] = []
    for (_, shelf) in shelves.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      for (contentSet, old) in shelf.stored {
        let new = shelf.entries[contentSet]
        if new == nil {
          _ = try transaction.delete(key: CacheKey.key(of: old).span, in: entries)
        }
        if new?.nextSweep != old.nextSweep {
          _ = try transaction.delete(key: CacheKey.dueKey(of: old).span, in: due)
        }
      }
      for (contentSet, new) in shelf.entries {
        let old = shelf.stored[contentSet]
        if new == old { continue }
        try transaction.put(new.row.span, forKey: CacheKey.key(of: new).span, in: entries)
        if new.nextSweep != old?.nextSweep {
          try transaction.put(nothing.span, forKey: CacheKey.dueKey(of: new).span, in: due)
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
    let name = resource.utf8
    return !name.isEmpty && name.count <= longestResource && !name.contains(0)
  }

  static func prefix(_ resource: String) -> [UInt8] { Array(resource.utf8) + [0] }

  static func key(_ resource: String, _ contentSet: UInt8) -> [UInt8] {
    prefix(resource) + [contentSet]
  }

  static func key(of entry: CacheEntry) -> [UInt8] {
    key(entry.resource.description, entry.contentSet)
  }

  static func dueKey(of entry: CacheEntry) -> [UInt8] {
    var key: [UInt8] = []
    // Instants before 1970 sort first too.
    key.append(bigEndian: UInt64(bitPattern: entry.nextSweep.milliseconds) ^ (1 << 63))
    return key + Self.key(of: entry)
  }
}
