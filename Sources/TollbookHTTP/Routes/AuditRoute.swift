import Dispatch
import Hummingbird
import JSONText
import Synchronization
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog

extension HTTPService {
  /// `GET /audit`: where the tokens and the money went, as `tollbook audit` tells it.
  ///
  /// It reads the log in portions on a thread of its own. One audit runs at a time; whoever comes meanwhile is asked to
  /// come again.
  func addAudit(to router: Router<TollbookContext>) {
    router.route("/audit", get: { request, _ in try await audit(QueryParameters(request)) })
  }

  private func audit(_ parameters: QueryParameters) async throws -> Response {
    let limit = try parameters.limit(default: 1_000, maximum: 10_000)
    let source = LogSource(log)
    let query = try auditQuery(parameters, in: source)
    guard let report = try await audits.run(query, in: source) else {
      throw Problem(.busy, "another audit is running").retrying(after: 2)
    }
    let capacity = 1_024 * (min(limit, report.groups.count) + 4) * report.units.count
    return .object(position: report.query.through, capacity: capacity) { json in
      report.write(to: &json, price: settings.tokenPrice, limit: limit)
    }
  }

  private func auditQuery(
    _ parameters: QueryParameters, in source: LogSource
  ) throws -> AuditQuery {
    var query = AuditQuery()
    let names = AuditGrouping.allCases.map(\.rawValue)
    query.grouping = try parameters.choice("by", of: names) { AuditGrouping(rawValue: $0) } ?? .day
    query.account = parameters["account"]
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

/// Lets one audit run at a time, off the threads that serve connections.
final class AuditGate: Sendable {
  private let isBusy = Atomic(false)

  /// - Returns: nil if another one runs.
  func run(_ query: AuditQuery, in source: LogSource) async throws -> AuditReport? {
    guard !isBusy.exchange(true, ordering: .acquiring) else { return nil }
    defer { isBusy.store(false, ordering: .releasing) }
    let stop = AuditStop()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global(qos: .utility).async {
          continuation.resume(with: Self.result(query, source, stop))
        }
      }
    } onCancel: {
      stop.isWanted.store(true, ordering: .relaxed)
    }
  }

  private static func result(
    _ query: AuditQuery, _ source: LogSource, _ stop: AuditStop
  ) -> Result<AuditReport?, any Error> {
    do throws(LogError) {
      let report = try Audit.run(query, in: source) { _, _ in
        stop.isWanted.load(ordering: .relaxed) ? .stop : .next
      }
      return report.map { .success($0) } ?? .failure(CancellationError())
    } catch { return .failure(error) }
  }
}

/// Tells an audit that nobody waits for it any more.
private final class AuditStop: Sendable {
  let isWanted = Atomic(false)
}
