import JSONText
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway

/// What other windows of freshness would have spared: each of them was tried on the demand that the log records.
struct CacheAdvice: Sendable {
  enum Severity: String, Sendable { case low, medium, high }

  struct Recommendation: Sendable {
    let severity: Severity
    let kind: String
    /// As `tollbook what-if --policy` takes it.
    let policy: String
    let detail: String
    let unit: String
    let requests: Int64
    /// With the windows in force, and with those that were tried.
    let inForce: WhatIfOutcome
    let tried: WhatIfOutcome

    /// At least so much, and at most.
    var saved: Bounds { inForce.cost - tried.cost }
  }

  /// A kind for which nothing was tried.
  struct Skipped: Hashable, Sendable {
    let kind: String
    let reason: String
  }

  /// When it was looked, and at which events: after the first position, up to the second.
  let asOf: Timestamp
  let after: Position
  let through: Position
  /// What spares most first.
  let recommendations: [Recommendation]
  let skipped: [Skipped]

  /// Less than this part of what was spent is not worth a word.
  static let leastPart = 0.05

  /// How much a part of what was spent is; nil: not worth a word.
  static func severity(of saved: Int64, from cost: Int64) -> Severity? {
    guard saved > 0, cost > 0 else { return nil }
    let part = Double(saved) / Double(cost)
    return part < leastPart ? nil : part < 0.2 ? .low : part < 0.5 ? .medium : .high
  }
}

extension CacheAdvice.Recommendation {
  /// Nil: it is not sure that the policy would have spared enough to tell of.
  init?(_ inForce: WhatIfOutcome, _ tried: WhatIfOutcome, of kind: String, unit: String) {
    let saved = inForce.cost - tried.cost
    guard let severity = CacheAdvice.severity(of: saved.low, from: inForce.cost.high) else {
      return nil
    }
    self.severity = severity
    self.kind = kind
    policy = tried.name
    self.unit = unit
    requests = tried.requests
    self.inForce = inForce
    self.tried = tried
    let most = saved.isExact ? "" : " and at most \(saved.high)"
    let unit = Amount(saved.high, unit).unitInWords
    detail =
      "with \(tried.name) the same requests would have cost at least \(saved.low)\(most) \(unit)"
      + " less; answers would have been older"
  }
}

// MARK: As JSON

extension CacheAdvice {
  /// Writes the members of the answer before anything was looked at.
  static func writeNothing(to json: inout JSONWriter) {
    json.nullField("as_of")
    json.nullField("age_seconds")
    json.array("recommendations", [String]())
    json.array("skipped", [String]())
  }

  /// Writes it as members of an object.
  func write(to json: inout JSONWriter, at now: Timestamp) {
    json.field("as_of", asOf)
    json.field("age_seconds", max(0, now.milliseconds - asOf.milliseconds) / 1_000)
    json.field("after", after)
    json.field("through", through)
    json.array("recommendations", recommendations) { json, recommendation in
      json.object { json in recommendation.write(to: &json) }
    }
    json.array("skipped", skipped) { json, skipped in
      json.object { json in
        json.field("kind", skipped.kind)
        json.field("reason", skipped.reason)
      }
    }
  }
}

extension CacheAdvice.Recommendation {
  fileprivate func write(to json: inout JSONWriter) {
    json.field("severity", severity.rawValue)
    json.field("kind", kind)
    json.field("change", policy)
    json.amount("would_have_saved", saved.low, unit)
    json.amount("would_have_saved_at_most", saved.high, unit)
    json.field("unit", unit)
    json.field("detail", detail)
    json.object("what_if") { json in
      json.field("policy", policy)
      json.field("requests", requests)
      json.object("in_force") { inForce.write(to: &$0, unit: unit) }
      json.object("tried") { tried.write(to: &$0, unit: unit) }
    }
  }
}

extension WhatIfOutcome {
  fileprivate func write(to json: inout JSONWriter, unit: String) {
    json.object("cost") { json in
      json.amount("low", cost.low, unit)
      json.amount("high", cost.high, unit)
    }
    json.object("hits") { hits.write(to: &$0) }
    json.object("stale") { stale.write(to: &$0) }
    if let medianAge {
      json.object("median_age_seconds") { medianAge.write(to: &$0) }
    } else {
      json.nullField("median_age_seconds")
    }
  }
}

extension Bounds {
  fileprivate func write(to json: inout JSONWriter) {
    json.field("low", low)
    json.field("high", high)
  }
}
