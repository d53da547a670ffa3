package import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// An audit that is worked out twice: from the rollups, and by replaying all events.
package struct RollupProof: Sendable {
  /// What the rollups say.
  package let report: AuditReport
  /// What differs, field by field; empty: they agree.
  package let differences: [String]
  /// How many events were replayed.
  package let events: UInt64

  /// - Returns: nil if the rollups do not tell of that range by that grouping, or if `progress` said stop.
  package init?(
    of query: AuditQuery, in source: LogSource,
    progress: (_ done: Position, _ end: Position) -> ReadStep = { _, _ in .next }
  ) throws(LogError) {
    var query = query
    query.source = .rollups
    guard let report = try Audit.run(query, in: source) else { return nil }
    // The same range, with the same knowledge of what came after it.
    query = report.query
    query.source = .events
    query.knownThrough = report.known
    query.isOfWholeHours = true
    guard let replayed = try Audit.run(query, in: source, progress: progress) else { return nil }
    self.report = report
    differences = report.differences(from: replayed)
    events = replayed.eventsRead ?? 0
  }
}

extension AuditReport {
  /// What another report of the same range says differently, field by field.
  package func differences(from other: AuditReport) -> [String] {
    var found = FieldDifferences()
    found.compare("events", events, other.events)
    found.compare("first event", first?.description, other.first?.description)
    found.compare("last event", last?.description, other.last?.description)
    found.compare("parked events", parked, other.parked)
    found.compare("units", units, other.units)
    found.compare("total", total, other.total)
    found.compare("groups", groups.map { $0.name ?? "?" }, other.groups.map { $0.name ?? "?" })
    for (left, right) in zip(groups, other.groups) where left.name == right.name {
      found.compare("\(left.name ?? "?")", left.sums, right.sums)
      found.compare(
        "beginning of \(left.name ?? "?")", left.began?.description, right.began?.description)
    }
    for unit in Set(units).union(other.units).sorted() {
      for wasteClass in WasteClass.allCases {
        found.compare(
          "\(wasteClass.name) of \(unit)", waste(of: unit)[wasteClass],
          other.waste(of: unit)[wasteClass])
      }
    }
    found.compare(reconciliation, other.reconciliation)
    // Of a range that does not end at the head the rollups do not tell what the cache held then, and in a log that goes on
    // from a snapshot the events do not.
    guard start == 0 else { return found.lines }
    if let live = liveEntries, let others = other.liveEntries {
      found.compare("live entries", live, others)
    }
    if let overdue = overdueEntries, let others = other.overdueEntries {
      found.compare("overdue entries", overdue, others)
    }
    return found.lines
  }
}

private struct FieldDifferences {
  private(set) var lines: [String] = []

  mutating func compare<Value: Equatable>(_ field: String, _ left: Value, _ right: Value) {
    if left != right { lines.append("\(field): \(left) by the rollups, \(right) by the events") }
  }

  mutating func compare(_ field: String, _ left: AuditSums, _ right: AuditSums) {
    compare("counts of \(field)", left.counts, right.counts)
    for unit in Set(left.amounts.units).union(right.amounts.units).sorted() {
      compare("\(unit) of \(field)", left[unit], right[unit])
    }
  }

  mutating func compare(_ left: Reconciliation, _ right: Reconciliation) {
    compare("readings", left.readings, right.readings)
    for unit in Set(left.amounts.map(\.unit)).union(right.amounts.map(\.unit)).sorted() {
      compare("reconciliation of \(unit)", left[unit], right[unit])
    }
    compare("readings that differ", left.driftCount, right.driftCount)
    compare("costs that differ", left.priceDriftCount, right.priceDriftCount)
    compare("list of readings", left.drifts, right.drifts)
    compare("list of restores", left.restoreGaps, right.restoreGaps)
    compare("list of costs", left.priceDrifts, right.priceDrifts)
  }
}
