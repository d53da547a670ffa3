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
    let fold = CacheTables(entries: tables[0], due: tables[1])
    for recorded in events {
      let problem: String?
      switch recorded.event {
      case .cacheWritten(let event):
        problem = try fold.write(event, at: recorded.position, in: &transaction)
      case .cacheExpired(let event):
        problem = try fold.update(
          event.resource, event.contentSet, written: event.written, in: &transaction
        ) { $0.isMarkedExpired = true }
      case .cacheEvicted(let event):
        problem = try fold.remove(
          event.resource, event.contentSet, written: event.written, in: &transaction)
      case .readsTallied(let event):
        try fold.count(event, in: &transaction)
        problem = nil
      default: problem = nil
      }
      if let problem {
        parked.append(Fold.Parked(position: recorded.position, reason: problem))
      }
    }
    return parked
  }
}

/// The cache's tables while events are applied to them.
private struct CacheTables {
  let entries: Table
  let due: Table

  /// Puts an entry in place of what it supersedes: its own predecessor, and poorer ones that it serves from now on.
  func write(
    _ event: CacheWritten, at position: Position, in transaction: inout WriteTransaction
  ) throws(LMDBError) -> String? {
    guard let contentSet = UInt8(exactly: event.contentSet), CacheKey.isPossible(event.resource)
    else { return "its resource or content set cannot be a key" }
    let entry = CacheEntry(event, contentSet: contentSet, written: position)
    for old in try rows(of: event.resource, in: transaction.reading)
    where old.contentSet & contentSet == old.contentSet {
      try delete(old, in: &transaction)
    }
    try put(entry, in: &transaction)
    return nil
  }

  /// Changes the entry that was written at that position.
  func update(
    _ resource: String, _ contentSet: UInt32, written: Position,
    in transaction: inout WriteTransaction, _ change: (inout CacheEntry) -> Void
  ) throws(LMDBError) -> String? {
    guard let old = try row(resource, contentSet, in: transaction.reading), old.written == written
    else { return "no entry was written at position \(written)" }
    var entry = old
    change(&entry)
    try deleteDue(old, in: &transaction)
    try put(entry, in: &transaction)
    return nil
  }

  func remove(
    _ resource: String, _ contentSet: UInt32, written: Position,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) -> String? {
    guard let old = try row(resource, contentSet, in: transaction.reading), old.written == written
    else { return "no entry was written at position \(written)" }
    try delete(old, in: &transaction)
    return nil
  }

  /// Adds reads to the entries that they were answered from. One that is gone by now needs no count.
  func count(_ event: ReadsTallied, in transaction: inout WriteTransaction) throws(LMDBError) {
    for tally in event.rows {
      guard
        var entry = try row(tally.resource, tally.contentSet, in: transaction.reading)
      else { continue }
      entry.hits += UInt64(tally.fresh) + UInt64(tally.stale) + UInt64(tally.joined)
      entry.lastRead = max(
        entry.lastRead ?? entry.fetched, Timestamp(milliseconds: tally.lastReadMs))
      try transaction.put(entry.row.span, forKey: CacheKey.key(of: entry).span, in: entries)
    }
  }

  private func put(
    _ entry: CacheEntry, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let nothing: [UInt8] = []
    try transaction.put(entry.row.span, forKey: CacheKey.key(of: entry).span, in: entries)
    try transaction.put(nothing.span, forKey: CacheKey.dueKey(of: entry).span, in: due)
  }

  private func delete(
    _ entry: CacheEntry, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    _ = try transaction.delete(key: CacheKey.key(of: entry).span, in: entries)
    try deleteDue(entry, in: &transaction)
  }

  private func deleteDue(
    _ entry: CacheEntry, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    _ = try transaction.delete(key: CacheKey.dueKey(of: entry).span, in: due)
  }

  private func row(
    _ resource: String, _ contentSet: UInt32, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> CacheEntry? {
    guard let contentSet = UInt8(exactly: contentSet), CacheKey.isPossible(resource) else {
      return nil
    }
    let key = CacheKey.key(resource, contentSet)
    return try transaction.withValue(forKey: key.span, in: entries) {
      CacheEntry(resource: resource, contentSet: contentSet, row: $0)
    }
  }

  private func rows(
    of resource: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [CacheEntry] {
    var found: [CacheEntry] = []
    try transaction.scan(entries, prefix: CacheKey.prefix(resource).span) {
      (key, value) throws(LMDBError) in
      found.append(CacheEntry(key: key, row: value))
      return .next
    }
    return found
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
