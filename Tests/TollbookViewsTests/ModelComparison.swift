import Bytes
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
  try expectJobs(of: log, toBe: model)
  try expectAccounts(of: log, toBe: model)
  try expectCredentials(of: log, toBe: model)
  try expectRequests(of: log, toBe: model)
}

private func expectCache(of log: EventLog, toBe model: LogModel) throws {
  let view = CacheView(log)
  let page = try log.read { (transaction) throws(LogError) in
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
  let expected = model.ledger
  try log.environment.withReadTransaction { transaction in
    let open = try ledger.meters(in: transaction)
    #expect(Set(open.map { LogModel.Page($0.key) }) == expected.openPages)
    #expect(open.count == expected.openPages.count)
    #expect(open.map(\.key) == open.map(\.key).sorted())
    for (key, meter) in open { expectPage(key, meter, toBe: expected) }
    try expectClosed(log, ledger, toBe: expected, transaction)
    let holds = try ledger.holds(in: transaction)
    let found = Dictionary(
      uniqueKeysWithValues: holds.map { (LogModel.HoldKey($0), LogModel.Hold($0)) })
    #expect(found == expected.holds)
    for hold in holds {
      let own = try ledger.holds(fetch: hold.fetch, attempt: hold.attempt, in: transaction)
      #expect(own == holds.filter { ($0.fetch, $0.attempt) == (hold.fetch, hold.attempt) })
    }
    for (id, expected) in expected.credentials {
      let found = try #require(
        try ledger.credential(String(decoding: id, as: UTF8.self), in: transaction))
      #expect(
        LogModel.Credential(
          upstream: found.upstream, unit: found.unit, status: found.status, detail: found.detail)
          == expected)
    }
    #expect(try spend(LedgerFold.allTime, ledger, transaction) == expected.spend())
    for window in expected.windows {
      #expect(try spend(window, ledger, transaction) == expected.spend(in: window))
    }
    try expectSpendOfAllWindows(ledger, toBe: expected, transaction)
  }
}

/// The windows that are over stand beside the open ones, and are found by their names.
private func expectClosed(
  _ log: EventLog, _ ledger: LedgerView, toBe expected: LogModel.Ledger,
  _ transaction: borrowing ReadTransaction
) throws {
  var closed: [MeterKey] = []
  // A meter all of whose windows are over has no open page; keys of all come from the model.
  for meter in Set(expected.pages.keys.map(\.meter)) {
    let found = try log.closedPages(of: MeterKey(LogModel.Page(meter: meter)), in: transaction)
    #expect(found.map(\.key) == found.map(\.key).sorted())
    for (key, page) in found { expectPage(key, page, toBe: expected) }
    closed += found.map(\.key)
  }
  #expect(
    Set(closed.map { LogModel.Page($0) })
      == Set(expected.pages.keys).subtracting(expected.openPages))
  for (page, state) in expected.pages {
    let meter = try ledger.meter(MeterKey(page), in: transaction)
    expectPage(MeterKey(page), meter, toBe: expected)
    #expect(meter.opened == (page.window.isEmpty ? 0 : state.opened))
  }
}

private func expectPage(_ key: MeterKey, _ meter: Meter, toBe expected: LogModel.Ledger) {
  let page = LogModel.Page(key)
  let terms = Dictionary(uniqueKeysWithValues: LedgerTerm.allCases.map { ($0, meter[$0]) })
  #expect(terms == expected.terms(of: page), "\(key.owner) \(key.unit) \(key.window)")
  #expect(meter.residual == 0)
  guard let state = expected.pages[page] else {
    Issue.record("\(key.owner) \(key.unit) \(key.window) is not expected")
    return
  }
  #expect(meter.windowEnds == state.windowEnds)
  #expect(meter.reading.map { LogModel.Reading($0) } == state.reading)
  #expect(meter.use.map { LogModel.WindowReading($0) } == state.use)
  #expect(meter.awaitsRestoreGap == state.awaitsRestoreGap)
  #expect(meter.lastDoubtSent == state.lastDoubtSent)
}

private func expectSpendOfAllWindows(
  _ ledger: LedgerView, toBe expected: LogModel.Ledger, _ transaction: borrowing ReadTransaction
) throws {
  var found: [String: [LogModel.Slice: LogModel.Spent]] = [:]
  try ledger.spendOfAllWindows(in: transaction) { window, account, operation, unit, spend in
    let slice = LogModel.Slice(
      account: Array(account.utf8), operation: Array(operation.utf8), unit: Array(unit.utf8))
    found[window, default: [:]][slice] = LogModel.Spent(spend)
  }
  var all = Dictionary(
    uniqueKeysWithValues: expected.windows.map { ($0, expected.spend(in: $0)) })
  all[LedgerFold.allTime] = expected.spend()
  #expect(found == all.filter { !$0.value.isEmpty })
}

func spend(
  _ window: String, _ ledger: LedgerView, _ transaction: borrowing ReadTransaction
) throws(LogError) -> [LogModel.Slice: LogModel.Spent] {
  var found: [LogModel.Slice: LogModel.Spent] = [:]
  for row in try ledger.spend(window: window, in: transaction) {
    let slice = LogModel.Slice(
      account: Array(row.account.utf8), operation: Array(row.operation.utf8),
      unit: Array(row.unit.utf8))
    found[slice] = LogModel.Spent(row.spend)
  }
  return found
}

private func expectMetrics(of log: EventLog, toBe model: LogModel) throws {
  let view = MetricsView(log)
  let minuteTable = log.tables(of: MetricsFold.fold)[1]
  try log.environment.withReadTransaction { transaction in
    let totals = try view.totals(in: transaction)
    for series in MetricSeries.allCases {
      if series.hasUnit {
        let amounts = totals.amounts(of: series)
        let expected = model.totals.filter { $0.key.series == series }
        #expect(
          LogModel.byUnit(amounts)
            == Dictionary(uniqueKeysWithValues: expected.map { ($0.key.unit ?? [], $0.value) }),
          "\(series)")
        let units = amounts.map { Array($0.unit.utf8) }
        #expect(units == units.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(Set(units).count == units.count)
      } else {
        #expect(totals[series] == model.totals[.init(series)] ?? 0, "\(series)")
      }
    }
    for kind in EventKind.allCases {
      #expect(totals[kind] == model.kinds[kind] ?? 0, "\(kind)")
    }
    var minutes: [UInt64: [LogModel.Counter: Int64]] = [:]
    try transaction.scan(minuteTable) { (key, row) throws(LMDBError) in
      guard let series = MetricSeries(rawValue: key.byte(at: 8)) else { return .next }
      let unit = series.hasUnit ? key.bytes(in: 9..<key.byteCount) : nil
      minutes[key.bigEndianUInt64(at: 0), default: [:]][.init(series, unit)] =
        Int64(bitPattern: row.bigEndianUInt64(at: 0))
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

extension LogModel.HoldKey {
  init(_ hold: Hold) {
    self.init(fetch: hold.fetch, attempt: hold.attempt, page: LogModel.Page(hold.meter))
  }
}

extension MeterKey {
  init(_ page: LogModel.Page) {
    let text = { (bytes: [UInt8]) in String(decoding: bytes, as: UTF8.self) }
    self.init(
      OwnerKind(rawValue: page.meter.ownerKind) ?? .quotaGroup, owner: text(page.meter.owner),
      dimensions: page.meter.dimensions.map {
        var dimension = Dimension()
        (dimension.name, dimension.value) = (text($0[0]), text($0[1]))
        return dimension
      },
      unit: text(page.meter.unit), window: text(page.window))
  }
}

private func expectJobs(of log: EventLog, toBe model: LogModel) throws {
  let view = JobsView(log)
  try log.environment.withReadTransaction { transaction in
    let rows = try view.jobs(limit: .max, in: transaction)
    #expect(rows.map(\.number) == model.jobs.keys.sorted(by: >))
    for (number, row) in rows {
      let request = try view.request(of: number, in: transaction)
      #expect(LogModel.Job(row, request: request) == model.job(number))
    }
    let open = model.jobs.filter { $0.value.ended == nil }.keys.sorted()
    #expect(try view.open(in: transaction) == open)
    guard let middle = rows.dropFirst().first else { return }
    let older = try view.jobs(before: middle.number, limit: 2, in: transaction)
    #expect(older.map(\.number) == rows.dropFirst(2).prefix(2).map(\.number))
    #expect(try view.job(middle.number, in: transaction) == middle.job)
    #expect(try view.job(.max, in: transaction) == nil)
  }
}
