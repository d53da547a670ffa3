import Foundation
import Keepa
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookAudit

/// Events that follow each other, made by hand or by chance, and what an audit says of them. No log is needed.
struct AuditStory {
  static let credential = "keepa:test"
  static let account = "default"

  private(set) var events: [RecordedEvent] = []
  private(set) var now = Timestamp.testStart

  init() {}

  init(_ events: [RecordedEvent]) { self.events = events }

  var head: Position { Position(events.count) }

  @discardableResult
  mutating func add(_ event: Event) -> Position {
    events.append(RecordedEvent(position: head + 1, time: now, event: event))
    return head
  }

  mutating func wait(seconds: Int64) { now = now.advanced(byMilliseconds: seconds * 1_000) }

  /// The fold after all events up to a position.
  func fold(
    after: Position = 0, through: Position = .max, by grouping: AuditGrouping = .day,
    _ change: (inout AuditFold.Options) -> Void = { _ in }
  ) throws -> AuditFold {
    var options = AuditFold.Options()
    options.after = after
    options.grouping = grouping
    change(&options)
    var fold = AuditFold(options)
    for event in events where event.position <= through {
      let bytes = Record.encode(event.event, time: event.time)
      try fold.apply(event.position, event.wall, bytes.span.bytes)
    }
    try fold.finish()
    return fold
  }

  /// The classes that have something of a unit.
  func waste(after: Position = 0, of unit: String = "tokens") throws -> [WasteClass: Int64] {
    let waste = try fold(after: after).waste(of: unit)
    let pairs = WasteClass.allCases.map { ($0, waste[$0]) }.filter { $0.1 != 0 }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}

extension AuditFold {
  /// The sums of all, with names for units.
  var total: AuditSums { AuditSums(groups.total, unitsOf: units) }

  /// The sums of each group, in the order in which they came.
  var sumsOfGroups: [AuditSums] { groups.sums.map { AuditSums($0.sums, unitsOf: units) } }

  /// The sums of each group under its name; nothing for what is unknown.
  var sumsByName: [String: AuditSums] {
    Dictionary(
      uniqueKeysWithValues: zip(groups.sums, sumsOfGroups).map { group, sums in
        guard case .name(let number) = group.key else { return ("", sums) }
        return (names.all[number].text, sums)
      })
  }

  func waste(of unit: String) -> WasteSums {
    PerUnit(waste, unitsOf: units) { $0 != .zero }[unit] ?? .zero
  }
}

// MARK: What happens

extension AuditStory {
  @discardableResult
  mutating func start(
    _ resources: [String], behind: Bool = false, contentSet: UInt64 = 0, maximumAge: UInt32? = nil,
    account: String = account
  ) -> Position {
    var event = FetchStarted()
    event.operation = "keepa.product"
    event.credential = Self.credential
    event.account = account
    event.unit = "tokens"
    event.resources = resources.map(Self.resource)
    event.contentSet = contentSet
    event.bound = Int64(resources.count)
    event.expected = event.bound
    event.behind = behind
    if let maximumAge { event.maxAgeSeconds = maximumAge }
    return add(.fetchStarted(event))
  }

  static func resource(_ name: String) -> String { "shared/keepa.product/1/\(name)" }

  mutating func succeed(_ fetch: Position, attempt: UInt32 = 1) {
    var event = FetchSucceeded()
    event.fetch = fetch
    event.attempt = attempt
    event.durationMs = 240
    add(.fetchSucceeded(event))
  }

  @discardableResult
  mutating func write(
    _ resource: String, of fetch: Position, body: UInt8 = 1, contentSet: UInt64 = 0,
    freshSeconds: Int64 = 3_600, tokens: Int64 = 1
  ) -> Position {
    var event = CacheWritten()
    event.resource = Self.resource(resource)
    event.contentSet = contentSet
    event.presence = body == 0 ? .absent : .present
    event.fetch = fetch
    event.body = .init(body == 0 ? [] : [UInt8](repeating: body, count: 32))
    event.fetchedMs = now.milliseconds
    event.freshUntilMs = now.milliseconds + freshSeconds * 1_000
    event.keepUntilMs = now.milliseconds + 90 * 86_400_000
    event.tokens = tokens
    return add(.cacheWritten(event))
  }

  mutating func charge(
    _ fetch: Position, attempt: UInt32 = 1, _ shares: [(String, Int64)], tokens: Int64? = nil,
    expected: Int64? = nil, account: String = account
  ) {
    var event = TokensCharged()
    event.fetch = fetch
    event.attempt = attempt
    event.credential = Self.credential
    event.unit = "tokens"
    event.account = account
    event.operation = "keepa.product"
    event.tokens = tokens ?? shares.reduce(0) { $0 + $1.1 }
    event.reserved = event.tokens
    event.expected = expected ?? event.tokens
    event.shares = shares.map { name, tokens in
      var share = Share()
      share.resource = Self.resource(name)
      share.tokens = tokens
      return share
    }
    add(.tokensCharged(event))
  }

  mutating func fail(
    _ fetch: Position, attempt: UInt32 = 1, next: UInt32 = 0, bound: Int64 = 0
  ) {
    var event = FetchAttemptFailed()
    event.fetch = fetch
    event.attempt = attempt
    event.nextAttempt = next
    if next > 0 {
      event.nextBound = bound
      event.credential = Self.credential
      event.unit = "tokens"
      event.account = Self.account
      event.operation = "keepa.product"
    }
    event.reason = .timedOut
    add(.fetchAttemptFailed(event))
    guard next == 0 else { return }
    var failed = FetchFailed()
    failed.fetch = fetch
    failed.attempts = attempt
    add(.fetchFailed(failed))
  }

  mutating func release(_ fetch: Position, attempt: UInt32 = 1, _ tokens: Int64) {
    var event = ReservationReleased()
    event.fetch = fetch
    event.attempt = attempt
    event.credential = Self.credential
    event.unit = "tokens"
    event.tokens = tokens
    add(.reservationReleased(event))
  }

  mutating func doubt(_ fetch: Position, attempt: UInt32 = 1, _ tokens: Int64) {
    var event = ChargeInDoubt()
    event.fetch = fetch
    event.attempt = attempt
    event.credential = Self.credential
    event.unit = "tokens"
    event.tokens = tokens
    add(.chargeInDoubt(event))
  }

  mutating func resolve(
    _ fetch: Position, attempt: UInt32 = 1, _ tokens: Int64, settled: Int64, unprovable: Int64 = 0,
    was: Bool = false
  ) {
    var doubt = ResolvedDoubt()
    doubt.fetch = fetch
    doubt.attempt = attempt
    doubt.account = Self.account
    doubt.operation = "keepa.product"
    doubt.tokens = tokens
    doubt.settled = settled
    doubt.unprovable = unprovable
    doubt.released = tokens - settled - unprovable
    doubt.wasUnprovable = was
    var event = ChargeResolved()
    event.credential = Self.credential
    event.unit = "tokens"
    event.doubts = [doubt]
    add(.chargeResolved(event))
  }

  mutating func read(
    _ resource: String, fresh: UInt32 = 0, stale: UInt32 = 0, joined: UInt32 = 0,
    contentSet: UInt64 = 0, account: String = account, secondsAgo: Int64 = 0
  ) {
    var row = ReadTally()
    row.resource = Self.resource(resource)
    row.contentSet = contentSet
    row.account = account
    row.firstReadMs = now.milliseconds - secondsAgo * 1_000
    row.lastReadMs = row.firstReadMs
    row.fresh = fresh
    row.stale = stale
    row.joined = joined
    var event = ReadsTallied()
    event.rows = [row]
    add(.readsTallied(event))
  }

  mutating func observe(
    _ balance: Int64, predicted: ClosedRange<Int64>, unexplained: Int64 = 0, isFirst: Bool = false,
    isRestoreGap: Bool = false
  ) {
    var event = BalanceObserved()
    event.credential = Self.credential
    event.unit = "tokens"
    event.reading.balance = balance
    event.reading.observedMs = now.milliseconds
    if !isFirst { event.previous.balance = 1 }
    event.predictedLow = predicted.lowerBound
    event.predictedHigh = predicted.upperBound
    event.unexplained = unexplained
    event.restoreGap = isRestoreGap
    add(.balanceObserved(event))
  }

  mutating func evict(_ resource: String, written: Position, contentSet: UInt64 = 0) {
    var event = CacheEvicted()
    event.resource = Self.resource(resource)
    event.contentSet = contentSet
    event.written = written
    add(.cacheEvicted(event))
  }

  mutating func purge(_ resource: String, written: Position, hard: Bool, contentSet: UInt64 = 0) {
    var event = CachePurged()
    event.resource = Self.resource(resource)
    event.contentSet = contentSet
    event.written = written
    event.hard = hard
    event.staleFromMs = now.milliseconds
    add(.cachePurged(event))
  }

  /// A whole purchase of one resource for one token.
  @discardableResult
  mutating func buy(
    _ resource: String, behind: Bool = false, body: UInt8 = 1, maximumAge: UInt32? = nil,
    freshSeconds: Int64 = 3_600
  ) -> Position {
    let fetch = start([resource], behind: behind, maximumAge: maximumAge)
    succeed(fetch)
    let written = write(resource, of: fetch, body: body, freshSeconds: freshSeconds)
    charge(fetch, [(resource, 1)])
    return written
  }
}

// MARK: By chance

extension AuditStory {
  /// What an event generator makes up, with calls that nobody waits for, demands for fresh data and purges in between.
  static func generated(seed: UInt64, count: Int) -> AuditStory {
    var generator = EventGenerator(seed: seed)
    var random = SeededGenerator(seed: ~seed)
    var time = Timestamp.testStart
    var events: [RecordedEvent] = []
    while events.count < count {
      time = time.advanced(byMilliseconds: random.int64(0...1_200_000))
      for event in generator.next(at: time).events {
        let changed = changed(event, at: time, &random)
        events.append(
          RecordedEvent(position: Position(events.count + 1), time: time, event: changed))
      }
    }
    return AuditStory(events)
  }

  private static func changed(
    _ event: Event, at time: Timestamp, _ random: inout SeededGenerator
  ) -> Event {
    switch event {
    case .fetchStarted(var event):
      guard !event.demands.isEmpty else {
        event.behind = random.chance(50)
        if random.chance(30) { event.maxAgeSeconds = UInt32(random.int(0...4_000)) }
        return .fetchStarted(event)
      }
      for index in event.demands.indices {
        event.demands[index].refresh = random.pick([.none, .grace])
        if random.chance(50) { event.demands[index].ageBasis = .fetch }
      }
      return .fetchStarted(event)
    case .cacheExpired(let event) where random.chance(40):
      return .cachePurged(
        purge(event.resource, event.contentSet, event.written, isHard: false, at: time))
    case .cacheEvicted(let event) where random.chance(40):
      return .cachePurged(
        purge(event.resource, event.contentSet, event.written, isHard: true, at: time))
    case .tokensCharged(var event):
      // Some that were charged without a word about what for.
      if random.chance(10) { event.shares = [] }
      // And some without a word about what became of it.
      if random.chance(40) {
        for index in event.shares.indices { event.shares[index].use = .unspecified }
      }
      // And some whose answer went on as a whole.
      for index in event.shares.indices
      where event.shares[index].use == .handedOn && random.chance(50) {
        event.shares[index].resource = ""
      }
      return .tokensCharged(event)
    default: return event
    }
  }

  private static func purge(
    _ resource: String, _ contentSet: UInt64, _ written: Position, isHard: Bool, at time: Timestamp
  ) -> CachePurged {
    var event = CachePurged()
    event.resource = resource
    event.contentSet = contentSet
    event.written = written
    event.hard = isHard
    event.staleFromMs = time.milliseconds
    return event
  }
}
