package import TollbookEvents

/// Values that each hold for some days, one after the other without a hole.
package struct DatedSeries<Value: Sendable>: Sendable {
  package struct Period: Sendable {
    /// The first day.
    package let from: CalendarDay
    /// The last day; nil if the period is open, as only the last can be.
    package let until: CalendarDay?
    package let value: Value
  }

  /// What holds on a day.
  package struct Found: Sendable {
    package let value: Value
    /// The first day of its period.
    package let from: CalendarDay
    /// Whether the last period has ended before that day, so that its value may no longer be right.
    package let isOutdated: Bool
  }

  /// In the order of their days; at least one.
  package let periods: [Period]

  /// What holds on a day: after the end of the last period still its value, marked outdated; nil before the first.
  package func value(on day: CalendarDay) -> Found? {
    guard let period = periods.last(where: { $0.from <= day }) else { return nil }
    let isOutdated = period.until.map { $0 < day } ?? false
    return Found(value: period.value, from: period.from, isOutdated: isOutdated)
  }
}

extension DatedSeries {
  /// Reads an array of objects with `from` and `until`, whose values `read` reads.
  package init(
    _ json: CheckedJSON, _ read: (CheckedJSON) throws(DataFileError) -> Value
  ) throws(DataFileError) {
    var periods: [Period] = []
    for element in try json.elements() {
      let from = try element.member("from").day()
      let until = try element.optional("until").map { json throws(DataFileError) in
        try json.day()
      }
      if let until, until < from { throw element.fault(.hole("it ends before it begins")) }
      try Self.check(from, follows: periods.last, in: element)
      periods.append(Period(from: from, until: until, value: try read(element)))
    }
    self.periods = periods
  }

  private static func check(
    _ from: CalendarDay, follows last: Period?, in json: CheckedJSON
  ) throws(DataFileError) {
    guard let last else { return }
    guard let until = last.until else {
      throw json.fault(.overlap("the period before it, from \(last.from), has no end"))
    }
    if from <= until { throw json.fault(.overlap("\(from) to \(until) stand in two periods")) }
    guard from == until.next else {
      throw json.fault(.hole("nothing holds from \(until.next) until \(from)"))
    }
  }
}
