import Extraction
import HTTPTypes
import JSONText
import TollbookEvents
package import TollbookGateway
import TollbookHTTP
import TollbookLog

extension PurchaseJobKind {
  /// Photos that a model looks at. As many jobs run as may be open, so that an account whose key rests keeps no other
  /// one waiting.
  package static func snaps(_ settings: SellerSettings) -> PurchaseJobKind {
    PurchaseJobKind(
      SnapOrder.job, mostOpen: SnapOrder.mostOpen, mostOfAccount: SnapOrder.mostOfAccount,
      unit: "tokens"
    ) { request, account in
      guard let order = SnapOrder(request, of: account) else { return nil }
      return JobSteps(count: 1, kept: order.prefix) { _, run in
        await SnapStep(order: order, desk: SellerDesk(run.gateway, settings)).take(run)
      }
    }
  }
}

/// Has the photos of a job looked at.
///
/// What is refused by rule is its result: no key, a key that has expired, a budget. What is only not to be had now is
/// tried again: a limit that frees, a key that rests, an upstream that does not answer; for a day in all, and a few
/// times only where each try takes a call.
private struct SnapStep {
  /// Tries that were of no use.
  private static let mostFree = 12
  /// The same of those that may have cost something.
  private static let mostCostly = 3
  /// Before the second try, in milliseconds; before each further one twice as long, up to the longest.
  private static let firstPause: Int64 = 30_000
  private static let longestPause: Int64 = 300_000

  let order: SnapOrder
  let desk: SellerDesk

  func take(_ run: JobRun) async -> JobStep {
    do {
      guard let subject = try order.subject(in: run.gateway) else {
        let gone = Problem(
          .gone, "what it was to look at is not kept any more, or its key was destroyed")
        return over(nil, .failure(gone), run)
      }
      let bytes = try subject.photos.reduce(0) { (sum, digest) throws(LogError) in
        sum + (try desk.photos.record(digest, of: order.account)?.bytes ?? 0)
      }
      guard await desk.settings.room.enter(bytes) else {
        return .later(PurchaseProblem(.busy, "too many photos are in memory"), .notAsked)
      }
      defer { desk.settings.room.leave(bytes) }
      do {
        return over(subject, .success(try await reader(run).read(subject)), run)
      } catch let failure as SnapReader.Failure {
        return later(failure, run) ?? over(subject, .failure(failure.problem), run)
      }
    } catch {
      return .later(PurchaseProblem(.storageFailed, "\(error)"), .notAsked)
    }
  }

  private func reader(_ run: JobRun) throws(LogError) -> SnapReader {
    var options = DemandOptions()
    // Those who wait for an answer go first.
    options.priority = .background
    options.fresh = order.fresh
    if let most = order.maximumTokens { options.maximumTokens = max(0, most - (try run.spent())) }
    return SnapReader(
      desk: desk, order: order, principal: run.principal, options: options, tag: run.tag,
      number: run.number)
  }

  private func over(
    _ subject: SnapSubject?, _ result: Result<SnapReader.Reading, Problem>, _ run: JobRun
  ) -> JobStep {
    var json = JSONWriter(capacity: 4_096)
    var isFailed = false
    json.object { json in
      if let subject { json.rawField("subject", subject.bytes) }
      switch result {
      case .success(let reading):
        json.object("result") { json in
          reading.writeMembers(desk.settings.models.currency, to: &json)
        }
      case .failure(let problem):
        isFailed = true
        json.object("error") { json in problem.writeMembers(to: &json) }
      }
    }
    let resource = SnapOrder.result(run.number, of: order.account)
    return .over(
      isFailed: isFailed, writes: [Write(resource, body: json.bytes)], removed: [])
  }

  /// Whether and when it is tried again; nil: it is not.
  private func later(_ failure: SnapReader.Failure, _ run: JobRun) -> JobStep? {
    guard let cause = failure.cause else { return nil }
    let now = run.gateway.log.time.now()
    let isLate = now >= run.queued.advanced(byMilliseconds: SnapOrder.patience)
    switch cause.reason {
    // Nothing can be written down now either.
    case .stopping, .storageFull, .storageFailed, .busy: return .later(cause, .notAsked)
    case .insufficientTokens, .limitReached:
      // Nobody knows when it frees: by all that is known it never does.
      guard !isLate, cause.retryAt != nil else { return nil }
      return .later(cause, failure.hasSpent ? .costly : .notAsked)
    case .upstreamUnavailable, .tooLate:
      let costly = run.costlyFailures + (failure.hasSpent ? 1 : 0)
      guard !isLate, costly < Self.mostCostly else { return nil }
      // One that is left alone for a while was not asked.
      if cause.retryAt != nil, !failure.hasSpent { return .later(cause, .notAsked) }
      let tries = run.freeFailures + run.costlyFailures
      guard tries + 1 < Self.mostFree else { return nil }
      let pause = min(Self.firstPause << tries, Self.longestPause)
      return .later(
        PurchaseProblem(cause.reason, cause.detail, retryAt: now.advanced(byMilliseconds: pause)),
        failure.hasSpent ? .costly : .free)
    case .budgetExceeded, .requestLimit, .accountClosed, .notAllowed, .keyRejected,
      .notConfigured, .requestRejected, .incomplete, .answerLost:
      return nil
    }
  }
}

extension Problem {
  /// Its members where it is a part of an answer.
  func writeMembers(to json: inout JSONWriter) {
    json.field("type", kind.map { "/problems/\($0.name)" } ?? "about:blank")
    json.field("status", status.code)
    json.field("detail", detail)
    json.fieldIfPresent("field", field)
    json.fieldIfPresent("reason", reason)
    json.fieldIfPresent("retry_at", retryAt?.description)
  }
}
