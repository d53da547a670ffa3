import JSONText

/// How the cache is, by its figures of the last minutes and the rules for them.
///
/// 1. A figure is judged as it is shown, to two decimals: nothing is below 80 and shown as 80.
/// 2. The whole is as its worst figure.
/// 3. Under 100 reads the cache is cold: too little was asked to judge its hits, its errors and its times, and of those
///    nothing is said. Memory is judged all the same.
struct CacheHealth: Sendable {
  /// What is looked at.
  struct Figures: Sendable {
    /// Reads that were answered without buying.
    var hits: Int64 = 0
    var misses: Int64 = 0
    /// What the process holds for itself, and what it should get by with, in bytes.
    var memory = 0
    var memoryLimit = 1
    var answers: UInt64 = 0
    /// Answers with status 500 or above.
    var errors: UInt64 = 0
    /// Of the answers from the cache, in seconds; nil: there were none.
    var averageTime: Double?
    var highTime: Double?

    var reads: Int64 { hits &+ misses }
  }

  /// One figure that is not as it should be.
  struct Alert: Hashable, Sendable {
    var name: String
    var severity: CacheRule.State
    var rule: String
    var value: Double
    var threshold: Double
    var detail: String
  }

  /// Below so many reads the cache is cold.
  static let fewestReads: Int64 = 100

  let figures: Figures
  /// In percent.
  let hitRate: Double
  let memoryUsage: Double
  let errorRate: Double
  /// In milliseconds; nil: nothing was answered from the cache.
  let averageTime: Double?
  let highTime: Double?
  /// The state of each figure that has a rule; nil: it is not judged.
  let states: [(figure: String, state: CacheRule.State?)]
  /// The worst first.
  let alerts: [Alert]

  init(_ figures: Figures) {
    self.figures = figures
    hitRate = Self.percent(Double(figures.hits), of: Double(figures.reads))
    memoryUsage = Self.percent(Double(figures.memory), of: Double(figures.memoryLimit))
    errorRate = Self.percent(Double(figures.errors), of: Double(figures.answers))
    averageTime = figures.averageTime?.inMilliseconds
    highTime = figures.highTime?.inMilliseconds
    let isCold = figures.reads < Self.fewestReads
    let judged: [(rule: CacheRule, value: Double?)] = [
      (.hitRate, isCold ? nil : hitRate), (.memory, memoryUsage),
      (.errors, isCold || figures.answers == 0 ? nil : errorRate),
      (.time, isCold ? nil : highTime),
    ]
    states = judged.map { rule, value in
      (rule.figure, value.map { rule.verdict(of: $0).state })
    }
    let alerts = judged.compactMap { rule, value in value.flatMap { Alert(rule, $0) } }
    // Of the same severity in the order of the figures.
    self.alerts = CacheRule.State.allCases.reversed().flatMap { state in
      alerts.filter { $0.severity == state }
    }
  }

  /// Whether too little was asked to say how it does.
  var isCold: Bool { figures.reads < Self.fewestReads }

  var state: CacheRule.State { alerts.first?.severity ?? .ok }

  /// To two decimals; 0 where there is nothing to divide by.
  private static func percent(_ part: Double, of whole: Double) -> Double {
    whole > 0 ? rounded(part / whole * 100, digits: 2) : 0
  }
}

extension CacheHealth.Alert {
  /// Nil: the figure is as it should be.
  fileprivate init?(_ rule: CacheRule, _ value: Double) {
    let verdict = rule.verdict(of: value)
    guard let threshold = verdict.threshold else { return nil }
    let side = rule.side == .below ? "below" : "above"
    self.init(
      name: rule.alert, severity: verdict.state, rule: verdict.rule, value: value,
      threshold: threshold,
      detail: "\(rule.figure) is \(rule.text(value)) \(rule.unit),"
        + " \(side) \(rule.text(threshold)) \(rule.unit)")
  }
}

// MARK: As JSON

extension CacheHealth {
  /// Writes it as members of an object.
  ///
  /// - Parameter minutes: how many minutes it looks back.
  func write(to json: inout JSONWriter, minutes: Int64) {
    json.field("status", state.name)
    json.field("cold", isCold)
    json.object("metrics") { json in
      json.field("hit_rate", hitRate)
      json.field("hit_ratio", rounded(hitRate / 100, digits: 4))
      json.field("memory_usage_percent", memoryUsage)
      json.field("avg_response_time_ms", averageTime)
      json.field("p95_response_time_ms", highTime)
      json.field("error_rate", errorRate)
      json.field("hits", figures.hits)
      json.field("misses", figures.misses)
      json.field("requests", figures.answers)
      json.field("errors", figures.errors)
      json.field("memory_mb", rounded(Double(figures.memory) / 1e6, digits: 1))
      json.field("memory_limit_mb", rounded(Double(figures.memoryLimit) / 1e6, digits: 1))
      json.field("window_minutes", minutes)
    }
    json.object("states") { json in
      for (figure, state) in states { json.field(figure, state?.name) }
    }
    json.array("active_alerts", alerts) { json, alert in
      json.object { json in
        json.field("name", alert.name)
        json.field("severity", alert.severity.name)
        json.field("rule", alert.rule)
        json.field("value", alert.value)
        json.field("threshold", alert.threshold)
        json.field("detail", alert.detail)
      }
    }
  }
}
