package import Hummingbird
import Synchronization
import TollbookGateway
package import TollbookHTTP

/// Room for uploads: so many bytes of them are in memory at the same time, and others wait, in their order, unread.
package final class UploadRoom: Sendable {
  private struct Waiting {
    var bytes: Int
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var taken = 0
    var waiting: [Waiting] = []
  }

  private let limit: Int
  private let mostWaiting: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - limit: in bytes. An upload that is longer alone is let in alone.
  ///   - mostWaiting: uploads; one more is refused.
  package init(limit: Int = 32 << 20, mostWaiting: Int = 1_000) {
    self.limit = limit
    self.mostWaiting = mostWaiting
  }

  /// How many wait.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  /// Waits until there is room for so many bytes, which are given back with ``leave(_:)``.
  ///
  /// - Returns: false if too many wait already.
  package func enter(_ bytes: Int) async -> Bool {
    var isRefused = false
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        if state.waiting.isEmpty, state.taken == 0 || state.taken + bytes <= limit {
          state.taken += bytes
          return true
        }
        guard state.waiting.count < mostWaiting else {
          isRefused = true
          return true
        }
        state.waiting.append(Waiting(bytes: bytes, continuation: continuation))
        return false
      }
      if isDone { continuation.resume() }
    }
    return !isRefused
  }

  /// Waits until there is room for the body of a request, which is not read before. One that says nothing of its length
  /// takes as much as it may have. With an idempotency key it takes that twice: it is held as it came too.
  ///
  /// - Parameter longest: in bytes.
  /// - Returns: the bytes that are given back.
  package func enter(_ request: Request, atMost longest: Int) async throws(Problem) -> Int {
    let announced = request.headers[.contentLength].flatMap { Int($0) } ?? longest
    let times = request.headers[.idempotencyKey] == nil ? 1 : 2
    let bytes = min(max(0, announced), longest) * times
    guard await ClientPresence.holdingBack({ await enter(bytes) }) else {
      throw Problem(.busy, "too many uploads are waiting").retrying(after: 5)
    }
    return bytes
  }

  /// Gives room back.
  package func leave(_ bytes: Int) {
    let free = state.withLock { state in
      state.taken -= bytes
      var free: [CheckedContinuation<Void, Never>] = []
      while let first = state.waiting.first,
        state.taken == 0 || state.taken + first.bytes <= limit
      {
        state.taken += first.bytes
        free.append(state.waiting.removeFirst().continuation)
      }
      return free
    }
    for continuation in free { continuation.resume() }
  }
}
