import TollbookEvents

// Rules as people write them: `every 5m`, `daily 03:00 America/Los_Angeles`, `hourly :15`.

extension ScheduleRule: CustomStringConvertible {
  /// In bytes.
  private static let longestText = 100
  private static let examples =
    "such as “every 5m”, “daily 03:00 America/Los_Angeles” or “hourly :15”"
  private static let units: [(name: Character, seconds: Int64)] = [
    ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1),
  ]

  /// Reads a rule.
  package init(_ text: String) throws(ScheduleProblem) {
    guard text.utf8.count <= Self.longestText else {
      throw ScheduleProblem(
        "rule", "rule has \(text.utf8.count) bytes; \(Self.longestText) are allowed")
    }
    let words = text.split(separator: " ").map(String.init)
    guard let first = words.first else {
      throw ScheduleProblem("rule", "rule is empty; write one \(Self.examples)")
    }
    switch first {
    case "every":
      guard words.count == 2 else {
        throw ScheduleProblem("rule", "every is followed by an interval, such as “every 5m”")
      }
      self = try Self.interval(words[1])
    case "daily":
      guard words.count == 3 else {
        throw ScheduleProblem(
          "rule", "daily is followed by a time and a time zone, such as “daily 03:00 UTC”")
      }
      let (hour, minute) = try Self.time(words[1])
      self = try .daily(hour: hour, minute: minute, zone: words[2])
    case "hourly":
      guard words.count == 2 else {
        throw ScheduleProblem("rule", "hourly is followed by a minute, such as “hourly :15”")
      }
      guard words[1].hasPrefix(":"), let minute = Self.twoDigits(words[1].dropFirst()) else {
        throw ScheduleProblem(
          "rule", "“\(words[1].inOneLine(atMost: 40))” is no minute of an hour; :00 to :59 are")
      }
      self = try .hourly(minute: minute)
    default:
      throw ScheduleProblem(
        "rule", "“\(first.inOneLine(atMost: 40))” begins no rule; write one \(Self.examples)")
    }
  }

  /// As it is read.
  package var description: String {
    switch kind {
    case .every(let seconds):
      let unit = Self.units.first { seconds % $0.seconds == 0 } ?? ("s", 1)
      return "every \(seconds / unit.seconds)\(unit.name)"
    case .daily(let minute, let calendar):
      return "daily \(Self.text(minute / 60)):\(Self.text(minute % 60)) \(calendar.zone)"
    case .hourly(let minute): return "hourly :\(Self.text(minute))"
    }
  }

  private static func interval(_ text: String) throws(ScheduleProblem) -> ScheduleRule {
    let digits = text.dropLast()
    guard let unit = units.first(where: { $0.name == text.last }), !digits.isEmpty,
      digits.utf8.allSatisfy({ 48...57 ~= $0 }), digits.utf8.count <= 9,
      let count = Int64(digits)
    else {
      throw ScheduleProblem(
        "rule",
        "“\(text.inOneLine(atMost: 40))” is no interval; write a whole number and s, m, h or d,"
          + " such as 5m")
    }
    return try .every(seconds: count * unit.seconds)
  }

  private static func time(_ text: String) throws(ScheduleProblem) -> (Int64, Int64) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let hour = twoDigits(parts[0]), let minute = twoDigits(parts[1]),
      hour < 24, minute < 60
    else {
      throw ScheduleProblem(
        "rule", "“\(text.inOneLine(atMost: 40))” is no time of day; 00:00 to 23:59 are")
    }
    return (hour, minute)
  }

  private static func twoDigits(_ text: Substring) -> Int64? {
    guard text.utf8.count == 2, text.utf8.allSatisfy({ 48...57 ~= $0 }) else { return nil }
    return Int64(text)
  }

  private static func text(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
}
