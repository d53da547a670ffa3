import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookForecast
import TollbookGateway

/// What would have been, as a table for people, as JSON and as comma-separated values.
struct WhatIfPage {
  private let report: WhatIfReport

  init(_ report: WhatIfReport) { self.report = report }

  // MARK: For people

  var lines: [String] {
    let played = report.played
    let times = played.recorded.requests == 1 ? "once" : "\(played.recorded.requests.grouped) times"
    var lines = ["\(report.kind) was asked for \(times)\(period)."]
    lines.append("Recorded with \(Self.windows(report.recordedPolicy, of: report.kind)).")
    lines.append("")
    var table = TextTable(
      [.left, .right, .right, .right, .right, .right, .right, .right],
      heading: [
        "policy", "calls", played.unit, "difference", "hits", "median age",
        "95 % younger than", "refused",
      ])
    for outcome in played.all {
      table.add([
        outcome.name, Self.text(outcome.calls), Self.text(outcome.cost, played.unit),
        outcome.products == nil
          ? "" : Self.difference(outcome.cost, played.recorded.cost, played.unit),
        Self.percent(outcome.hitRate), Self.age(outcome.medianAge), Self.age(outcome.highAge),
        Self.text(outcome.refused),
      ])
    }
    lines += table.lines()
    for other in report.others { lines += [""] + Self.lines(of: other) }
    if report.tables.flatMap(\.all).contains(where: { !$0.cost.isExact }) {
      lines += ["", "Two numbers: the record does not decide between them."]
    }
    for note in report.notes { lines += ["", note] }
    return lines
  }

  /// Of a unit in which only the calls and their cost are known.
  private static func lines(of table: WhatIfTable) -> [String] {
    var text = TextTable(
      [.left, .right, .right], heading: ["policy", "calls", table.unit])
    for outcome in table.all {
      text.add([outcome.name, Self.text(outcome.calls), Self.text(outcome.cost, table.unit)])
    }
    return text.lines()
  }

  private var period: String {
    guard let period = report.period else { return "" }
    return " from \(period.lowerBound) to \(period.upperBound)"
  }

  static func windows(_ policy: FreshnessPolicy, of kind: String) -> String {
    let present = policy.present
    var parts = ["fresh=\(window(present.fresh))"]
    if present.grace > 0 { parts.append("grace=\(window(present.grace))") }
    if present.errorGrace > 0 { parts.append("errorgrace=\(window(present.errorGrace))") }
    parts.append("keep=\(window(present.keep))")
    parts.append("absent.fresh=\(window(policy.absent.fresh))")
    return "\(kind)." + parts.joined(separator: ",")
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

  /// A cost; of money without the name of the currency, which the heading says.
  private static func text(_ cost: Bounds, _ unit: String) -> String {
    let (low, high) = (text(cost.low, unit), text(cost.high, unit))
    return cost.isExact ? low : "\(low) to \(high)"
  }

  private static func text(_ count: Int64, _ unit: String) -> String {
    Amount.isMoney(unit) ? String(Amount(count, unit).text.dropLast(4)) : count.grouped
  }

  private static func difference(_ cost: Bounds, _ recorded: Bounds, _ unit: String) -> String {
    // What is in doubt in the record is in doubt in the policy's figure too.
    let least = cost.low - recorded.low
    let most = cost.high - recorded.high
    let (low, high) = (min(least, most), max(least, most))
    return low == high ? signed(low, unit) : "\(signed(low, unit)) to \(signed(high, unit))"
  }

  private static func signed(_ number: Int64, _ unit: String) -> String {
    (number > 0 ? "+" : "") + text(number, unit)
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
    let names = ["calls", "cost", "bought", "hits", "stale", "refused", "unanswered"]
    let heading =
      ["policy", "requests"] + names.flatMap { ["\($0)_low", "\($0)_high"] }
      + ["median_age_low", "median_age_high", "p95_age_low", "p95_age_high", "unit"]
    return [heading.joined(separator: ",")]
      + report.tables.flatMap { table in
        table.all.map { outcome in Self.cells(outcome, table).joined(separator: ",") }
      }
  }

  private static func cells(_ outcome: WhatIfOutcome, _ table: WhatIfTable) -> [String] {
    let ages = [outcome.medianAge, outcome.highAge].flatMap {
      [$0.map { "\($0.low)" } ?? "", $0.map { "\($0.high)" } ?? ""]
    }
    let known = counts(outcome, of: table)
    let counts = counts(outcome).flatMap { name, bounds in
      known.contains { $0.0 == name } ? ["\(bounds.low)", "\(bounds.high)"] : ["", ""]
    }
    let requests = table.isPlayed ? "\(outcome.requests)" : ""
    return ["\"\(outcome.name)\"", requests] + counts + ages + [table.unit]
  }

  /// The figures that are known in a table.
  private static func counts(
    _ outcome: WhatIfOutcome, of table: WhatIfTable
  ) -> [(String, Bounds)] {
    table.isPlayed
      ? counts(outcome) : [("calls", outcome.calls), ("cost", outcome.cost)]
  }

  private static func counts(_ outcome: WhatIfOutcome) -> [(String, Bounds)] {
    [
      ("calls", outcome.calls), ("cost", outcome.cost), ("bought", outcome.bought),
      ("hits", outcome.hits), ("stale", outcome.stale), ("refused", outcome.refused),
      ("unanswered", outcome.unanswered),
    ]
  }

  var json: String {
    var json = JSONWriter(layout: .indented)
    json.object { json in
      json.field("kind", report.kind)
      json.field("after", Int64(clamping: report.after))
      json.field("through", Int64(clamping: report.through))
      json.field("from", report.period?.lowerBound.description)
      json.field("to", report.period?.upperBound.description)
      json.field("requests", report.played.recorded.requests)
      json.field("recorded_policy", Self.windows(report.recordedPolicy, of: report.kind))
      json.array("outcomes", report.tables) { json, table in
        json.object { json in
          json.field("unit", table.unit)
          json.array("policies", table.all) { json, outcome in
            json.object { json in Self.write(outcome, of: table, report.kind, to: &json) }
          }
        }
      }
      json.array("notes", report.notes) { json, note in json.string(note) }
    }
    return json.string
  }

  private static func write(
    _ outcome: WhatIfOutcome, of table: WhatIfTable, _ kind: String, to json: inout JSONWriter
  ) {
    json.field("policy", outcome.name)
    json.field("windows", outcome.products.map { windows($0, of: kind) })
    for (name, bounds) in counts(outcome, of: table) {
      // Money as decimal text, as everywhere.
      json.object(name) { json in
        let unit = name == "cost" ? table.unit : ""
        json.amount("low", bounds.low, unit)
        json.amount("high", bounds.high, unit)
      }
    }
    guard table.isPlayed else { return }
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

extension WhatIfTable {
  fileprivate var all: [WhatIfOutcome] { [recorded] + outcomes }
  /// Whether other policies were tried, and all that they come to is known.
  fileprivate var isPlayed: Bool { !outcomes.isEmpty }
}
