import Bytes
import TollbookEvents
import TollbookLog

/// What one event means to the rollups, by itself.
struct RollupChanges {
  /// What it adds to which rows. A key may come more than once.
  private(set) var rows: [(key: KeyBytes, sums: RollupRow)] = []
  /// Charges for refreshes of which later events tell whether they are read.
  private(set) var refreshes: [(written: Position, part: RefreshPart)] = []
  /// Entries that answered reads while they were fresh.
  private(set) var read: [Position] = []
  /// Entries that can answer no more reads as fresh ones.
  private(set) var ended: [Position] = []
  private(set) var remarks: RollupRemarks = []
  /// Doubts about several units that begin or end.
  private(set) var doubts: [DoubtChange] = []
  /// Whether the event tells all that the rollups want; nil: it would say nothing to them in any format.
  private(set) var isKnownFormat: Bool?
  /// Why it cannot be applied.
  private(set) var problem: String?

  /// The hour that the clock said.
  private let hour: UInt64
  /// Whether the commit time is in another hour: the clock had been ahead before.
  private let isBehind: Bool
  private var kinds = KindReader()

  init(_ recorded: borrowing RecordedEvent) {
    hour = RollupKey.hour(of: recorded.wall)
    isBehind = recorded.isInEarlierHour
    switch recorded.event {
    case .fetchStarted(let event): start(event)
    case .fetchAttemptFailed(let event): retry(event)
    case .fetchSucceeded(let event): keep(event)
    case .cacheWritten(let event):
      if !event.costs.isEmpty || !event.replaced.isEmpty { isKnownFormat = true }
      ended = event.replaced
    case .cacheExpired(let event): ended = [event.written]
    case .cacheEvicted(let event): ended = [event.written]
    case .cachePurged(let event): ended = [event.written]
    case .entriesSwept(let event):
      isKnownFormat = true
      ended = event.entries.map(\.written)
    case .readsTallied(let event):
      for tally in event.rows { read(tally) }
      for tally in event.unmet { read(tally) }
    case .tokensCharged(let charge): self.charge(charge, recorded.postings)
    case .chargeInDoubt(let doubt): self.doubt(doubt, recorded.postings)
    case .chargeResolved(let closing): close(closing, recorded.postings)
    case .balanceObserved(let reading):
      isKnownFormat = reading.hasMeter
      if reading.hasMeter {
        observe(reading.meter.unit, reading.unexplained, isRestoreGap: reading.restoreGap)
      }
    case .windowObserved(let reading):
      isKnownFormat = true
      observe(reading.meter.unit, reading.unexplained, isRestoreGap: false)
    case .spendRefused(let event): refuse(event)
    case .chargeCorrected: correct(recorded.postings)
    case .invoicePosted(let bill):
      isKnownFormat = true
      add(bill.unexplained, to: .billed, prefix(Payer(), ""), unit: bill.meter.unit)
    case .serviceStarted(let event): if event.format >= 2 { isKnownFormat = true }
    case .fetchFailed, .bodiesPruned, .reservationReleased, .credentialAdded,
      .credentialStatusChanged, .serviceRecovered, .snapshotTaken, .logRestored, .jobQueued,
      .jobStarted, .jobProgressed, .jobFinished, .accountOpened, .accountClosed, .accessKeyIssued,
      .accessKeyRevoked, .budgetSet, .budgetRemoved, .webhookSet, .webhookRemoved, .alertRaised,
      .alertCleared, .notificationSent, .notificationRequeued,
      .credentialSet, .credentialRemoved, .credentialCooled, .poolSet, .requestBegun,
      .requestAnswered, .requestsForgotten:
      break
    }
  }

  // MARK: Rows

  /// What the keys of a payer's rows begin with, in the hour of the event or in an earlier one.
  private mutating func prefix(
    _ payer: Payer, _ operation: String, hour: UInt64? = nil
  ) -> [UInt8] {
    if let prefix = RollupKey.prefix(hour: hour ?? self.hour, payer, operation: operation) {
      return prefix
    }
    problem = Self.impossible
    return []
  }

  /// Adds to a column: of the row that counts, or of a unit's.
  private mutating func add(
    _ amount: Int64, to column: RollupColumn, _ prefix: [UInt8], unit: String = ""
  ) {
    guard amount != 0 else { return }
    guard let key = RollupKey.key(prefix, unit: unit) else {
      problem = Self.impossible
      return
    }
    // What an event adds to a row mostly comes in one go.
    if let last = rows.indices.last, rows[last].key.bytes == key {
      rows[last].sums.add(amount, to: column)
    } else {
      var sums = RollupRow()
      sums.add(amount, to: column)
      rows.append((KeyBytes(key), sums))
    }
  }

  private static let impossible = "its names cannot be keys"

  /// Counts once what several may pay for.
  private mutating func count(_ count: RollupCount, _ payers: [PayerRows], unit: String = "") {
    for (index, payer) in payers.enumerated() {
      if index == 0 {
        add(1, to: count.all, payer.prefix, unit: unit)
        continue
      }
      let before = payers[..<index]
      if !before.contains(where: { $0.isOfAccount(payer) }) {
        add(1, to: count.ofOtherAccounts, payer.prefix, unit: unit)
      }
      if !before.contains(where: { $0.isOfKind(payer) }) {
        add(1, to: count.ofOtherKinds, payer.prefix, unit: unit)
      }
    }
  }

  /// The rows of payers; there is at least one.
  private mutating func rows(
    of payers: [Payer], _ operation: String, hour: UInt64? = nil
  ) -> [PayerRows] {
    (payers.isEmpty ? [Payer()] : payers).map { payer in
      PayerRows(payer: payer, prefix: prefix(payer, operation, hour: hour))
    }
  }

  // MARK: Calls

  private mutating func start(_ event: FetchStarted) {
    isKnownFormat = !event.demands.isEmpty || !event.moves.isEmpty
    guard isKnownFormat == true else { return }
    let demands = event.allDemands
    var groups: [(demand: Int, kind: String, resources: Int64)] = []
    for (index, resource) in event.resources.enumerated() {
      let demand = event.demand(ofResource: index)
      let kind = kinds.kind(of: resource)
      guard demand < demands.count else { continue }
      let place = groups.firstIndex {
        $0.demand == demand && $0.kind.utf8.elementsEqual(kind.utf8)
      }
      if let place {
        groups[place].resources += 1
      } else {
        groups.append((demand, kind, 1))
      }
    }
    if groups.isEmpty { groups.append((0, "", 0)) }
    let payers = groups.map { group in
      Payer(
        account: demands[group.demand].account, tags: demands[group.demand].tags,
        kind: group.kind)
    }
    let rows = rows(of: payers, event.operation)
    count(.calls, rows)
    for (group, row) in zip(groups, rows) where !demands[group.demand].isBehind {
      add(group.resources, to: .readsBought, row.prefix)
    }
  }

  private mutating func retry(_ event: FetchAttemptFailed) {
    guard event.nextAttempt > 0 else { return }
    isKnownFormat = !event.moves.isEmpty || !event.payers.isEmpty
    guard isKnownFormat == true else { return }
    let rows = rows(of: event.payers, event.operation)
    count(.calls, rows)
    count(.retries, rows)
  }

  private mutating func keep(_ event: FetchSucceeded) {
    for payer in event.payers {
      isKnownFormat = true
      add(payer.weight, to: .bought, prefix(payer, event.operation))
    }
  }

  private mutating func refuse(_ event: SpendRefused) {
    isKnownFormat = event.hasDemand || !event.payers.isEmpty
    guard isKnownFormat == true else { return }
    let demand = event.anyDemand
    var payers = event.payers
    if payers.isEmpty {
      payers = [
        Payer(account: demand.account, tags: demand.tags, weight: Int64(event.resources))
      ]
    }
    for payer in payers {
      let prefix = prefix(payer, event.operation)
      add(payer.weight, to: .refused, prefix)
      if demand.isBehind { add(payer.weight, to: .refusedBehind, prefix) }
    }
  }

  // MARK: Reads

  private mutating func read(_ tally: ReadTally) {
    if tally.written != 0, tally.fresh > 0 || tally.joined > 0 { read.append(tally.written) }
    // Rows of format 1 do not tell what would have bought them.
    guard !tally.operation.isEmpty else {
      isKnownFormat = false
      return
    }
    if isKnownFormat == nil { isKnownFormat = true }
    let payer = Payer(
      account: tally.account, tags: tally.tags, kind: kinds.kind(of: tally.resource))
    let prefix = prefix(payer, tally.operation)
    add(Int64(tally.fresh), to: .readsFresh, prefix)
    add(Int64(tally.stale), to: .readsStale, prefix)
    add(Int64(tally.joined), to: .readsJoined, prefix)
    add(Int64(tally.unmet), to: .readsUnmet, prefix)
    add(Int64(tally.booked), to: .readsBooked, prefix)
    let answered = Int64(tally.fresh) + Int64(tally.stale)
    if tally.costs.isEmpty {
      add(answered + Int64(tally.joined), to: .readsOfUnknownCost, prefix)
    }
    for cost in tally.costs {
      add(cost.amount &* answered, to: .avoided, prefix, unit: cost.unit)
      add(cost.amount &* Int64(tally.joined), to: .avoidedByJoining, prefix, unit: cost.unit)
    }
  }

  // MARK: Charges

  private mutating func charge(_ event: TokensCharged, _ postings: [Posting]) {
    isKnownFormat = !event.moves.isEmpty
    guard isKnownFormat == true else { return }
    let rows = rows(of: event.payers, event.operation)
    var held = [[Amount]](repeating: [], count: event.shares.count)
    var told = 0
    for posting in postings where !posting.isLimitOnly {
      guard case .charged(let amount, let reserved) = posting.change else { continue }
      let unit = posting.page.unit
      let isShared = !posting.parts.isEmpty
      let touched = isShared ? Self.touched(rows, by: event.shares) : rows
      if told == 0 { count(.charges, touched) }
      count(.unitCharges, touched, unit: unit)
      let parts = isShared ? posting.parts : divided(amount, over: rows)
      add(parts, to: .certain, rows, unit)
      add(
        amount == posting.expected ? parts : Self.divide(posting.expected, over: parts),
        to: .expected, rows, unit)
      compare(amount, posting.expected, reserved, rows, unit)
      if isShared {
        for (index, share) in event.shares.enumerated() {
          let part = share.amounts[told]
          let prefix = rows[Int(share.payer)].prefix
          if share.isUndecided {
            add(part, to: .stillLive, prefix, unit: unit)
            held[index].add(part, unit)
          } else {
            add(part, to: share.column, prefix, unit: unit)
          }
        }
      } else {
        add(parts, to: .failed, rows, unit)
      }
      told += 1
    }
    for (share, amounts) in zip(event.shares, held) where amounts.contains(where: { $0.count != 0 })
    {
      let part = RefreshPart(prefix: rows[Int(share.payer)].prefix, amounts: amounts)
      refreshes.append((share.written, part))
    }
  }

  /// What the price list and the reservation say of a cost.
  private mutating func compare(
    _ amount: Int64, _ expected: Int64, _ reserved: Int64, _ rows: [PayerRows], _ unit: String
  ) {
    if amount > reserved {
      add(divided(amount &- reserved, over: rows), to: .excess, rows, unit)
    }
    guard amount != expected else { return }
    let difference = amount &- expected
    let column = difference > 0 ? RollupColumn.aboveList : .belowList
    add(
      divided(difference > 0 ? difference : 0 &- difference, over: rows), to: column, rows, unit)
    add(1, to: .priceDrifts, rows[0].prefix)
    remarks.insert(.price)
  }

  /// The rows that shares are of, in the order of the shares.
  private static func touched(_ rows: [PayerRows], by shares: [Share]) -> [PayerRows] {
    guard rows.count > 1 else { return rows }
    var numbers: [Int] = []
    for share in shares where !numbers.contains(Int(share.payer)) {
      numbers.append(Int(share.payer))
    }
    return numbers.map { rows[$0] }
  }

  private func divided(_ amount: Int64, over rows: [PayerRows]) -> [Int64] {
    rows.count == 1 ? [amount] : Self.divide(amount, over: rows.map(\.payer.weight))
  }

  private static func divide(_ amount: Int64, over weights: [Int64]) -> [Int64] {
    weights.count == 1
      ? [amount] : weights.map { Payer(account: "", weight: $0) }.dividing(amount)
  }

  /// Adds to the rows of payers what each has.
  private mutating func add(
    _ parts: [Int64], to column: RollupColumn, _ rows: [PayerRows], _ unit: String
  ) {
    for (row, part) in zip(rows, parts) { add(part, to: column, row.prefix, unit: unit) }
  }

  /// What is added to a charge counts when that is found, and is no charge of its own.
  private mutating func correct(_ postings: [Posting]) {
    isKnownFormat = true
    for posting in postings where !posting.isLimitOnly {
      guard case .corrected(let difference) = posting.change else { continue }
      let rows = rows(of: posting.payers, posting.operation)
      let parts = divided(difference, over: rows)
      for column in [RollupColumn.certain, .corrected] {
        add(parts, to: column, rows, posting.page.unit)
      }
      add(parts.map { 0 &- min(0, $0) }, to: .correctedDown, rows, posting.page.unit)
    }
  }

  // MARK: Doubts

  private mutating func doubt(_ event: ChargeInDoubt, _ postings: [Posting]) {
    isKnownFormat = !event.moves.isEmpty
    guard isKnownFormat == true else { return }
    var units: [String] = []
    for posting in postings where !posting.isLimitOnly {
      guard case .doubted(let amount) = posting.change else { continue }
      let rows = rows(of: posting.payers, posting.operation)
      add(divided(amount, over: rows), to: .inDoubt, rows, posting.page.unit)
      units.append(posting.page.unit)
    }
    guard let first = units.first else { return }
    let isOfSeveral = units.contains { !$0.utf8.elementsEqual(first.utf8) }
    guard isOfSeveral || isBehind else { return }
    doubts.append(
      DoubtChange(
        fetch: event.fetch, attempt: event.attempt,
        change: .began(pages: units.count, hour: isBehind ? hour : nil)))
  }

  private mutating func close(_ event: ChargeResolved, _ postings: [Posting]) {
    isKnownFormat = event.hasMeter
    guard event.hasMeter else { return }
    for posting in postings where !posting.isLimitOnly {
      guard case .closed(let doubt) = posting.change else { continue }
      let unit = posting.page.unit
      let since = doubt.since.map { RollupKey.hour(of: $0) } ?? hour
      let held = apart { changes in
        let began = changes.rows(of: posting.payers, posting.operation, hour: since)
        changes.add(
          changes.divided(0 &- doubt.amount, over: began),
          to: doubt.wasUnprovable ? .unprovable : .inDoubt, began, unit)
        changes.add(
          changes.divided(doubt.unprovable, over: began), to: .unprovable, began, unit)
      }
      var charge: [(key: KeyBytes, sums: RollupRow)] = []
      if doubt.settled != 0 { charge = settle(doubt.settled, posting) }
      doubts.append(
        DoubtChange(
          fetch: posting.fetch, attempt: posting.attempt,
          change: .closed(
            unit: Array(unit.utf8), isSettled: doubt.settled != 0, isOver: doubt.unprovable == 0,
            held: held, charge: charge)))
    }
  }

  /// What is added to rows meanwhile, and not yet to any.
  private mutating func apart(
    _ add: (inout RollupChanges) -> Void
  ) -> [(key: KeyBytes, sums: RollupRow)] {
    let others = rows
    rows = []
    add(&self)
    defer { rows = others }
    return rows
  }

  /// What is left of a doubt is a charge like any other, when that was found, for what brought nothing.
  ///
  /// - Returns: what counts it, unless it counts in another unit.
  private mutating func settle(
    _ amount: Int64, _ posting: Posting
  ) -> [(key: KeyBytes, sums: RollupRow)] {
    let unit = posting.page.unit
    let payers = rows(of: posting.payers, posting.operation)
    let parts = divided(amount, over: payers)
    add(parts, to: .certain, payers, unit)
    add(parts, to: .failed, payers, unit)
    count(.unitCharges, payers, unit: unit)
    return apart { $0.count(.charges, payers) }
  }

  // MARK: Readings

  private mutating func observe(_ unit: String, _ unexplained: Int64, isRestoreGap: Bool) {
    let prefix = prefix(Payer(), "")
    add(1, to: .readings, prefix)
    if isRestoreGap {
      remarks.insert(.restoreGap)
      add(1, to: .restoreGaps, prefix)
      add(unexplained, to: .restoreGap, prefix, unit: unit)
    } else if unexplained != 0 {
      remarks.insert(.drift)
      add(1, to: .drifts, prefix)
      add(unexplained, to: .unexplained, prefix, unit: unit)
    }
  }
}

/// A payer, and what the keys of its rows begin with.
private struct PayerRows {
  let payer: Payer
  let prefix: [UInt8]

  func isOfAccount(_ other: PayerRows) -> Bool {
    payer.account.utf8.elementsEqual(other.payer.account.utf8)
  }

  func isOfKind(_ other: PayerRows) -> Bool {
    payer.kind.utf8.elementsEqual(other.payer.kind.utf8)
  }
}

extension Share {
  /// Whether later events tell what became of it.
  fileprivate var isUndecided: Bool { use == .refreshed && written != 0 }

  /// The class of waste of what is decided.
  fileprivate var column: RollupColumn { isPassedThrough ? .passedThrough : use.column }
}

extension RecordedEvent {
  /// Whether the clock said another hour than that of the commit time, which it never is behind.
  var isInEarlierHour: Bool {
    wall != time && RollupKey.hour(of: wall) != RollupKey.hour(of: time)
  }
}

extension Use {
  /// The class of waste of a charge that is decided.
  fileprivate var column: RollupColumn {
    switch self {
    case .served: .served
    // No entry was written, so nobody reads it.
    case .refreshed: .neverRead
    case .duplicate: .duplicate
    case .unchanged: .unchanged
    case .handedOn: .handedOn
    case .failed, .unspecified, .UNRECOGNIZED: .failed
    }
  }
}
