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
  private struct Changed {
    var shelf: CacheShelf
    let stored: [Stored]
  }

  private let entries: Table
  private let due: Table
  /// Under the bytes that begin the resource's keys, and not under its name: to Swift two texts can be equal that differ
  /// in their bytes, and then the rows would depend on how the events are cut into runs.
  private var shelves: [[UInt8]: Changed] = [:]

  init(entries: Table, due: Table) {
    self.entries = entries
    self.due = due
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    if case .readsTallied(let event) = recorded.event {
      for tally in event.rows where CacheKey.isPossible(tally.resource) {
        try change(tally.resource, in: transaction) { $0.count(tally) }
      }
      return nil
    }
    guard let resource = CacheShelf.resource(of: recorded.event) else { return nil }
    guard CacheKey.isPossible(resource) else {
      // Nothing can be there.
      var nothing = CacheShelf()
      return nothing.apply(recorded.event, at: recorded.position)
    }
    var problem: String?
    try change(resource, in: transaction) {
      problem = $0.apply(recorded.event, at: recorded.position)
    }
    return problem
  }

  private mutating func change(
    _ resource: String, in transaction: borrowing ReadTransaction,
    _ body: (inout CacheShelf) -> Void
  ) throws(LMDBError) {
    let prefix = CacheKey.prefix(resource)
    if shelves[prefix] == nil {
      shelves[prefix] = try shelf(prefix, in: transaction)
    }
    body(&shelves[prefix, default: Changed(shelf: CacheShelf(), stored: [])].shelf)
  }

  private func shelf(
    _ prefix: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Changed {
    var found: [CacheEntry] = []
    try transaction.scan(entries, prefix: prefix.span) {
      (key, value) throws(LMDBError) in
      found.append(CacheEntry(key: key, row: value))
      return .next
    }
    let stored = found.map { Stored(contentSet: $0.contentSet, nextSweep: $0.nextSweep) }
    return Changed(shelf: CacheShelf(entries: found), stored: stored)
  }

  /// Writes the entries in key order, which a tree of pages takes best.
  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let nothing: [UInt8] = []
    for (prefix, changed) in shelves.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      for old in changed.stored {
        let new = changed.shelf.entries.first { $0.contentSet == old.contentSet }
        let key = prefix + [old.contentSet]
        if new == nil { _ = try transaction.delete(key: key.span, in: entries) }
        if new?.nextSweep != old.nextSweep {
          let dueKey = CacheKey.dueKey(old.nextSweep, of: key)
          _ = try transaction.delete(key: dueKey.span, in: due)
        }
      }
      for new in changed.shelf.entries {
        let old = changed.stored.first { $0.contentSet == new.contentSet }
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
