import Bytes
import SwiftProtobuf
package import TollbookEvents

/// Which delivery: of which alert's event, to which webhook. As text it is what the receiver is told, over all tries.
package struct DeliveryID: Hashable, Sendable, CustomStringConvertible {
  /// Of AlertRaised or AlertCleared.
  package var alert: Position
  package var webhook: String

  package init(alert: Position, webhook: String) {
    self.alert = alert
    self.webhook = webhook
  }

  /// Nil if the text names none.
  package init?(_ text: String) {
    let parts = text.split(separator: "-", maxSplits: 1)
    guard parts.count == 2, let alert = Position(parts[0]), "\(alert)" == parts[0],
      parts[1].utf8.count <= 400
    else { return nil }
    self.init(alert: alert, webhook: String(parts[1]))
  }

  package var description: String { "\(alert)-\(webhook)" }

  var key: [UInt8] {
    var key: [UInt8] = []
    key.append(bigEndian: alert)
    key.append(utf8: webhook)
    return key
  }

  /// A key as it stands in a table.
  init(key: RawSpan) {
    alert = key.byteCount < 8 ? 0 : key.bigEndianUInt64(at: 0)
    webhook = String(
      decoding: key.bytes(in: min(8, key.byteCount)..<key.byteCount), as: UTF8.self)
  }
}

/// What is still to be told, or was given up.
package struct DeliveryRow: Hashable, Sendable {
  /// What is told.
  package var alert: Alert
  /// Whether the alert is over; else it was raised.
  package var isCleared: Bool
  /// Why it is over.
  package var reason: String
  package var isDead = false
  /// Tries so far.
  package var attempts: UInt32 = 0
  /// When it is due.
  package var next: Timestamp
  /// How the last try ended: the status of HTTP, 0 if none came, and what is to be said of it.
  package var status: UInt32 = 0
  package var detail = ""
}

extension DeliveryRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    let flags = field.byte(row)
    isCleared = flags & 1 != 0
    isDead = flags & 2 != 0
    attempts = field.word(row)
    next = Timestamp(milliseconds: field.signed(row))
    status = field.word(row)
    detail = field.text(row)
    reason = field.text(row)
    guard let alert = try? Alert(serializedBytes: field.rest(row)), field.isSound else {
      return nil
    }
    self.alert = alert
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    row.append((isCleared ? 1 : 0) | (isDead ? 2 : 0))
    row.append(bigEndian: attempts)
    row.append(field: next.milliseconds)
    row.append(bigEndian: status)
    row.append(field: detail)
    row.append(field: reason)
    row += alert.stored
    return row
  }

  /// Where it stands among those that wait: in the order in which they are due.
  func dueKey(_ delivery: [UInt8]) -> [UInt8] {
    var key: [UInt8] = []
    key.append(bigEndian: UInt64(bitPattern: next.milliseconds) ^ 1 << 63)
    key.append(contentsOf: delivery)
    return key
  }
}
