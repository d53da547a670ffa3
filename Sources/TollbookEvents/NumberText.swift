// Numbers for people.

extension Int64 {
  /// With commas between thousands: `1,197`.
  package var grouped: String {
    var digits = String(magnitude)
    var groups: [Substring] = []
    while digits.count > 3 {
      groups.insert(digits.suffix(3), at: 0)
      digits.removeLast(3)
    }
    return (self < 0 ? "-" : "") + ([digits[...]] + groups).joined(separator: ",")
  }
}

extension UInt64 {
  /// With commas between thousands.
  package var grouped: String { Int64(clamping: self).grouped }
}

extension Int {
  /// With commas between thousands.
  package var grouped: String { Int64(self).grouped }

  /// `1 product`, `3 products`.
  package func of(_ singular: String, _ plural: String? = nil) -> String {
    "\(grouped) \(self == 1 ? singular : plural ?? singular + "s")"
  }
}
