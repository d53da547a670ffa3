import Hummingbird
import JSONText
import TollbookEvents
import TollbookLog

extension HTTPService {
  /// `POST /rebuild`, for the command line: begins to build all views anew, unless that is being done, and says how far
  /// it is. `GET /rebuild` only says how far it is.
  func addRebuild(to router: Router<TollbookContext>) {
    router.route(
      "/rebuild", get: { _, _ in rebuildState() },
      post: { _, _ in
        rebuilding.begin(on: log)
        return rebuildState()
      })
  }

  private func rebuildState() -> Response {
    let state = rebuilding.state
    return .object(position: log.head) { json in
      json.field("state", state.name)
      switch state {
      case .idle: break
      case .running(let progress):
        json.field("step", progress.step.rawValue)
        json.field("position", progress.position)
        json.field("head", progress.head)
      case .failed(let reason): json.field("detail", reason)
      case .done(let report): report.write(to: &json)
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
