import Bytes
import LMDB
import TollbookEvents
package import TollbookLog

/// Counts what happened, in all and per minute of the clock.
///
/// | table | key | value |
/// |---|---|---|
/// | `totals` | series (1) and for a series of amounts the unit, or 128 + kind of event | count (8) |
/// | `minutes` | minute since 1970 (8), series (1), for a series of amounts the unit | count in that minute (8) |
package enum MetricsFold {
  package static let fold = Fold(
    name: "metrics", version: 3, tables: ["totals", "minutes"], cadence: .eachCommit,
    predecessors: [second, first]
  ) { (events, tables, transaction) throws(LMDBError) in
    var totals = Counts()
    var minutes: [UInt64: Counts] = [:]
    let events = events.span
    for index in events.indices {
      let event = events[index].event
      totals.add(1, to: kindOffset + event.kind.rawValue)
      let minute = UInt64(max(0, events[index].wall.milliseconds) / 60_000)
      for (series, amount) in MetricSeries.changes(by: event) where amount != 0 {
        totals.add(amount, to: series.rawValue)
        minutes[minute, default: Counts()].add(amount, to: series.rawValue)
      }
      guard MetricSeries.countsAmounts(of: event) else { continue }
      for posting in events[index].postings {
        for (series, amount) in MetricSeries.changes(by: posting) where amount != 0 {
          let unit = posting.page.unit
          totals.add(amount, to: series.rawValue, unit)
          minutes[minute, default: Counts()].add(amount, to: series.rawValue, unit)
        }
      }
    }
    var rows = try totals.rows(prefix: [], in: tables, 0, of: transaction.reading)
    for (minute, counts) in minutes {
      var prefix: [UInt8] = []
      prefix.append(bigEndian: minute)
      rows += try counts.rows(prefix: prefix, in: tables, 1, of: transaction.reading)
    }
    for row in rows {
      try transaction.put(row.value.span, forKey: row.key.span, in: tables[row.table])
    }
    return []
  }

  /// Counts of events by kind stand behind those of the series.
  static let kindOffset: UInt8 = 128

  /// Version 2 went by the minutes of commit times, which stand still after a clock was ahead.
  static let second = Fold.Predecessor(
    name: "metrics", version: 2, tables: ["totals", "minutes"], exactness: .underRightClocks
  ) { table, key, value in
    [CarriedRow(table: table, key: [UInt8](copying: key), value: [UInt8](copying: value))]
  }

  /// Version 1 knew one unit, and named none.
  static let first = Fold.Predecessor(
    name: "metrics", version: 1, tables: ["totals", "minutes"]
  ) { table, key, value in
    var key = [UInt8](copying: key)
    if let last = key.last, MetricSeries(rawValue: last)?.hasUnit == true {
      key.append(utf8: Amount.firstUnit)
    }
    return [CarriedRow(table: table, key: key, value: [UInt8](copying: value))]
  }
}

/// What a run of events adds to each series.
private struct Counts {
  private var counts = [Int64](repeating: 0, count: 256)
  private var isTouched = [Bool](repeating: false, count: 256)
  /// By series and unit.
  private var amounts: [KeyBytes: Int64] = [:]

  mutating func add(_ count: Int64, to series: UInt8) {
    counts[Int(series)] &+= count
    isTouched[Int(series)] = true
  }

  mutating func add(_ amount: Int64, to series: UInt8, _ unit: String) {
    amounts[KeyBytes([series] + Array(unit.utf8)), default: 0] &+= amount
  }

  /// The rows that they become, by what stands in a table now. Everything is read before anything is written.
  func rows(
    prefix: [UInt8], in tables: [Table], _ table: Int, of transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [CarriedRow] {
    var changes: [(key: [UInt8], amount: Int64)] = []
    for series in counts.indices where isTouched[series] {
      changes.append((prefix + [UInt8(series)], counts[series]))
    }
    for (key, amount) in amounts {
      // A unit that no key holds is not counted; its meters stand in the ledger.
      guard prefix.count + key.bytes.count <= 511 else { continue }
      changes.append((prefix + key.bytes, amount))
    }
    var rows: [CarriedRow] = []
    for (key, amount) in changes {
      let before = try transaction.row(forKey: key.span, in: tables[table]) {
        RowOffset.number(of: $0)
      }
      var row: [UInt8] = []
      row.append(field: Int64(bitPattern: before ?? 0) &+ amount)
      rows.append(CarriedRow(table: table, key: key, value: row))
    }
    return rows
  }
}
