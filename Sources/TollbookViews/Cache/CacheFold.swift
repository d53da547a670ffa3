import Foundation
package import TollbookLog
import LMDB
import TollbookEvents

/// Keeps an entry per resource and content set, the order in which they come due for the sweeper, and which bodies they
/// name.
///
/// | table | key | value |
/// |---|---|---|
/// | `entries` | resource, 0, content set (1) | an entry's row |
/// | `due` | instant (8), key of the entry | nothing |
/// | `bodies` | digest | how many entries name it (4), since when none does (8) |
/// | `released` | since when no entry names it (8), digest | nothing |
package enum CacheFold {
  package static let fold = Fold(
    name: "cache", version: 2, tables: ["entries", "due", "bodies", "released"],
    cadence: .eachDecision
  ) { (events, tables, transaction) throws(LMDBError) in
    var parked: [Fold.Parked] = []
    var books = CacheBooks(
      entries: tables[0], due: tables[1],
      bodies: BodyReferences(counts: tables[2], released: tables[3]))
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
  private var bodies: BodyReferences
  /// Under the bytes that begin the resource's keys, and not under its name: to Swift two texts can be equal that differ
  /// in their bytes, and then the rows would depend on how the events are cut into runs.
  private var shelves: [[UInt8]: Changed] = [:]

  init(entries: Table, due: Table, bodies: BodyReferences) {
    self.entries = entries
    self.due = due
    self.bodies = bodies
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .readsTallied(let event):
      for tally in event.rows where CacheKey.isPossible(tally.resource) {
        try change(tally.resource, in: transaction) { $0.count(tally) }
      }
      return nil
    case .bodiesPruned(let event):
      return try bodies.prune(event.bodies.map { Array($0.prefix(32)) }, in: transaction)
    default: break
    }
    guard let resource = CacheShelf.resource(of: recorded.event) else { return nil }
    guard CacheKey.isPossible(resource) else {
      // Nothing can be there.
      var nothing = CacheShelf()
      return nothing.apply(recorded.event, at: recorded.position)
    }
    var problem: String?
    var before: [CacheEntry] = []
    var after: [CacheEntry] = []
    try change(resource, in: transaction) {
      before = $0.entries
      problem = $0.apply(recorded.event, at: recorded.position)
      after = $0.entries
    }
    // First what is named now: a body that was bought again unchanged is never without an entry.
    for entry in after where !before.contains(where: { $0.written == entry.written }) {
      try bodies.name(entry.digest, in: transaction)
    }
    for entry in before where !after.contains(where: { $0.written == entry.written }) {
      try bodies.release(entry.digest, at: recorded.time, in: transaction)
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
    try bodies.write(to: &transaction)
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
    key(instant, followedBy: entry)
  }

  /// A key that sorts by an instant; instants before 1970 come first too.
  static func key(_ instant: Timestamp, followedBy rest: [UInt8]) -> [UInt8] {
    var key: [UInt8] = []
    key.reserveCapacity(8 + rest.count)
    key.append(bigEndian: UInt64(bitPattern: instant.milliseconds) ^ (1 << 63))
    key += rest
    return key
  }
}
