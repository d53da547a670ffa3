import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

// An audit names by themselves the charges and readings that differ from what was expected. The rollups tell where they
// stand; what they say, and what lies between two readings, is read from the events.

extension Reconciliation {
  mutating func add(_ drift: UnitDrift, unit: String) {
    var sum = self[unit]
    sum.unexplained &+= drift.unexplained
    sum.restoreGap &+= drift.restoreGap
    sum.aboveList &+= drift.aboveList
    sum.belowList &+= drift.belowList
    sum.excess &+= drift.excess
    sum.billed &+= drift.billed
    amounts[unit, default: .zero] = sum
    amounts.removeAll { $0 == .zero }
  }

  /// Fills the lists from the events that remarks name.
  ///
  /// - Parameter start: the position before the log's first event.
  mutating func name(
    _ remarks: [(position: Position, remarks: RollupRemarks)], in source: LogSource,
    start: Position
  ) throws(LogError) {
    for (position, _) in remarks.first(Self.listLimit, .price) {
      let fold = try source.fold(after: position - 1, through: position)
      for drift in fold.reconciliation.priceDrifts where priceDrifts.count < Self.listLimit {
        priceDrifts.append(drift)
      }
    }
    for (position, _) in remarks.first(Self.listLimit, .drift) {
      drifts += try source.reading(at: position, start: start).drifts
    }
    for (position, _) in remarks.first(Self.listLimit, .restoreGap) {
      restoreGaps += try source.reading(at: position, start: start).restoreGaps
    }
  }
}

extension [(position: Position, remarks: RollupRemarks)] {
  /// The first ones of a kind.
  fileprivate func first(_ limit: Int, _ kind: RollupRemarks) -> [Element] {
    Array(lazy.filter { $0.remarks.contains(kind) }.prefix(limit))
  }
}

extension LogSource {
  /// How many events are read before a reading, to find the one before it; if it is not among them, eight times more.
  private static let firstStretch: Position = 512

  /// What an audit says of the reading at a position, with what happened since the reading before.
  fileprivate func reading(
    at position: Position, start: Position
  ) throws(LogError) -> Reconciliation {
    var length = Self.firstStretch
    while true {
      let isAll = position - start <= length
      let fold = try fold(after: isAll ? start : position - length, through: position)
      let found = fold.reconciliation
      if isAll || (found.drifts + found.restoreGaps).allSatisfy({ $0.after != nil }) {
        return found
      }
      length *= 8
    }
  }

  /// An audit's fold over some events, of which it counts the last one.
  fileprivate func fold(
    after start: Position, through end: Position
  ) throws(LogError) -> AuditFold {
    var options = AuditFold.Options()
    options.after = end - 1
    options.withWaste = false
    var fold = AuditFold(options)
    try scanDatedRecords(after: start, through: end) { (position, wall, record) throws(LogError) in
      try fold.apply(position, wall, record)
      return .next
    }
    return fold
  }
}
