import Bytes
import SwiftProtobuf
package import TollbookEvents

/// An alert that is open.
package struct AlertRow: Hashable, Sendable {
  package var alert: Alert
  /// Of the event that raised it.
  package var position: Position
}

extension AlertRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    position = field.unsigned(row)
    guard let alert = try? Alert(serializedBytes: field.rest(row)), field.isSound else {
      return nil
    }
    self.alert = alert
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    row.append(bigEndian: position)
    row += alert.stored
    return row
  }
}

extension Alert {
  /// Nothing in it can fail to be written: it was read from an event.
  var stored: [UInt8] { (try? serializedBytes()) ?? [] }
}

/// Somebody who is told of alerts.
package struct WebhookRow: Hashable, Sendable {
  /// Scheme, host and port of its address.
  package var place: String
  package var format: WebhookFormat
  /// Names of those that it is told.
  package var events: [String]
  package var set: Timestamp

  package static let raised = "alert.raised"
  package static let cleared = "alert.cleared"

  /// Whether it is told. That a job has ended is nothing wrong: of that it is told where it asked for that by name.
  package func wants(_ alert: Alert, isCleared: Bool) -> Bool {
    guard alert.name != AlertName.finished.rawValue else {
      return !isCleared && events.contains(alert.name)
    }
    return events.contains(isCleared ? Self.cleared : Self.raised)
      || !isCleared && events.contains(alert.name)
  }
}

extension WebhookRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    place = field.text(row)
    guard let format = WebhookFormat(rawValue: Int(field.byte(row))) else { return nil }
    self.format = format
    events = field.texts(row)
    set = Timestamp(milliseconds: field.signed(row))
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    row.append(field: place)
    row.append(UInt8(clamping: format.rawValue))
    row.append(field: events)
    row.append(field: set.milliseconds)
    return row
  }
}
