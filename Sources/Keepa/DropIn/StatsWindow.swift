import JSONText
import TollbookEvents

/// The interval of `stats`: the last so many days, or from one instant to another (fact sheet, section 5).
///
/// A product is bought with statistics of 90 days. Five of their members speak of the interval that was asked for; for
/// another one they are computed anew from the product's own histories. Held against a captured body this gives Keepa's
/// own figures; an average may differ by one where Keepa rounds otherwise.
struct StatsWindow: Hashable, Sendable {
  /// The interval with which products are bought, in days.
  static let bought = 90

  private enum Extent: Hashable {
    case days(Int)
    /// In Keepa minutes.
    case between(Int64, Int64)
  }

  private let extent: Extent

  /// - Throws: if it is neither days nor two instants.
  init(_ text: String) throws(KeepaRefusal) {
    if let days = Int(text), 0...100_000 ~= days {
      extent = .days(days)
      return
    }
    let ends = text.split(separator: ",", omittingEmptySubsequences: false)
    guard ends.count == 2, let from = Self.minute(ends[0]), let to = Self.minute(ends[1]),
      from <= to
    else {
      throw .invalid(
        "stats is \(text.inOneLine(atMost: 50)); it is a number of days, or two dates or"
          + " milliseconds with a comma between")
    }
    extent = .between(from, to)
  }

  /// Whether the statistics that were bought are these.
  var isAsBought: Bool { extent == .days(0) || extent == .days(Self.bought) }

  /// A date, an instant in RFC 3339, or milliseconds since 1970, as a Keepa minute.
  private static func minute(_ text: Substring) -> Int64? {
    if let number = Int64(text) { return KeepaTime.minutes(milliseconds: number) }
    let text = text.contains("T") ? String(text) : "\(text)T00:00:00Z"
    return Timestamp(rfc3339: text).map { KeepaTime.minutes(milliseconds: $0.milliseconds) }
  }

  /// Writes the statistics of a product for this interval.
  func write(
    _ stats: JSONValue, of product: JSONValue, at now: Timestamp, to json: inout JSONWriter
  ) {
    guard let members = stats.members, !isAsBought,
      let csv = product["csv"]?.array.map(Array.init)
    else { return json.raw(stats.bytes) }
    let end = KeepaTime.minutes(milliseconds: now.milliseconds)
    let (from, to) =
      switch extent {
      case .days(let days): (end - Int64(days) * 1_440, end)
      case .between(let from, let to): (from, min(to, end))
      }
    let figures = csv.enumerated().map { index, history in
      IntervalFigures(history, width: KeepaHistories.width(of: index), from: from, to: to)
    }
    json.beginObject()
    for member in members {
      json.name(member.name)
      let stored = member.value.array.map(Array.init) ?? []
      guard stored.count > 0, member.value.kind == .array else {
        json.raw(member.value.bytes)
        continue
      }
      switch member.name {
      case "avg":
        // Keepa's own figure, where it has one for that interval.
        if case .days(let days) = extent, let own = stats["avg\(days)"] {
          json.raw(own.bytes)
        } else {
          write(stored, figures, &json) { $0.average }
        }
      case "atIntervalStart": write(stored, figures, &json) { $0.atStart }
      case "outOfStockPercentageInInterval":
        // Counts and ranks have none: -1.
        json.array(stored.enumerated()) { json, item in
          let percentage = figures.indices.contains(item.offset) ? figures[item.offset].empty : nil
          json.value(item.element.int64 == -1 ? -1 : percentage ?? item.element.int64 ?? -1)
        }
      case "minInInterval": write(points: stored, figures, &json) { $0.lowest }
      case "maxInInterval": write(points: stored, figures, &json) { $0.highest }
      default: json.raw(member.value.bytes)
      }
    }
    json.endObject()
  }

  private func write(
    _ stored: [JSONValue], _ figures: [IntervalFigures], _ json: inout JSONWriter,
    _ figure: (IntervalFigures) -> Int64
  ) {
    json.array(stored.indices) { json, index in
      json.value(figures.indices.contains(index) ? figure(figures[index]) : -1)
    }
  }

  private func write(
    points stored: [JSONValue], _ figures: [IntervalFigures], _ json: inout JSONWriter,
    _ point: (IntervalFigures) -> IntervalFigures.Point?
  ) {
    json.array(stored.indices) { json, index in
      guard figures.indices.contains(index), let point = point(figures[index]) else {
        return json.null()
      }
      json.array([point.minute, point.value])
    }
  }
}

/// What one history comes to within an interval. A value holds from its minute to the next; a price counts with its
/// shipping; less than nothing means that there was none.
struct IntervalFigures {
  struct Point: Hashable {
    var minute: Int64
    var value: Int64
  }

  /// The mean over the time in which there was a value, cut to a whole number; -1: there was none.
  private(set) var average: Int64 = -1
  private(set) var atStart: Int64 = -1
  private(set) var lowest: Point?
  private(set) var highest: Point?
  /// For how much of the interval there was no value, in percent, rounded up; nil: nothing is known of it.
  private(set) var empty: Int64?

  init(_ history: JSONValue, width: Int, from: Int64, to: Int64) {
    guard let numbers = history.array.map({ $0.map { $0.int64 ?? -1 } }), numbers.count >= width
    else { return }
    var points: [Point] = []
    for index in stride(from: 0, to: numbers.count - width + 1, by: width) {
      let price = numbers[index + 1]
      let shipping = width == 3 ? max(0, numbers[index + 2]) : 0
      let (sum, isTooLarge) = price.addingReportingOverflow(shipping)
      points.append(
        Point(minute: numbers[index], value: price < 0 || isTooLarge ? -1 : sum))
    }
    if let before = points.last(where: { $0.minute <= from }) { atStart = before.value }
    var sum: Int128 = 0
    // Points may be in any order, and say anything: no sum may overflow.
    var filled: Int128 = 0
    var emptyMinutes: Int128 = 0
    for (index, point) in points.enumerated() {
      let next = index + 1 < points.count ? points[index + 1].minute : to
      let (begin, end) = (max(point.minute, from), min(next, to))
      guard end > begin || (point.minute >= from && point.minute <= to) else { continue }
      let minutes = max(0, end &- begin)
      guard point.value >= 0 else {
        emptyMinutes += Int128(minutes)
        continue
      }
      sum = sum.addingReportingOverflow(Int128(point.value) * Int128(minutes)).partialValue
      filled += Int128(minutes)
      let seen = Point(minute: begin, value: point.value)
      if lowest.map({ seen.value < $0.value }) ?? true { lowest = seen }
      if highest.map({ seen.value > $0.value }) ?? true { highest = seen }
    }
    if filled > 0 { average = Int64(clamping: sum / filled) }
    if to > from {
      empty = Int64(
        clamping: (emptyMinutes * 100 + Int128(to - from) - 1) / Int128(to - from))
    }
  }
}
