/// A place in the event log: 1, 2, 3 … without gaps. 0 stands before the first event.
package typealias Position = UInt64

/// An event with its place in the log and the times of the commit that it is part of.
package struct RecordedEvent: Hashable, Sendable {
  package let position: Position
  /// The commit's time, which never falls: ranges of events go by it.
  package let time: Timestamp
  /// What the clock said at the commit. It may run backwards, and is behind `time` after a clock was ahead: days, hours and
  /// minutes go by it.
  package var wall: Timestamp
  package let event: Event
  /// What the event books, in its order: made once for all folds that read it.
  package let postings: [Posting]

  /// - Parameter wall: nil: the same as `time`.
  package init(position: Position, time: Timestamp, wall: Timestamp? = nil, event: Event) {
    self.position = position
    self.time = time
    self.wall = wall ?? time
    self.event = event
    postings = event.hasPostings ? event.postings(at: position) : []
  }
}
