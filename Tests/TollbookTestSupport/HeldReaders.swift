import Dispatch
import Foundation
package import LMDB
import Synchronization

/// Read transactions that are held open, on a thread of their own, until a test lets them go.
package final class HeldReaders: Sendable {
  private let release = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  /// Returns when they are held.
  ///
  /// - Parameter count: how many; all places that there are if there are not so many.
  package init(_ environment: Environment, count: Int = .max) async {
    let (release, ended) = (release, ended)
    await withCheckedContinuation { continuation in
      let thread = Thread {
        Self.hold(environment, count) {
          continuation.resume()
          release.wait()
        }
        ended.signal()
      }
      thread.stackSize = 32 << 20
      thread.start()
    }
  }

  /// Ends them, and waits for that. To be called once.
  package func letGo() {
    release.signal()
    ended.wait()
  }

  /// Begins one inside the other, and calls `body` when all are there.
  private static func hold(_ environment: Environment, _ count: Int, _ body: () -> Void) {
    guard count > 0 else { return body() }
    let began: Void? = try? environment.withReadTransaction { (_) throws(LMDBError) in
      hold(environment, count - 1, body)
    }
    if began == nil { body() }
  }
}
