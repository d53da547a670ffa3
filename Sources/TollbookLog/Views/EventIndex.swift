import Bytes
package import LMDB
package import TollbookEvents

/// The secondary indexes: which events are of a kind, of a resource, of a fetch. A fold like any other, so that they can
/// be dropped and rebuilt; keys end in the position, values are empty.
package struct EventIndex: Sendable {
  package static let fold = Fold(
    name: "index", version: 1, tables: ["kind", "resource", "fetch"], cadence: .eachCommit,
    isOverStoredEvents: true
  ) { (events, tables, transaction) throws(LMDBError) in
    let empty: [UInt8] = []
    // By resource the keys come in no order; a tree of pages takes them best sorted.
    var resources: [KeyBytes] = []
    var key: [UInt8] = []
    let events = events.span
    for index in events.indices {
      let position = events[index].position
      let keys = IndexKeys(of: events[index].event, at: position)
      key.removeAll(keepingCapacity: true)
      key.append(events[index].event.kind.rawValue)
      key.append(bigEndian: position)
      try transaction.put(empty.span, forKey: key.span, in: tables[0])
      if let fetch = keys.fetch {
        key.removeAll(keepingCapacity: true)
        key.append(bigEndian: fetch)
        key.append(bigEndian: position)
        try transaction.put(empty.span, forKey: key.span, in: tables[2])
      }
      for resource in keys.resources {
        var key = resourcePrefix(resource)
        key.append(bigEndian: position)
        resources.append(KeyBytes(key))
      }
    }
    resources.sort()
    for key in resources {
      try transaction.put(empty.span, forKey: key.bytes.span, in: tables[1])
    }
    return []
  }

  private static let longestResource = 480

  private let tables: ViewTables

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// Up to `limit` positions of events of that kind after `position`, in order.
  package func positions(
    of kind: EventKind, after position: Position, limit: Int,
    in transaction: borrowing LogReading
  ) throws(LogError) -> [Position] {
    try positions(in: 0, prefix: [kind.rawValue], after: position, limit: limit, transaction)
  }

  /// Up to `limit` positions after `position` of events that wrote, expired or removed an entry of the resource.
  package func positions(
    of resource: String, after position: Position, limit: Int,
    in transaction: borrowing LogReading
  ) throws(LogError) -> [Position] {
    try positions(
      in: 1, prefix: Self.resourcePrefix(resource), after: position, limit: limit,
      transaction)
  }

  /// Positions of all events of the fetch that began at `fetch`, that one included.
  package func positions(
    ofFetch fetch: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> [Position] {
    try positions(
      in: 2, prefix: Array(LogTables.key(fetch).span), after: 0, limit: .max, transaction)
  }

  static func resourcePrefix(_ resource: String) -> [UInt8] {
    // Keys of LMDB hold at most 511 bytes; a longer resource name is indexed by its beginning.
    var key: [UInt8] = []
    key.reserveCapacity(resource.utf8.count + 9)
    if resource.utf8.count <= longestResource {
      key.append(utf8: resource)
    } else {
      key.append(contentsOf: resource.utf8.prefix(longestResource))
    }
    key.append(0)
    return key
  }

  private func positions(
    in table: Int, prefix: [UInt8], after position: Position, limit: Int,
    _ transaction: borrowing LogReading
  ) throws(LogError) -> [Position] {
    guard limit > 0, position < .max else { return [] }
    let table = try tables.open(in: transaction)[table]
    var found: [Position] = []
    var start = prefix
    start.append(bigEndian: position + 1)
    try transaction.scan(table, from: start.span) { (key, _) throws(LogError) in
      guard key.starts(with: prefix) else { return .stop }
      guard key.byteCount == prefix.count + 8 else { return .next }
      found.append(key.bigEndianUInt64(at: prefix.count))
      return found.count < limit ? .next : .stop
    }
    return found
  }
}

/// What an event is found by, apart from its kind.
struct IndexKeys {
  /// A resource may be there twice.
  var resources: [String] = []
  var fetch: Position?

  init(of event: Event, at position: Position) {
    switch event {
    case .fetchStarted: fetch = position
    case .fetchAttemptFailed(let event): fetch = event.fetch
    case .fetchSucceeded(let event): fetch = event.fetch
    case .fetchFailed(let event): fetch = event.fetch
    case .cacheWritten(let event):
      (resources, fetch) = ([event.resource], event.fetch == 0 ? nil : event.fetch)
    case .cacheExpired(let event): resources = [event.resource]
    case .cacheEvicted(let event): resources = [event.resource]
    case .cachePurged(let event): resources = [event.resource]
    case .entriesSwept(let event): resources = event.entries.map(\.resource)
    case .tokensCharged(let event): fetch = event.fetch
    case .reservationReleased(let event): fetch = event.fetch
    case .chargeInDoubt(let event): fetch = event.fetch
    case .balanceObserved(let event): fetch = event.fetch == 0 ? nil : event.fetch
    case .windowObserved(let event): fetch = event.fetch == 0 ? nil : event.fetch
    case .chargeCorrected(let event): fetch = event.fetch
    case .readsTallied, .chargeResolved, .spendRefused, .credentialAdded,
      .credentialStatusChanged, .serviceStarted, .serviceRecovered, .bodiesPruned, .snapshotTaken,
      .logRestored, .jobQueued, .jobStarted, .jobProgressed, .jobFinished, .accountOpened,
      .accountClosed, .accessKeyIssued,
      .accessKeyRevoked, .budgetSet, .budgetRemoved, .webhookSet, .webhookRemoved, .alertRaised,
      .alertCleared, .notificationSent, .notificationRequeued,
      .credentialSet, .credentialRemoved, .credentialCooled, .poolSet, .requestBegun,
      .requestAnswered, .requestsForgotten, .invoicePosted:
      break
    }
  }
}

extension Array where Element == UInt8 {
  fileprivate init(_ span: Span<UInt8>) {
    self = []
    reserveCapacity(span.count)
    for index in span.indices { append(span[index]) }
  }
}
