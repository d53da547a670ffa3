import Synchronization

/// Hands the parts of an answer from the call that brings them to the client that reads them.
///
/// 1. It holds no more than so many bytes and one part: whoever writes faster waits for the reader.
/// 2. When the reader has gone, what is written is dropped at once: the call goes on to its end.
final class PartRelay: Sendable {
  private struct State {
    var parts: [[UInt8]] = []
    var bytes = 0
    var hasEnded = false
    var isLeft = false
    var reader: CheckedContinuation<Void, Never>?
    var writer: CheckedContinuation<Void, Never>?
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: in bytes.
  init(limit: Int = 1 << 20) { self.limit = limit }

  /// Takes a part from the call; returns when there is room for another one. One at a time may wait.
  func write(_ part: [UInt8]) async {
    let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.isLeft else { return nil }
      state.parts.append(part)
      state.bytes += part.count
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.bytes > limit, !state.isLeft else { return true }
        state.writer = continuation
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  /// The call has ended: nothing more comes.
  func end() {
    let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.hasEnded = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
  }

  /// The next part; nil: there is none any more. One reader at a time.
  func next() async -> [UInt8]? {
    while true {
      let (part, hasEnded, writer) = state.withLock { state in
        guard !state.parts.isEmpty else {
          return ([UInt8]?.none, state.hasEnded, CheckedContinuation<Void, Never>?.none)
        }
        let part = state.parts.removeFirst()
        state.bytes -= part.count
        let writer = state.bytes > limit ? nil : state.writer
        if writer != nil { state.writer = nil }
        return (part, false, writer)
      }
      writer?.resume()
      if let part { return part }
      if hasEnded { return nil }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          guard state.parts.isEmpty, !state.hasEnded else { return true }
          state.reader = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  /// The reader has gone.
  func leave() {
    let writer = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.isLeft = true
      state.parts = []
      state.bytes = 0
      defer { state.writer = nil }
      return state.writer
    }
    writer?.resume()
  }
}
