import JSONText
import TollbookEvents

/// A product's histories (`csv`) and what Keepa computed from them (`stats`), by type.
struct KeepaHistories {
  private let csv: JSONValue?
  private let stats: JSONValue?

  init(_ product: JSONValue) {
    csv = product["csv"]
    stats = product["stats"].flatMap { $0.kind == .object ? $0 : nil }
  }

  /// How many numbers of the history of a type belong together: time and value, or time, price and shipping (fact sheet,
  /// section 2).
  static func width(of type: Int) -> Int {
    switch type {
    case 7, 18...29, 32: 3
    default: 2
    }
  }

  /// The types of history that a summary needs; the number is the place in `csv` and in the arrays
  /// of
  /// `stats` (fact sheet, section 2).
  enum Kind: Int {
    case amazon = 0
    case new = 1
    case used = 2
    case salesRank = 3
    case newFBA = 10
    case countNew = 11
    case countUsed = 12
    case rating = 16
    case countReviews = 17
    case buyBox = 18

    /// Whether `csv` holds triples (time, price, shipping) instead of pairs (time, value).
    var hasShipping: Bool { self == .buyBox }
  }

  /// All that is known of one type. Without `stats` there are no averages, and the rest comes from
  /// the history itself.
  /// Nil if nothing is known.
  func statistic(_ kind: Kind) -> Statistic? {
    let result = stats == nil ? counted(kind) : computed(kind)
    return result == Statistic() ? nil : result
  }

  private func counted(_ kind: Kind) -> Statistic {
    var result = Statistic()
    if let value = current(kind) { result.current = value }
    let past = past(kind)
    if let value = past.lowest { result.lowest = value }
    if let value = past.highest { result.highest = value }
    return result
  }

  private func computed(_ kind: Kind) -> Statistic {
    var result = Statistic()
    let place = kind.rawValue
    if let value = current(kind) { result.current = value }
    if let value = amount(stats?["avg30"]?[place]) { result.average30Days = value }
    if let value = amount(stats?["avg90"]?[place]) { result.average90Days = value }
    // These two hold null or [time, value].
    if let value = amount(stats?["min"]?[place]?[1]) { result.lowest = value }
    if let value = amount(stats?["max"]?[place]?[1]) { result.highest = value }
    return result
  }

  /// The latest value; nil if there is none now, even if there was one before.
  func current(_ kind: Kind) -> Int64? {
    if let current = stats?["current"] { return amount(current[kind.rawValue]) }
    return past(kind).latest
  }

  /// The buy box. Some bodies have its price in two scalars only, without a place in the arrays.
  var buyBox: Statistic? {
    let known = statistic(.buyBox)
    guard !(known?.hasCurrent ?? false), let price = amount(stats?["buyBoxPrice"]) else {
      return known
    }
    var result = known ?? Statistic()
    let shipping = amount(stats?["buyBoxShipping"]) ?? 0
    let (sum, isTooLarge) = price.addingReportingOverflow(shipping)
    // What cannot be a price is none.
    guard !isTooLarge else { return known }
    result.current = sum
    return result
  }

  /// What a history comes to: the latest value, nil if that is none, and the extremes.
  private struct Past {
    var latest: Int64?
    var lowest: Int64?
    var highest: Int64?

    mutating func add(_ value: Int64?) {
      latest = value
      guard let value else { return }
      lowest = min(lowest ?? value, value)
      highest = max(highest ?? value, value)
    }
  }

  /// Goes through a history once, keeping nothing of it: prices with their shipping. What an
  /// incomplete pair or triple at the end may mean is not guessed.
  private func past(_ kind: Kind) -> Past {
    var past = Past()
    guard let numbers = csv?[kind.rawValue]?.array else { return past }
    let width = kind.hasShipping ? 3 : 2
    var place = 0
    var value: Int64?
    for number in numbers {
      let isLast = place == width - 1
      if place == 1 {
        value = amount(number)
      } else if place == 2 {
        let shipping = max(number.int64 ?? -1, 0)
        value = value.flatMap { amount in
          let (sum, isTooLarge) = amount.addingReportingOverflow(shipping)
          return isTooLarge ? nil : sum
        }
      }
      if isLast { past.add(value) }
      place = isLast ? 0 : place + 1
    }
    return past
  }

  /// Keepa's sentinels are negative.
  private func amount(_ value: JSONValue?) -> Int64? {
    value?.int64.flatMap { $0 >= 0 ? $0 : nil }
  }
}
