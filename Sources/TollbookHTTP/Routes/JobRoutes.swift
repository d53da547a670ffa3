package import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
package import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /jobs`: what goes on behind what is asked, what waits, and what has ended, the newest first, those that end with
  /// the process before those that outlive it; `DELETE /jobs?state=failed`: leaves out of it those that have failed;
  /// `GET /jobs/{id}`: one of them; `DELETE /jobs/{id}`: ends one that waits, and asks one that runs to end.
  func addJobs(to router: Router<TollbookContext>) {
    router.route(
      "/jobs",
      get: { request, context in
        try listJobs(QueryParameters(request), by: context.principal)
      },
      delete: { request, _ in try await clearJobs(QueryParameters(request)) })
    router.route(
      "/jobs/:id",
      get: { _, context in try showJob(jobID(context), by: context.principal) },
      delete: { _, context in
        let id = try jobID(context)
        return try await cancelJob(id, by: context.principal)
      })
  }

  /// Takes on a job that outlives the process, and answers 202 with what it is.
  ///
  /// - Parameter demand: what it buys, as its kind reads it from the request.
  package func queueJob(
    _ kind: PurchaseJobKind, request: [UInt8], total: Int, _ demand: ResourceDemand
  ) async throws -> Response {
    let taken = try await takeOn(kind, request: request, total: total, demand)
    return try accepted(taken.id, by: demand.principal)
  }

  /// Answers 202 with what a job is that was taken on.
  package func accepted(_ id: JobID, by principal: Principal) throws -> Response {
    var response = try showJob(id, by: principal)
    response.status = .accepted
    response.headers[.location] = "/jobs/\(id)"
    return response
  }

  /// Takes on a job that outlives the process, after a look at what it will cost.
  package func takeOn(
    _ kind: PurchaseJobKind, request: [UInt8], total: Int, _ demand: ResourceDemand
  ) async throws -> (id: JobID, estimate: DemandEstimate, expected: JobExpectation?) {
    // When it will be done says what is left now: that is asked once a while, and costs nothing.
    await gateway.readMeters(of: String(kind.name.prefix { $0 != "." }))
    let estimate = try await gateway.estimate(demand)
    let expected = gateway.expect(min(estimate.units, demand.limit ?? .max), of: estimate)
    let id = try await gateway.queueJob(
      kind, request: request, total: total, by: demand.principal, expected: expected)
    return (id, estimate, expected)
  }

  /// The most recorded jobs that one page looks at.
  private static let mostLooked = 1_000

  private func listJobs(_ query: QueryParameters, by principal: Principal) throws -> Response {
    let limit = try query.limit()
    let kind = query["kind"]
    let state = try query.choice(
      "state", of: Job.State.allCases.map(\.rawValue), Job.State.init(rawValue:))
    let cursor = try query.position("cursor")
    let clearing = try gateway.jobClearing()
    func isWanted(_ job: Job) -> Bool {
      (kind == nil || job.kind == kind) && (state == nil || job.state == state)
        && job.isSeen(by: principal) && !job.isCleared(by: clearing)
    }
    let passing = cursor == nil ? gateway.jobs.passing.filter(isWanted) : []
    let recorded = try recorded(
      before: cursor, limit: limit - min(limit, passing.count), where: isWanted)
    let shown = passing.prefix(limit) + recorded.jobs
    let recurring =
      principal.may(.admin) ? gateway.jobs.recurring.sorted { $0.key < $1.key } : []
    return .object(position: log.head, capacity: 256 * (shown.count + 8)) { json in
      json.array("jobs", shown) { json, job in
        json.object { json in job.write(to: &json) }
      }
      json.field("more", passing.count > limit)
      json.field("next", recorded.next.map(String.init))
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

  /// Leaves those that have failed out of the list. Nothing else can be cleared: what waits or runs is ended one by one.
  private func clearJobs(_ query: QueryParameters) async throws -> Response {
    for name in ["limit", "kind", "cursor"] where query[name] != nil {
      throw Problem(
        .invalidParameter, "\(name) does not go with DELETE /jobs, which clears all failed jobs",
        field: name)
    }
    guard let state = query["state"] else {
      throw Problem(
        .invalidParameter, "name what to clear: DELETE /jobs?state=failed", field: "state")
    }
    guard state == Job.State.failed.rawValue else {
      throw Problem(
        .invalidParameter,
        "jobs with the state “\(state.inOneLine(atMost: 40))” are not cleared; state=failed is all"
          + " that can be", field: "state")
    }
    let clearing = try await gateway.clearFailedJobs()
    return .object(position: log.head) { json in
      json.field("state", state)
      json.field("cleared_to", clearing.head)
      json.field("still_open", clearing.open.count)
      json.field(
        "detail", "left out of GET /jobs; GET /jobs/{id} and the ledger still tell of them")
    }
  }

  /// A page of the jobs that outlive the process.
  ///
  /// - Returns: the cursor of the next page too; nil: there is none.
  private func recorded(
    before cursor: Position?, limit: Int, where isWanted: (Job) -> Bool
  ) throws(LogError) -> (jobs: [Job], next: Position?) {
    var jobs: [Job] = []
    var last = cursor ?? log.head + 1
    let looked = try gateway.recordedJobs(before: cursor, limit: Self.mostLooked)
    for (number, job) in looked {
      guard jobs.count < limit else { return (jobs, last) }
      last = number
      if isWanted(job) { jobs.append(job) }
    }
    return (jobs, looked.count == Self.mostLooked ? last : nil)
  }

  private func showJob(_ id: JobID, by principal: Principal) throws -> Response {
    guard let job = try gateway.job(id), job.isSeen(by: principal) else {
      throw Problem(.notFound, Self.unknown(id), field: "id")
    }
    let results = try results(of: job, by: principal)
    return .object(position: log.head) { json in
      job.write(to: &json)
      if let results { json.rawField("results", results) }
    }
  }

  /// What a job has brought so far; nil: that is not told here.
  private func results(of job: Job, by principal: Principal) throws -> [UInt8]? {
    guard case .recorded(let number) = job.id else { return nil }
    let write = systems.lazy.compactMap { $0.jobResults[job.kind] }.first
    return try write?(gateway, number, job, principal)
  }

  private func cancelJob(_ id: JobID, by principal: Principal) async throws -> Response {
    guard try gateway.job(id)?.isSeen(by: principal) != false else {
      throw Problem(.notFound, Self.unknown(id), field: "id")
    }
    switch try await gateway.cancelJob(id, actor: principal.actor) {
    case .unknown: throw Problem(.notFound, Self.unknown(id), field: "id")
    case .hasEnded:
      throw Problem(.hasEnded, "job \(id) has ended; GET /jobs/\(id) tells how", field: "id")
    case .cancelled: return try showJob(id, by: principal)
    }
  }

  private func jobID(_ context: TollbookContext) throws -> JobID {
    let text = context.parameters.get("id") ?? ""
    guard let id = JobID(text) else {
      throw Problem(
        .invalidParameter,
        "“\(text.inOneLine(atMost: 40))” names no job; a name is like 812 or 812.3", field: "id")
    }
    return id
  }

  private static func unknown(_ id: JobID) -> String {
    switch id {
    case .recorded: "there is no job \(id)"
    case .passing:
      "there is no job \(id), or it has ended and only the last few of its kind are remembered"
    }
  }
}

extension Job {
  /// Whether it is of the account of who asks. What belongs to no account only administrators see.
  package func isSeen(by principal: Principal) -> Bool {
    principal.may(.admin) || record?.account == principal.account
  }

  /// Whether it is left out of the list.
  fileprivate func isCleared(by clearing: JobClearing?) -> Bool {
    guard case .recorded(let number) = id, let clearing, let record else { return false }
    return clearing.covers(number, record.state)
  }

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
      json.field("units_expected", expectation?.units)
      json.field("expected_end_at", expectation?.end)
    }
    json.field("detail", detail.isEmpty ? nil : detail)
    guard let record else { return }
    json.field("failed", record.failed)
    json.field("account", record.account)
    json.field("actor", record.actor)
    json.array("costs", record.charged) { json, amount in amount.write(to: &json) }
    json.array("costs_in_doubt", record.held) { json, amount in amount.write(to: &json) }
  }
}
