import Bytes
import LMDB
import TollbookEvents
package import TollbookLog

/// Keeps who is told of alerts, which alerts are open, and what is still to be told.
///
/// | table | key | value |
/// |---|---|---|
/// | `webhooks` | id | the webhook's row |
/// | `open` | what the alert is known by | the alert's row |
/// | `deliveries` | position of the alert's event (8), webhook | what waits, or was given up |
/// | `due` | instant (8), position of the alert's event (8), webhook | nothing: what waits |
/// | `looked` | one zero | position up to which refusals were looked at (8) |
///
/// What was delivered is in no table: the events tell it. What is beyond the bounds is given up at once, or forgotten.
package enum AlertsFold {
  /// Deliveries that wait.
  package static let mostWaiting = 10_000
  /// Deliveries that were given up and can be sent again.
  package static let mostDead = 10_000

  package static let fold = Fold(
    name: "alerts", version: 1, tables: ["webhooks", "open", "deliveries", "due", "looked"],
    cadence: .eachDecision, sinceFormat: 5
  ) { (events, tables, transaction) throws(LMDBError) in
    var changes = AlertChanges(tables)
    var parked: [Fold.Parked] = []
    let events = events.span
    for index in events.indices where concerns(events[index].event.kind) {
      if let problem = try changes.apply(events[index], in: transaction.reading) {
        parked.append(Fold.Parked(position: events[index].position, reason: problem))
      }
    }
    try changes.write(to: &transaction)
    return parked
  }

  /// Whether it may have something to say of an event: of most it has not.
  private static func concerns(_ kind: EventKind) -> Bool {
    switch kind {
    case .webhookSet, .webhookRemoved, .alertRaised, .alertCleared, .notificationSent,
      .notificationRequeued:
      true
    default: false
    }
  }

  static let lookedKey: [UInt8] = [0]
}

/// The rows that a run of events touches.
private struct AlertChanges {
  private let tables: [Table]
  /// All there are, once they are asked for.
  private var webhooks: [KeyBytes: WebhookRow]?
  private var touchedWebhooks: Set<KeyBytes> = []
  /// Nil: it is not open.
  private var alerts = TouchedRows<AlertRow?>()
  /// Nil: there is none.
  private var deliveries = TouchedRows<DeliveryRow?>()
  /// How many there are, once that is asked for.
  private var counts: (waiting: Int, dead: Int)?
  private var looked: Position?

  init(_ tables: [Table]) { self.tables = tables }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .webhookSet(let event):
      guard (1...400).contains(event.webhook.utf8.count) else { return Self.impossible }
      let key = KeyBytes(Array(event.webhook.utf8))
      var all = try allWebhooks(in: transaction)
      all[key] = WebhookRow(event, at: recorded.time)
      webhooks = all
      touchedWebhooks.insert(key)
    case .webhookRemoved(let event):
      let key = KeyBytes(Array(event.webhook.utf8))
      var all = try allWebhooks(in: transaction)
      guard all.removeValue(forKey: key) != nil else { return "there is no such webhook" }
      webhooks = all
      touchedWebhooks.insert(key)
    case .alertRaised(let event):
      guard let place = try alert(event.alert, in: transaction) else { return Self.impossible }
      guard alerts[place] == nil else { return "the alert is open already" }
      alerts[place] = AlertRow(alert: event.alert, position: recorded.position)
      note(event.looked)
      try tell(event.alert, isCleared: false, reason: "", recorded, in: transaction)
    case .alertCleared(let event):
      guard let place = try alert(event.alert, in: transaction) else { return Self.impossible }
      guard alerts[place] != nil else { return "the alert is not open" }
      alerts[place] = nil
      note(event.looked)
      try tell(event.alert, isCleared: true, reason: event.reason, recorded, in: transaction)
    case .notificationSent(let event):
      try change(event.delivery, in: transaction) { row in
        row.attempts = event.attempt
        row.status = event.status
        row.detail = event.detail
        row.next = Timestamp(milliseconds: event.nextMs)
        switch event.outcome {
        case .delivered: return nil
        case .failed: row.isDead = false
        case .dead, .UNRECOGNIZED: row.isDead = true
        }
        return row
      }
    case .notificationRequeued(let event):
      try change(event.delivery, in: transaction) { row in
        row.isDead = false
        row.attempts = 0
        row.next = Timestamp(milliseconds: event.atMs)
        return row
      }
    default: break
    }
    return nil
  }

  private static let impossible = "its name cannot be a key"

  private mutating func note(_ position: Position) { looked = max(looked ?? 0, position) }

  private mutating func allWebhooks(
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [KeyBytes: WebhookRow] {
    if let webhooks { return webhooks }
    var found: [KeyBytes: WebhookRow] = [:]
    let table = tables[0]
    try transaction.scan(table) { (key, value) throws(LMDBError) in
      found[KeyBytes([UInt8](copying: key))] = try table.decoded(WebhookRow(row: value))
      return .next
    }
    webhooks = found
    return found
  }

  private mutating func alert(
    _ alert: Alert, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int? {
    let key = AlertKey(alert)
    guard key.isPossible else { return nil }
    let table = tables[1]
    return try alerts.place(of: KeyBytes(key.bytes)) { () throws(LMDBError) in
      try transaction.row(forKey: key.bytes.span, in: table) { AlertRow(row: $0) }
    }
  }

  private mutating func delivery(
    _ id: DeliveryID, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int {
    let (key, table) = (id.key, tables[2])
    return try deliveries.place(of: KeyBytes(key)) { () throws(LMDBError) in
      try transaction.row(forKey: key.span, in: table) { DeliveryRow(row: $0) }
    }
  }

  /// Makes a delivery for each webhook that is told of it.
  private mutating func tell(
    _ alert: Alert, isCleared: Bool, reason: String, _ recorded: RecordedEvent,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    let webhooks = try allWebhooks(in: transaction).sorted { $0.key < $1.key }
    for (key, webhook) in webhooks where webhook.wants(alert, isCleared: isCleared) {
      let id = DeliveryID(
        alert: recorded.position, webhook: String(decoding: key.bytes, as: UTF8.self))
      let place = try delivery(id, in: transaction)
      var row = DeliveryRow(
        alert: alert, isCleared: isCleared, reason: reason,
        next: Timestamp(milliseconds: alert.atMs))
      if try counted(in: transaction).waiting >= AlertsFold.mostWaiting {
        row.isDead = true
        row.detail = "\(AlertsFold.mostWaiting) deliveries wait already"
      }
      try put(row, at: place, in: transaction)
    }
  }

  private mutating func change(
    _ id: String, in transaction: borrowing ReadTransaction,
    _ body: (inout DeliveryRow) -> DeliveryRow?
  ) throws(LMDBError) {
    // One that was forgotten since too many were given up changes nothing.
    guard let id = DeliveryID(id) else { return }
    let place = try delivery(id, in: transaction)
    guard var row = deliveries[place] else { return }
    try put(body(&row), at: place, in: transaction)
  }

  private func counted(
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> (waiting: Int, dead: Int) {
    if let counts { return counts }
    let waiting = try transaction.count(in: tables[3])
    return (waiting, try transaction.count(in: tables[2]) - waiting)
  }

  private mutating func put(
    _ row: DeliveryRow?, at place: Int, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    var counts = try counted(in: transaction)
    if let before = deliveries[place] {
      if before.isDead { counts.dead -= 1 } else { counts.waiting -= 1 }
    }
    var row = row
    if row?.isDead == true, counts.dead >= AlertsFold.mostDead { row = nil }
    if let row { if row.isDead { counts.dead += 1 } else { counts.waiting += 1 } }
    deliveries[place] = row
    self.counts = counts
  }

  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let nothing: [UInt8] = []
    for key in touchedWebhooks.sorted() {
      if let row = webhooks?[key] {
        try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[0])
      } else {
        _ = try transaction.delete(key: key.bytes.span, in: tables[0])
      }
    }
    try alerts.inKeyOrder { (key, row) throws(LMDBError) in
      if let row {
        try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[1])
      } else {
        _ = try transaction.delete(key: key.bytes.span, in: tables[1])
      }
    }
    try deliveries.inKeyOrder { (key, row) throws(LMDBError) in
      let before = try transaction.reading.row(forKey: key.bytes.span, in: tables[2]) {
        DeliveryRow(row: $0)
      }
      if let before {
        _ = try transaction.delete(key: before.dueKey(key.bytes).span, in: tables[3])
      }
      guard let row else {
        _ = try transaction.delete(key: key.bytes.span, in: tables[2])
        return
      }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[2])
      if !row.isDead {
        try transaction.put(nothing.span, forKey: row.dueKey(key.bytes).span, in: tables[3])
      }
    }
    guard let looked else { return }
    let key = AlertsFold.lookedKey
    let before = try transaction.reading.value(forKey: key.span, in: tables[4])
    var value: [UInt8] = []
    value.append(bigEndian: looked)
    // As words they sort as the numbers do.
    if let before, !before.lexicographicallyPrecedes(value) { return }
    try transaction.put(value.span, forKey: key.span, in: tables[4])
  }
}

extension WebhookRow {
  fileprivate init(_ event: WebhookSet, at time: Timestamp) {
    place = event.place
    format = if case .UNRECOGNIZED = event.format { .signed } else { event.format }
    events = Array(event.events.prefix(Int(UInt8.max)))
    set = time
  }
}
