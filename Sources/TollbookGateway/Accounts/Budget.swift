package import TollbookEvents
package import TollbookViews

/// A limit of our own, as the purchaser takes it into account: a meter whose rule stands in an event.
///
/// A class, since a decision hands each of its budgets on many times.
package final class Budget: Hashable, Sendable {
  package let name: String
  package let row: BudgetRow
  package let rule: MeterRule

  /// Nil if nothing can be counted by the row: its time zone is not known here.
  package init?(_ name: String, _ row: BudgetRow) {
    guard let rule = MeterRule(row) else { return nil }
    self.name = name
    self.row = row
    self.rule = rule
  }

  package static func == (one: Budget, other: Budget) -> Bool {
    one === other || (one.name == other.name && one.row == other.row && one.rule == other.rule)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(row)
  }

  /// Whether it says no to what does not fit.
  package var refuses: Bool { !row.isSoft && !row.isPaused }

  /// No tag has such a name.
  private static let edition = "#"

  /// Its meter; of one that counts each value of a tag by itself that of a value.
  package func meter(value: String = "") -> MeterKey {
    var dimensions: [Dimension] = []
    // In the order of their names.
    if row.edition > 1 { dimensions.append(Dimension(Self.edition, "\(row.edition)")) }
    if let tag = wildcard { dimensions.append(Dimension(tag, value)) }
    return MeterKey(.budget, owner: name, dimensions: dimensions, unit: row.unit)
  }

  /// Whether a page of its name is its own, and not one of a budget that was removed.
  func owns(_ page: MeterKey) -> Bool {
    let edition = page.dimensions.first { $0.name == Self.edition }?.value
    return edition ?? "1" == "\(row.edition)"
  }

  /// Whether a page is that of one value of a tag, of a budget that counts each by itself.
  package static func countsOneValue(_ page: MeterKey) -> Bool {
    page.ownerKind == .budget && page.dimensions.contains { $0.name != edition }
  }

  /// The name of the tag of which each value has a limit of its own; nil: there is one limit.
  package var wildcard: String? {
    row.scope.tag.hasSuffix("=*") ? String(row.scope.tag.dropLast(2)) : nil
  }

  /// The meter on which a demand counts; nil: on none.
  ///
  /// - Parameter credential: the one that sends the call.
  func meter(
    of demand: Demand, operation: String, upstream: String, credential: String
  ) -> MeterKey? {
    let scope = row.scope
    guard scope.account.isEmpty || scope.account == demand.account,
      scope.accessKey.isEmpty || scope.accessKey == demand.accessKey,
      scope.credential.isEmpty || scope.credential == credential,
      scope.upstream.isEmpty || scope.upstream == upstream,
      scope.operation.isEmpty || scope.operation == operation
    else { return nil }
    if scope.tag.isEmpty { return meter() }
    guard let wildcard else { return demand.tags.contains(scope.tag) ? meter() : nil }
    guard let tag = demand.tags.first(where: { $0.hasPrefix(wildcard + "=") }) else { return nil }
    return meter(value: String(tag.dropFirst(wildcard.utf8.count + 1)))
  }
}

extension Dimension {
  fileprivate init(_ name: String, _ value: String) {
    self.init()
    self.name = name
    self.value = value
  }
}

extension MeterRule {
  /// The rule of a budget.
  fileprivate init?(_ row: BudgetRow) {
    switch row.span {
    case .total, .UNRECOGNIZED: self = .total(limit: row.limit)
    case .minute: self = .clockWindow(ClockWindow(length: 60_000, limit: row.limit))
    case .hour: self = .clockWindow(ClockWindow(length: 3_600_000, limit: row.limit))
    case .rolling:
      self = .rollingWindow(RollingWindow(length: row.rollingSeconds &* 1_000, limit: row.limit))
    case .day, .week, .month:
      let span: CalendarWindow.Span =
        row.span == .day ? .day : row.span == .week ? .week : .month
      guard let window = CalendarWindow(span, zone: row.timeZone, limit: row.limit) else {
        return nil
      }
      self = .calendarWindow(window)
    }
  }
}
