package import TollbookEvents

/// Instants as quoted RFC 3339, for answers with hundreds of them: the text of a day is made once.
package struct InstantText {
  private static let millisecondsPerDay: Int64 = 86_400_000
  private var days: [Int64: [UInt8]] = [:]
  private var buffer: [UInt8] = []

  package init() { buffer.reserveCapacity(32) }

  /// The instant in quotes: the same text as its `description`.
  package mutating func quoted(_ instant: Timestamp) -> [UInt8] {
    let milliseconds = instant.milliseconds
    var (day, rest) = milliseconds.quotientAndRemainder(dividingBy: Self.millisecondsPerDay)
    if rest < 0 {
      day -= 1
      rest += Self.millisecondsPerDay
    }
    buffer.removeAll(keepingCapacity: true)
    buffer.append(UInt8(ascii: "\""))
    buffer.append(contentsOf: text(ofDay: day, holding: instant))
    append("T", rest / 3_600_000)
    append(":", rest / 60_000 % 60)
    append(":", rest / 1_000 % 60)
    buffer.append(UInt8(ascii: "."))
    buffer.append(digit(rest % 1_000 / 100))
    buffer.append(digit(rest % 100 / 10))
    buffer.append(digit(rest % 10))
    buffer.append(UInt8(ascii: "Z"))
    buffer.append(UInt8(ascii: "\""))
    return buffer
  }

  private mutating func text(ofDay day: Int64, holding instant: Timestamp) -> [UInt8] {
    if let known = days[day] { return known }
    let text = Array(instant.day.utf8)
    days[day] = text
    return text
  }

  private mutating func append(_ separator: Unicode.Scalar, _ twoDigits: Int64) {
    buffer.append(UInt8(ascii: separator))
    buffer.append(digit(twoDigits / 10))
    buffer.append(digit(twoDigits % 10))
  }

  private func digit(_ value: Int64) -> UInt8 {
    UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)
  }
}
