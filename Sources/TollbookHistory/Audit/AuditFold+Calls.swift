import LMDB
import TollbookEvents

/// A call to an upstream as an audit follows it, until it has ended and nothing of it is in doubt.
struct AuditCall: Sendable {
  /// What is known of each resource.
  struct Marks: OptionSet, Sendable {
    let rawValue: UInt8

    /// There was no need to buy it.
    static let duplicate = Marks(rawValue: 1)
    /// The answer was kept.
    static let brought = Marks(rawValue: 2)
    /// It was what had been there before.
    static let unchanged = Marks(rawValue: 4)
    /// The entry is gone; it had been read while it was fresh, or not.
    static let used = Marks(rawValue: 8)
    static let unread = Marks(rawValue: 16)
  }

  /// Numbers of names; nil: it began before what the log holds.
  var account: Int?
  var credential: Int?
  var operation: Int?
  var contentSet: UInt32 = 0
  var isBehind = false
  /// Places on the shelf, in request order.
  var resources: [Int] = []
  var marks: [Marks] = []
  /// The index after the resource that was marked last.
  var marked = 0
  /// The attempt that was answered; 0: none.
  var succeeded: UInt32 = 0
  /// Nothing more will be booked for it, but for doubts.
  var isOver = false
  var openDoubts = 0

  /// The index of a place among the resources, looked for from where it is expected.
  func index(of place: Int, near hint: Int) -> Int? {
    if hint < resources.count, resources[hint] == place { return hint }
    return resources.firstIndex(of: place)
  }
}

struct DoubtKey: Hashable, Sendable {
  var fetch: Position
  var attempt: UInt32
}

/// Tokens that are in doubt or unprovable, as an audit follows them.
struct AuditDoubt: Sendable {
  /// When it began.
  var time: Timestamp
  /// Of the call, for its groups; a doubt outlives it.
  var account: Int?
  var credential: Int?
  var operation: Int?
}

struct MeterNames: Hashable, Sendable {
  var credential: Int
  var unit: Int
}

extension AuditFold {
  mutating func started(_ event: StartedFields, _ record: RawSpan) {
    var call = AuditCall()
    let account = names.number(of: event.account, in: record)
    let credential = names.number(of: event.credential, in: record)
    call.account = account
    call.credential = credential
    call.operation = names.number(of: event.operation, in: record)
    call.contentSet = event.contentSet
    call.isBehind = event.isBehind
    if followsResources {
      call.resources.reserveCapacity(event.resources.count)
      call.marks.reserveCapacity(event.resources.count)
      for range in event.resources {
        take(shelf.place(of: range, in: record), event, into: &call)
      }
    }
    note(
      call: position,
      MeterNames(credential: credential, unit: names.number(of: event.unit, in: record)))
    if isCounting, isWanted(account) {
      var delta = AuditSums()
      delta.calls = 1
      delta.readsBought = event.isBehind ? 0 : Int64(event.resourceCount)
      var one = AuditSums()
      one.readsBought = event.isBehind ? 0 : 1
      add(delta, of: call, at: last) { _ in one }
    }
    calls[position] = call
  }

  /// Takes a resource of a call that begins.
  private mutating func take(_ place: Int, _ event: StartedFields, into call: inout AuditCall) {
    let isAnswered = shelf.answers(
      place, event.contentSet, at: last, maximumAge: event.maximumAge)
    shelf[place].underWay.append(.init(fetch: position, contentSet: event.contentSet))
    shelf[place].references += 1
    call.resources.append(place)
    call.marks.append(isAnswered ? .duplicate : [])
  }

  mutating func ended(_ event: EndedFields, _ kind: EventKind) {
    switch kind {
    case .fetchSucceeded:
      // One that began before what the log holds is known from here on.
      calls[event.fetch, default: AuditCall()].succeeded = event.attempt
      noLongerUnderWay(event.fetch)
    case .fetchAttemptFailed where event.nextAttempt > 0:
      guard isCounting else { return }
      let call = calls[event.fetch]
      guard isWanted(call?.account) else { return }
      var delta = AuditSums()
      delta.calls = 1
      delta.retries = 1
      add(delta, of: call, at: last)
    case .fetchFailed:
      noLongerUnderWay(event.fetch)
      calls[event.fetch]?.isOver = true
      forget(event.fetch)
    default: break
    }
  }

  private mutating func noLongerUnderWay(_ fetch: Position) {
    for place in calls[fetch]?.resources ?? [] {
      shelf[place].underWay.removeAll { $0.fetch == fetch }
    }
  }

  /// An attempt's reservation has ended: the last booking of a call that was answered.
  mutating func attemptBooked(_ fetch: Position, _ attempt: UInt32) {
    guard let call = calls[fetch], call.succeeded == attempt else { return }
    calls[fetch]?.isOver = true
    forget(fetch)
  }

  /// Forgets a call of which nothing more can come.
  mutating func forget(_ fetch: Position) {
    guard let call = calls[fetch], call.isOver, call.openDoubts == 0 else { return }
    calls[fetch] = nil
    for place in call.resources {
      shelf[place].references -= 1
      shelf.giveUp(place)
    }
  }

  /// The index of a resource among those of a call; one that is not among them is added.
  mutating func index(of place: Int, near hint: Int, in fetch: Position) -> Int? {
    guard let call = calls[fetch] else { return nil }
    if let index = call.index(of: place, near: hint) { return index }
    shelf[place].references += 1
    calls[fetch]?.resources.append(place)
    calls[fetch]?.marks.append([])
    return call.resources.count
  }

  // MARK: Meters

  mutating func note(call: Position, _ meter: MeterNames) {
    meters[meter, default: MeterWatch()].note(call: call)
  }

  mutating func observed(_ event: ObservedFields, _ record: RawSpan) {
    let meter = MeterNames(
      credential: names.number(of: event.credential, in: record),
      unit: names.number(of: event.unit, in: record))
    var watch = meters[meter] ?? MeterWatch()
    if isCounting {
      reconciliation.readings += 1
      if event.isRestoreGap || event.unexplained != 0 {
        let drift = BalanceDrift(
          position: position, time: last, credential: names.all[meter.credential].text,
          unit: names.all[meter.unit].text, balance: event.balance,
          predictedLow: event.predictedLow, predictedHigh: event.predictedHigh,
          unexplained: event.unexplained, after: watch.reading, calls: watch.calls,
          callCount: watch.callCount)
        reconciliation.add(drift, isRestoreGap: event.isRestoreGap)
      }
    }
    watch.note(reading: position, at: last)
    meters[meter] = watch
  }
}

extension Reconciliation {
  fileprivate mutating func add(_ drift: BalanceDrift, isRestoreGap: Bool) {
    if isRestoreGap {
      restoreGap &+= drift.unexplained
      if restoreGaps.count < Self.listLimit { restoreGaps.append(drift) }
    } else {
      unexplained &+= drift.unexplained
      driftCount += 1
      if drifts.count < Self.listLimit { drifts.append(drift) }
    }
  }

  mutating func add(price drift: PriceDrift) {
    let difference = drift.tokens &- drift.expected
    if difference > 0 { aboveList &+= difference } else { belowList &-= difference }
    priceDriftCount += 1
    if priceDrifts.count < Self.listLimit { priceDrifts.append(drift) }
  }
}
