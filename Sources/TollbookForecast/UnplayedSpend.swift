import TollbookEvents

/// What calls have cost that are not played under other policies, by operation and unit.
struct UnplayedSpend: Sendable {
  struct Row: Sendable {
    let operation: String
    let unit: String
    /// Attempts that failed included.
    var calls: Int64 = 0
    var cost = Bounds.zero
  }

  private(set) var rows: [Row] = []

  mutating func add(_ cost: Bounds, calls: Int64, of operation: String, in unit: String) {
    var index = rows.firstIndex { $0.unit == unit && $0.operation == operation }
    if index == nil {
      index = rows.count
      rows.append(Row(operation: operation, unit: unit))
    }
    guard let index else { return }
    rows[index].cost += cost
    rows[index].calls += calls
  }

  /// Those in other units than one, summed up by unit.
  func tables(without played: String) -> [WhatIfTable] {
    var tables: [WhatIfTable] = []
    for row in rows.sorted(by: { $0.unit < $1.unit }) where row.unit != played {
      if tables.last?.unit != row.unit {
        tables.append(WhatIfTable(unit: row.unit, recorded: WhatIfOutcome(name: "as recorded")))
      }
      tables[tables.count - 1].recorded.calls += Bounds(row.calls)
      tables[tables.count - 1].recorded.cost += row.cost
    }
    return tables
  }
}
