import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of the requests with idempotency keys, inside a transaction that the caller holds. Deciders use it too.
package struct RequestsView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: RequestsFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// - Parameter key: SHA-256 of the idempotency key and of whose it is.
  /// - Returns: nil: none is known, or it was forgotten.
  package func request(
    _ key: [UInt8], in transaction: borrowing LogReading
  ) throws(LogError) -> RequestRow? {
    guard key.count == RequestRow.digestSize else { return nil }
    let table = try tables.open(in: transaction)[0]
    return try LogError.absorbing(
      try transaction.row(forKey: key.span, in: table) { RequestRow(row: $0) })
  }

  /// Those that are kept until an instant before `time`, the first ones first.
  package func due(
    before time: Timestamp, limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [(key: [UInt8], request: RequestRow)] {
    guard limit > 0 else { return [] }
    let open = try tables.open(in: transaction)
    let end = RequestsFold.dueKey(time, [])
    var found: [(key: [UInt8], request: RequestRow)] = []
    var keys: [[UInt8]] = []
    try transaction.scan(open[1]) { (dueKey, _) throws(LogError) in
      let bytes = [UInt8](copying: dueKey)
      guard bytes.lexicographicallyPrecedes(end), keys.count < limit else { return .stop }
      keys.append(Array(bytes.dropFirst(8)))
      return .next
    }
    for key in keys {
      let row = try LogError.absorbing(
        try transaction.row(forKey: key.span, in: open[0]) { RequestRow(row: $0) })
      if let row { found.append((key, row)) }
    }
    return found
  }
}
