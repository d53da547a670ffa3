import Bytes
import Foundation
package import TollbookLog
import LMDB
import TollbookEvents

/// Keeps an entry per resource and content set, the order in which they come due for the sweeper, and which bodies they
/// name.
///
/// | table | key | value |
/// |---|---|---|
/// | `entries` | resource, 0, content set (8) | an entry's row |
/// | `due` | instant (8), key of the entry | nothing |
/// | `bodies` | digest | how many entries name it (4), since when none does (8) |
/// | `released` | since when no entry names it (8), digest | nothing |
package enum CacheFold {
  package static let fold = Fold(
    name: "cache", version: 3, tables: ["entries", "due", "bodies", "released"],
    cadence: .eachDecision, predecessors: [second]
  ) { (events, tables, transaction) throws(LMDBError) in
    var parked: [Fold.Parked] = []
    var books = CacheBooks(
      entries: tables[0], due: tables[1],
      bodies: BodyReferences(counts: tables[2], released: tables[3]))
    let events = events.span
    for index in events.indices {
      if let problem = try books.apply(events[index], in: transaction.reading) {
        parked.append(Fold.Parked(position: events[index].position, reason: problem))
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
    let contentSet: UInt64
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
  /// Under what begins the resource's keys.
  private var shelves = TouchedRows<Changed>()
  private var released: [[UInt8]] = []

  init(entries: Table, due: Table, bodies: BodyReferences) {
    self.entries = entries
    self.due = due
    self.bodies = bodies
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: borrowing RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .readsTallied(let event):
      for tally in event.rows {
        guard let prefix = CacheKey.prefix(ofPossible: tally.resource) else { continue }
        let place = try place(of: prefix, in: transaction)
        shelves[place].shelf.count(tally)
      }
      return nil
    case .entriesSwept(let event): return try sweep(event, recorded.time, in: transaction)
    case .bodiesPruned(let event):
      return try bodies.prune(event.bodies.map { Array($0.prefix(32)) }, in: transaction)
    default: break
    }
    guard let resource = CacheShelf.resource(of: recorded.event) else { return nil }
    released.removeAll(keepingCapacity: true)
    guard let prefix = CacheKey.prefix(ofPossible: resource) else {
      // Nothing can be there.
      if case .cacheWritten = recorded.event { return CacheShelf.impossible }
      var nothing = CacheShelf()
      return nothing.apply(recorded.event, at: recorded.position, releasing: &released)
    }
    let place = try place(of: prefix, in: transaction)
    let problem = shelves[place].shelf.apply(
      recorded.event, at: recorded.position, releasing: &released)
    if let problem { return problem }
    // First what is named now: a body that was bought again unchanged is never without an entry.
    if case .cacheWritten = recorded.event, let digest = shelves[place].shelf.entries.last?.digest {
      try bodies.name(digest, in: transaction)
    }
    for digest in released {
      try bodies.release(digest, at: recorded.time, in: transaction)
    }
    return nil
  }

  /// Marks and removes what a sweep found, or says why it cannot be and leaves everything as it was.
  private mutating func sweep(
    _ event: EntriesSwept, _ time: Timestamp, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    var places: [Int] = []
    var seen: Set<Position> = []
    for row in event.entries {
      guard let prefix = CacheKey.prefix(ofPossible: row.resource) else {
        return CacheShelf.absent(row.written)
      }
      let place = try place(of: prefix, in: transaction)
      guard shelves[place].shelf.has(row), seen.insert(row.written).inserted else {
        return CacheShelf.absent(row.written)
      }
      places.append(place)
    }
    for (row, place) in zip(event.entries, places) {
      released.removeAll(keepingCapacity: true)
      _ = shelves[place].shelf.sweep(row, releasing: &released)
      for digest in released { try bodies.release(digest, at: time, in: transaction) }
    }
    return nil
  }

  private mutating func place(
    of prefix: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int {
    let entries = entries
    return try shelves.place(of: KeyBytes(prefix)) { () throws(LMDBError) in
      var found: [CacheEntry] = []
      try transaction.scan(entries, prefix: prefix.span) {
        (key, value) throws(LMDBError) in
        found.append(try entries.decoded(CacheEntry(key: key, row: value)))
        return .next
      }
      let stored = found.map { Stored(contentSet: $0.contentSet, nextSweep: $0.nextSweep) }
      return Changed(shelf: CacheShelf(entries: found), stored: stored)
    }
  }

  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    try bodies.write(to: &transaction)
    let nothing: [UInt8] = []
    var key: [UInt8] = []
    var row: [UInt8] = []
    try shelves.inKeyOrder { (prefix, changed) throws(LMDBError) in
      let stored = changed.stored.span
      let wanted = changed.shelf.entries.span
      for index in stored.indices {
        let old = stored[index]
        var sweep: Timestamp?
        for other in wanted.indices where wanted[other].contentSet == old.contentSet {
          sweep = wanted[other].nextSweep
        }
        key.replace(by: prefix, old.contentSet)
        if sweep == nil { _ = try transaction.delete(key: key.span, in: entries) }
        if sweep != old.nextSweep {
          let dueKey = CacheKey.dueKey(old.nextSweep, of: key)
          _ = try transaction.delete(key: dueKey.span, in: due)
        }
      }
      for index in wanted.indices {
        // Not copied: an entry has six parts that are counted by reference.
        let (contentSet, nextSweep) = (wanted[index].contentSet, wanted[index].nextSweep)
        key.replace(by: prefix, contentSet)
        row.removeAll(keepingCapacity: true)
        row.append(wanted[index])
        try transaction.put(row.span, forKey: key.span, in: entries)
        let isDue = changed.stored.contains {
          $0.contentSet == contentSet && $0.nextSweep == nextSweep
        }
        if !isDue {
          let dueKey = CacheKey.dueKey(nextSweep, of: key)
          try transaction.put(nothing.span, forKey: dueKey.span, in: due)
        }
      }
    }
  }
}

extension [UInt8] {
  /// Becomes the key of an entry.
  fileprivate mutating func replace(by prefix: KeyBytes, _ contentSet: UInt64) {
    removeAll(keepingCapacity: true)
    append(contentsOf: prefix.bytes)
    append(bigEndian: contentSet)
  }
}

/// Keys of the cache's tables.
enum CacheKey {
  /// Longer names would not fit beside an instant into a key of LMDB.
  private static let longestResource = 480

  /// Bytes of a content set, which ends the key of an entry.
  static let contentSetSize = 8

  /// What the keys of a resource begin with; the content set follows. Nil if no resource of that name can have entries.
  static func prefix(ofPossible resource: String) -> [UInt8]? {
    let count = resource.utf8.count
    guard count > 0, count <= longestResource else { return nil }
    var key: [UInt8] = []
    key.reserveCapacity(count + 1)
    key.append(utf8: resource)
    guard !key.contains(0) else { return nil }
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
