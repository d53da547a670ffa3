import TollbookArchive
import TollbookEvents
import TollbookLog

/// Adds up what the events of a log say about spending, in one pass.
///
/// It begins at the log's first event, also if the range begins later: what an entry cost that answers a read, or
/// whether a call was in doubt, may be told before. Only what happens in the range is counted. Frequent kinds are read
/// field by field; of those that do not matter only the tag is looked at. Units are numbers, as names are.
struct AuditFold {
  struct Options: Sendable {
    /// Counts begin after this position.
    var after: Position = 0
    /// Counts end with this position, and what follows only tells more of what was counted; nil: nothing follows, and
    /// what happens in the range to what began before it counts in the range.
    var through: Position?
    var grouping = AuditGrouping.day
    var calendar = AuditCalendar.utc
    /// Only what is of this account.
    var account: String?
    var withWaste = true
    /// Events that the ledger could not apply, and the cache: they moved nothing.
    var parkedByLedger: Set<Position> = []
    var parkedByCache: Set<Position> = []
  }

  let options: Options
  var calendar: AuditCalendar
  var names: Names
  /// Their numbers are the places in all amounts by unit.
  var units = Names()
  let account: Int?
  var groups = AuditGroups()
  private(set) var waste: [WasteSums] = []
  var reconciliation = Reconciliation()

  var shelf = AuditShelf()
  var calls: [Position: AuditCall] = [:]
  var doubts: [AttemptKey: AuditDoubt] = [:]
  /// Of attempts that began in the range.
  var reservations: [AttemptKey: AuditReservation] = [:]
  var meters: [AuditMeter: MeterWatch] = [:]
  /// A call of which all is booked but for what the same commit may still tell.
  var ending: Position?

  /// Refreshes of which later events tell whether they are read, by the positions of their entries; those that ended.
  var refreshes: [Position: RefreshWatch] = [:]
  var endedRefreshes: [Position] = []
  var endedRefreshLimit = 1_024

  /// Events in the range, and when the first and the last of them were.
  private(set) var events: UInt64 = 0
  private(set) var first: Timestamp?
  private(set) var lastCounted = Timestamp(milliseconds: .min)
  /// What the cache held at the end of the range; nil: not known.
  private(set) var live: LiveEntries?
  /// The commit time of the event that is being applied: what is listed is dated so.
  private(set) var last = Timestamp(milliseconds: .min)
  /// What the clock said at its commit: what has an age or a day goes by it.
  private(set) var wall = Timestamp(milliseconds: .min)
  /// Events in the range that were left out because the ledger could not apply them.
  var parked: UInt64 = 0

  // The event that is being applied.
  var position: Position = 0
  var isCounting = false

  /// Whether it has to know which resources a call is for, and who pays for each.
  let followsResources: Bool

  init(_ options: Options) {
    self.options = options
    calendar = options.calendar
    var names = Names()
    account = options.account.map { names.number(of: $0) }
    self.names = names
    followsResources = options.withWaste || options.grouping.divides || options.account != nil
  }

  /// Applies a record that was checked against its checksum.
  ///
  /// - Parameter wall: what the clock said at its commit.
  mutating func apply(
    _ position: Position, _ wall: Timestamp, _ record: RawSpan
  ) throws(LogError) {
    self.position = position
    if position > options.through ?? .max, live == nil { noteLive() }
    isCounting = position > options.after && position <= options.through ?? .max
    last = Record.time(of: record)
    if wall < self.wall { clockIsSetBack() }
    self.wall = wall
    if isCounting {
      events += 1
      lastCounted = last
      if first == nil { first = last }
    }
    let tag = Record.tag(of: record)
    guard let kind = EventKind(rawValue: tag) else {
      throw damaged("\(EventCodingError.unknownKind(tag))")
    }
    if ending != nil, !kind.isOfLedger { forgetEnding() }
    let payload = Record.payload(of: record)
    switch kind {
    case .fetchStarted:
      guard
        let event = StartedFields(record, payload, withResources: followsResources)
      else { throw malformed(kind) }
      started(event, record)
    case .fetchSucceeded, .fetchAttemptFailed, .fetchFailed:
      guard let event = EndedFields(record, payload, kind: kind) else { throw malformed(kind) }
      ended(event, kind)
      if event.nextAttempt > 0, isCounting { try reservedAgain(record) }
    case .cacheWritten:
      guard let event = WrittenFields(record, payload) else { throw malformed(kind) }
      if !options.parkedByCache.contains(position) { written(event, record) }
    case .readsTallied:
      guard tallied(record, payload) else { throw malformed(kind) }
    case .tokensCharged:
      guard let event = ChargedFields(record, payload, withShares: followsResources) else {
        throw malformed(kind)
      }
      if isApplied() { charged(event, record) }
    case .balanceObserved:
      guard let event = ObservedFields(record, payload) else { throw malformed(kind) }
      observed(event, record)
    case .cacheExpired:
      guard let event = SweptFields(record, payload) else { throw malformed(kind) }
      if !options.parkedByCache.contains(position) { expired(event, record) }
    case .entriesSwept:
      guard swept(record, payload) else { throw malformed(kind) }
    case .cacheEvicted, .cachePurged, .reservationReleased, .chargeInDoubt, .chargeResolved,
      .spendRefused, .windowObserved, .chargeCorrected, .invoicePosted:
      try applyRare(record)
    case .bodiesPruned, .credentialAdded, .credentialStatusChanged, .serviceStarted,
      .serviceRecovered, .snapshotTaken, .logRestored, .jobQueued, .jobStarted, .jobProgressed,
      .jobFinished, .accountOpened, .accountClosed, .accessKeyIssued,
      .accessKeyRevoked, .budgetSet, .budgetRemoved, .webhookSet, .webhookRemoved, .alertRaised,
      .alertCleared, .notificationSent, .notificationRequeued,
      .credentialSet, .credentialRemoved, .credentialCooled, .poolSet, .requestBegun,
      .requestAnswered, .requestsForgotten:
      break
    }
  }

  private mutating func applyRare(_ record: RawSpan) throws(LogError) {
    let event: Event
    do throws(Damage) { event = try Record.decoding(record, at: position).event } catch {
      throw .damaged(error)
    }
    switch event {
    case .cacheEvicted(let event):
      if !options.parkedByCache.contains(position) {
        removed(event.resource, event.contentSet, written: event.written)
      }
    case .cachePurged(let event):
      if !options.parkedByCache.contains(position) { purged(event) }
    case .reservationReleased(let released):
      guard isApplied() else { break }
      reservationEnded(event.postings(at: position))
      attemptBooked(released.fetch, released.attempt)
    case .chargeInDoubt(let doubt):
      if isApplied() { doubted(doubt, event.postings(at: position)) }
    case .chargeResolved(let resolution):
      if isApplied() { resolved(resolution, event.postings(at: position)) }
    case .spendRefused(let event): refused(event)
    case .windowObserved(let event): observed(event)
    case .chargeCorrected(let correction):
      if isApplied() { corrected(correction, event.postings(at: position)) }
    case .invoicePosted(let bill): billed(bill)
    default: break
    }
  }

  /// Whether the ledger applied the event.
  private mutating func isApplied() -> Bool {
    guard options.parkedByLedger.contains(position) else { return true }
    if isCounting { parked += 1 }
    return false
  }

  private func malformed(_ kind: EventKind) -> LogError {
    damaged("\(EventCodingError.malformed(kind))")
  }

  func damaged(_ problem: String) -> LogError {
    .damaged(Damage(table: LogTables.eventsName, position: position, problem: problem))
  }

  /// Counts what is still reserved, and brings what is undecided at the end of the range into its class of waste.
  mutating func finish() throws(LogError) {
    try countReservations()
    for place in shelf.places.indices {
      if let replaced = shelf[place].replaced { settle(replaced, of: place, isOver: true) }
      for entry in shelf[place].entries { settle(entry, of: place, isOver: false) }
    }
    decideRefreshes()
    if live == nil { noteLive() }
  }

  /// For how long an entry may have been no longer fresh until it should be noted.
  static let overdueMilliseconds: Int64 = 3_600_000

  private mutating func noteLive() {
    let bound = wall.advanced(byMilliseconds: -Self.overdueMilliseconds)
    live = LiveEntries(all: shelf.entryCount, overdue: shelf.overdueCount(at: bound))
  }

  /// Notes which events are in the range, and what the cache held at its end, where they are not applied.
  mutating func note(events: UInt64, first: Timestamp, last: Timestamp, live: LiveEntries?) {
    self.events = events
    self.first = first
    lastCounted = last
    self.live = live
  }

  mutating func addWaste(_ amount: Int64, _ wasteClass: WasteClass, unit: Int) {
    while waste.count <= unit { waste.append(.zero) }
    waste[unit][wasteClass] &+= amount
  }
}

extension EventKind {
  /// Whether it may stand among the bookings of one attempt.
  fileprivate var isOfLedger: Bool {
    switch self {
    case .tokensCharged, .reservationReleased, .chargeInDoubt, .balanceObserved, .windowObserved:
      true
    default: false
    }
  }
}

// MARK: Groups

extension AuditFold {
  func isWanted(_ account: Int?) -> Bool {
    guard let wanted = self.account else { return true }
    return account == wanted
  }

  /// The group of something that is not divided by resources.
  mutating func group(
    at time: Timestamp, account: Int?, credential: Int?, operation: Int?
  ) -> AuditGroups.Key {
    switch options.grouping {
    case .day: .time(calendar.day(of: time))
    case .hour: .time(calendar.hour(of: time))
    case .account: account.map { .name($0) } ?? .unknown
    case .credential: credential.map { .name($0) } ?? .unknown
    case .operation: operation.map { .name($0) } ?? .unknown
    case .kind, .resource: .unknown
    }
  }

  /// The group of a resource, where groups are resources or classes of them.
  mutating func group(ofResource name: ByteName) -> AuditGroups.Key {
    .name(names.number(of: options.grouping == .kind ? name.kind : name))
  }

  /// The group of what is for no resource but for the call itself.
  mutating func groupOfCallItself() -> AuditGroups.Key {
    .name(names.number(of: ByteName(bytes: [])))
  }
}
