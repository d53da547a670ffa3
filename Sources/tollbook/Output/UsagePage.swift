import Foundation
import TollbookArchive
import TollbookAudit
import TollbookEvents

/// A line of a review: what was looked at, what was found, and whether that is as it should be.
struct UsageLine: Hashable {
  enum Verdict {
    case good, bad
    /// There is nothing to judge yet.
    case open
  }

  let name: String
  let finding: String
  let verdict: Verdict
}

/// A review as people read it.
struct UsagePage {
  private let usage: Usage
  private let review: Usage.Review
  private let price: TokenPrice?

  init(_ usage: Usage, _ review: Usage.Review, price: TokenPrice?) {
    self.usage = usage
    self.review = review
    self.price = price
  }

  var title: String {
    let word = review.period.rawValue.capitalized
    guard let part = usage.part else { return "\(word) review: \(review.start) to \(usage.end)" }
    var calendar = part.calendar
    let first = AuditCalendar.name(ofDay: calendar.day(of: review.start))
    let last = AuditCalendar.name(ofDay: calendar.day(of: usage.end) - 1)
    return "\(word) review of \(part.account): \(first) to \(last), days of \(calendar.name)"
  }

  var lines: [UsageLine] {
    switch review.period {
    case .daily: [hits, hitRate] + spent + ahead + [responses, refusals]
    case .weekly: entries + spent + ahead + [hitRate, retries, errors, anomalies]
    case .monthly: savings + spent + ahead + [hitRate, responses, errors, anomalies] + forecast
    }
  }

  // What is about amounts has a line for each unit.

  /// What the cache holds is nobody's by himself.
  private var entries: [UsageLine] { usage.part == nil ? [rows, expiry] : [] }

  private var spent: [UsageLine] { usage.units.map { spent(of: $0) } }
  private var savings: [UsageLine] { usage.units.map { savings(in: $0) } }
  private var forecast: [UsageLine] { usage.units.map { forecast(of: $0) } }

  /// Such as `savings`, and where there are several units, `savings in EUR`.
  private func name(_ word: String, in unit: String) -> String {
    usage.units.count == 1 ? word : "\(word) in \(Amount.words(for: unit))"
  }

  /// What stands below the lines.
  var notes: [String] {
    guard review.period == .weekly, !usage.failures.isEmpty else { return [] }
    return ["The last errors:"]
      + usage.failures.reversed().map { failure in
        "  \(failure.time)  fetch \(failure.fetch): \(failure.reason)"
          + (failure.detail.isEmpty ? "" : " (\(failure.detail.inOneLine(atMost: 200)))")
      }
  }

  private var now: UsageFigures { review.now }
  private var before: UsageFigures { review.before }

  private func line(
    _ name: String, _ finding: String, _ verdict: UsageLine.Verdict
  ) -> UsageLine {
    UsageLine(name: name, finding: finding, verdict: verdict)
  }

  /// What an amount costs, if its unit has a price.
  private func money(_ amount: Int64, _ unit: String) -> String {
    guard let price, price.isOf(unit) else { return "" }
    return ", \(price.amount(of: amount))"
  }

  private var hits: UsageLine {
    let counts = now.sums.counts
    guard counts.reads > 0 else { return line("cache hits", "nobody asked", .open) }
    return line(
      "cache hits", "\(counts.hits.grouped) of \(Int(counts.reads).of("read"))",
      counts.hits > 0 ? .good : .bad)
  }

  private var hitRate: UsageLine {
    guard let rate = now.sums.counts.hitRate else {
      return line("hit rate", "nobody asked", .open)
    }
    let byAmounts = usage.units.map { unit in
      ", \(AuditPage.percent(now.sums[unit].hitRate)) by \(Amount.words(for: unit))"
    }
    return line(
      "hit rate",
      "\(AuditPage.percent(rate)) by reads\(byAmounts.joined());"
        + " before \(AuditPage.percent(before.sums.counts.hitRate)); 80 % are expected",
      rate >= 8_000 ? .good : .bad)
  }

  private func spent(of unit: String) -> UsageLine {
    let spent = now.sums[unit].spent
    let (low, high) = (Amount(spent.low, unit).figure, Amount(spent.high, unit).figure)
    let words = spent.isExact ? low : "\(low) to \(high)"
    let text = "\(words) spent\(money(spent.high, unit))"
    guard review.isWhole else {
      return line(Amount.words(for: unit), "\(text); no stretch before to compare", .open)
    }
    let past = before.sums[unit].spent.high
    let trend = spent.high < past ? "down from" : spent.high == past ? "as" : "up from"
    return line(
      Amount.words(for: unit), "\(text), \(trend) \(Amount(past, unit).figure)",
      spent.high <= past ? .good : .bad)
  }

  /// What was bought before anybody asked; none if nothing was.
  private var ahead: [UsageLine] {
    guard now.boughtAhead > 0 else { return [] }
    return [
      line(
        "bought ahead",
        "\(now.boughtAhead.of("entry", "entries")) before anybody asked;"
          + " \(now.readAhead.grouped) read since", now.readAhead > 0 ? .good : .open)
    ]
  }

  private var responses: UsageLine {
    guard let half = now.durations.milliseconds(ofPercent: 50),
      let most = now.durations.milliseconds(ofPercent: 95)
    else { return line("response times", "no call was answered", .open) }
    var text =
      "half of \(now.durations.count.of("call")) within about \(half.grouped) ms, 95 % within"
      + " \(most.grouped) ms"
    guard let past = before.durations.milliseconds(ofPercent: 95) else {
      return line("response times", text, .good)
    }
    text += "; before \(past.grouped) ms"
    return line("response times", text, most <= 2 * past ? .good : .bad)
  }

  private var refusals: UsageLine {
    let count = now.sums.counts.refused
    return line(
      "refusals", count == 0 ? "none" : "\(Int(count).of("resource")) wanted and not bought",
      count == 0 ? .good : .bad)
  }

  private var rows: UsageLine {
    line(
      "rows",
      "\(usage.liveEntries.of("entry", "entries")) in the cache,"
        + " \(now.sums.counts.bought.grouped) written, \(now.evicted.grouped) removed", .good)
  }

  private var expiry: UsageLine {
    let text = "\(now.expired.of("entry", "entries")) noted as no longer fresh"
    return usage.overdue == 0
      ? line("expiry", text, .good)
      : line("expiry", "\(text); \(usage.overdue.grouped) overdue for over an hour", .bad)
  }

  private var retries: UsageLine {
    let counts = now.sums.counts
    guard counts.calls > 0 else { return line("retries", "no call", .open) }
    return line(
      "retries", "\(counts.retries.grouped) in \(Int(counts.calls).of("call"))",
      counts.retries * 20 <= counts.calls ? .good : .bad)
  }

  private var errors: UsageLine {
    let attempts = now.failedAttempts
    guard attempts > 0 else { return line("errors", "none", .good) }
    return line(
      "errors",
      "\(attempts.of("attempt")) failed, \(now.failedFetches.of("fetch", "fetches")) given up;"
        + " before \(before.failedAttempts.grouped)",
      now.failedFetches == 0 && attempts <= before.failedAttempts ? .good : .bad)
  }

  private var anomalies: UsageLine {
    var found = now.unexplained.map { element in
      "\(Amount(element.value.amount, element.unit).text) that no call explains, in"
        + " \(element.value.readings.of("reading"))"
    }
    if now.rejectedKeys > 0 { found.append("\(now.rejectedKeys.of("time")) a key was rejected") }
    if now.cutOff > 0 { found.append("\(now.cutOff.of("call")) cut off by the end of a process") }
    return line(
      "anomalies", found.isEmpty ? "none" : found.joined(separator: "; "),
      found.isEmpty ? .good : .bad)
  }

  private func savings(in unit: String) -> UsageLine {
    let amounts = now.sums[unit]
    let name = name("savings", in: unit)
    guard now.sums.counts.reads > 0 else { return line(name, "nobody asked", .open) }
    let text =
      "\(Amount(amounts.saved, unit).text) avoided\(money(amounts.saved, unit)),"
      + " \(Amount(amounts.spent.high, unit).figure) spent\(money(amounts.spent.high, unit))"
    return line(name, text, amounts.saved >= amounts.spent.high ? .good : .bad)
  }

  private func forecast(of unit: String) -> UsageLine {
    let daily = review.dailyHundredths(of: unit)
    let spent = Self.perYear(daily)
    let avoided = Self.perYear(review.dailySavingsHundredths(of: unit))
    let text =
      "at \(perDay(daily, unit)) a day:"
      + " \(rounded(spent, unit)) a year\(money(spent, unit)),"
      + " \(rounded(avoided, unit)) avoided\(money(avoided, unit))"
    return line(name("forecast", in: unit), text, review.isWhole ? .good : .open)
  }

  private static func perYear(_ hundredthsPerDay: Int64) -> Int64 {
    Int64(clamping: Int128(hundredthsPerDay) * 365 / 100)
  }

  /// An amount that is only estimated: money in hundredths.
  private func rounded(_ amount: Int64, _ unit: String) -> String {
    guard Amount.isMoney(unit) else { return Amount(amount, unit).figure }
    return "\(Money.rounded(nanoUnits: amount)) \(unit)"
  }

  /// Such as `12.34 tokens`, or `0.02 EUR`.
  private func perDay(_ hundredths: Int64, _ unit: String) -> String {
    let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    if Amount.isMoney(unit) { return rounded(whole, unit) }
    return "\(whole.grouped).\(rest < 10 ? "0" : "")\(rest) \(Amount.words(for: unit))"
  }
}
