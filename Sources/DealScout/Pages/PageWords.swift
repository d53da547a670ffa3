import TollbookEvents
import TollbookHTTP

/// How pages write amounts, instants and lengths of time.
enum PageWords {
  private static let second: Int64 = 1_000
  private static let minute = 60 * second
  private static let hour = 60 * minute
  private static let day = 24 * hour

  /// An amount with its currency before it, on one line: `USD 31.90`.
  ///
  /// - Parameter minorUnits: in the smallest unit of the currency; what is negative is written as 0.
  static func money(_ minorUnits: Int64, _ currency: EbayCurrency) -> String {
    let units = min(max(0, minorUnits), EbayMoney.mostMinorUnits)
    return "\(currency)\u{A0}\(EbayMoney(minorUnits: units, currency)?.plainText ?? "0")"
  }

  /// How long ago something was, in the largest unit that is full: `3 minutes ago`.
  static func age(of instant: Timestamp, at now: Timestamp) -> String {
    let age = span(from: instant, to: now)
    return age < 10 * second ? "just now" : "\(length(age)) ago"
  }

  /// How long it is until something: `in 3 hours`; of what is past, `ended`.
  static func time(until instant: Timestamp, at now: Timestamp) -> String {
    instant <= now ? "ended" : "in \(length(span(from: now, to: instant)))"
  }

  /// An instant as it is read: `2026-11-21 08:00 UTC`.
  static func instant(_ instant: Timestamp) -> String {
    let text = instant.description
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }

  /// A number of things: `1 photo`, `2 photos`.
  static func count(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  private static func span(from: Timestamp, to: Timestamp) -> Int64 {
    let (span, overflow) = to.milliseconds.subtractingReportingOverflow(from.milliseconds)
    return overflow ? (to < from ? 0 : .max) : max(0, span)
  }

  private static func length(_ span: Int64) -> String {
    for (unit, noun) in [(day, "day"), (hour, "hour"), (minute, "minute")] where span >= unit {
      return count(Int(span / unit), noun)
    }
    return count(Int(span / second), "second")
  }
}

extension ConditionGroup {
  /// For a person.
  var title: String {
    switch self {
    case .new: "New"
    case .openBox: "Open box"
    case .refurbished: "Refurbished"
    case .used: "Used"
    case .parts: "For parts"
    }
  }
}

extension HTML {
  /// An instant in words, with the instant itself for who wants to know it.
  static func time(_ instant: Timestamp, _ words: String) -> HTML {
    HTML(.time, .datetime(instant.description)) { words }
  }

  /// A text of somebody else's, which keeps its direction of writing to itself.
  static func foreign(_ text: String) -> HTML {
    HTML(.bdi) { text.inOneLine() }
  }
}
