import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHistory

/// What would have been, as a table for people, as JSON and as comma-separated values.
struct WhatIfPage {
  private let report: WhatIfReport

  init(_ report: WhatIfReport) { self.report = report }

  private var all: [WhatIfOutcome] { [report.recorded] + report.outcomes }

  // MARK: For people

  var lines: [String] {
    var lines = ["\(report.recorded.requests.grouped) products asked for\(period)."]
    lines.append("Recorded with \(Self.windows(report.recordedPolicy)).")
    lines.append("")
    var table = TextTable(
      [.left, .right, .right, .right, .right, .right, .right, .right],
      heading: [
        "policy", "calls", "tokens", "difference", "hits", "median age", "95 % younger than",
        "refused",
      ])
    for outcome in all {
      table.add([
        outcome.name, Self.text(outcome.calls), Self.text(outcome.tokens),
        outcome.products == nil ? "" : Self.difference(outcome.tokens, report.recorded.tokens),
        Self.percent(outcome.hitRate), Self.age(outcome.medianAge), Self.age(outcome.highAge),
        Self.text(outcome.refused),
      ])
    }
    lines += table.lines()
    if all.contains(where: { $0.products != nil && !$0.tokens.isExact }) {
      lines += ["", "Two numbers: the record does not decide between them."]
    }
    for note in report.notes { lines += ["", note] }
    return lines
  }

  private var period: String {
    guard let period = report.period else { return "" }
    return " from \(period.lowerBound) to \(period.upperBound)"
  }

  static func windows(_ policy: FreshnessPolicy) -> String {
    let present = policy.present
    var parts = ["fresh=\(window(present.fresh))"]
    if present.grace > 0 { parts.append("grace=\(window(present.grace))") }
    if present.errorGrace > 0 { parts.append("errorgrace=\(window(present.errorGrace))") }
    parts.append("keep=\(window(present.keep))")
    parts.append("absent.fresh=\(window(policy.absent.fresh))")
    return "keepa.product." + parts.joined(separator: ",")
  }

  /// In the largest unit that says it exactly.
  private static func window(_ milliseconds: Int64) -> String {
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
      as [(Int64, String)] where milliseconds >= unit && milliseconds % unit == 0
    {
      return "\(milliseconds / unit)\(name)"
    }
    return milliseconds == 0 ? "0s" : "\(milliseconds) ms"
  }

  private static func text(_ bounds: Bounds) -> String {
    bounds.isExact ? bounds.low.grouped : "\(bounds.low.grouped) to \(bounds.high.grouped)"
  }

  private static func difference(_ tokens: Bounds, _ recorded: Bounds) -> String {
    // What is in doubt in the record is in doubt in the policy's figure too.
    let least = tokens.low - recorded.low
    let most = tokens.high - recorded.high
    let (low, high) = (min(least, most), max(least, most))
    return low == high ? signed(low) : "\(signed(low)) to \(signed(high))"
  }

  private static func signed(_ number: Int64) -> String {
    number > 0 ? "+\(number.grouped)" : number.grouped
  }

  private static func percent(_ rate: (low: Double, high: Double)) -> String {
    let low = tenths(rate.low)
    let high = tenths(rate.high)
    return low == high ? "\(low) %" : "\(low) to \(high) %"
  }

  private static func tenths(_ rate: Double) -> String {
    let tenths = Int((rate * 1_000).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func age(_ age: Bounds?) -> String {
    guard let age else { return "–" }
    let low = duration(age.low)
    let high = duration(age.high)
    return low == high || age.width <= age.high / 50 ? high : "\(low) to \(high)"
  }

  /// With two figures at the most.
  private static func duration(_ seconds: Int64) -> String {
    if seconds < 120 { return "\(seconds) s" }
    if seconds < 7_200 { return "\(seconds / 60) min" }
    let hours = seconds / 3_600
    if hours < 48 { return "\(hours) h" }
    return hours % 24 == 0 || hours >= 240 ? "\(hours / 24) d" : "\(hours / 24) d \(hours % 24) h"
  }

  // MARK: For programs

  var csv: [String] {
    let names = ["calls", "tokens", "bought", "hits", "stale", "refused", "unanswered"]
    let heading =
      ["policy", "requests"] + names.flatMap { ["\($0)_low", "\($0)_high"] }
      + ["median_age_low", "median_age_high", "p95_age_low", "p95_age_high"]
    return [heading.joined(separator: ",")]
      + all.map { outcome in
        let ages = [outcome.medianAge, outcome.highAge].flatMap {
          [$0.map { "\($0.low)" } ?? "", $0.map { "\($0.high)" } ?? ""]
        }
        let counts = Self.counts(outcome).flatMap { ["\($0.1.low)", "\($0.1.high)"] }
        return (["\"\(outcome.name)\"", "\(outcome.requests)"] + counts + ages)
          .joined(separator: ",")
      }
  }

  private static func counts(_ outcome: WhatIfOutcome) -> [(String, Bounds)] {
    [
      ("calls", outcome.calls), ("tokens", outcome.tokens), ("bought", outcome.bought),
      ("hits", outcome.hits), ("stale", outcome.stale), ("refused", outcome.refused),
      ("unanswered", outcome.unanswered),
    ]
  }

  var json: String {
    var json = JSONWriter(layout: .indented)
    json.object { json in
      json.field("after", Int64(clamping: report.after))
      json.field("through", Int64(clamping: report.through))
      json.field("from", report.period?.lowerBound.description)
      json.field("to", report.period?.upperBound.description)
      json.field("requests", report.recorded.requests)
      json.field("recorded_policy", Self.windows(report.recordedPolicy))
      json.array("policies", all) { json, outcome in
        json.object { json in Self.write(outcome, to: &json) }
      }
      json.array("notes", report.notes) { json, note in json.string(note) }
    }
    return json.string
  }

  private static func write(_ outcome: WhatIfOutcome, to json: inout JSONWriter) {
    json.field("policy", outcome.name)
    json.field("windows", outcome.products.map(windows))
    for (name, bounds) in counts(outcome) { write(name, bounds, to: &json) }
    let rate = outcome.hitRate
    json.object("hit_rate") { json in
      json.field("low", rate.low)
      json.field("high", rate.high)
    }
    if let age = outcome.medianAge { write("median_age_seconds", age, to: &json) }
    if let age = outcome.highAge { write("p95_age_seconds", age, to: &json) }
  }

  private static func write(_ name: String, _ bounds: Bounds, to json: inout JSONWriter) {
    json.object(name) { json in
      json.field("low", bounds.low)
      json.field("high", bounds.high)
    }
  }
}
