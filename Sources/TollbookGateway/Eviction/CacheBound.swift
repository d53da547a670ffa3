import Synchronization
import TollbookEvents
import TollbookLog

/// What is known about the room that bodies take, from one look at them to the next.
final class CacheBound: Sendable {
  private struct State {
    var clock = EvictionClock()
    var scale: CostScale?
    /// What the bodies took, and what had been stored since the process began, when somebody looked; nil: nobody has.
    var known: (space: Int, stored: Int)?
    /// Not before then, on the monotonic clock in milliseconds, does a look make sense.
    var nextLook: Int64 = .min
  }

  /// Between two looks of which the first could not make enough room, in milliseconds.
  static let pause: Int64 = 60_000

  let evicted = EvictedBodies()
  private let state = Mutex(State())

  /// So much less than the bound is taken after room was made, so that a look at all entries serves many purchases.
  static func target(of bound: Int) -> Int { bound - bound / 64 }

  /// Whether the bodies may take more than the bound.
  ///
  /// - Parameters:
  ///   - pages: what the pages take in which the bodies lie.
  ///   - stored: what the bodies take that were stored since the process began.
  func mayBeExceeded(_ bound: Int, pages: Int, stored: Int, at now: Int64) -> Bool {
    guard pages > bound else { return false }
    return state.withLock { state in
      guard now >= state.nextLook else { return false }
      guard let known = state.known else { return true }
      return known.space + (stored - known.stored) > bound
    }
  }

  var clock: EvictionClock { state.withLock { $0.clock } }
  var scale: CostScale? { state.withLock { $0.scale } }

  func know(_ scale: CostScale) { state.withLock { $0.scale = scale } }

  func know(space: Int, stored: Int) { state.withLock { $0.known = (space, stored) } }

  func pause(at now: Int64) { state.withLock { $0.nextLook = now + Self.pause } }

  func advance(to priority: Double, at now: Timestamp) {
    state.withLock { $0.clock.advance(to: priority, at: now) }
  }
}
