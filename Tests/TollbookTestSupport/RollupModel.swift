package import TollbookEvents
package import TollbookViews

/// What the rollups must say after some events: worked out from all of them anew, in dictionaries.
package struct RollupModel: Sendable {
  /// Of what a row is. Names are bytes: to Swift two texts can be equal that differ in theirs.
  package struct Row: Hashable, Sendable {
    package var hour: Int64
    package var account: [UInt8]
    package var operation: [UInt8]
    package var kind: [UInt8]
    package var tags: [[UInt8]]
    package var unit: [UInt8]

    package init(
      hour: Int64, account: [UInt8], operation: [UInt8], kind: [UInt8], tags: [[UInt8]],
      unit: [UInt8]
    ) {
      self.hour = hour
      self.account = account
      self.operation = operation
      self.kind = kind
      self.tags = tags
      self.unit = unit
    }
  }

  package private(set) var rows: [Row: [RollupColumn: Int64]] = [:]
  package private(set) var remarks: [Position: RollupRemarks] = [:]
  package private(set) var since: Position?

  /// Of a doubt about several units, or of a clock that was behind, the unit in which its end counts as a charge; nil: none
  /// yet.
  private var doubts: [Attempt: [UInt8]?] = [:]
  private var openPages: [Attempt: Int] = [:]
  /// When an open doubt began by the clock, where that was in another hour than its commit time, which its end tells.
  private var began: [Attempt: Timestamp] = [:]

  private struct Attempt: Hashable {
    var fetch: Position
    var number: UInt32
  }

  /// A charge for a refresh, as its fate is followed.
  private struct Refresh {
    var row: Row
    var amount: Int64
  }

  /// - Parameter events: all from the first one on, in their order.
  package init(_ events: some Sequence<RecordedEvent>) {
    let events = Array(events)
    var refreshes: [Position: [(position: Position, refresh: Refresh)]] = [:]
    for recorded in events {
      add(recorded) { written, refresh in
        refreshes[written, default: []].append((recorded.position, refresh))
      }
      if Self.isOfFirstFormat(recorded.event) {
        since = nil
      } else if since == nil, Self.isOfSecondFormat(recorded.event) {
        since = recorded.position
      }
    }
    for (written, charged) in refreshes { follow(written, charged, events) }
    for (row, columns) in rows {
      rows[row] = columns.filter { $0.value != 0 }
      if rows[row]?.isEmpty == true { rows[row] = nil }
    }
  }

  private mutating func add(_ amount: Int64, _ column: RollupColumn, _ row: Row) {
    rows[row, default: [:]][column, default: 0] &+= amount
  }

  /// Counts once what is of several rows, and what more there is for who adds up by accounts or by kinds.
  private mutating func count(_ count: RollupCount, _ rows: [Row]) {
    guard let first = rows.first else { return }
    add(1, count.all, first)
    var accounts: Set<[UInt8]> = [first.account]
    var kinds: Set<[UInt8]> = [first.kind]
    for row in rows {
      if accounts.insert(row.account).inserted { add(1, count.ofOtherAccounts, row) }
      if kinds.insert(row.kind).inserted { add(1, count.ofOtherKinds, row) }
    }
  }

  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func row(
    _ time: Timestamp, _ payer: Payer, _ operation: String, _ unit: String = ""
  ) -> Row {
    Row(
      hour: time.milliseconds / 3_600_000, account: bytes(payer.account),
      operation: bytes(operation), kind: bytes(payer.kind), tags: payer.tags.map { bytes($0) },
      unit: bytes(unit))
  }

  private static func kind(_ resource: String) -> String {
    let parts = resource.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count > 1 ? String(parts[1]) : ""
  }

  /// Whether it is an event of format 1 that would be in some row if it told enough.
  private static func isOfFirstFormat(_ event: Event) -> Bool {
    switch event {
    case .fetchStarted(let event): event.demands.isEmpty && event.moves.isEmpty
    case .fetchAttemptFailed(let event):
      event.nextAttempt > 0 && event.moves.isEmpty && event.payers.isEmpty
    case .tokensCharged(let event): event.moves.isEmpty
    case .chargeInDoubt(let event): event.moves.isEmpty
    case .chargeResolved(let event): !event.hasMeter
    case .balanceObserved(let event): !event.hasMeter
    case .spendRefused(let event): !event.hasDemand && event.payers.isEmpty
    case .readsTallied(let event): (event.rows + event.unmet).contains { $0.operation.isEmpty }
    default: false
    }
  }

  private static func isOfSecondFormat(_ event: Event) -> Bool {
    switch event {
    case .fetchStarted(let event): !event.demands.isEmpty || !event.moves.isEmpty
    case .fetchAttemptFailed(let event): event.nextAttempt > 0 && !event.payers.isEmpty
    case .balanceObserved(let event): event.hasMeter
    case .cacheWritten(let event): !event.costs.isEmpty || !event.replaced.isEmpty
    case .entriesSwept, .windowObserved, .chargeCorrected, .invoicePosted: true
    case .tokensCharged(let event): !event.moves.isEmpty
    case .chargeInDoubt(let event): !event.moves.isEmpty
    case .chargeResolved(let event): event.hasMeter
    case .serviceStarted(let event): event.format >= 2
    case .fetchSucceeded(let event): !event.payers.isEmpty
    case .spendRefused(let event): event.hasDemand
    case .readsTallied(let event): (event.rows + event.unmet).contains { !$0.operation.isEmpty }
    default: false
    }
  }
}

// MARK: What an event says by itself

extension RollupModel {
  private mutating func add(
    _ recorded: RecordedEvent, refreshing: (Position, Refresh) -> Void
  ) {
    let time = recorded.wall
    switch recorded.event {
    case .fetchStarted(let event): start(event, time)
    case .fetchAttemptFailed(let event):
      guard event.nextAttempt > 0 else { return }
      count(.calls, event.payers.map { Self.row(time, $0, event.operation) })
      count(.retries, event.payers.map { Self.row(time, $0, event.operation) })
    case .fetchSucceeded(let event):
      for payer in event.payers {
        add(payer.weight, .bought, Self.row(time, payer, event.operation))
      }
    case .readsTallied(let event):
      for tally in event.rows + event.unmet where !tally.operation.isEmpty { read(tally, time) }
    case .tokensCharged(let event):
      charge(event, recorded.position, time, refreshing)
    case .chargeInDoubt(let event):
      let told = event.moves.filter { !$0.limitOnly }
      let isBehind =
        recorded.wall.milliseconds / 3_600_000 != recorded.time.milliseconds / 3_600_000
      if Set(told.map { Self.bytes($0.meter.unit) }).count > 1 || isBehind && !told.isEmpty {
        let attempt = Attempt(fetch: event.fetch, number: event.attempt)
        began[attempt] = isBehind ? recorded.wall : nil
        doubts[attempt] = .some(nil)
        openPages[attempt] = told.count
      }
      for move in told {
        for (payer, part) in zip(event.payers, Self.parts(move.amount, event.payers)) {
          add(part, .inDoubt, Self.row(time, payer, event.operation, move.meter.unit))
        }
      }
    case .chargeResolved(let event):
      guard event.hasMeter else { return }
      for doubt in event.doubts where !doubt.limitOnly { close(doubt, event.meter.unit, time) }
    case .balanceObserved(let event):
      guard event.hasMeter else { return }
      observe(
        event.meter.unit, event.unexplained, isGap: event.restoreGap, recorded.position, time)
    case .windowObserved(let event):
      observe(event.meter.unit, event.unexplained, isGap: false, recorded.position, time)
    case .chargeCorrected(let event): correct(event, time)
    case .invoicePosted(let event):
      add(event.unexplained, .billed, Self.row(time, Payer(), "", event.meter.unit))
    case .spendRefused(let event):
      for payer in event.payers {
        add(payer.weight, .refused, Self.row(time, payer, event.operation))
        if event.demand.refresh != .none {
          add(payer.weight, .refusedBehind, Self.row(time, payer, event.operation))
        }
      }
    default: break
    }
  }

  private mutating func correct(_ event: ChargeCorrected, _ time: Timestamp) {
    for move in event.moves where !move.limitOnly {
      for (payer, part) in zip(event.payers, Self.parts(move.amount, event.payers)) {
        let row = Self.row(time, payer, event.operation, move.meter.unit)
        add(part, .certain, row)
        add(part, .corrected, row)
        if part < 0 { add(-part, .correctedDown, row) }
      }
    }
  }

  private mutating func start(_ event: FetchStarted, _ time: Timestamp) {
    guard !event.demands.isEmpty else { return }
    var rows: [Row] = []
    for (index, resource) in event.resources.enumerated() {
      let number = event.demandOf.isEmpty ? 0 : Int(event.demandOf[index])
      let demand = event.demands[number]
      let payer = Payer(
        account: demand.account, tags: demand.tags, kind: Self.kind(resource))
      let row = Self.row(time, payer, event.operation)
      rows.append(row)
      if demand.refresh == .none { add(1, .readsBought, row) }
    }
    if event.resources.isEmpty {
      let payer = Payer(account: event.demands[0].account, tags: event.demands[0].tags)
      rows.append(Self.row(time, payer, event.operation))
    }
    count(.calls, rows)
  }

  private mutating func read(_ tally: ReadTally, _ time: Timestamp) {
    let payer = Payer(
      account: tally.account, tags: tally.tags, kind: Self.kind(tally.resource))
    let row = Self.row(time, payer, tally.operation)
    add(Int64(tally.fresh), .readsFresh, row)
    add(Int64(tally.stale), .readsStale, row)
    add(Int64(tally.joined), .readsJoined, row)
    add(Int64(tally.unmet), .readsUnmet, row)
    add(Int64(tally.booked), .readsBooked, row)
    let reads = Int64(tally.fresh) + Int64(tally.stale)
    if tally.costs.isEmpty { add(reads + Int64(tally.joined), .readsOfUnknownCost, row) }
    for cost in tally.costs {
      var row = row
      row.unit = Self.bytes(cost.unit)
      add(cost.amount &* reads, .avoided, row)
      add(cost.amount &* Int64(tally.joined), .avoidedByJoining, row)
    }
  }

  private mutating func charge(
    _ event: TokensCharged, _ position: Position, _ time: Timestamp,
    _ refreshing: (Position, Refresh) -> Void
  ) {
    for (index, move) in event.moves.filter({ !$0.limitOnly }).enumerated() {
      let rows = event.payers.map { Self.row(time, $0, event.operation, move.meter.unit) }
      let touched = event.shares.isEmpty ? rows : event.shares.map { rows[Int($0.payer)] }
      count(.unitCharges, touched)
      if index == 0 { count(.charges, touched.map { Self.counting($0) }) }
      var parts = Self.parts(move.amount, event.payers)
      if event.shares.isEmpty {
        for (row, part) in zip(rows, parts) { add(part, .failed, row) }
      } else {
        parts = rows.map { _ in 0 }
      }
      for share in event.shares {
        let (row, part) = (rows[Int(share.payer)], share.amounts[index])
        parts[Int(share.payer)] &+= part
        switch share.use {
        case .served: add(part, .served, row)
        case .duplicate: add(part, .duplicate, row)
        case .unchanged: add(part, .unchanged, row)
        // The call's own part is of no resource.
        case .handedOn: add(part, share.resource.isEmpty ? .passedThrough : .handedOn, row)
        case .refreshed where share.written == 0: add(part, .neverRead, row)
        case .refreshed:
          if part != 0 { refreshing(share.written, Refresh(row: row, amount: part)) }
        default: add(part, .failed, row)
        }
      }
      for (row, part) in zip(rows, parts) { add(part, .certain, row) }
      if move.expected == move.amount {
        for (row, part) in zip(rows, parts) { add(part, .expected, row) }
      } else {
        for (row, part) in zip(rows, allot(move.expected, over: parts)) {
          add(part, .expected, row)
        }
      }
      compare(move, event.payers, rows, position)
    }
  }

  /// The row that counts beside one of a unit.
  private static func counting(_ row: Row) -> Row {
    var row = row
    row.unit = []
    return row
  }

  private mutating func compare(
    _ move: Move, _ payers: [Payer], _ rows: [Row], _ position: Position
  ) {
    let difference = move.amount &- move.expected
    let sums: [(RollupColumn, Int64)] = [
      (.aboveList, max(0, difference)), (.belowList, max(0, 0 &- difference)),
      (.excess, max(0, move.amount &- move.reserved)),
    ]
    for (column, amount) in sums {
      for (row, part) in zip(rows, Self.parts(amount, payers)) { add(part, column, row) }
    }
    guard difference != 0 else { return }
    add(1, .priceDrifts, Self.counting(rows[0]))
    remarks[position, default: []].insert(.price)
  }

  private mutating func close(_ doubt: ResolvedDoubt, _ unit: String, _ time: Timestamp) {
    let attempt = Attempt(fetch: doubt.fetch, number: doubt.attempt)
    var since = doubt.sinceMs == 0 ? time : Timestamp(milliseconds: doubt.sinceMs)
    if let began = began[attempt] { since = began }
    func add(_ amount: Int64, _ column: RollupColumn, at time: Timestamp) {
      for (payer, part) in zip(doubt.payers, Self.parts(amount, doubt.payers)) {
        self.add(part, column, Self.row(time, payer, doubt.operation, unit))
      }
    }
    add(-doubt.tokens, doubt.wasUnprovable ? .unprovable : .inDoubt, at: since)
    add(doubt.unprovable, .unprovable, at: since)
    add(doubt.settled, .certain, at: time)
    add(doubt.settled, .failed, at: time)
    if doubt.settled != 0 {
      let rows = doubt.payers.map { Self.row(time, $0, doubt.operation, unit) }
      count(.unitCharges, rows)
      if doubts[attempt] == .some(nil) { doubts[attempt] = Self.bytes(unit) }
      if doubts[attempt] == nil || doubts[attempt] == Self.bytes(unit) {
        count(.charges, rows.map { Self.counting($0) })
      }
    }
    guard doubt.unprovable == 0, let pages = openPages[attempt] else { return }
    openPages[attempt] = pages - 1
    if pages == 1 { (openPages[attempt], doubts[attempt], began[attempt]) = (nil, nil, nil) }
  }

  private mutating func observe(
    _ unit: String, _ unexplained: Int64, isGap: Bool, _ position: Position, _ time: Timestamp
  ) {
    add(1, .readings, Self.row(time, Payer(), ""))
    guard isGap || unexplained != 0 else { return }
    add(1, isGap ? .restoreGaps : .drifts, Self.row(time, Payer(), ""))
    add(unexplained, isGap ? .restoreGap : .unexplained, Self.row(time, Payer(), "", unit))
    remarks[position, default: []].insert(isGap ? .restoreGap : .drift)
  }

  private static func parts(_ amount: Int64, _ payers: [Payer]) -> [Int64] {
    let parts = allot(amount < 0 ? -amount : amount, over: payers.map(\.weight))
    return amount < 0 ? parts.map { -$0 } : parts
  }
}

// MARK: What later events say of refreshes

extension RollupModel {
  /// Reads are written down up to a second after they happened; for so long they are waited for.
  private static let patience: Int64 = 5_000

  private mutating func follow(
    _ written: Position, _ charged: [(position: Position, refresh: Refresh)],
    _ events: [RecordedEvent]
  ) {
    var open: [Refresh] = []
    var ended: Timestamp?
    for recorded in events {
      if let end = ended, recorded.wall.milliseconds - end.milliseconds > Self.patience {
        decide(&open, .neverRead)
        ended = nil
      }
      switch recorded.event {
      case .tokensCharged:
        open += charged.filter { $0.position == recorded.position }.map(\.refresh)
      case .readsTallied(let event):
        let isRead = (event.rows + event.unmet).contains {
          $0.written == written && ($0.fresh > 0 || $0.joined > 0)
        }
        if isRead {
          decide(&open, .refreshedAndUsed)
          ended = nil
        }
      case .cacheWritten, .cacheExpired, .cacheEvicted, .cachePurged, .entriesSwept:
        if !open.isEmpty, ended == nil, Self.ends(written, recorded.event) {
          ended = recorded.wall
        }
      default: break
      }
    }
    decide(&open, ended == nil ? .stillLive : .neverRead)
  }

  private mutating func decide(_ refreshes: inout [Refresh], _ column: RollupColumn) {
    for refresh in refreshes { add(refresh.amount, column, refresh.row) }
    refreshes = []
  }

  private static func ends(_ written: Position, _ event: Event) -> Bool {
    switch event {
    case .cacheWritten(let event): event.replaced.contains(written)
    case .cacheExpired(let event): event.written == written
    case .cacheEvicted(let event): event.written == written
    case .cachePurged(let event): event.written == written
    case .entriesSwept(let event): event.entries.contains { $0.written == written }
    default: false
    }
  }
}
