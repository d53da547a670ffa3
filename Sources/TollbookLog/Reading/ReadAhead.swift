import Dispatch
package import LMDB
import Synchronization
package import TollbookEvents

/// Reads and decodes the next chunk of events on another thread while the caller works on the one before.
package final class ReadAhead: Sendable {
  private let queue = DispatchQueue(label: "tollbook-read-ahead")
  private let next = Mutex<Result<[RecordedEvent], LogError>>(.success([]))
  private let environment: Environment
  private let reader: LogReader
  private let chunk: Int
  private let head: Position

  package init(_ environment: Environment, _ reader: LogReader, chunk: Int, to head: Position) {
    self.environment = environment
    self.reader = reader
    self.chunk = chunk
    self.head = head
  }

  /// Begins to read the chunk after a position. Each call is followed by one `take`.
  package func begin(after position: Position) {
    queue.async { [self] in
      let read = Result { () throws(LogError) in try events(after: position) }
      next.withLock { $0 = read }
    }
  }

  /// Waits for the chunk that was begun.
  package func take() throws(LogError) -> [RecordedEvent] {
    finish()
    return try next.withLock { next in
      defer { next = .success([]) }
      return next
    }.get()
  }

  /// Waits until nothing is read any more, and nobody but the caller keeps the environment open: one after the other,
  /// the queue has let go of what it ran before.
  package func finish() { queue.sync {} }

  private func events(after position: Position) throws(LogError) -> [RecordedEvent] {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      var events: [RecordedEvent] = []
      events.reserveCapacity(chunk)
      try reader.scan(after: position, in: transaction) { (event) throws(LogError) in
        guard event.position <= head, events.count < chunk else { return .stop }
        events.append(event)
        return .next
      }
      return events
    }
  }
}
