package import TollbookEvents

/// What a decider decides: the events to append, the bodies that they name, and the answer to whoever asked.
package struct Decision<Answer: Sendable>: Sendable {
  package var events: [Event]
  package var bodies: [Body]
  /// Digests of bodies to remove, which one of the events names as pruned.
  package var prunedBodies: [[UInt8]]
  package var answer: Answer

  package init(
    events: [Event] = [], bodies: [Body] = [], prunedBodies: [[UInt8]] = [], answer: Answer
  ) {
    self.events = events
    self.bodies = bodies
    self.prunedBodies = prunedBodies
    self.answer = answer
  }
}

/// What a decider knows beside its command and the state.
package struct DecisionContext: Sendable {
  /// The position that its first event will have.
  package let next: Position
  /// The time of the commit that its events become part of.
  package let time: Timestamp
}

/// A pure function of its command (what it captures), the state as all decisions before it left it, and the context.
///
/// It runs on the writer thread and must neither wait nor look at anything else. It reads the tables of folds that are
/// applied after each decision. Where it throws it fails alone, with nothing written by it, unless the storage failed:
/// then the whole commit does.
package typealias Decider<Answer: Sendable> =
  @Sendable (_ state: borrowing LogReading, _ context: DecisionContext)
  throws(LogError) -> Decision<Answer>

/// A decision that is on the disk.
package struct Decided<Answer: Sendable>: Sendable {
  package let answer: Answer
  /// The head of the log after the commit: what the answer reflects.
  package let position: Position
  /// The commit's time.
  package let time: Timestamp
}
