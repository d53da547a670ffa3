import HTTPTypes
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

extension Caller {
  /// Has documents read by a job.
  func queue(
    _ parts: [FormPart], _ headers: HTTPFields = [:]
  ) async throws -> Answer {
    var headers = headers
    headers[.prefer] = "respond-async"
    return try await extract(parts, headers)
  }
}

extension ExtractionStand {
  private func job(_ id: String) throws -> Job? { try JobID(id).flatMap { try gateway.job($0) } }

  /// Whether a job waits until something frees.
  private func isWaiting(_ id: String) throws -> Bool {
    try job(id)?.progress.step.hasPrefix("waits: ") == true && time.sleeperCount > 0
  }

  /// Returns when a job waits until something frees.
  func waiting(_ id: String) async throws {
    while try !isWaiting(id) {
      guard try job(id)?.state.isOpen == true else {
        Issue.record("job \(id) has ended: \(String(describing: try job(id)))")
        return
      }
      await log.settle()
    }
  }

  /// Lets the clock go on, wherever a job waits, until it has ended.
  func finish(_ id: String) async {
    guard let name = JobID(id) else { return }
    while (try? job(id))??.state.isOpen == true || gateway.jobs[name] != nil {
      if (try? isWaiting(id)) == true { time.advance(byMilliseconds: 1_000) }
      await log.settle()
    }
  }

  func starts() throws -> [FetchStarted] {
    try events().compactMap { event in
      if case .fetchStarted(let started) = event { started } else { nil }
    }
  }

  /// Entries of a kind; empty: of all kinds.
  func kept(_ kind: String, account: String = "default") throws -> [CacheEntry] {
    let cache = CacheView(log)
    return try log.read { (reading) throws(LogError) in
      try cache.page(
        prefix: "account/\(account)/\(kind)", after: nil, limit: 1_000, in: reading
      ) { _ in true }.entries
    }
  }
}
