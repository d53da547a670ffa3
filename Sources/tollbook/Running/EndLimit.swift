import Foundation
import Synchronization

/// A limit for the end of the process: when it is over the process ends, whatever hangs. What is on the disk by then is
/// whole, and the next start goes on from it.
final class EndLimit: Sendable {
  private enum State { case idle, running, over }

  private let seconds: Double
  private let end: @Sendable () -> Void
  private let state = Mutex(State.idle)

  /// - Parameter end: what ends the process.
  init(seconds: Double, end: @escaping @Sendable () -> Void) {
    self.seconds = seconds
    self.end = end
  }

  /// A limit that ends this process.
  convenience init(seconds: Double) {
    self.init(seconds: seconds) {
      Console.complain(
        "Tollbook did not come to its end within \(Int(seconds)) seconds and is ended here. The"
          + " next start finds the calls that were under way, and holds them in doubt.")
      _exit(75)
    }
  }

  /// Begins to count, on a thread of its own: the others may all be held up.
  func begin() {
    let isFirst = state.withLock { state in
      guard state == .idle else { return false }
      state = .running
      return true
    }
    guard isFirst else { return }
    Thread.detachNewThread { [self] in
      Thread.sleep(forTimeInterval: seconds)
      expire()
    }
  }

  /// The end has come in time.
  func lift() { state.withLock { $0 = .over } }

  /// The time is over.
  func expire() {
    if state.withLock({ $0 == .running }) { end() }
  }
}
