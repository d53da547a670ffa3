import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `POST /rebuild`, for the command line: begins to build all views anew, unless that is being done, and says how far
  /// it is. `GET /rebuild` only says how far it is.
  func addRebuild(to router: Router<TollbookContext>) {
    router.route(
      "/rebuild", mayBeEmpty: true, get: { _, _ in rebuildState() },
      post: { _, _ in
        rebuilding.begin(on: log, as: gateway.jobs)
        return rebuildState()
      })
  }

  private func rebuildState() -> Response {
    let job = rebuilding.id.flatMap { gateway.jobs[$0] }
    let state = job.map { $0.state == .queued ? .running : $0.state }
    return .object(position: log.head) { json in
      json.field("state", state?.rawValue ?? "idle")
      json.fieldIfPresent("job", job?.id.description)
      switch state {
      case nil, .queued?: break
      case .running?:
        json.field("step", job?.progress.step ?? "")
        json.field("position", job?.progress.done ?? 0)
        json.field("head", job?.progress.total ?? 0)
      case .failed?: json.field("detail", job?.detail)
      case .cancelled?: json.field("detail", "it was cancelled, and the views are as they were")
      case .done?: rebuilding.report?.write(to: &json)
      }
    }
  }
}

extension RebuildReport {
  fileprivate func write(to json: inout JSONWriter) {
    json.field("position", position)
    json.field("equal", isEqual)
    json.array("views", views) { json, view in
      json.object { json in
        json.field("view", view.view)
        json.field("rows", view.rows)
        json.field("differing_table", view.difference?.table)
        json.field("differing_key", view.difference?.key.hexadecimal)
      }
    }
    json.field("holds", holds)
    json.field("longest_hold_us", longestHold / 1_000)
    json.field("longest_stop_us", longestStop / 1_000)
  }
}
