import JSONText
import TollbookEvents
package import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

extension PurchaseJobKind {
  /// Documents that are read one after the other. As many jobs run as may be open, so that a company whose key rests keeps
  /// no other one waiting.
  package static func documents(_ models: GeminiModels) -> PurchaseJobKind {
    let room = UploadRoom()
    return PurchaseJobKind(
      ExtractOrder.job, mostOpen: ExtractOrder.mostOpen, mostOfAccount: ExtractOrder.mostOfAccount,
      unit: "tokens"
    ) { request, account in
      guard let order = ExtractOrder(request, of: account) else { return nil }
      return JobSteps(count: order.documents, kept: order.prefix) { index, run in
        await ExtractStep(order: order, index: index, models: models, room: room).take(run)
      }
    }
  }
}

/// Has one document of a job read.
///
/// What is refused by rule is its result: no key, a key that has expired, a budget. What is only not to be had now is tried
/// again: a limit that frees, a key that rests, an upstream that does not answer; for a day in all, and a few times only
/// where each try takes a call.
private struct ExtractStep {
  /// Tries that were of no use.
  private static let mostFree = 12
  /// The same of those that may have cost something.
  private static let mostCostly = 3
  /// Before the second try, in milliseconds; before each further one twice as long, up to the longest.
  private static let firstPause: Int64 = 30_000
  private static let longestPause: Int64 = 300_000

  let order: ExtractOrder
  let index: Int
  let models: GeminiModels
  /// Of documents in memory.
  let room: UploadRoom

  func take(_ run: JobRun) async -> JobStep {
    do {
      let gateway = run.gateway
      let files = try order.files(in: gateway)
      guard let entry = try gateway.kept(order.document(index)) else {
        return over(files[index].name, .failure(Self.gone))
      }
      let bytes = Int(entry.bodyBytes)
      guard await room.enter(bytes) else {
        return .later(PurchaseProblem(.busy, "too many documents are in memory"), .notAsked)
      }
      defer { room.leave(bytes) }
      guard let content = try gateway.content(of: entry) else {
        return over(files[index].name, .failure(Self.gone))
      }
      let file = ExtractForm.File(
        name: files[index].name, type: files[index].type, content: content)
      do {
        return over(file.name, .success(try await reader(run).read(file)))
      } catch let failure as DocumentReader.Failure {
        return later(failure, run)
          ?? over(file.name, failure.instead.map { .success($0) } ?? .failure(failure.problem))
      }
    } catch {
      return .later(PurchaseProblem(.storageFailed, "\(error)"), .notAsked)
    }
  }

  private static let gone = Problem(
    .gone, "the document is not kept any more: its time was over, or its key was destroyed")

  private func reader(_ run: JobRun) throws(LogError) -> DocumentReader {
    var options = DemandOptions()
    // Those who wait for an answer go first.
    options.priority = .background
    options.fresh = order.fresh
    if let most = order.maximumTokens { options.maximumTokens = max(0, most - (try run.spent())) }
    var reader = DocumentReader(
      gateway: run.gateway, models: models, model: order.model, principal: run.principal,
      options: options)
    let before = index == 0 ? nil : try run.gateway.kept(order.result(index - 1))?.written
    reader.job = DocumentReader.Job(tag: run.tag, since: before ?? run.number)
    reader.second = order.second
    return reader
  }

  private func over(_ name: String, _ result: Result<DocumentReader.Reading, Problem>) -> JobStep {
    var json = JSONWriter(capacity: 4_096)
    var isFailed = false
    switch result {
    case .success(let reading): reading.write(models.currency, isNamed: true, to: &json)
    case .failure(let problem):
      isFailed = true
      problem.write(file: name, to: &json)
    }
    return .over(
      isFailed: isFailed, writes: [Write(order.result(index), body: json.bytes)],
      removed: [order.document(index)])
  }

  /// Whether and when it is tried again; nil: it is not.
  private func later(_ failure: DocumentReader.Failure, _ run: JobRun) -> JobStep? {
    guard let cause = failure.cause else { return nil }
    let now = run.gateway.log.time.now()
    let hasSpent = !failure.spent.isNothing
    let isLate = now >= run.queued.advanced(byMilliseconds: ExtractOrder.patience)
    switch cause.reason {
    // Nothing can be written down now either.
    case .stopping, .storageFull, .storageFailed, .busy: return .later(cause, .notAsked)
    case .insufficientTokens, .limitReached:
      // Nobody knows when it frees: by all that is known it never does.
      guard !isLate, cause.retryAt != nil else { return nil }
      return .later(cause, hasSpent ? .costly : .notAsked)
    case .upstreamUnavailable, .tooLate:
      let costly = run.costlyFailures + (hasSpent ? 1 : 0)
      guard !isLate, costly < Self.mostCostly else { return nil }
      // One that is left alone for a while was not asked.
      if cause.retryAt != nil, !hasSpent { return .later(cause, .notAsked) }
      let tries = run.freeFailures + run.costlyFailures
      guard tries + 1 < Self.mostFree else { return nil }
      let pause = min(Self.firstPause << tries, Self.longestPause)
      return .later(
        PurchaseProblem(
          cause.reason, cause.detail, retryAt: now.advanced(byMilliseconds: pause)),
        hasSpent ? .costly : .free)
    case .budgetExceeded, .requestLimit, .accountClosed, .notAllowed, .keyRejected,
      .notConfigured, .requestRejected, .incomplete, .answerLost:
      return nil
    }
  }
}
