import Synchronization
import TollbookArchive
import TollbookGateway
import TollbookLog

/// The rebuild of the views that was asked for last.
final class RebuildJob: Sendable {
  private struct State {
    var id: JobID?
    /// What came of it.
    var report: RebuildReport?
  }

  private let shared = Mutex(State())

  var id: JobID? { shared.withLock { $0.id } }
  var report: RebuildReport? { shared.withLock { $0.report } }

  /// Begins one, unless one is running: then that one goes on.
  func begin(on log: EventLog, as jobs: JobRunner) {
    _ = try? shared.withLock { state in
      let id = try jobs.submit(.rebuild) { [self] tell in
        do throws(RebuildError) {
          let report = try await log.rebuildViews(
            baseRows: EventLog.baseRows(in: log.directory.path)
          ) { progress in
            tell(
              JobProgress(
                progress.step.rawValue, done: progress.position, total: progress.head))
          }
          shared.withLock { $0.report = report }
          return .done()
        } catch { return error == .cancelled ? .cancelled : .failed("\(error)") }
      }
      state = State(id: id)
    }
  }
}
