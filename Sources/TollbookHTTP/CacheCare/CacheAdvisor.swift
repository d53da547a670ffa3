import Dispatch
import Synchronization
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookLog

/// Keeps the advice of the last look, in memory: after a restart there is none until the next.
final class CacheAdvisor: Sendable {
  private let shared = Mutex<CacheAdvice?>(nil)

  /// Nil: nobody has looked yet.
  var advice: CacheAdvice? { shared.withLock { $0 } }

  func keep(_ advice: CacheAdvice) { shared.withLock { $0 = advice } }
}

extension JobKind {
  /// Other windows of freshness are tried on what was asked for.
  static let advice = JobKind("cache_advice", remembered: 0)
}

extension HTTPService {
  /// Between two looks.
  static let adviceInterval: Int64 = 3_600_000

  /// Looks at once and then every hour, until the task is cancelled.
  func adviseHourly() async {
    await gateway.jobs.repeat(.advice, every: Self.adviceInterval) { [self] _ in await advise() }
  }

  /// Tries other windows of freshness on the demand of the last days, and keeps what came of it.
  ///
  /// It reads and plays on a thread of its own, so that it keeps nobody waiting who asks for something.
  func advise() async -> JobEnding {
    let cancellation = Cancellation()
    let look = AdviceLook(
      source: LogSource(log), systems: systems, overdraft: gateway.settings.overdraft,
      now: log.time.now())
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        DispatchQueue.global(qos: .utility).async {
          continuation.resume(returning: look.result { !cancellation.isCancelled })
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
    switch result {
    case .success(let advice?):
      advisor.keep(advice)
      return .done("\(advice.recommendations.count) recommendations")
    case .success(nil): return .cancelled
    case .failure(let error): return .failed("\(error)")
    }
  }
}

/// One look at what other windows of freshness would have spared.
struct AdviceLook: Sendable {
  /// How far back demand is played, in milliseconds: seven days.
  static let period: Int64 = 7 * 86_400_000
  /// And at most so many events of it, the last ones.
  static let mostEvents: Position = 1_000_000
  /// A log with more events is not read every hour: what the cache held before the period is known only by reading all.
  static let longestLog: Position = 20_000_000

  let source: LogSource
  let systems: [HTTPSystem]
  let overdraft: GatewaySettings.Overdraft
  let now: Timestamp

  /// - Parameter isWanted: asked now and then; false ends it early.
  /// - Returns: nil if it was ended early.
  func result(while isWanted: () -> Bool) -> Result<CacheAdvice?, LogError> {
    Result { () throws(LogError) in try advice(while: isWanted) }
  }

  private func advice(while isWanted: () -> Bool) throws(LogError) -> CacheAdvice? {
    let head = try source.head()
    let start = try source.start()
    let first = try source.position(asOf: now.advanced(byMilliseconds: -Self.period))
    let after = max(start, first, head - min(head, Self.mostEvents))
    var found: [CacheAdvice.Recommendation] = []
    var skipped: [CacheAdvice.Skipped] = []
    let playable = systems.whatIf
    let isTooLong = head - min(head, start) > Self.longestLog
    if isTooLong {
      skipped = playable.map { kind in
        CacheAdvice.Skipped(
          kind: kind.name,
          reason: "the log has more than \(Self.longestLog) events, which are not all read every"
            + " hour; `tollbook what-if` reads them")
      }
    }
    var question: WhatIf.Question?
    if !isTooLong, let first = playable.first {
      question = WhatIf.Question(first)
      question?.after = after
      question?.through = head
      question?.overdraft = overdraft
    }
    let records: [WhatIf.Record]?
    if let question {
      records = try WhatIf.read(source, question, of: playable) { _, _ in isWanted() }
    } else {
      records = []
    }
    guard let records else { return nil }
    for (kind, record) in zip(playable, records) {
      guard let report = play(kind, record, while: isWanted) else { return nil }
      guard let inForce = report.played.outcomes.first, inForce.requests > 0 else {
        skipped.append(CacheAdvice.Skipped(kind: kind.name, reason: "nothing was asked for"))
        continue
      }
      found += report.played.outcomes.dropFirst().compactMap { tried in
        CacheAdvice.Recommendation(inForce, tried, of: kind.name, unit: report.played.unit)
      }
    }
    let names = Set(playable.map(\.name))
    skipped += systems.kindNames.filter { !names.contains($0) }.map { kind in
      CacheAdvice.Skipped(kind: kind, reason: systems.reason(notToTry: kind))
    }
    return CacheAdvice(
      asOf: now, after: after, through: head,
      recommendations: found.sorted { $0.saved.low > $1.saved.low }, skipped: skipped)
  }

  /// - Returns: the windows in force first, then those that were tried; nil if it was ended early.
  private func play(
    _ kind: WhatIfKind, _ record: WhatIf.Record, while isWanted: () -> Bool
  ) -> WhatIfReport? {
    let inForce = WhatIfPolicy(name: "", products: record.policy)
    let tried = Self.texts(for: kind.name, record.policy).compactMap { text in
      try? WhatIfPolicy(text, of: kind, base: record.policy)
    }
    return WhatIf.playInTurn(record, [inForce] + tried, while: isWanted)
  }

  /// The policies that are tried: twice and four times as long fresh, and twice as long believed that there is no such
  /// thing.
  static func texts(for kind: String, _ policy: FreshnessPolicy) -> [String] {
    var texts = [2, 4].compactMap { factor in
      duration(policy.present.fresh, times: factor).map { "\(kind).fresh=\($0)" }
    }
    if let absent = duration(policy.absent.fresh, times: 2) {
      texts.append("\(kind).absent.fresh=\(absent)")
    }
    return texts
  }

  /// Nil: there is no such time, or it is longer than ten years.
  private static func duration(_ milliseconds: Int64, times factor: Int64) -> String? {
    let (product, overflow) = (milliseconds / 1_000).multipliedReportingOverflow(by: factor)
    guard !overflow, (1...315_360_000).contains(product) else { return nil }
    for (unit, seconds): (String, Int64) in [("d", 86_400), ("h", 3_600), ("m", 60)]
    where product % seconds == 0 {
      return "\(product / seconds)\(unit)"
    }
    return "\(product)s"
  }
}
