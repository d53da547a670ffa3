import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `GET /jobs`: what goes on behind what is asked, what waits, and what ended last, the newest first; `GET /jobs/{id}`:
  /// one of them; `DELETE /jobs/{id}`: ends one that waits, and asks one that runs to end.
  func addJobs(to router: Router<TollbookContext>) {
    router.route("/jobs", get: { request, _ in try listJobs(QueryParameters(request)) })
    router.route(
      "/jobs/:id", get: { _, context in try showJob(context) },
      delete: { _, context in try cancelJob(context) })
  }

  private func listJobs(_ query: QueryParameters) throws -> Response {
    let limit = try query.limit()
    let kind = query["kind"]
    let state = try query.choice(
      "state", of: Job.State.allCases.map(\.rawValue), Job.State.init(rawValue:))
    let jobs = gateway.jobs.jobs.filter {
      (kind == nil || $0.kind == kind) && (state == nil || $0.state == state)
    }
    let recurring = gateway.jobs.recurring.sorted { $0.key < $1.key }
    return .object(position: log.head, capacity: 256 * (min(limit, jobs.count) + 8)) { json in
      json.array("jobs", jobs.prefix(limit)) { json, job in
        json.object { json in job.write(to: &json) }
      }
      json.field("more", jobs.count > limit)
      json.array("recurring", recurring) { json, recurring in
        json.object { json in
          json.field("kind", recurring.key)
          json.field("every_ms", recurring.value.interval)
          json.field("next_at", recurring.value.next)
          json.field("last_ended_at", recurring.value.last?.ended)
          json.field("last_state", recurring.value.last?.state.rawValue)
          json.field(
            "last_detail", recurring.value.last.flatMap { $0.detail.isEmpty ? nil : $0.detail })
        }
      }
    }
  }

  private func showJob(_ context: TollbookContext) throws -> Response {
    let id = try jobID(context)
    guard let job = gateway.jobs[id] else {
      throw Problem(.notFound, Self.unknown(id), field: "id")
    }
    return .object(position: log.head) { json in job.write(to: &json) }
  }

  private func cancelJob(_ context: TollbookContext) throws -> Response {
    let id = try jobID(context)
    switch gateway.jobs.cancel(id) {
    case .unknown: throw Problem(.notFound, Self.unknown(id), field: "id")
    case .hasEnded:
      throw Problem(.hasEnded, "job \(id) has ended; GET /jobs/\(id) tells how", field: "id")
    case .cancelled: return try showJob(context)
    }
  }

  private func jobID(_ context: TollbookContext) throws -> JobID {
    let text = context.parameters.get("id") ?? ""
    guard let id = JobID(text) else {
      throw Problem(
        .invalidParameter,
        "“\(text.inOneLine(atMost: 40))” names no job; a name is like 812.3", field: "id")
    }
    return id
  }

  private static func unknown(_ id: JobID) -> String {
    "there is no job \(id), or it has ended and only the last few of its kind are remembered"
  }
}

extension Job {
  fileprivate func write(to json: inout JSONWriter) {
    json.field("id", id.description)
    json.field("kind", kind)
    json.field("state", state.rawValue)
    json.field("cancelling", isEnding)
    json.field("queued_at", queued)
    json.field("started_at", started)
    json.field("ended_at", ended)
    json.object("progress") { json in
      json.field("step", progress.step.isEmpty ? nil : progress.step)
      json.field("done", progress.done)
      json.field("total", progress.total == 0 ? nil : progress.total)
    }
    json.field("detail", detail.isEmpty ? nil : detail)
  }
}
