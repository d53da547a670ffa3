import LMDB
import TollbookEvents
import TollbookLog

/// Adds up what the events of a log say about tokens, in one pass.
///
/// It begins at the log's first event, also if the range begins later: what an entry cost that answers a read, or
/// whether a call was in doubt, may be told before. Only what happens in the range is counted. Frequent kinds are read
/// field by field; of those that do not matter only the tag is looked at.
struct AuditFold {
  struct Options: Sendable {
    /// Counts begin after this position.
    var after: Position = 0
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
  let account: Int?
  var groups = AuditGroups()
  var waste = WasteSums()
  var reconciliation = Reconciliation()

  var shelf = AuditShelf()
  var calls: [Position: AuditCall] = [:]
  var doubts: [DoubtKey: AuditDoubt] = [:]
  var meters: [MeterNames: MeterWatch] = [:]

  /// Events in the range, and when the first and the last of them were.
  private(set) var events: UInt64 = 0
  private(set) var first: Timestamp?
  private(set) var last = Timestamp(milliseconds: .min)
  /// Events in the range that were left out because the ledger could not apply them.
  var parked: UInt64 = 0

  // The event that is being applied.
  var position: Position = 0
  var isCounting = false

  /// Whether it has to know which resources a call is for.
  let followsResources: Bool

  init(_ options: Options) {
    self.options = options
    calendar = options.calendar
    var names = Names()
    account = options.account.map { names.number(of: $0) }
    self.names = names
    followsResources = options.withWaste || options.grouping.divides
  }

  /// Applies a record that was checked against its checksum.
  mutating func apply(_ position: Position, _ record: RawSpan) throws(LogError) {
    self.position = position
    isCounting = position > options.after
    last = Record.time(of: record)
    if isCounting {
      events += 1
      if first == nil { first = last }
    }
    let tag = Record.tag(of: record)
    guard let kind = EventKind(rawValue: tag) else {
      throw damaged("\(EventCodingError.unknownKind(tag))")
    }
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
      guard let event = ExpiredFields(record, payload) else { throw malformed(kind) }
      if !options.parkedByCache.contains(position) { expired(event, record) }
    case .cacheEvicted, .cachePurged, .reservationReleased, .chargeInDoubt, .chargeResolved,
      .spendRefused:
      try applyRare(record)
    case .bodiesPruned, .credentialAdded, .credentialStatusChanged, .serviceStarted,
      .serviceRecovered, .snapshotTaken, .logRestored:
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
    case .reservationReleased(let event):
      if isApplied() { attemptBooked(event.fetch, event.attempt) }
    case .chargeInDoubt(let event): if isApplied() { doubted(event) }
    case .chargeResolved(let event): if isApplied() { resolved(event) }
    case .spendRefused(let event): refused(event)
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

  private func damaged(_ problem: String) -> LogError {
    .damaged(Damage(table: LogTables.eventsName, position: position, problem: problem))
  }

  /// Brings what is undecided at the end of the range into its class of waste.
  mutating func finish() {
    for place in shelf.places.indices {
      if let replaced = shelf[place].replaced { settle(replaced, of: place, isOver: true) }
      for entry in shelf[place].entries { settle(entry, of: place, isOver: false) }
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

  /// Adds what a call did: to its group, or to each resource's group its part.
  ///
  /// - Parameters:
  ///   - delta: what is added to the total.
  ///   - part: what each resource's group gets, given its index among the call's.
  mutating func add(
    _ delta: AuditSums, of call: AuditCall?, at time: Timestamp,
    part: (Int) -> AuditSums = { _ in .zero }
  ) {
    guard options.grouping.divides else {
      let key = group(
        at: time, account: call?.account, credential: call?.credential,
        operation: call?.operation)
      return groups.add(delta, to: key)
    }
    groups.addToTotal(delta)
    guard let call, !call.resources.isEmpty else { return groups.addToGroup(delta, .unknown) }
    var touched: AuditGroups.Key?
    for (index, place) in call.resources.enumerated() {
      let key = group(ofResource: shelf[place].name)
      var share = part(index)
      if key != touched {
        // Counts are of what touches a group.
        share.calls &+= delta.calls
        share.retries &+= delta.retries
        share.charges &+= delta.charges
        touched = key
      }
      groups.addToGroup(share, key)
    }
  }
}
