import Dispatch
import Files
import Foundation
import TollbookEvents
package import TollbookLog

/// A snapshot that was taken.
package struct TakenSnapshot: Sendable {
  package let path: String
  package let bytes: UInt64
  package let manifest: SnapshotManifest
  /// SHA-256 of the file before its last section.
  package let digest: [UInt8]

  /// The file's name, without folder.
  package var file: String { (path as NSString).lastPathComponent }
}

extension EventLog {
  /// One take at a time in this process: all write to the same file before they give it its name.
  private static let takes = DispatchQueue(label: "tollbook.snapshots")

  /// Writes all views to a file in the directory's `snapshots`, while the log is written on, and notes that in the log.
  ///
  /// It is written under another name, brought to the disk and then renamed: at any moment there is a whole snapshot
  /// under the name or none. If the task is cancelled, it ends as if `watch` had thrown `.stopped`.
  ///
  /// - Parameter watch: told how far it is, on a thread of its own; throws `.stopped` to end it.
  package func takeSnapshot(
    _ request: SnapshotRequest = SnapshotRequest(),
    watch: @escaping @Sendable (SnapshotProgress) throws(SnapshotProblem) -> Void = {
      _ throws(SnapshotProblem) in
    }
  ) async throws(SnapshotProblem) -> TakenSnapshot {
    let cancellation = Cancellation()
    let outcome: Result<TakenSnapshot, SnapshotProblem> = await withTaskCancellationHandler {
      await withCheckedContinuation { waiting in
        Self.takes.async { [self] in
          waiting.resume(
            returning: Result { () throws(SnapshotProblem) in
              try write(request) { (progress) throws(SnapshotProblem) in
                if cancellation.isCancelled { throw .stopped }
                try watch(progress)
              }
            })
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
    let taken = try outcome.get()
    do throws(LogError) {
      let event = Event.snapshotTaken(SnapshotTaken(taken))
      _ = try await decide { _, _ in Decision(events: [event], answer: ()) }
    } catch { throw .log(error) }
    return taken
  }

  private func write(
    _ request: SnapshotRequest, _ watch: @escaping SnapshotWatch
  ) throws(SnapshotProblem) -> TakenSnapshot {
    let shelf = SnapshotShelf(directory: directory.path)
    try shelf.makeFolder()
    let partial = shelf.partial
    do throws(SnapshotProblem) {
      let writer = SnapshotWriter(log: self, request: request, watch: watch)
      let written = try writer.write(to: partial)
      let name = shelf.freeName(of: written.manifest.position)
      let path = "\(shelf.folder)/\(name)"
      if let problem = DurableNames.rename(partial, to: path) {
        throw .unwritable(path, reason: problem)
      }
      return TakenSnapshot(
        path: path, bytes: written.bytes, manifest: written.manifest, digest: written.digest)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw error
    }
  }
}

extension SnapshotTaken {
  fileprivate init(_ taken: TakenSnapshot) {
    self.init()
    file = taken.file
    position = taken.manifest.position
    root = Data(taken.manifest.commit.root)
    digest = Data(taken.digest)
    bytes = taken.bytes
    rows = taken.manifest.rows
    bodies = taken.manifest.bodies?.stored ?? 0
    automatic = taken.manifest.isAutomatic
  }
}
