package import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// Some of the events that were asked for, and how far the log was looked at for them.
package struct EventPage: Sendable {
  package var events: [RecordedEvent] = []
  /// Everything up to here was looked at: go on after it.
  package var last: Position
  /// The last position that there was.
  package var head: Position
  /// Whether all was looked at that was asked for and is there.
  package var isComplete = false
}

/// Reads the events that a filter wants, page by page, each in one short transaction: by an index where one helps, else by
/// looking at every record.
package struct EventQuery: Sendable {
  /// How many records a page looks at.
  package static let portion = 20_000
  /// How many positions an index gives at a time, unless somebody says otherwise.
  package static let chunk = 512

  package let filter: EventFilter
  private let source: LogSource
  private let index: EventIndex?
  private let chunk: Int

  /// - Parameter index: nil: there is none to read by.
  package init(
    _ filter: EventFilter, in source: LogSource, index: EventIndex?, chunk: Int = Self.chunk
  ) {
    self.chunk = chunk
    self.filter = filter
    self.source = source
    self.index = index
  }

  /// Of a log that is read beside its owner.
  package init(_ filter: EventFilter, in source: LogSource) {
    let tables = try? ViewTables(of: EventIndex.fold, in: source.environment)
    self.init(filter, in: source, index: tables.map { EventIndex($0) })
  }

  /// The next events after a position up to and including `end`.
  ///
  /// - Throws: `.beforeBase` if events after `position` are not in the log.
  package func page(
    after position: Position, through end: Position = .max, limit: Int,
    looking budget: Int = portion
  ) throws(LogError) -> EventPage {
    try source.read { (transaction) throws(LogError) in
      let head = try source.reader.head(in: transaction)
      var page = EventPage(last: position, head: head)
      let end = min(end, head)
      if let base = try source.reader.base(in: transaction), position < base.position {
        throw .beforeBase(base.position)
      }
      if position < end {
        if filter.plan != .scan, let index,
          try source.reader.contains(EventIndex.fold, upTo: head, in: transaction)
        {
          try look(by: index, into: &page, through: end, limit, budget, in: transaction)
        } else {
          try scan(into: &page, through: end, limit, budget, in: transaction)
        }
      }
      page.isComplete = page.last >= end
      return page
    }
  }

  private func scan(
    into page: inout EventPage, through end: Position, _ limit: Int, _ budget: Int,
    in transaction: borrowing LogReading
  ) throws(LogError) {
    var left = budget
    var found = page
    var clocks = CommitClocks(source.tables)
    try source.reader.scanRecords(after: page.last, in: transaction) {
      (position, record) throws(LogError) in
      found.last = position
      left -= 1
      if filter.mayMatch(record) {
        let wall = try clocks.wall(of: position, in: transaction)
        let event: RecordedEvent
        do throws(Damage) { event = try Record.decoding(record, at: position, wall: wall) } catch {
          throw .damaged(error)
        }
        if filter.matches(event) { found.events.append(event) }
      }
      return position < end && left > 0 && found.events.count < limit ? .next : .stop
    }
    page = found
  }

  private func look(
    by index: EventIndex, into page: inout EventPage, through end: Position, _ limit: Int,
    _ budget: Int, in transaction: borrowing LogReading
  ) throws(LogError) {
    var left = budget
    while page.last < end, left > 0, page.events.count < limit {
      let found = try candidates(after: page.last, index, in: transaction)
      for position in found.positions {
        guard position <= end, page.events.count < limit else { break }
        left -= 1
        page.last = position
        guard let event = try source.reader.event(at: position, in: transaction) else {
          throw .damaged(
            Damage(
              table: LogTables.eventsName, position: position,
              problem: "an event is missing that the index names"))
        }
        if filter.matches(event) { page.events.append(event) }
      }
      if page.events.count < limit { page.last = max(page.last, min(found.horizon, end)) }
    }
  }

  /// Some positions of events that the filter may want, in order: all of them up to the horizon.
  private func candidates(
    after position: Position, _ index: EventIndex, in transaction: borrowing LogReading
  ) throws(LogError) -> (positions: [Position], horizon: Position) {
    switch filter.plan {
    case .scan: return ([], .max)
    case .fetch(let fetch):
      let own = try index.positions(ofFetch: fetch, in: transaction)
      let closings = try index.positions(
        of: .chargeResolved, after: max(position, fetch), limit: chunk, in: transaction)
      let horizon = closings.count == chunk ? closings[chunk - 1] : .max
      let all = Set(own.filter { $0 > position && $0 <= horizon }).union(closings)
      return (all.sorted(), horizon)
    case .resource(let resource):
      let found = try index.positions(
        of: resource, after: position, limit: chunk, in: transaction)
      return (found, found.count == chunk ? found[chunk - 1] : .max)
    case .kinds(let kinds):
      var all: [Position] = []
      var horizon = Position.max
      for kind in kinds {
        let found = try index.positions(
          of: kind, after: position, limit: chunk, in: transaction)
        if found.count == chunk { horizon = min(horizon, found[chunk - 1]) }
        all += found
      }
      return (all.filter { $0 <= horizon }.sorted(), horizon)
    }
  }
}
