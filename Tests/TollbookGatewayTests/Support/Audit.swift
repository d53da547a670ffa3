import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

/// Reads a log from where it came to last time, and checks what must hold at every position.
struct Audit {
  struct Fetch {
    var resources: [String]
    var contentSet: UInt64
  }

  private(set) var meter = Meter()
  private(set) var open: [Position: Fetch] = [:]
  /// What was written of what its fetch was asked for, and its shares of the costs.
  private(set) var written = 0
  private(set) var writtenTokens: Int64 = 0
  /// How often each kind of event, failure and refusal was seen.
  private(set) var counts: [String: Int] = [:]
  private(set) var complaint: String?
  /// What each fetch was asked for.
  private var asked: [Position: Set<String>] = [:]
  private var position: Position = 0

  mutating func complain(_ problem: String) { complaint = complaint ?? problem }

  mutating func read(_ log: EventLog) throws {
    let start = position
    let ledger = LedgerView(log)
    let (events, stored, holds, parked) = try log.read { (transaction) throws(LogError) in
      var events: [RecordedEvent] = []
      try log.reader.scan(after: start, in: transaction) { (recorded) throws(LogError) in
        events.append(recorded)
        return .next
      }
      return (
        events, try ledger.meter(World.key, in: transaction),
        try ledger.holds(in: transaction), try log.reader.parkedCount(in: transaction)
      )
    }
    for event in events { take(event) }
    if stored.terms != meter.terms || stored.reading != meter.reading
      || stored.lastDoubtSent != meter.lastDoubtSent
      || stored.awaitsRestoreGap != meter.awaitsRestoreGap
    {
      complain("the ledger's meter is not the sum of its events")
    }
    if parked > 0 { complain("\(parked) events could not be applied") }
    for (term, state) in [
      (LedgerTerm.reserved, Hold.State.reserved), (.inDoubt, .inDoubt),
      (.unprovable, .unprovable),
    ] {
      let sum = holds.filter { $0.state == state }.reduce(0) { $0 + $1.amount }
      if sum != meter[term] { complain("\(term) is \(meter[term]), and its holds are \(sum)") }
    }
  }

  private mutating func take(_ recorded: RecordedEvent) {
    position = recorded.position
    count("event \(recorded.event.kind.name)")
    switch recorded.event {
    case .fetchStarted(let event):
      admit(recorded)
      begin(event)
    case .fetchAttemptFailed(let event):
      count("failure \(event.reason)")
      if event.nextAttempt > 0 { admit(recorded) }
    case .fetchSucceeded(let event): open[event.fetch] = nil
    case .fetchFailed(let event):
      count("failure \(event.reason)")
      open[event.fetch] = nil
    case .cacheWritten(let event):
      if asked[event.fetch]?.contains(event.resource) == true { written += 1 }
      writtenTokens += event.amounts.count(of: World.key.unit)
    case .chargeResolved(let event) where event.evidence == .restored: count("gap with doubts")
    case .spendRefused(let event): count("refusal \(event.reason)")
    case .tokensCharged(let event):
      let cost = event.moves.reduce(0) { $0 + $1.amount }
      let sum = event.shares.reduce(0) { $0 + $1.amounts.reduce(0, +) }
      if sum != cost { complain("shares of \(cost) sum to \(sum)") }
    default: break
    }
    // A restore concerns the meters that are there.
    let isOfMeter = recorded.event.postings(at: position).contains { $0.page == World.key }
    if isOfMeter || recorded.event.kind == .logRestored && meter != Meter() {
      meter.apply(recorded.event, to: World.key)
    }
    if meter.residual != 0 { complain("the residual is \(meter.residual) at \(position)") }
  }

  private mutating func count(_ name: String) { counts[name, default: 0] += 1 }

  /// Law 7: what is reserved fits what is there, refills included that must have come.
  private mutating func admit(_ recorded: RecordedEvent) {
    let time = recorded.time
    var bound: Int64 = 0
    for posting in recorded.event.postings(at: position) {
      if case .reserved(let amount) = posting.change { bound += amount }
    }
    if isFrugal, bound > Admission.available(on: meter, at: time) {
      complain("\(bound) was reserved of \(Admission.available(on: meter, at: time))")
    }
  }

  /// Whether no overdraft is allowed.
  var isFrugal = true

  /// Law 6: no two fetches of a resource and content set are open at once.
  private mutating func begin(_ event: FetchStarted) {
    for (position, other) in open where other.contentSet == event.contentSet {
      let shared = Set(other.resources).intersection(event.resources)
      if !shared.isEmpty { complain("\(shared) is fetched already since \(position)") }
    }
    asked[position] = Set(event.resources)
    open[position] = Fetch(resources: event.resources, contentSet: event.contentSet)
  }
}

/// Set once, by another task.
final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
  func set() { value.store(true, ordering: .sequentiallyConsistent) }
}
