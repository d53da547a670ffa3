import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of webhooks, open alerts and deliveries, inside a transaction that the caller holds. Deciders use it too.
package struct AlertsView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: AlertsFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// All there are, in the order of their ids.
  package func webhooks(
    in transaction: borrowing LogReading
  ) throws(LogError) -> [(id: String, webhook: WebhookRow)] {
    var found: [(id: String, webhook: WebhookRow)] = []
    let table = try tables.open(in: transaction)[0]
    try transaction.scan(table) { (key, value) throws(LogError) in
      let row = try table.read(WebhookRow(row: value))
      found.append((String(decoding: [UInt8](copying: key), as: UTF8.self), row))
      return .next
    }
    return found
  }

  /// Nil: there is none of that id.
  package func webhook(
    _ id: String, in transaction: borrowing LogReading
  ) throws(LogError) -> WebhookRow? {
    guard (1...400).contains(id.utf8.count) else { return nil }
    let table = try tables.open(in: transaction)[0]
    return try LogError.absorbing(
      try transaction.row(forKey: Array(id.utf8).span, in: table) { WebhookRow(row: $0) })
  }

  /// An open alert; nil: it is not open.
  package func alert(
    _ key: AlertKey, in transaction: borrowing LogReading
  ) throws(LogError) -> AlertRow? {
    guard key.isPossible else { return nil }
    let table = try tables.open(in: transaction)[1]
    return try LogError.absorbing(
      try transaction.row(forKey: key.bytes.span, in: table) { AlertRow(row: $0) })
  }

  /// Open alerts, in the order of their keys.
  ///
  /// - Parameter key: only those behind it; nil: from the first.
  package func alerts(
    after key: AlertKey? = nil, limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [AlertRow] {
    guard limit > 0 else { return [] }
    var found: [AlertRow] = []
    let table = try tables.open(in: transaction)[1]
    let start = (key?.bytes ?? []) + [0]
    try transaction.scan(table, from: start.span) { (_, value) throws(LogError) in
      found.append(try table.read(AlertRow(row: value)))
      return found.count < limit ? .next : .stop
    }
    return found
  }

  /// How many are open.
  package func alertCount(in transaction: borrowing LogReading) throws(LogError) -> Int {
    let table = try tables.open(in: transaction)[1]
    return try LogError.absorbing(try transaction.count(in: table))
  }

  /// Nil: it was delivered, or there never was such a one, or it was forgotten.
  package func delivery(
    _ id: DeliveryID, in transaction: borrowing LogReading
  ) throws(LogError) -> DeliveryRow? {
    let table = try tables.open(in: transaction)[2]
    return try LogError.absorbing(
      try transaction.row(forKey: id.key.span, in: table) { DeliveryRow(row: $0) })
  }

  /// Deliveries that wait or were given up, in the order of their alerts.
  ///
  /// - Parameters:
  ///   - isDead: only those that were given up, or only those that wait; nil: both.
  ///   - id: only those behind it.
  package func deliveries(
    isDead: Bool? = nil, after id: DeliveryID? = nil, limit: Int,
    in transaction: borrowing LogReading
  ) throws(LogError) -> [(id: DeliveryID, delivery: DeliveryRow)] {
    guard limit > 0 else { return [] }
    var found: [(id: DeliveryID, delivery: DeliveryRow)] = []
    let table = try tables.open(in: transaction)[2]
    let start = (id?.key ?? []) + [0]
    try transaction.scan(table, from: start.span) { (key, value) throws(LogError) in
      let row = try table.read(DeliveryRow(row: value))
      guard isDead.map({ $0 == row.isDead }) ?? true else { return .next }
      found.append((DeliveryID(key: key), row))
      return found.count < limit ? .next : .stop
    }
    return found
  }

  /// How many deliveries wait.
  package func waitingCount(in transaction: borrowing LogReading) throws(LogError) -> Int {
    let table = try tables.open(in: transaction)[3]
    return try LogError.absorbing(try transaction.count(in: table))
  }

  /// The next delivery that is due to a webhook that is not at work.
  ///
  /// - Parameter busy: the webhooks that are.
  package func due(
    at now: Timestamp, busy: Set<String>, in transaction: borrowing LogReading
  ) throws(LogError) -> (id: DeliveryID, delivery: DeliveryRow)? {
    var found: DeliveryID?
    let opened = try tables.open(in: transaction)
    try transaction.scan(opened[3]) { (key, _) throws(LogError) in
      guard key.byteCount > 16 else { return .next }
      let due = Int64(bitPattern: key.bigEndianUInt64(at: 0) ^ 1 << 63)
      guard due <= now.milliseconds else { return .stop }
      let id = DeliveryID(
        alert: key.bigEndianUInt64(at: 8),
        webhook: String(decoding: key.bytes(in: 16..<key.byteCount), as: UTF8.self))
      guard !busy.contains(id.webhook) else { return .next }
      found = id
      return .stop
    }
    guard let found, let row = try delivery(found, in: transaction) else { return nil }
    return (found, row)
  }

  /// The position up to which refusals were looked at.
  package func looked(in transaction: borrowing LogReading) throws(LogError) -> Position {
    let (key, table) = (AlertsFold.lookedKey, try tables.open(in: transaction)[4])
    return try LogError.absorbing(
      try transaction.row(forKey: key.span, in: table) {
        RowOffset.number(of: $0)
      }) ?? 0
  }
}
