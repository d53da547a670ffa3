import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of the counters, inside a transaction that the caller holds.
package struct MetricsView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: MetricsFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// All counts since the log began.
  package struct Totals: Sendable {
    fileprivate var counts: [UInt8: Int64] = [:]
    fileprivate var amounts: [UInt8: [Amount]] = [:]

    /// The count of a series that only counts.
    package subscript(series: MetricSeries) -> Int64 { counts[series.rawValue] ?? 0 }

    /// The amounts of a series, one for each unit, in the order of the units' bytes.
    package func amounts(of series: MetricSeries) -> [Amount] { amounts[series.rawValue] ?? [] }

    package subscript(kind: EventKind) -> Int64 {
      counts[MetricsFold.kindOffset + kind.rawValue] ?? 0
    }

    fileprivate mutating func add(_ count: Int64, to series: UInt8) {
      counts[series, default: 0] &+= count
    }

    fileprivate mutating func add(_ count: Int64, to series: UInt8, _ unit: String) {
      if let index = amounts[series]?.firstIndex(where: { $0.unit == unit }) {
        amounts[series]?[index].count &+= count
      } else {
        amounts[series, default: []].append(Amount(count, unit))
      }
    }

    /// Reads that were answered without buying.
    package var hits: Int64 { self[.readsFresh] + self[.readsStale] + self[.readsJoined] }
    /// Reads that had to be bought, or were refused.
    package var misses: Int64 { self[.readsBought] + self[.resourcesRefused] }
  }

  package func totals(in transaction: borrowing LogReading) throws(LogError) -> Totals {
    var found = Totals()
    let totals = try tables.open(in: transaction)[0]
    try transaction.scan(totals) { (key, row) throws(LogError) in
      var field = RowOffset()
      let series = field.byte(key)
      let number = field.isSound ? RowOffset.number(of: row) : nil
      let count = Int64(bitPattern: try totals.read(number))
      if MetricSeries(rawValue: series)?.hasUnit == true {
        let unit = key.utf8String(in: 1..<key.byteCount) ?? ""
        found.amounts[series, default: []].append(Amount(count, unit))
      } else {
        found.counts[series] = count
      }
      return .next
    }
    return found
  }

  /// The counts of some minutes of the clock, added up. Events by kind are not counted by the minute, and read as 0;
  /// the amounts of a series are in no order.
  ///
  /// - Parameter minutes: since 1970.
  package func totals(
    ofMinutes minutes: Range<UInt64>, in transaction: borrowing LogReading
  ) throws(LogError) -> Totals {
    var found = Totals()
    let table = try tables.open(in: transaction)[1]
    let start = minutes.lowerBound.bigEndianBytes
    try transaction.scan(table, from: start.span) { (key, row) throws(LogError) in
      var field = RowOffset()
      let minute = field.unsigned(key)
      let series = field.byte(key)
      guard minute < minutes.upperBound else { return .stop }
      let number = field.isSound ? RowOffset.number(of: row) : nil
      let count = Int64(bitPattern: try table.read(number))
      if MetricSeries(rawValue: series)?.hasUnit == true {
        found.add(count, to: series, key.utf8String(in: 9..<key.byteCount) ?? "")
      } else {
        found.add(count, to: series)
      }
      return .next
    }
    return found
  }
}
