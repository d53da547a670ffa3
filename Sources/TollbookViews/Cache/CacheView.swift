import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of the product cache, inside a transaction that the caller holds.
package struct CacheView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: CacheFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// The entry of a resource that was written last, of those whose content set covers `wanted`.
  package func entry(
    _ resource: ResourceKey, covering wanted: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> CacheEntry? {
    var newest: CacheEntry?
    for entry in try all(of: resource, in: transaction) where entry.contentSet & wanted == wanted {
      if newest.map({ entry.written > $0.written }) ?? true { newest = entry }
    }
    return newest
  }

  /// All entries of a resource, by content set.
  package func all(
    of resource: ResourceKey, in transaction: borrowing LogReading
  ) throws(LogError) -> [CacheEntry] {
    var found: [CacheEntry] = []
    guard let prefix = CacheKey.prefix(ofPossible: resource.description) else { return [] }
    let entries = try tables.open(in: transaction)[0]
    try transaction.scan(entries, prefix: prefix.span) { (key, value) throws(LogError) in
      found.append(try entries.read(CacheEntry(key: key, row: value)))
      return .next
    }
    return found
  }

  /// How many entries there are.
  package func count(in transaction: borrowing LogReading) throws(LogError) -> Int {
    let entries = try tables.open(in: transaction)[0]
    return try LogError.absorbing(try transaction.count(in: entries))
  }

  /// How many entries of a kind a look at some keys found.
  package struct KindCount: Sendable {
    package var entries = 0
    /// The key to pass as `after` for the next look; nil: all were looked at.
    package var next: [UInt8]?
  }

  /// Counts entries of a kind by their keys alone: those that every account reads stand together, those of accounts are
  /// looked for among all that belongs to accounts.
  ///
  /// - Parameter scanLimit: the most keys that are looked at.
  package func count(
    ofKind kind: String, after cursor: [UInt8]? = nil, scanLimit: Int = 50_000,
    in transaction: borrowing LogReading
  ) throws(LogError) -> KindCount {
    var found = KindCount()
    var seen = 0
    var last = cursor ?? []
    let entries = try tables.open(in: transaction)[0]
    // In the order of keys: what belongs to accounts comes first.
    for prefix in ["account/", "shared/\(kind)/"].map({ Array($0.utf8) }) {
      if let cursor, !cursor.starts(with: prefix), prefix.lexicographicallyPrecedes(cursor) {
        continue
      }
      let isShared = prefix.first != UInt8(ascii: "a")
      let start = (cursor ?? []) + [0]
      try transaction.scan(entries, from: start.span, prefix: prefix.span) {
        (key, _) throws(LogError) in
        guard seen < scanLimit else {
          found.next = last
          return .stop
        }
        seen += 1
        last = [UInt8](copying: key)
        if isShared || Self.isOfKind(kind, last) { found.entries += 1 }
        return .next
      }
      if found.next != nil { return found }
    }
    return found
  }

  /// Whether the key of an account's entry is of a kind: `account/name/kind/…`.
  private static func isOfKind(_ kind: String, _ key: [UInt8]) -> Bool {
    let steps = key.split(
      separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
    return steps.count == 4 && steps[2].elementsEqual(kind.utf8)
  }

  /// A page of entries in key order.
  package struct Page: Sendable {
    package var entries: [CacheEntry]
    /// The key to pass as `after` for the next page; nil at the end.
    package var next: [UInt8]?
  }

  /// Up to `limit` entries after a key that satisfy a condition, looking at no more than `scanLimit`.
  ///
  /// - Parameter prefix: what the resources' names begin with.
  package func page(
    prefix: String = "", after cursor: [UInt8]?, limit: Int, scanLimit: Int = 10_000,
    in transaction: borrowing LogReading, where isWanted: (CacheEntry) -> Bool
  ) throws(LogError) -> Page {
    var page = Page(entries: [], next: nil)
    var seen = 0
    var last: [UInt8] = []
    let start = (cursor ?? []) + [0]
    let prefix = Array(prefix.utf8)
    let entries = try tables.open(in: transaction)[0]
    try transaction.scan(entries, from: start.span, prefix: prefix.span) {
      (key, value) throws(LogError) in
      guard page.entries.count < limit, seen < scanLimit else {
        page.next = last
        return .stop
      }
      seen += 1
      last = [UInt8](copying: key)
      let entry = try entries.read(CacheEntry(key: key, row: value))
      if isWanted(entry) { page.entries.append(entry) }
      return .next
    }
    return page
  }

  /// The first entry after a key whose resource's name begins so; nil: there is none.
  package func first(
    prefix: String, after cursor: [UInt8]? = nil, in transaction: borrowing LogReading
  ) throws(LogError) -> CacheEntry? {
    try page(prefix: prefix, after: cursor, limit: 1, scanLimit: 1, in: transaction) { _ in true }
      .entries.first
  }

  /// Up to `limit` entries whose next instant for the sweeper has passed, the most overdue first. What cannot be
  /// decoded is passed over: the sweeper goes on with the others.
  package func dueEntries(
    at now: Timestamp, limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [CacheEntry] {
    try dueEntries(
      after: Timestamp(milliseconds: .min), through: now, limit: limit, in: transaction)
  }

  /// Up to `limit` entries whose next instant for the sweeper lies after an instant and not after a later one, the earliest
  /// first: of those that it has not marked, when they stop being fresh.
  package func dueEntries(
    after start: Timestamp, through now: Timestamp, limit: Int,
    in transaction: borrowing LogReading
  ) throws(LogError) -> [CacheEntry] {
    var keys: [[UInt8]] = []
    let tables = try self.tables.open(in: transaction)
    let (entries, due) = (tables[0], tables[1])
    let bound = UInt64(bitPattern: now.milliseconds) ^ (1 << 63)
    let first = CacheKey.key(
      start.milliseconds == .min ? start : start.advanced(byMilliseconds: 1), followedBy: [])
    try transaction.scan(due, from: first.span) { (key, _) throws(LogError) in
      guard let instant = RowOffset.number(of: key) else { return .next }
      guard instant <= bound, keys.count < limit else { return .stop }
      keys.append(key.bytes(in: 8..<key.byteCount))
      return .next
    }
    var found: [CacheEntry] = []
    for key in keys {
      let entry = try LogError.absorbing(
        try transaction.withValue(forKey: key.span, in: entries) { row in
          key.withRawSpan { CacheEntry(key: $0, row: row) }
        })
      if let entry = entry ?? nil { found.append(entry) }
    }
    return found
  }

  /// Up to `limit` bodies that no entry has named since before `instant`, those first that were let go of first.
  package func bodiesReleased(
    before instant: Timestamp, limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [[UInt8]] {
    var found: [[UInt8]] = []
    let bound = UInt64(bitPattern: instant.milliseconds) ^ (1 << 63)
    try transaction.scan(tables.open(in: transaction)[3]) { (key, _) throws(LogError) in
      guard let instant = RowOffset.number(of: key) else { return .next }
      guard instant < bound, found.count < limit else { return .stop }
      found.append(key.bytes(in: 8..<key.byteCount))
      return .next
    }
    return found
  }

  /// Up to `limit` bodies that no entry names, after a key that an earlier call returned, those first that were let go of
  /// first.
  ///
  /// - Returns: with them the key to pass as `after` for the next ones; nil at the end.
  package func releasedBodies(
    after cursor: [UInt8]?, limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> (digests: [[UInt8]], next: [UInt8]?) {
    var found: [[UInt8]] = []
    var last: [UInt8] = []
    var next: [UInt8]?
    let start = (cursor ?? []) + [0]
    try transaction.scan(tables.open(in: transaction)[3], from: start.span) {
      (key, _) throws(LogError) in
      guard found.count < limit else {
        next = last
        return .stop
      }
      last = [UInt8](copying: key)
      if key.byteCount > 8 { found.append(key.bytes(in: 8..<key.byteCount)) }
      return .next
    }
    return (found, next)
  }

  /// How many entries name a body; nil if none ever did, or it was removed since.
  package func references(
    to digest: [UInt8], in transaction: borrowing LogReading
  ) throws(LogError) -> Int? {
    guard !digest.isEmpty else { return nil }
    let bodies = try tables.open(in: transaction)[2]
    return try LogError.absorbing(
      try transaction.row(forKey: digest.span, in: bodies) { BodyReferences.entries(of: $0) })
  }
}
