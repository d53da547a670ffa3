import Dispatch
import Hummingbird
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `GET /audit`: where the tokens and the money went, as `tollbook audit` tells it.
  ///
  /// It reads the log in portions on a thread of its own. One audit runs at a time; whoever comes meanwhile is asked to
  /// come again.
  func addAudit(to router: Router<TollbookContext>) {
    router.route(
      "/audit",
      get: { request, context in
        try await audit(QueryParameters(request), by: context.principal)
      })
  }

  private func audit(_ parameters: QueryParameters, by principal: Principal) async throws
    -> Response
  {
    let limit = try parameters.limit(default: 1_000, maximum: 10_000)
    let source = LogSource(log)
    let query = try auditQuery(parameters, in: source, by: principal)
    let report = try await Audit.run(query, in: source, as: gateway.jobs)
    let capacity = 1_024 * (min(limit, report.groups.count) + 4) * report.units.count
    return .object(position: report.query.through, capacity: capacity) { json in
      report.write(to: &json, price: settings.tokenPrice, limit: limit)
    }
  }

  private func auditQuery(
    _ parameters: QueryParameters, in source: LogSource, by principal: Principal
  ) throws -> AuditQuery {
    var query = AuditQuery()
    let names = AuditGrouping.allCases.map(\.rawValue)
    query.grouping = try parameters.choice("by", of: names) { AuditGrouping(rawValue: $0) } ?? .day
    query.account = try principal.account(named: parameters["account"])
    if let zone = parameters["time_zone"] {
      guard let calendar = AuditCalendar(zone: zone) else {
        throw parameters.invalid("time_zone", zone, "a time zone such as Europe/Berlin or UTC")
      }
      query.calendar = calendar
    }
    let range = try parameters.eventRange(in: source, calendar: query.calendar)
    query.after = range.after
    query.through = range.through
    return query
  }
}

extension Audit {
  /// Runs as a job, one at a time, off the threads that serve connections. Who does not wait any longer ends it.
  ///
  /// - Throws: `JobRefusal` if another one runs.
  static func run(
    _ query: AuditQuery, in source: LogSource, as jobs: JobRunner
  ) async throws -> AuditReport {
    try await jobs.run(.audit) { tell in
      let cancellation = Cancellation()
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          DispatchQueue.global(qos: .utility).async {
            continuation.resume(with: result(query, source, cancellation, tell))
          }
        }
      } onCancel: {
        cancellation.cancel()
      }
    }
  }

  private static func result(
    _ query: AuditQuery, _ source: LogSource, _ cancellation: Cancellation,
    _ tell: (JobProgress) -> Void
  ) -> Result<AuditReport, any Error> {
    do throws(LogError) {
      let report = try run(query, in: source) { position, head in
        tell(JobProgress("reads", done: position, total: head))
        return cancellation.isCancelled ? .stop : .next
      }
      return report.map { .success($0) } ?? .failure(CancellationError())
    } catch { return .failure(error) }
  }
}
