import TollbookAudit
import TollbookEvents

/// The tables of an audit that tells of several units. They stand side by side, and what is nothing of each is left out.
extension AuditPage {
  /// A column of a table whose rows are units.
  private struct Column {
    let title: String
    var alignment = TextTable.Alignment.right
    let cell: (String) -> String
  }

  /// What was spent, a row for each unit.
  var spentLines: [String] {
    var table = TextTable(spentColumns.map(\.alignment), heading: spentColumns.map(\.title))
    for unit in report.units { table.add(spentColumns.map { $0.cell(unit) }) }
    let lines = Self.underHeading(table)
    return isAnythingSaved ? lines + ["What was avoided is in no other column."] : lines
  }

  private var spentColumns: [Column] {
    var columns = [
      Column(title: "UNIT", alignment: .left) { Amount.words(for: $0) },
      column("CERTAIN", \.certain),
    ]
    let terms: [(String, KeyPath<UnitAmounts, Int64>)] = [
      ("IN DOUBT", \.inDoubt), ("UNPROVABLE", \.unprovable), ("RESERVED", \.reserved),
    ]
    let open = terms.filter { isAny($0.1) }
    if !open.isEmpty {
      columns += open.map { column($0.0, $0.1) } + [column("AT MOST", \.spent.high)]
    }
    let hasPrice = report.units.contains { price(of: $0) != nil }
    if hasPrice { columns.append(moneyColumn("MONEY", \.spent.high)) }
    columns.append(Column(title: "CHARGES") { report.total[$0].charges.grouped })
    guard isAnythingSaved else { return columns }
    columns.append(column("AVOIDED", \.avoided))
    if isAny(\.avoidedByJoining) { columns.append(column("BY JOINING", \.avoidedByJoining)) }
    if hasPrice { columns.append(moneyColumn("MONEY AVOIDED", \.saved)) }
    columns.append(Column(title: "HIT RATE") { Self.percent(report.total[$0].hitRate) })
    return columns
  }

  private func column(_ title: String, _ amount: KeyPath<UnitAmounts, Int64>) -> Column {
    Column(title: title) { Amount(report.total[$0][keyPath: amount], $0).number }
  }

  private func moneyColumn(_ title: String, _ amount: KeyPath<UnitAmounts, Int64>) -> Column {
    Column(title: title) {
      price(of: $0)?.amount(of: report.total[$0][keyPath: amount]) ?? ""
    }
  }

  private func isAny(_ amount: KeyPath<UnitAmounts, Int64>) -> Bool {
    report.units.contains { report.total[$0][keyPath: amount] != 0 }
  }

  private var isAnythingSaved: Bool { isAny(\.saved) }

  /// A row for each unit of each group. What is counted of the group, such as calls, stands in its first row.
  func groupLines(limit: Int) -> [String] {
    let hasPrice = report.units.contains { price(of: $0) != nil }
    let hasRefusals = report.total.counts.refused != 0
    var heading = [report.query.grouping.rawValue.uppercased(), "SPENT"]
    var columns: [TextTable.Alignment] = [.left, .left]
    func add(_ titles: [String], if isShown: Bool = true) {
      guard isShown else { return }
      heading += titles
      columns += titles.map { _ in .right }
    }
    add(["MONEY"], if: hasPrice)
    add(["CHARGES"])
    add(["AVOIDED"], if: isAnythingSaved)
    add(["CALLS", "BOUGHT", "READS", "HITS"])
    add(["REFUSED"], if: hasRefusals)
    var table = TextTable(columns, heading: heading)
    for group in shownGroups(limit: limit) {
      let counts = group.sums.counts
      var counted = [
        counts.calls.grouped, counts.bought.grouped, counts.reads.grouped,
        Self.percent(counts.hitRate),
      ]
      if hasRefusals { counted.append(counts.refused.grouped) }
      let units = report.units(of: group.sums)
      // A group that only counts something has a row too.
      let rows: [String?] = units.isEmpty ? [nil] : units
      for unit in rows {
        var cells = [Self.title(group.name), unit.map { spent($0, group.sums) } ?? "nothing"]
        let amounts = unit.map { group.sums[$0] }
        if hasPrice {
          let price = unit.flatMap { self.price(of: $0) }
          cells.append(price.map { Self.money(amounts?.spent ?? .zero, $0) } ?? "")
        }
        cells.append(amounts?.charges.grouped ?? "")
        if isAnythingSaved {
          cells.append(unit.map { Amount(group.sums[$0].saved, $0).number } ?? "")
        }
        table.add(cells + counted)
        counted = counted.map { _ in "" }
      }
    }
    return Self.underHeading(table)
  }

  /// Such as `15 tokens`, or `15 to 20 tokens`.
  private func spent(_ unit: String, _ sums: AuditSums) -> String {
    let spent = sums[unit].spent
    let most = Amount(spent.high, unit).text
    return spent.isExact ? most : "\(Amount(spent.low, unit).number) to \(most)"
  }

  /// What became of what was spent: a row for each unit and each class of which there is any.
  var wasteLines: [String] {
    guard report.waste != nil else { return [] }
    let hasPrice = report.units.contains { price(of: $0) != nil }
    var table = TextTable([.left, .right, .right] + (hasPrice ? [.right] : []) + [.left, .left])
    var wasted: [Amount] = []
    for unit in report.units {
      let waste = report.waste(of: unit)
      for wasteClass in WasteClass.allCases where waste[wasteClass] != 0 {
        let amount = waste[wasteClass]
        var cells = [
          Amount.words(for: unit), Amount(amount, unit).number,
          Self.share(amount, of: waste.total),
        ]
        if hasPrice { cells.append(price(of: unit)?.amount(of: amount) ?? "") }
        table.add(cells + [wasteClass.label, wasteClass.explanation])
      }
      if waste.wasted != 0 { wasted.append(Amount(waste.wasted, unit)) }
    }
    let sum =
      wasted.isEmpty
      ? "None of it is known to have been wasted." : "\(wasted.text) of it bought nothing of use."
    return table.lines() + [sum]
  }
}
