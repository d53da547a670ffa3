package import JSONText
package import LMDB
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
  /// Whether to tell what became of the tokens.
  package var withWaste = true

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
    /// Such as `2026-11-21` or `keepa.product`; nil: the log does not tell.
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
  /// Stretches of time in their order, others with what was spent most first.
  package let groups: [Group]
  /// Nil: not asked for.
  package let waste: WasteSums?
  package let reconciliation: Reconciliation
  /// Events that the ledger could not apply, and that are left out here too.
  package let parked: UInt64
  /// Entries that the cache held at the end of the range.
  package let liveEntries: Int
  /// Those that had not been fresh for over an hour by then, and were not noted as expired.
  package let overdueEntries: Int
}

/// Walks through a log and adds up.
package enum Audit {
  /// Audits a range.
  ///
  /// - Parameter progress: told now and then how far it is and where it ends; says whether to go on.
  /// - Returns: nil if `progress` said stop.
  package static func run(
    _ query: AuditQuery, in source: LogSource,
    progress: (_ done: Position, _ end: Position) -> ScanStep = { _, _ in .next }
  ) throws(LogError) -> AuditReport? {
    let start = try source.start()
    let end = min(query.through, try source.head())
    var options = AuditFold.Options()
    options.after = max(query.after, start)
    options.grouping = query.grouping
    options.calendar = query.calendar
    options.account = query.account
    options.withWaste = query.withWaste
    options.parkedByLedger = try source.parked(by: "ledger")
    options.parkedByCache = try source.parked(by: "cache")
    var fold = AuditFold(options)
    var isStopped = false
    if end > start {
      try source.scanRecords(after: start, through: end) {
        (position, record) throws(LogError) in
        try fold.apply(position, record)
        guard position & 0x3FFF == 0, progress(position, end) == .stop else { return .next }
        isStopped = true
        return .stop
      }
    }
    guard !isStopped else { return nil }
    fold.finish()
    return AuditReport(fold, query, start: start, through: end)
  }
}

extension LogSource {
  /// The positions of events that a view could not apply.
  fileprivate func parked(by view: String) throws(LogError) -> Set<Position> {
    let prefix = Array("\(view)@".utf8)
    return try environment.withReadTransaction { (transaction) throws(LogError) in
      var found: Set<Position> = []
      do throws(LMDBError) {
        try transaction.scan(tables.parked, prefix: prefix.span) { (key, _) throws(LMDBError) in
          if key.byteCount >= 8 { found.insert(key.bigEndianUInt64(at: key.byteCount - 8)) }
          return .next
        }
      } catch { throw .storage(error) }
      return found
    }
  }
}

extension AuditReport {
  fileprivate init(
    _ fold: AuditFold, _ query: AuditQuery, start: Position, through end: Position
  ) {
    var query = query
    query.after = fold.options.after
    query.through = end
    self.query = query
    self.start = start
    events = fold.events
    first = fold.first
    last = fold.events == 0 ? nil : fold.last
    total = fold.groups.total
    groups = fold.sortedGroups
    waste = query.withWaste ? fold.waste : nil
    reconciliation = fold.reconciliation
    parked = fold.parked
    liveEntries = fold.shelf.entryCount
    overdueEntries = fold.shelf.overdueCount(at: fold.last.advanced(byMilliseconds: -3_600_000))
  }
}

extension AuditFold {
  fileprivate var sortedGroups: [AuditReport.Group] {
    if options.grouping.isTime {
      let sorted = groups.sums.sorted { ($0.key.time ?? .min) < ($1.key.time ?? .min) }
      var calendar = calendar
      return sorted.map { group in
        let began = options.grouping == .hour ? group.key.time : nil
        return .init(
          name: name(of: group.key, &calendar), sums: group.sums,
          began: began.map { Timestamp(milliseconds: $0) })
      }
    }
    let named = groups.sums.map { (name: name(of: $0.key), sums: $0.sums) }
    let sorted = named.sorted { left, right in
      let first = (left.sums.tokens.high, left.sums.reads)
      let second = (right.sums.tokens.high, right.sums.reads)
      if first != second { return first > second }
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
    json.object("total") { json in total.write(to: &json, price: price) }
    json.array("groups", groups.prefix(limit)) { json, group in
      json.object { json in
        json.field("group", group.name)
        group.sums.write(to: &json, price: price)
      }
    }
    let rest = groups.dropFirst(limit)
    json.field("groups_left_out", rest.count)
    if !rest.isEmpty {
      json.object("left_out") { json in
        rest.reduce(.zero) { $0 + $1.sums }.write(to: &json, price: price)
      }
    }
    if let waste {
      json.name("waste")
      waste.write(to: &json)
    }
    json.name("reconciliation")
    reconciliation.write(to: &json)
    json.field("parked_events", parked)
  }
}
