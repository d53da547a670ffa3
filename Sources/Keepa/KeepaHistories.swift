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
    let values = history(kind).filter { $0 >= 0 }
    if let value = values.min() { result.lowest = value }
    if let value = values.max() { result.highest = value }
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
    return history(kind).last.flatMap { $0 >= 0 ? $0 : nil }
  }

  /// The buy box. Some bodies have its price in two scalars only, without a place in the arrays.
  var buyBox: Statistic? {
    let known = statistic(.buyBox)
    guard !(known?.hasCurrent ?? false), let price = amount(stats?["buyBoxPrice"]) else {
      return known
    }
    var result = known ?? Statistic()
    let shipping = amount(stats?["buyBoxShipping"]) ?? 0
    result.current = price.addingReportingOverflow(shipping).partialValue
    return result
  }

  /// The values of a history, oldest first: prices with their shipping, -1 for none. What an
  /// incomplete pair or triple at the end may mean is not guessed.
  private func history(_ kind: Kind) -> [Int64] {
    guard let numbers = csv?[kind.rawValue]?.array?.map({ $0.int64 ?? -1 }) else { return [] }
    let width = kind.hasShipping ? 3 : 2
    return stride(from: 0, to: numbers.count - width + 1, by: width).map { start in
      let value = numbers[start + 1]
      guard kind.hasShipping, value >= 0 else { return value }
      return value.addingReportingOverflow(max(numbers[start + 2], 0)).partialValue
    }
  }

  /// Keepa's sentinels are negative.
  private func amount(_ value: JSONValue?) -> Int64? {
    value?.int64.flatMap { $0 >= 0 ? $0 : nil }
  }
}
