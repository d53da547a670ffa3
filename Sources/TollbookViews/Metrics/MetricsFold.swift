import LMDB
import TollbookEvents
package import TollbookLog

/// Counts what happened, in all and per minute.
///
/// | table | key | value |
/// |---|---|---|
/// | `totals` | series (1), or 128 + kind of event | count (8) |
/// | `minutes` | minute since 1970 (8), series (1) | count in that minute (8) |
package enum MetricsFold {
  package static let fold = Fold(
    name: "metrics", version: 1, tables: ["totals", "minutes"], cadence: .eachCommit
  ) { (events, tables, transaction) throws(LMDBError) in
    var totals = Counts()
    var minutes: [UInt64: Counts] = [:]
    let events = events.span
    for index in events.indices {
      totals.add(1, to: kindOffset + events[index].event.kind.rawValue)
      let minute = UInt64(max(0, events[index].time.milliseconds) / 60_000)
      for (series, amount) in MetricSeries.changes(by: events[index].event) where amount != 0 {
        totals.add(amount, to: series.rawValue)
        minutes[minute, default: Counts()].add(amount, to: series.rawValue)
      }
    }
    try totals.write(prefix: [], to: tables[0], in: &transaction)
    for (minute, counts) in minutes {
      var prefix: [UInt8] = []
      prefix.append(bigEndian: minute)
      try counts.write(prefix: prefix, to: tables[1], in: &transaction)
    }
    return []
  }

  /// Counts of events by kind stand behind those of the series.
  static let kindOffset: UInt8 = 128
}

/// What a run of events adds to each series.
private struct Counts {
  private var amounts = [Int64](repeating: 0, count: 256)
  private var isTouched = [Bool](repeating: false, count: 256)

  mutating func add(_ amount: Int64, to series: UInt8) {
    amounts[Int(series)] &+= amount
    isTouched[Int(series)] = true
  }

  func write(
    prefix: [UInt8], to table: Table, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for series in amounts.indices where isTouched[series] {
      let key = prefix + [UInt8(series)]
      let before = try transaction.reading.withValue(forKey: key.span, in: table) {
        Int64(bitPattern: $0.bigEndianUInt64(at: 0))
      }
      var row: [UInt8] = []
      row.append(field: (before ?? 0) &+ amounts[series])
      try transaction.put(row.span, forKey: key.span, in: table)
    }
  }
}
