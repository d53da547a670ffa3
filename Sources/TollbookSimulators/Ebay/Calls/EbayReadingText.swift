/// Texts of parameters: whole numbers, amounts, instants.
enum EbayReadingText {
  /// Whether it is digits alone, as many as a range says.
  static func isDigits(_ text: some StringProtocol, _ count: ClosedRange<Int>) -> Bool {
    count.contains(text.utf8.count) && text.utf8.allSatisfy { 48...57 ~= $0 }
  }

  /// An amount with at most two decimals, in hundredths.
  static func hundredths(_ text: some StringProtocol) -> Int64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, isDigits(parts[0], 1...12), let whole = Int64(parts[0]) else {
      return nil
    }
    guard parts.count == 2 else { return whole * 100 }
    guard isDigits(parts[1], 1...2), let rest = Int64(parts[1]) else { return nil }
    return whole * 100 + (parts[1].utf8.count == 1 ? rest * 10 : rest)
  }

  /// An instant such as `2026-11-20T08:15:00Z` or with milliseconds, since 1970.
  static func milliseconds(_ text: some StringProtocol) -> Int64? {
    let digits = Array(text.utf8)
    guard digits.count == 20 || digits.count == 24, digits.last == UInt8(ascii: "Z") else {
      return nil
    }
    for (place, byte) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
    where digits[place] != byte.utf8.first { return nil }
    if digits.count == 24, digits[19] != UInt8(ascii: ".") { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      var value: Int64 = 0
      for byte in digits[range] {
        guard 48...57 ~= byte else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      let rest = digits.count == 24 ? number(20..<23) : 0,
      1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second < 60
    else { return nil }
    return (days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000 + rest
  }

  /// The days of a date since 1970 in the Gregorian calendar, years counted from March.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = year.floorDivided(by: 400)
    let ofEra = year - era * 400
    let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
  }

  /// An instant as JSON has it: `2026-11-20T08:15:00.000Z`.
  static func instant(_ milliseconds: Int64) -> String {
    let days = milliseconds.floorDivided(by: 86_400_000)
    let ofDay = milliseconds - days * 86_400_000
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * march + 2) / 5 + 1
    let month = march < 10 ? march + 3 : march - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(padded(ofDay / 3_600_000, 2)):\(padded(ofDay / 60_000 % 60, 2)):"
      + "\(padded(ofDay / 1_000 % 60, 2)).\(padded(ofDay % 1_000, 3))Z"
  }

  private static func padded(_ number: Int64, _ count: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
  }

  private static let plain = Set(
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + "0123456789-._~").utf8)

  /// A text as a part of a URL: all but letters, digits and `-._~` is percent-encoded (RFC 3986, 2.3).
  static func encoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if plain.contains(byte) {
        bytes.append(byte)
      } else {
        bytes.append(UInt8(ascii: "%"))
        for half in [byte >> 4, byte & 15] { bytes.append(half < 10 ? 48 + half : 55 + half) }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
