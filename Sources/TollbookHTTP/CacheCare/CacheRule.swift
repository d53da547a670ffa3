/// How one figure of the cache's health is judged: from each limit on, in another state.
///
/// The limits of a rule follow each other, so that every number has one state: the ranges meet without a gap or an
/// overlap.
struct CacheRule: Sendable {
  /// Each is worse than the one before.
  enum State: Int, Comparable, CaseIterable, Sendable {
    case ok, degraded, warning, critical

    static func < (left: State, right: State) -> Bool { left.rawValue < right.rawValue }

    var name: String { "\(self)" }
  }

  /// On which side of its limits a figure is worse. The limit itself belongs to the milder state.
  enum Side: Sendable { case below, above }

  struct Limit: Sendable {
    let state: State
    let threshold: Double
  }

  /// What is said of a figure.
  struct Verdict: Hashable, Sendable {
    var state: State
    /// The limit that is passed; nil: none is.
    var threshold: Double?
    /// The range that the figure is in, such as `50 <= hit_rate < 70`.
    var rule: String
  }

  /// As it stands in `metrics`.
  let figure: String
  /// What an alert about it is called.
  let alert: String
  let unit: String
  let side: Side
  /// The mildest first.
  let limits: [Limit]

  func verdict(of value: Double) -> Verdict {
    let passed = limits.prefix { side == .below ? value < $0.threshold : value > $0.threshold }
    let last = passed.last
    let next = limits.dropFirst(passed.count).first
    return Verdict(
      state: last?.state ?? .ok, threshold: last?.threshold,
      rule: range(from: last?.threshold, to: next?.threshold))
  }

  private func range(from passed: Double?, to next: Double?) -> String {
    switch (side, passed, next) {
    case (.below, let passed?, let next?): "\(text(next)) <= \(figure) < \(text(passed))"
    case (.below, let passed?, nil): "\(figure) < \(text(passed))"
    case (.below, nil, let next?): "\(figure) >= \(text(next))"
    case (.above, let passed?, let next?): "\(text(passed)) < \(figure) <= \(text(next))"
    case (.above, let passed?, nil): "\(figure) > \(text(passed))"
    case (.above, nil, let next?): "\(figure) <= \(text(next))"
    case (_, nil, nil): figure
    }
  }

  /// A number without a fraction that says nothing.
  func text(_ number: Double) -> String {
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

// MARK: The rules

// The predecessors' documents contradict each other; where they do, the stricter sentence holds.
extension CacheRule {
  /// Among reads, in percent. The target of 80 missed is degraded; below 70 it is a warning, below 50 critical.
  ///
  /// One document calls all above 50 healthy and raises an alert below 70: the alert counts. That ten of eleven reads
  /// be hits, 90.9, is a goal and no state; a rate below 30, which another one puts the service back for, is critical
  /// like any below 50.
  static let hitRate = CacheRule(
    figure: "hit_rate", alert: "cache.hit_rate", unit: "%", side: .below,
    limits: [
      Limit(state: .degraded, threshold: 80), Limit(state: .warning, threshold: 70),
      Limit(state: .critical, threshold: 50),
    ])

  /// What the process holds for itself, in percent of the limit that is set. The target and the first alert are the
  /// same 80: there is no degraded between them. More than the limit itself is critical, as all above 90 is.
  static let memory = CacheRule(
    figure: "memory_usage_percent", alert: "cache.memory", unit: "%", side: .above,
    limits: [Limit(state: .warning, threshold: 80), Limit(state: .critical, threshold: 90)])

  /// Answers with status 500 or above among all, in percent. The target of 1 missed is degraded, above 5 is critical;
  /// nothing is asked for between them.
  static let errors = CacheRule(
    figure: "error_rate", alert: "cache.errors", unit: "%", side: .above,
    limits: [Limit(state: .degraded, threshold: 1), Limit(state: .critical, threshold: 5)])

  /// The 95th percentile of the answers that the cache gave for nothing, in milliseconds.
  ///
  /// Answers that buy are left out: they wait for the upstream, for 500 to 1,500 by the same document, so that with a
  /// fifth of misses, which is the target, they would be an alarm for ever. The average is shown and not judged: what
  /// bounds it is the time of a former service, which nobody here knows.
  static let time = CacheRule(
    figure: "p95_response_time_ms", alert: "cache.response_time", unit: "ms", side: .above,
    limits: [Limit(state: .warning, threshold: 200)])
}
