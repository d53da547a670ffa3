/// A place in the event log: 1, 2, 3 … without gaps. 0 stands before the first event.
package typealias Position = UInt64

/// An event with its place in the log and the time of the commit that it is part of.
package struct RecordedEvent: Hashable, Sendable {
  package let position: Position
  package let time: Timestamp
  package let event: Event

  package init(position: Position, time: Timestamp, event: Event) {
    self.position = position
    self.time = time
    self.event = event
  }
}
