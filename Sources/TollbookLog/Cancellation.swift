import Synchronization

/// Tells work that blocks a thread of its own that nobody wants it any more: such work does not see the task that waits
/// for it.
package final class Cancellation: Sendable {
  private let isWanted = Atomic(false)

  package init() {}

  package var isCancelled: Bool { isWanted.load(ordering: .relaxed) }

  package func cancel() { isWanted.store(true, ordering: .relaxed) }
}
