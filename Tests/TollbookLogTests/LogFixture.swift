import Bytes
import LMDB
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// A small event with a text of its own, for tests that care about records and not about what they say.
func note(_ text: String) -> Event {
  var event = CredentialStatusChanged()
  event.credential = "main"
  event.detail = text
  return .credentialStatusChanged(event)
}

/// The text of such an event.
func text(of event: Event) -> String? {
  guard case .credentialStatusChanged(let event) = event else { return nil }
  return event.detail
}

extension EventLog {
  /// Every event, in order.
  func events() throws(LogError) -> [RecordedEvent] {
    try read { (transaction) throws(LogError) in
      var found: [RecordedEvent] = []
      try reader.scan(after: 0, in: transaction) { (event) throws(LogError) in
        found.append(event)
        return .next
      }
      return found
    }
  }

  /// The stored bytes of every record, in order.
  func records() throws -> [[UInt8]] {
    try environment.withReadTransaction { (transaction) throws(LMDBError) in
      var found: [[UInt8]] = []
      try transaction.scan(tables.events) { (_, value) throws(LMDBError) in
        found.append([UInt8](copying: value))
        return .next
      }
      return found
    }
  }

  /// The seal of every commit, in order.
  func commits() throws(LogError) -> [CommitRow] {
    try read { (transaction) throws(LogError) in
      var found: [CommitRow] = []
      var next: Position = 1
      while let row = try reader.commit(holding: next, in: transaction) {
        found.append(row)
        next = row.last + 1
      }
      return found
    }
  }
}
