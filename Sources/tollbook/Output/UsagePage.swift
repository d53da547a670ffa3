import Foundation
import TollbookEvents
import TollbookHistory

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
    let start = usage.end.advanced(byMilliseconds: -review.period.days * 86_400_000)
    return "\(review.period.rawValue.capitalized) review: \(start) to \(usage.end)"
  }

  var lines: [UsageLine] {
    switch review.period {
    case .daily: [hits, hitRate, tokens, responses, refusals]
    case .weekly: [rows, expiry, tokens, hitRate, retries, errors, anomalies]
    case .monthly: [savings, tokens, hitRate, responses, errors, anomalies, forecast]
    }
  }

  /// What stands below the lines.
  var notes: [String] {
    guard review.period == .weekly, !usage.failures.isEmpty else { return [] }
    return ["The last errors:"]
      + usage.failures.reversed().map { failure in
        "  \(failure.time)  fetch \(failure.fetch): \(failure.reason)"
          + (failure.detail.isEmpty ? "" : " (\(failure.detail))")
      }
  }

  private var now: UsageFigures { review.now }
  private var before: UsageFigures { review.before }

  private func line(
    _ name: String, _ finding: String, _ verdict: UsageLine.Verdict
  ) -> UsageLine {
    UsageLine(name: name, finding: finding, verdict: verdict)
  }

  private func money(_ tokens: Int64) -> String {
    price.map { ", \($0.amount(of: tokens))" } ?? ""
  }

  private var hits: UsageLine {
    let sums = now.sums
    guard sums.reads > 0 else { return line("cache hits", "nobody asked", .open) }
    return line(
      "cache hits", "\(sums.hits.grouped) of \(Int(sums.reads).of("read"))",
      sums.hits > 0 ? .good : .bad)
  }

  private var hitRate: UsageLine {
    let sums = now.sums
    guard let rate = sums.hitRate else { return line("hit rate", "nobody asked", .open) }
    return line(
      "hit rate",
      "\(AuditPage.percent(rate)) by reads, \(AuditPage.percent(sums.hitRateByTokens)) by tokens;"
        + " before \(AuditPage.percent(before.sums.hitRate)); 80 % are expected",
      rate >= 8_000 ? .good : .bad)
  }

  private var tokens: UsageLine {
    let spent = now.sums.tokens
    let words =
      spent.isExact
      ? spent.low.grouped : "\(spent.low.grouped) to \(spent.high.grouped)"
    let text = "\(words) spent\(money(spent.high))"
    guard review.isWhole else {
      return line("tokens", "\(text); no stretch before to compare", .open)
    }
    let past = before.sums.tokens.high
    let trend = spent.high < past ? "down from" : spent.high == past ? "as" : "up from"
    return line(
      "tokens", "\(text), \(trend) \(past.grouped)", spent.high <= past ? .good : .bad)
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
    let count = now.sums.refused
    return line(
      "refusals", count == 0 ? "none" : "\(Int(count).of("product")) wanted and not bought",
      count == 0 ? .good : .bad)
  }

  private var rows: UsageLine {
    line(
      "rows",
      "\(usage.liveEntries.of("entry", "entries")) in the cache,"
        + " \(now.sums.bought.grouped) written, \(now.evicted.grouped) removed", .good)
  }

  private var expiry: UsageLine {
    let text = "\(now.expired.of("entry", "entries")) noted as no longer fresh"
    return usage.overdue == 0
      ? line("expiry", text, .good)
      : line("expiry", "\(text); \(usage.overdue.grouped) overdue for over an hour", .bad)
  }

  private var retries: UsageLine {
    let sums = now.sums
    guard sums.calls > 0 else { return line("retries", "no call", .open) }
    return line(
      "retries", "\(sums.retries.grouped) in \(Int(sums.calls).of("call"))",
      sums.retries * 20 <= sums.calls ? .good : .bad)
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
    var found: [String] = []
    if now.drifts > 0 {
      found.append(
        "\(now.unexplained.grouped) tokens that no call explains, in"
          + " \(now.drifts.of("reading"))")
    }
    if now.rejectedKeys > 0 { found.append("\(now.rejectedKeys.of("time")) a key was rejected") }
    if now.cutOff > 0 { found.append("\(now.cutOff.of("call")) cut off by the end of a process") }
    return line(
      "anomalies", found.isEmpty ? "none" : found.joined(separator: "; "),
      found.isEmpty ? .good : .bad)
  }

  private var savings: UsageLine {
    let sums = now.sums
    let avoided = sums.avoided + sums.avoidedByJoining
    guard sums.reads > 0 else { return line("savings", "nobody asked", .open) }
    let text =
      "\(avoided.grouped) tokens avoided\(money(avoided)), \(sums.tokens.high.grouped)"
      + " spent\(money(sums.tokens.high))"
    return line("savings", text, avoided >= sums.tokens.high ? .good : .bad)
  }

  private var forecast: UsageLine {
    let daily = review.dailyHundredths
    let avoided = (now.sums.avoided + now.sums.avoidedByJoining) * 100 / review.period.days
    let (whole, rest) = daily.quotientAndRemainder(dividingBy: 100)
    let text =
      "at \(whole.grouped).\(rest < 10 ? "0" : "")\(rest) tokens a day:"
      + " \((daily * 365 / 100).grouped) a year\(money(daily * 365 / 100)),"
      + " \((avoided * 365 / 100).grouped) avoided\(money(avoided * 365 / 100))"
    return line("forecast", text, review.isWhole ? .good : .open)
  }
}
