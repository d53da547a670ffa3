import Hummingbird
import JSONText
import TollbookArchive
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `GET /snapshots`: the snapshots that the data directory keeps.
  func addSnapshots(to router: Router<TollbookContext>) {
    router.route("/snapshots", scope: .admin, get: { _, _ in try listSnapshots() })
  }

  /// `POST /snapshots`, for the command line: `{"bodies","note"}` takes one and answers with what it is.
  func addSnapshotTaking(to router: Router<TollbookContext>) {
    router.route(
      "/snapshots", scope: .admin, get: { _, _ in try listSnapshots() },
      post: { request, context in
        try await takeSnapshot(
          JSONFields(of: request, limit: context.maxUploadSize, names: ["bodies", "note"]))
      })
  }

  private func listSnapshots() throws -> Response {
    let entries: [SnapshotShelf.Entry]
    do throws(SnapshotProblem) {
      entries = try SnapshotShelf(directory: log.directory.path).list()
    } catch { throw Problem(error) }
    return .object(position: log.head) { json in
      json.array("snapshots", entries) { json, entry in
        json.object { json in
          json.field("file", entry.file)
          json.field("bytes", entry.bytes)
          json.field("base", entry.isBase)
          switch entry.manifest {
          case .success(let manifest): manifest.write(to: &json)
          case .failure(let problem): json.field("problem", "\(problem)")
          }
        }
      }
    }
  }

  private func takeSnapshot(_ fields: JSONFields) async throws -> Response {
    let request = SnapshotRequest(
      isPortable: try fields.flag("bodies") ?? false, note: try fields.string("note") ?? "")
    let taken: TakenSnapshot
    do {
      taken = try await gateway.jobs.run(.snapshot) { [log] tell in
        do {
          return try await log.takeSnapshot(request) { progress in
            tell(
              JobProgress(
                "writes \(progress.stage.rawValue)", done: progress.done, total: progress.total))
          }
        } catch SnapshotProblem.stopped { throw CancellationError() }
      }
    } catch let problem as SnapshotProblem { throw Problem(problem) }
    return .object(position: log.head) { json in
      json.field("file", taken.file)
      json.field("bytes", taken.bytes)
      taken.manifest.write(to: &json)
    }
  }
}

extension SnapshotManifest {
  /// Its members; a snapshot without bodies has null for them.
  fileprivate func write(to json: inout JSONWriter) {
    json.field("position", position)
    json.field("time", commit.time)
    json.field("taken_at", taken)
    json.field("automatic", isAutomatic)
    json.field("note", note)
    json.field("rows", rows)
    json.field("bodies", bodies?.stored)
    json.field("root", commit.root.hexadecimal)
    json.field("state", state.description)
  }
}

extension Problem {
  fileprivate init(_ problem: SnapshotProblem) {
    if case .log(let error) = problem {
      self.init(error)
    } else {
      self.init(.internalError, "\(problem)")
    }
  }
}
