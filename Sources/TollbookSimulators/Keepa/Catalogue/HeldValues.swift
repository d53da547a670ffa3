/// What histories say at a minute, remembered for as long as it stays true.
///
/// A history is a walk from the beginning; a finder that asked three thousand products each time
/// would walk for seconds.
struct HeldValues: Sendable {
  /// A history of a product: one of the 36, or the rank within the leaf category.
  enum Aspect: Hashable, Sendable {
    case csv(HistoryType)
    case leafRank
  }

  private struct Key: Hashable {
    let asin: String
    let domain: Int
    let aspect: Aspect
  }

  private var held: [Key: (minutes: Range<Int>, value: Int)] = [:]

  /// How far ahead of the minute a history is walked, in minutes.
  private static let ahead = 7 * 1440

  /// The value that holds at a minute, shipping included; -1 if there is none.
  mutating func value(_ aspect: Aspect, of profile: ProductProfile, at minute: Int) -> Int {
    let key = Key(asin: profile.asin, domain: profile.domain, aspect: aspect)
    if let known = held[key], known.minutes.contains(minute) { return known.value }
    let known = Self.walk(aspect, of: profile, to: minute)
    held[key] = known
    return known.value
  }

  private static func walk(
    _ aspect: Aspect, of profile: ProductProfile, to minute: Int
  ) -> (minutes: Range<Int>, value: Int) {
    let histories = ProductHistories(profile: profile, lastUpdate: minute + ahead)
    let (flat, step) =
      switch aspect {
      case .csv(let type): (histories.history(type), type.stride)
      case .leafRank: (histories.leafRanks(), 2)
      }
    var until = minute + ahead + 1
    guard let flat else { return (profile.trackingSince..<until, -1) }
    var index = flat.count - step
    while index > 0, flat[index] > minute {
      until = flat[index]
      index -= step
    }
    let from = min(flat[index], minute)
    return (from..<until, ProductStats.value(flat, at: index, stride: step))
  }
}

extension KeepaCopies {
  /// The minute of the copy that a caller would get who asks for a plain product now.
  ///
  /// Keepa refreshes a copy that is an hour old before it serves it (fact sheet, section 7).
  func servedMinute(of profile: ProductProfile, at minute: Int) -> Int {
    let last = lastUpdate(asin: profile.asin, domain: profile.domain, at: minute)
    return minute - last < 60 ? last : minute
  }
}
