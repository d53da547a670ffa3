package import JSONText
package import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// What to audit.
package struct AuditQuery: Sendable {
  /// Counts what stands after this position …
  package var after: Position = 0
  /// … up to and including this one.
  package var through: Position = .max
  package var grouping = AuditGrouping.day
  package var calendar = AuditCalendar.utc
  /// Only what this account spent and read.
  package var account: String?
  /// Whether to tell what became of what was spent.
  package var withWaste = true
  /// Where to take the sums from.
  package var source = AuditSource.best
  /// Of whole hours: the last event that may tell more of what happened in the range.
  var knownThrough: Position = .max
  /// Whether it is known to be of whole hours; nil: that is to be found out.
  var isOfWholeHours: Bool?

  package init() {}
}

extension AuditQuery {
  /// Audits the events of a range.
  package mutating func setRange(_ range: EventRange) {
    after = range.after
    through = range.through
  }
}

/// What an audit found.
package struct AuditReport: Sendable {
  package struct Group: Sendable {
    /// Such as `2026-11-21` or `atlas.place`; nil: the log does not tell.
    package let name: String?
    package let sums: AuditSums
    /// Of an hour: its first instant.
    package var began: Timestamp?
  }

  package let query: AuditQuery
  /// The position before the log's first event. If it is not 0 nobody knows what was before.
  package let start: Position
  /// How many events are in the range, and when the first and the last of them were.
  package let events: UInt64
  package let first: Timestamp?
  package let last: Timestamp?
  package let total: AuditSums
  /// The units that the report tells about, in the order of their bytes: at least one.
  package let units: [String]
  /// Stretches of time in their order, others with what was spent most first: of the first unit, then of the next.
  package let groups: [Group]
  /// Nil: not asked for.
  package let waste: PerUnit<WasteSums>?
  package let reconciliation: Reconciliation
  /// Events that the ledger could not apply, and that are left out here too.
  package let parked: UInt64
  /// Entries that the cache held at the end of the range; nil: not known.
  package let liveEntries: Int?
  /// Those that had not been fresh for over an hour by then, and were not noted as expired.
  package let overdueEntries: Int?
  /// The last event that is known; after the range's end only if it is of whole hours.
  package let known: Position
  /// How many events were read for the sums; nil: none, they are those of the rollups.
  package let eventsRead: UInt64?
}

/// Adds up what a log says: what stands in the rollups, or what its events say.
package enum Audit {
  /// Audits a range.
  ///
  /// Of whole hours it tells what is known at the head: a doubt that was closed later is none any more, a refresh that
  /// was read later was of use. So it says the same whether it reads rollups or events. Of a range that begins or ends
  /// amid an hour it tells what was known at its end.
  ///
  /// - Parameter progress: told now and then how far it is and where it ends; says whether to go on.
  /// - Returns: nil if `progress` said stop, or if rollups were asked for that do not tell.
  package static func run(
    _ query: AuditQuery, in source: LogSource,
    progress: (_ done: Position, _ end: Position) -> ReadStep = { _, _ in .next }
  ) throws(LogError) -> AuditReport? {
    if query.source != .events, let report = try fromRollups(query, in: source) { return report }
    guard query.source != .rollups else { return nil }
    let start = try source.start()
    let head = min(try source.head(), query.knownThrough)
    let end = min(query.through, head)
    let isOfWholeHours: Bool
    if let known = query.isOfWholeHours {
      isOfWholeHours = known
    } else {
      isOfWholeHours = try source.isOfWholeHours(
        after: max(query.after, start), through: end, head: head)
    }
    let known = isOfWholeHours ? head : end
    var options = AuditFold.Options()
    options.after = max(query.after, start)
    options.through = isOfWholeHours ? end : nil
    options.grouping = query.grouping
    options.calendar = query.calendar
    options.account = query.account
    options.withWaste = query.withWaste
    (options.parkedByLedger, options.parkedByCache) = try source.read {
      (reading) throws(LogError) in
      (
        try source.reader.parked(byViewsNamed: "ledger", in: reading),
        try source.reader.parked(byViewsNamed: "cache", in: reading)
      )
    }
    var fold = AuditFold(options)
    var isStopped = false
    if known > start {
      try source.scanDatedRecords(after: start, through: known) {
        (position, wall, record) throws(LogError) in
        try fold.apply(position, wall, record)
        guard position & 0x3FFF == 0, progress(position, known) == .stop else { return .next }
        isStopped = true
        return .stop
      }
    }
    guard !isStopped else { return nil }
    try fold.finish()
    return AuditReport(
      fold, query, start: start, through: end, known: known, eventsRead: known - start)
  }
}

extension LogSource {
  fileprivate func isOfWholeHours(
    after start: Position, through end: Position, head: Position
  ) throws(LogError) -> Bool {
    let first = try self.start()
    // All there is needs no comparison with what is left out.
    let isAll = start <= first && first == 0 && end >= head
    let stretches = isAll ? [] : try clockStretches()
    return try read { (transaction) throws(LogError) in
      let range = HoursOfRange(
        start: first, head: head, after: start, through: end, stretches: stretches,
        reader: reader)
      return try range.whole(in: transaction) != nil
    }
  }
}

extension AuditReport {
  init(
    _ fold: AuditFold, _ query: AuditQuery, start: Position, through end: Position,
    known: Position, eventsRead: UInt64? = nil
  ) {
    var query = query
    query.after = fold.options.after
    query.through = end
    self.query = query
    self.start = start
    events = fold.events
    first = fold.first
    last = fold.events == 0 ? nil : fold.lastCounted
    total = AuditSums(fold.groups.total, unitsOf: fold.units)
    units = fold.unitsToTell
    groups = fold.sortedGroups
    waste =
      query.withWaste ? PerUnit(fold.waste, unitsOf: fold.units) { $0 != .zero } : nil
    reconciliation = fold.reconciliation
    parked = fold.parked
    liveEntries = fold.live?.all
    overdueEntries = fold.live?.overdue
    self.known = known
    self.eventsRead = eventsRead
  }
}

extension AuditReport {
  /// The units of a group: where the report tells about one, that is told of each group.
  package func units(of sums: AuditSums) -> [String] {
    units.count == 1 ? units : sums.amounts.units
  }

  /// What became of a unit.
  package func waste(of unit: String) -> WasteSums { waste?[unit] ?? .zero }
}

extension AuditFold {
  /// Those of which something was booked or avoided; if there is none, the first one that the log knows.
  fileprivate var unitsToTell: [String] {
    var told = AuditSums(groups.total, unitsOf: units).amounts
    for group in groups.sums {
      for element in AuditSums(group.sums, unitsOf: units).amounts {
        told[element.unit, default: .zero] += element.value
      }
    }
    return told.isEmpty ? [units.all.first?.text ?? Amount.firstUnit] : told.units
  }

  /// The groups of which there is anything to tell. A doubt that was closed may leave nothing of a group.
  fileprivate var sortedGroups: [AuditReport.Group] {
    let all = groups.sums.map { (key: $0.key, sums: AuditSums($0.sums, unitsOf: units)) }
      .filter { $0.sums != .zero }
    if options.grouping.isTime {
      let sorted = all.sorted { ($0.key.time ?? .min) < ($1.key.time ?? .min) }
      var calendar = calendar
      return sorted.map { group in
        let began = options.grouping == .hour ? group.key.time : nil
        return .init(
          name: name(of: group.key, &calendar), sums: group.sums,
          began: began.map { Timestamp(milliseconds: $0) })
      }
    }
    let told = unitsToTell
    let named = all.map { group in (name: name(of: group.key), sums: group.sums) }
    let sorted = named.sorted { left, right in
      for unit in told where left.sums[unit].spent.high != right.sums[unit].spent.high {
        return left.sums[unit].spent.high > right.sums[unit].spent.high
      }
      if left.sums.counts.reads != right.sums.counts.reads {
        return left.sums.counts.reads > right.sums.counts.reads
      }
      return (left.name ?? []).lexicographicallyPrecedes(right.name ?? [])
    }
    return sorted.map { group in
      .init(name: group.name.map { String(decoding: $0, as: UTF8.self) }, sums: group.sums)
    }
  }

  private func name(of key: AuditGroups.Key, _ calendar: inout AuditCalendar) -> String? {
    guard let time = key.time else { return nil }
    return options.grouping == .day
      ? AuditCalendar.name(ofDay: time) : calendar.name(ofHour: time)
  }

  private func name(of key: AuditGroups.Key) -> [UInt8]? {
    guard case .name(let number) = key else { return nil }
    return names.all[number].bytes
  }
}

extension AuditGroups.Key {
  fileprivate var time: Int64? {
    if case .time(let time) = self { return time }
    return nil
  }
}

// MARK: As JSON

extension AuditReport {
  /// Writes the report as the members of an object.
  ///
  /// - Parameters:
  ///   - price: what a token costs, to have money beside tokens.
  ///   - limit: the most groups to name; the others are summed up.
  package func write(to json: inout JSONWriter, price: TokenPrice?, limit: Int = .max) {
    json.field("from_position", query.after &+ 1)
    json.field("to_position", query.through)
    json.field("from_time", first?.description)
    json.field("to_time", last?.description)
    json.field("events", events)
    json.field("base_position", start == 0 ? nil : start)
    json.field("by", query.grouping.rawValue)
    json.field("time_zone", query.calendar.name)
    json.field("account", query.account)
    json.field("token_price", price?.description)
    json.object("total") { json in total.write(to: &json, price: price, units: units) }
    json.array("groups", groups.prefix(limit)) { json, group in
      json.object { json in
        json.field("group", group.name)
        group.sums.write(to: &json, price: price, units: units(of: group.sums))
      }
    }
    let rest = groups.dropFirst(limit)
    json.field("groups_left_out", rest.count)
    if !rest.isEmpty {
      json.object("left_out") { json in
        let sums = rest.reduce(.zero) { $0 + $1.sums }
        sums.write(to: &json, price: price, units: units(of: sums))
      }
    }
    if waste != nil {
      json.array("waste", units) { json, unit in waste(of: unit).write(to: &json, unit: unit) }
    }
    json.name("reconciliation")
    reconciliation.write(to: &json)
    json.field("parked_events", parked)
  }
}
