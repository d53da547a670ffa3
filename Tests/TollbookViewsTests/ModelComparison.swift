import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Expects the views of a log to say what the model says.
func expectViews(of log: EventLog, toBe model: LogModel) throws {
  try expectCache(of: log, toBe: model)
  try expectLedger(of: log, toBe: model)
  try expectMetrics(of: log, toBe: model)
}

private func expectCache(of log: EventLog, toBe model: LogModel) throws {
  let view = CacheView(log)
  let page = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
    try view.page(after: nil, limit: .max, in: transaction) { _ in true }
  }
  let entries = Dictionary(
    uniqueKeysWithValues: page.entries.map {
      (
        LogModel.EntryKey(
          resource: Array($0.resource.description.utf8), contentSet: $0.contentSet),
        LogModel.Entry($0)
      )
    })
  #expect(page.next == nil)
  #expect(entries == model.entries)
  try expectBodies(of: log, toBe: model)
}

private func expectBodies(of log: EventLog, toBe model: LogModel) throws {
  let view = CacheView(log)
  let tables = log.tables(of: CacheFold.fold)
  let references = model.references
  try log.environment.withReadTransaction { transaction in
    for (digest, count) in references {
      #expect(try view.references(to: digest, in: transaction) == count)
    }
    for digest in model.released.keys {
      #expect(try view.references(to: digest, in: transaction) == 0)
    }
    #expect(try transaction.count(in: tables[2]) == references.count + model.released.count)
    #expect(try transaction.count(in: tables[3]) == model.released.count)
    let instants = model.released.values.sorted()
    for bound in [instants.first, instants[safe: instants.count / 2], instants.last] {
      guard let bound else { continue }
      for instant in [bound, bound.advanced(byMilliseconds: 1)] {
        let found = try view.bodiesReleased(before: instant, limit: .max, in: transaction)
        #expect(found.map { model.released[$0] } == instants.filter { $0 < instant })
      }
    }
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

private func expectLedger(of log: EventLog, toBe model: LogModel) throws {
  let ledger = LedgerView(log)
  try log.environment.withReadTransaction { transaction in
    let meters = try ledger.meters(in: transaction)
    #expect(Set(meters.map { LogModel.MeterName($0.key) }) == model.meters)
    for (key, meter) in meters {
      let name = LogModel.MeterName(key)
      let terms = Dictionary(uniqueKeysWithValues: LedgerTerm.allCases.map { ($0, meter[$0]) })
      #expect(terms == model.terms(of: name))
      #expect(meter.reading.map { LogModel.Reading($0) } == model.readings[name])
      #expect(meter.awaitsRestoreGap == model.unreadSinceRestore.contains(name))
      let sent = model.holds.values.filter { $0.meter == name && $0.state == .inDoubt }
        .compactMap(\.sent)
      // It may be later than that of the doubts that are left, if a younger one was closed by hand.
      if let youngest = sent.max() {
        #expect(try #require(meter.lastDoubtSent) >= youngest)
      } else {
        #expect(meter.lastDoubtSent == nil)
      }
    }
    let holds = try ledger.holds(in: transaction)
    #expect(holds.count == model.holds.count)
    for hold in holds {
      let expected = try #require(model.holds[.init(fetch: hold.fetch, attempt: hold.attempt)])
      #expect(hold.state == expected.state)
      #expect(hold.tokens == expected.tokens)
      #expect(hold.since == expected.since)
      #expect(LogModel.MeterName(hold.meter) == expected.meter)
      #expect(Array(hold.account.utf8) == expected.account)
      #expect(Array(hold.operation.utf8) == expected.operation)
    }
    for (id, expected) in model.credentials {
      let found = try #require(
        try ledger.credential(String(decoding: id, as: UTF8.self), in: transaction))
      #expect(
        LogModel.Credential(
          upstream: found.upstream, unit: found.unit, status: found.status, detail: found.detail)
          == expected)
    }
    #expect(try spend(LedgerFold.allTime, ledger, transaction) == model.spend())
    for day in model.days {
      #expect(try spend("day \(day)", ledger, transaction) == model.spend(on: day))
    }
  }
}

func spend(
  _ window: String, _ ledger: LedgerView, _ transaction: borrowing ReadTransaction
) throws(LMDBError) -> [LogModel.Slice: LogModel.Amount] {
  var found: [LogModel.Slice: LogModel.Amount] = [:]
  for row in try ledger.spend(window: window, in: transaction) {
    let slice = LogModel.Slice(
      account: Array(row.account.utf8), operation: Array(row.operation.utf8))
    found[slice] = LogModel.Amount(row.spend)
  }
  return found
}

private func expectMetrics(of log: EventLog, toBe model: LogModel) throws {
  let view = MetricsView(log)
  let minuteTable = log.tables(of: MetricsFold.fold)[1]
  try log.environment.withReadTransaction { transaction in
    let totals = try view.totals(in: transaction)
    for series in MetricSeries.allCases {
      #expect(totals[series] == model.totals[series] ?? 0, "\(series)")
    }
    for kind in EventKind.allCases {
      #expect(totals[kind] == model.kinds[kind] ?? 0, "\(kind)")
    }
    var minutes: [UInt64: [MetricSeries: Int64]] = [:]
    try transaction.scan(minuteTable) { (key, row) throws(LMDBError) in
      let series = MetricSeries(rawValue: key.byte(at: 8))
      if let series {
        minutes[key.bigEndianUInt64(at: 0), default: [:]][series] =
          Int64(bitPattern: row.bigEndianUInt64(at: 0))
      }
      return .next
    }
    // A series whose amounts cancel out within a minute leaves a zero.
    let expected = model.minutes
    for (minute, amounts) in minutes {
      #expect(amounts.filter { $0.value != 0 } == expected[minute]?.filter { $0.value != 0 } ?? [:])
    }
    #expect(Set(minutes.keys) == Set(expected.keys))
  }
}

extension LogModel.MeterName {
  init(_ key: MeterKey) {
    self.init(credential: Array(key.credential.utf8), unit: Array(key.unit.utf8))
  }
}
