import Synchronization
import TollbookArchive
import TollbookLog

/// The rebuild of the views that was asked for last.
final class RebuildJob: Sendable {
  enum State: Sendable {
    case idle
    case running(RebuildProgress)
    case done(RebuildReport)
    case failed(String)

    var name: String {
      switch self {
      case .idle: "idle"
      case .running: "running"
      case .done: "done"
      case .failed: "failed"
      }
    }
  }

  private let shared = Mutex(State.idle)

  var state: State { shared.withLock { $0 } }

  /// Begins one, unless one is running: then that one goes on.
  func begin(on log: EventLog) {
    let isFirst = shared.withLock { state in
      if case .running = state { return false }
      state = .running(RebuildProgress(step: .clearing, position: 0, head: log.head))
      return true
    }
    guard isFirst else { return }
    Task { [self] in
      let end: State
      do throws(RebuildError) {
        end = .done(
          try await log.rebuildViews(baseRows: EventLog.baseRows(in: log.directory.path)) {
            progress in
            self.shared.withLock { $0 = .running(progress) }
          })
      } catch { end = .failed("\(error)") }
      shared.withLock { $0 = end }
    }
  }
}
