package import TollbookEvents
import TollbookViews

/// How a budget says no.
package struct BudgetRefusal: Hashable, Sendable, CustomStringConvertible {
  package var name: String
  /// Of a budget that counts each value of a tag by itself the tag that is meant, such as `user=ann`.
  package var tag: String
  /// Such as `day 2026-11-21`; empty: all time.
  package var window: String
  /// How long its window is; nil: it has none, or not each one is as long.
  package var windowSeconds: Int64?
  package var limit: Int64
  /// What is left; less than nothing if more was spent than the limit allows.
  package var free: Int64
  package var wanted: Int64
  package var unit: String
  /// Set if it has no room for another value of its tag: so many it has.
  package var mostValues: Int?

  /// For a person.
  package var description: String {
    func text(_ count: Int64) -> String {
      Amount.isMoney(unit) ? DecimalText.text(nanoUnits: count) : "\(count)"
    }
    if let mostValues {
      return "the budget \(name) counts each value of its tag by itself, and \(mostValues) values"
        + " are the most: there is no room for \(tag)"
    }
    let whose = tag.isEmpty ? "" : ", \(tag)"
    let when = window.isEmpty ? "" : ", \(window)"
    return "the budget \(name)\(whose)\(when), has \(text(max(0, free))) of"
      + " \(Amount(limit, unit).inWords) left; wanted: \(text(wanted))"
  }
}

extension ReserveRefusal {
  /// How the budget said no; nil: none did.
  var budgetRefusal: BudgetRefusal? {
    guard let budget, let page = meter, wants.indices.contains(refusedBy) else { return nil }
    let value = page.dimensions.first { $0.name == budget.wildcard }?.value
    return BudgetRefusal(
      name: budget.name, tag: value.map { "\(budget.wildcard ?? "")=\($0)" } ?? "",
      window: budget.windowText(page), windowSeconds: budget.row.windowSeconds,
      limit: budget.row.limit, free: available,
      wanted: wants[refusedBy].wanted, unit: page.unit, mostValues: mostValues)
  }
}

extension BudgetRow {
  /// How long its window is; nil: it has none, or not each one is as long. A day of an account's zone may be an hour shorter
  /// or longer.
  fileprivate var windowSeconds: Int64? {
    switch span {
    case .minute: 60
    case .hour: 3_600
    case .day: 86_400
    case .week: 604_800
    case .rolling: Int64(clamping: rollingSeconds)
    case .month, .total, .UNRECOGNIZED: nil
    }
  }
}

extension Budget {
  /// The window as people are told: that of a page, or how far one that rolls reaches back.
  package func windowText(_ page: MeterKey) -> String {
    row.span == .rolling ? "the last \(row.rollingSeconds) seconds" : page.window
  }
}
