import Bytes
import LMDB
import TollbookEvents
package import TollbookLog

/// Keeps the books of every meter, a page for each of its windows.
///
/// | table | key | value |
/// |---|---|---|
/// | `meters` | page | the page's row |
/// | `holds` | fetch (8), attempt (4) | what is held for the attempt, page by page |
/// | `spend` | window, 0, account, 0, operation, 0, unit | amount (8), charges (8) |
/// | `credentials` | credential | status (1), upstream, unit, detail |
/// | `past` | page, 0, position (8) | the page's row after that position |
/// | `closed` | page | the page's row, position of the event that closed it (8) |
///
/// A page is named by the bytes of its ``MeterKey``. Of a meter that counts in windows the last window, by its name, is
/// in `meters`, and others while something is held on them whose end will still be booked there; the rest is in
/// `closed`, from where a later event brings a page back. So a clock that is set back finds a spent window spent, and
/// `meters` stays small.
///
/// `past` has a row before a page's first change in each block of 1,024 positions, and one before each restore of the
/// log. So a page as it stood at any position is one row and the events that follow it in a block, and a change of a
/// page mostly costs nothing.
package enum LedgerFold {
  package static let fold = Fold(
    name: "ledger", version: 3,
    tables: ["meters", "holds", "spend", "credentials", "past", "closed"],
    cadence: .eachDecision, predecessors: [second]
  ) { (events, tables, transaction) throws(LMDBError) in
    var books = LedgerBooks(tables)
    var parked: [Fold.Parked] = []
    let events = events.span
    for index in events.indices {
      if let problem = try books.apply(events[index], in: transaction.reading) {
        parked.append(Fold.Parked(position: events[index].position, reason: problem))
      }
    }
    try books.write(to: &transaction)
    return parked
  }

  /// The window that counts everything.
  package static let allTime = "total"
}

/// The rows that a run of events touches, changed in memory and written once at its end.
///
/// In memory they stand under the bytes of their keys and not under texts: to Swift two texts can be equal that differ
/// in their bytes, and then the rows would depend on how the events are cut into runs.
private struct LedgerBooks {
  private let meterTable: Table
  private let holdTable: Table
  private let spendTable: Table
  private let credentialTable: Table
  private let pastTable: Table
  private let closedTable: Table
  private var pages: [KeyBytes: Page] = [:]
  /// Nil: nothing is held any more.
  private var holds: [KeyBytes: AttemptHolds?] = [:]
  private var spend: [KeyBytes: Spend] = [:]
  private var credentials: [KeyBytes: Credential] = [:]
  private var past: [KeyBytes: Meter] = [:]

  /// A page, and in which of the two tables it is and shall be.
  private struct Page {
    var meter: Meter
    /// The position of the event that closed it; nil: it is in `meters`.
    var closed: Position?
    var wasClosed: Bool
  }

  init(_ tables: [Table]) {
    meterTable = tables[0]
    holdTable = tables[1]
    spendTable = tables[2]
    credentialTable = tables[3]
    pastTable = tables[4]
    closedTable = tables[5]
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .credentialAdded(let event):
      let key = Array(event.credential.utf8)
      guard isPossible(key: key) else { return "its credential cannot be a key" }
      credentials[KeyBytes(key)] = Credential(
        status: .unspecified, upstream: event.upstream, unit: event.unit, detail: "")
      return nil
    case .credentialStatusChanged(let event):
      let key = Array(event.credential.utf8)
      guard var credential = try credential(key, in: transaction) else {
        return "its credential was never added"
      }
      credential.status = event.status
      credential.detail = event.detail
      credentials[KeyBytes(key)] = credential
      return nil
    case .logRestored:
      for key in try metersWithoutWindow(in: transaction) {
        try change(key, by: recorded, [], in: transaction)
      }
      return nil
    default: break
    }
    guard recorded.event.hasPostings else { return nil }
    let postings = recorded.postings
    let charges = charges(of: recorded.event, postings)
    guard
      postings.allSatisfy({ $0.page.isPossible && isPossible(spendOf: $0) }),
      charges.allSatisfy({ isPossible(key: $0.key.bytes, names: $0.names) })
    else { return "its names cannot be keys" }
    var changes: [(key: KeyBytes, holds: AttemptHolds?)] = []
    for posting in postings {
      if let problem = try hold(posting, recorded, &changes, in: transaction) { return problem }
    }
    for (index, posting) in postings.enumerated()
    where !postings[..<index].contains(where: { $0.page == posting.page }) {
      try change(posting.page, by: recorded, postings, in: transaction)
    }
    for change in changes { holds[change.key] = .some(change.holds) }
    for charge in charges { try add(charge, in: transaction) }
    for posting in postings where posting.page.isOfWindow {
      try closeOld(like: posting.page, at: recorded.position, in: transaction)
    }
    return nil
  }

  /// Whether LMDB takes the key, and the names in it can be told apart.
  private func isPossible(key: [UInt8], names: [String] = []) -> Bool {
    (1...511).contains(key.count) && names.allSatisfy { !$0.utf8.contains(0) }
  }

  /// Whether what is reserved now can be charged later: under the names of its payers.
  private func isPossible(spendOf posting: Posting) -> Bool {
    guard case .reserved = posting.change else { return true }
    return posting.payers.allSatisfy { payer in
      let key = Spend.key(
        window: LedgerFold.allTime, account: payer.account, operation: posting.operation,
        unit: posting.page.unit)
      return isPossible(key: key, names: [payer.account, posting.operation])
    }
  }

  mutating func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    for (key, page) in pages {
      var row = page.meter.row
      if let closed = page.closed {
        row.append(bigEndian: closed)
        try transaction.put(row.span, forKey: key.bytes.span, in: closedTable)
        if !page.wasClosed { _ = try transaction.delete(key: key.bytes.span, in: meterTable) }
      } else {
        try transaction.put(row.span, forKey: key.bytes.span, in: meterTable)
        if page.wasClosed { _ = try transaction.delete(key: key.bytes.span, in: closedTable) }
      }
    }
    for (key, meter) in past {
      try transaction.put(meter.row.span, forKey: key.bytes.span, in: pastTable)
    }
    for (key, holds) in holds {
      if let holds {
        try transaction.put(holds.row.span, forKey: key.bytes.span, in: holdTable)
      } else {
        _ = try transaction.delete(key: key.bytes.span, in: holdTable)
      }
    }
    for (key, spend) in spend {
      try transaction.put(spend.row.span, forKey: key.bytes.span, in: spendTable)
    }
    for (key, credential) in credentials {
      try transaction.put(credential.row.span, forKey: key.bytes.span, in: credentialTable)
    }
  }

  // MARK: Pages

  /// Changes a page, and keeps how it stood if this is its first change in a block.
  private mutating func change(
    _ key: MeterKey, by recorded: RecordedEvent, _ postings: [Posting],
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    var page = try page(key, in: transaction)
    if let before = MeterPast.position(toKeepBefore: recorded, after: page.meter.lastChange) {
      past[KeyBytes(MeterPast.key(of: key.bytes, after: before))] = page.meter
    }
    page.meter.apply(recorded.event, postings: postings, at: recorded.position, opening: key)
    page.closed = nil
    pages[KeyBytes(key.bytes)] = page
  }

  private func page(
    _ key: MeterKey, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Page {
    if let known = pages[KeyBytes(key.bytes)] { return known }
    if let meter = try stored(key.bytes, in: meterTable, transaction, Meter.init(row:)) {
      return Page(meter: meter, closed: nil, wasClosed: false)
    }
    if key.isOfWindow,
      let page = try stored(
        key.bytes, in: closedTable, transaction,
        { (row) -> Page? in
          guard let meter = Meter(row: row) else { return nil }
          return Page(meter: meter, closed: Meter.closed(row: row), wasClosed: true)
        })
    {
      return page
    }
    return Page(meter: Meter(), closed: nil, wasClosed: false)
  }

  /// Closes the pages of a meter's windows but the last one, those on which nothing is held.
  private mutating func closeOld(
    like page: MeterKey, at position: Position, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    let prefix = page.meterBytes
    var keys: Set<MeterKey> = []
    try transaction.scan(meterTable, prefix: prefix.span) { (key, _) throws(LMDBError) in
      keys.insert(MeterKey(bytes: [UInt8](copying: key)))
      return .next
    }
    for key in pages.keys where key.bytes.starts(with: prefix) {
      keys.insert(MeterKey(bytes: key.bytes))
    }
    var open: [MeterKey] = []
    for key in keys where key.isOfWindow {
      if try self.page(key, in: transaction).closed == nil { open.append(key) }
    }
    guard open.count > 1, let last = open.max() else { return }
    for key in open where key != last {
      var page = try self.page(key, in: transaction)
      guard !page.meter.isHolding else { continue }
      page.closed = position
      pages[KeyBytes(key.bytes)] = page
    }
  }

  /// The keys of all meters that do not count in windows, stored or changed in this run.
  private func metersWithoutWindow(
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Set<MeterKey> {
    var keys = Set(pages.keys.map { MeterKey(bytes: $0.bytes) })
    try transaction.scan(meterTable) { (key, _) throws(LMDBError) in
      keys.insert(MeterKey(bytes: [UInt8](copying: key)))
      return .next
    }
    return keys.filter { !$0.isOfWindow }
  }

  // MARK: Holds

  /// What becomes of what is held, by a posting and those before it of the same event.
  ///
  /// - Returns: why it cannot be; nil: it can.
  private func hold(
    _ posting: Posting, _ recorded: RecordedEvent,
    _ changes: inout [(key: KeyBytes, holds: AttemptHolds?)],
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch posting.change {
    case .observed, .corrected: return nil
    default: break
    }
    let key = KeyBytes(AttemptHolds.key(fetch: posting.fetch, attempt: posting.attempt))
    let place = changes.firstIndex { $0.key == key }
    var attempt: AttemptHolds?
    if let place {
      attempt = changes[place].holds
    } else {
      attempt = try holds(posting.fetch, posting.attempt, in: transaction)
    }
    if let problem = Self.change(&attempt, by: posting, recorded, isFirst: place == nil) {
      return problem
    }
    if attempt?.parts.isEmpty == true { attempt = nil }
    if let place { changes[place].holds = attempt } else { changes.append((key, attempt)) }
    return nil
  }

  private static func change(
    _ attempt: inout AttemptHolds?, by posting: Posting, _ recorded: RecordedEvent, isFirst: Bool
  ) -> String? {
    if case .reserved(let amount) = posting.change {
      guard amount >= 0 else { return "less than nothing cannot be reserved" }
      guard attempt == nil || !isFirst, attempt?.index(of: posting.page) == nil else {
        return "the attempt has a reservation already"
      }
      let part = AttemptHolds.Part(
        state: .reserved, isLimitOnly: posting.isLimitOnly, amount: amount, doubted: nil,
        meter: posting.page)
      var holds =
        attempt
        ?? AttemptHolds(
          since: recorded.time, operation: posting.operation, payers: posting.payers, parts: [])
      holds.parts.append(part)
      attempt = holds
      return nil
    }
    guard let index = attempt?.index(of: posting.page), let part = attempt?.parts[index] else {
      return problem(posting)
    }
    switch posting.change {
    case .charged(_, let reservation):
      // An event of format 1 ends all that is held.
      let least = recorded.event.isFirstFormat ? part.amount : 0
      guard part.state == .reserved, (least...part.amount).contains(reservation) else {
        return problem(posting)
      }
      if reservation == part.amount {
        attempt?.parts.remove(at: index)
      } else {
        attempt?.parts[index].amount -= reservation
      }
    case .released(let amount):
      guard part.state == .reserved, part.amount == amount else { return problem(posting) }
      attempt?.parts.remove(at: index)
    case .doubted(let amount):
      guard part.state == .reserved, part.amount == amount else { return problem(posting) }
      attempt?.parts[index].state = .inDoubt
      let doubted = recorded.event.isFirstFormat ? attempt?.since : recorded.time
      attempt?.parts[index].doubted = doubted
    case .closed(let doubt):
      guard part.state == (doubt.wasUnprovable ? .unprovable : .inDoubt),
        part.amount == doubt.amount,
        min(doubt.settled, doubt.released, doubt.unprovable) >= 0,
        doubt.amount == doubt.settled &+ doubt.released &+ doubt.unprovable
      else { return problem(posting) }
      if doubt.unprovable > 0 {
        attempt?.parts[index].state = .unprovable
        attempt?.parts[index].amount = doubt.unprovable
      } else {
        attempt?.parts.remove(at: index)
      }
    case .reserved, .observed, .corrected: break
    }
    return nil
  }

  private static func problem(_ posting: Posting) -> String {
    if case .closed = posting.change {
      return "a doubt that it closes is not open, or of another amount"
    }
    return "nothing of that amount is reserved for the attempt"
  }

  // MARK: Spend

  private struct Charge {
    var key: KeyBytes
    var names: [String]
    var amount: Int64
    /// Whether it is a charge of its own; else it corrects one.
    var isCharge: Bool
  }

  /// What an event adds to the spend, in each of its windows, once for each account and unit.
  private func charges(of event: Event, _ postings: [Posting]) -> [Charge] {
    let windows: [String]
    var isCharge = true
    switch event {
    case .tokensCharged(let event): windows = event.windows
    case .chargeResolved(let event): windows = event.windows
    case .chargeCorrected(let event): (windows, isCharge) = (event.windows, false)
    default: return []
    }
    var charges: [Charge] = []
    for posting in postings where !posting.isLimitOnly {
      let unit = posting.page.unit
      for (account, amount) in posting.spendByAccount {
        for window in [LedgerFold.allTime] + windows {
          let key = Spend.key(
            window: window, account: account, operation: posting.operation, unit: unit)
          charges.append(
            Charge(
              key: KeyBytes(key), names: [window, account, posting.operation], amount: amount,
              isCharge: isCharge))
        }
      }
    }
    return charges
  }

  private mutating func add(
    _ charge: Charge, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    var row = Spend(amount: 0, charges: 0)
    if let known = spend[charge.key] {
      row = known
    } else if let found = try stored(
      charge.key.bytes, in: spendTable, transaction, Spend.init(row:))
    {
      row = found
    }
    row.amount &+= charge.amount
    if charge.isCharge { row.charges += 1 }
    spend[charge.key] = row
  }

  // MARK: Rows, from memory or from the table

  private func credential(
    _ key: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Credential? {
    guard isPossible(key: key) else { return nil }
    if let known = credentials[KeyBytes(key)] { return known }
    return try stored(key, in: credentialTable, transaction, Credential.init(row:))
  }

  private func holds(
    _ fetch: Position, _ attempt: UInt32, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> AttemptHolds? {
    let key = AttemptHolds.key(fetch: fetch, attempt: attempt)
    if let known = holds[KeyBytes(key)] { return known }
    return try stored(key, in: holdTable, transaction, AttemptHolds.init(row:))
  }

  private func stored<Row>(
    _ key: [UInt8], in table: Table, _ transaction: borrowing ReadTransaction,
    _ read: (RawSpan) -> Row?
  ) throws(LMDBError) -> Row? {
    try transaction.row(forKey: key.span, in: table, read)
  }
}

extension Event {
  /// Whether it is a charge or a doubt as format 1 wrote it.
  fileprivate var isFirstFormat: Bool {
    switch self {
    case .tokensCharged(let event): event.moves.isEmpty
    case .chargeInDoubt(let event): event.moves.isEmpty
    default: false
    }
  }
}

extension Posting {
  /// What each account is charged; each once.
  fileprivate var spendByAccount: [(account: String, amount: Int64)] {
    let parts: [Int64]
    switch change {
    case .charged, .corrected: parts = shares
    case .closed(let doubt) where doubt.settled > 0: parts = divided(doubt.settled)
    default: return []
    }
    if payers.count == 1 { return [(payers[0].account, parts.first ?? 0)] }
    var sums: [(account: String, amount: Int64)] = []
    for (payer, part) in zip(payers, parts) {
      if let index = sums.firstIndex(where: { Array($0.account.utf8) == Array(payer.account.utf8) })
      {
        sums[index].amount &+= part
      } else {
        sums.append((payer.account, part))
      }
    }
    return sums
  }
}
