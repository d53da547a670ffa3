import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Events that no decider makes: a fold sets them aside and goes on.
@Suite struct ParkedTests {
  @Test(arguments: ImpossibleEvent.all)
  func `an event that cannot be applied is parked, and appends go on`(
    impossible: ImpossibleEvent
  ) async throws {
    let folder = try TemporaryFolder()
    let live = try await Self.live(in: folder, impossible)
    let replayed = try Self.replayed(in: folder)

    #expect(differences(live, replayed) == [])
  }

  private static func live(
    in folder: TemporaryFolder, _ impossible: ImpossibleEvent
  ) async throws -> [String: TableDump] {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    try await log.append(ImpossibleEvent.before)
    let before = try views(of: log)

    let parked = try await log.append([impossible.event]).answer
    #expect(try parkedPositions(in: log) == [parked])
    #expect(try views(of: log) == before)

    try await log.append([.tokensCharged(ImpossibleEvent.charge)])
    #expect(try parkedPositions(in: log) == [parked])
    #expect(try views(of: log) != before)
    return try log.environment.dump()
  }

  private static func replayed(in folder: TemporaryFolder) throws -> [String: TableDump] {
    let directory = try folder.own()
    _ = try Rebuild.allViews(of: directory, folds: allFolds, options: .scratch) { _, _ in }
    return try Environment(directory: directory.path).dump()
  }

  /// The tables of the cache and the ledger.
  private static func views(of log: EventLog) throws -> [String: TableDump] {
    try log.environment.dump().filter {
      $0.key.hasPrefix(CacheFold.fold.id) || $0.key.hasPrefix(LedgerFold.fold.id)
    }
  }

  private static func parkedPositions(in log: EventLog) throws -> [Position] {
    var found: [Position] = []
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(log.tables.parked) { (key, _) throws(LMDBError) in
        found.append(key.bigEndianUInt64(at: key.byteCount - 8))
        return .next
      }
    }
    return found
  }

  @Test func `amounts at the ends of the range stop no fold`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    for amount in [Int64.min, -1, 0, 1, .max, .max] {
      try await log.append(ImpossibleEvent.extreme(amount, fetch: log.head + 1))
    }
    let ledger = LedgerView(log)
    let meters = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try ledger.meters(in: transaction)
    }
    #expect(meters.count == 1)
    #expect(meters.allSatisfy { $0.meter.residual == 0 })
  }

  @Test func `a text longer than a row's field is cut between characters`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    var added = CredentialAdded()
    added.credential = "main"
    var changed = CredentialStatusChanged()
    changed.credential = "main"
    changed.detail = "x" + String(repeating: "é", count: 40_000)
    try await log.append([.credentialAdded(added), .credentialStatusChanged(changed)])
    let ledger = LedgerView(log)
    let found = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try ledger.credential("main", in: transaction)
    }
    #expect(found?.detail == "x" + String(repeating: "é", count: 32_767))
  }
}

struct ImpossibleEvent: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var event: Event

  init(_ name: String, _ event: Event) {
    testDescription = name
    self.event = event
  }

  /// A credential; a fetch (2) with 10 tokens reserved; one (3) of another meter; a doubt (5) of a fetch (4); an entry
  /// (6), and one with a body (7).
  static let before: [Event] = [
    .credentialAdded(make { $0.credential = "main" }),
    .fetchStarted(fetchStarted("main")),
    .fetchStarted(fetchStarted("other")),
    .fetchStarted(fetchStarted("main")),
    .chargeInDoubt(doubt { $0.fetch = 4 }),
    .cacheWritten(written { _ in }),
    .cacheWritten(
      written { ($0.resource, $0.presence, $0.body) = ("shared/a/7", .present, named) }),
  ]

  /// A digest that an entry names.
  private static let named = Data(repeating: 7, count: 32)

  /// Ends the reservation of the first fetch.
  static let charge = charged { _ in }

  static let all: [ImpossibleEvent] = ledger + cache

  private static let ledger = [
    ImpossibleEvent("a charge of an unknown fetch", .tokensCharged(charged { $0.fetch = 99 })),
    .init("a charge of an unknown attempt", .tokensCharged(charged { $0.attempt = 2 })),
    .init("a charge that ends another amount", .tokensCharged(charged { $0.reserved = 9 })),
    .init("a charge to another meter", .tokensCharged(charged { $0.fetch = 3 })),
    .init("a charge of a doubt", .tokensCharged(charged { $0.fetch = 4 })),
    .init(
      "a charge whose account cannot be a key",
      .tokensCharged(charged { $0.account = String(repeating: "a", count: 600) })),
    .init(
      "a charge whose window hides another name",
      .tokensCharged(charged { $0.windows = ["day\u{0}acme"] })),
    .init(
      "a release of an unknown fetch",
      .reservationReleased(
        make {
          ($0.fetch, $0.attempt, $0.credential, $0.unit, $0.tokens) = (99, 1, "main", "tokens", 10)
        })),
    .init(
      "a release of another amount",
      .reservationReleased(
        make {
          ($0.fetch, $0.attempt, $0.credential, $0.unit, $0.tokens) = (2, 1, "main", "tokens", 11)
        })),
    .init("a doubt of an unknown fetch", .chargeInDoubt(doubt { $0.fetch = 99 })),
    .init("a doubt that is one already", .chargeInDoubt(doubt { $0.fetch = 4 })),
    .init("a doubt of another amount", .chargeInDoubt(doubt { ($0.fetch, $0.tokens) = (2, 3) })),
    .init("a doubt of another meter", .chargeInDoubt(doubt { $0.fetch = 3 })),
    .init(
      "a second reservation for an attempt",
      .fetchAttemptFailed(attemptFailed { ($0.fetch, $0.nextAttempt) = (2, 1) })),
    .init(
      "a reservation of less than nothing",
      .fetchAttemptFailed(attemptFailed { $0.nextBound = -1 })),
    .init(
      "a reservation whose account cannot be a key",
      .fetchAttemptFailed(attemptFailed { $0.account = String(repeating: "a", count: 600) })),
    .init(
      "a reservation whose meter cannot be a key",
      .fetchStarted(fetchStarted(String(repeating: "c", count: 600)))),
    .init("a meter whose name hides another", .fetchStarted(fetchStarted("main\u{0}tokens"))),
    .init("a resolution of a reservation", .chargeResolved(resolved([closing { $0.fetch = 2 }]))),
    .init("a resolution of nothing", .chargeResolved(resolved([closing { $0.fetch = 99 }]))),
    .init(
      "a resolution that closes a doubt twice",
      .chargeResolved(resolved([closing { _ in }, closing { _ in }]))),
    .init(
      "a resolution of another amount", .chargeResolved(resolved([closing { $0.tokens = 11 }]))),
    .init(
      "a resolution whose parts are not the whole",
      .chargeResolved(resolved([closing { $0.released = 5 }]))),
    .init(
      "a resolution with a negative part",
      .chargeResolved(resolved([closing { ($0.settled, $0.released) = (-1, 11) }]))),
    .init(
      "a resolution of what is not unprovable",
      .chargeResolved(resolved([closing { $0.wasUnprovable = true }]))),
    .init(
      "a resolution by another meter",
      .chargeResolved(resolved([closing { _ in }], credential: "other"))),
    .init("a credential without a name", .credentialAdded(CredentialAdded())),
    .init(
      "a credential whose name cannot be a key",
      .credentialAdded(make { $0.credential = String(repeating: "c", count: 512) })),
    .init(
      "the status of an unknown credential",
      .credentialStatusChanged(make { $0.credential = "nobody" })),
    .init(
      "the status of a credential without a name",
      .credentialStatusChanged(CredentialStatusChanged())),
  ]

  private static let cache = [
    ImpossibleEvent(
      "an entry without a name", .cacheWritten(written { $0.resource = "" })),
    .init(
      "an entry whose name cannot be a key",
      .cacheWritten(written { $0.resource = String(repeating: "r", count: 481) })),
    .init(
      "an entry whose name hides another",
      .cacheWritten(written { $0.resource = "shared/a/1\u{0}\u{1}" })),
    .init(
      "an entry of too many parts", .cacheWritten(written { $0.contentSet = 256 })),
    .init(
      "the expiry of an unknown entry",
      .cacheExpired(make { ($0.resource, $0.written) = ("shared/a/2", 6) })),
    .init(
      "the expiry of an older entry",
      .cacheExpired(make { ($0.resource, $0.contentSet, $0.written) = ("shared/a/1", 1, 5) })),
    .init(
      "the removal of an entry of other parts",
      .cacheEvicted(make { ($0.resource, $0.contentSet, $0.written) = ("shared/a/1", 257, 6) })),
    .init(
      "the removal of an older entry",
      .cacheEvicted(make { ($0.resource, $0.contentSet, $0.written) = ("shared/a/1", 1, 5) })),
    .init(
      "the purge of an unknown entry",
      .cachePurged(make { ($0.resource, $0.written) = ("shared/a/2", 6) })),
    .init(
      "the purge of an older entry",
      .cachePurged(
        make {
          ($0.resource, $0.contentSet, $0.written, $0.hard) = ("shared/a/1", 1, 5, true)
        })),
    .init("the removal of a body that an entry names", .bodiesPruned(make { $0.bodies = [named] })),
    .init(
      "the removal of a body that nobody named",
      .bodiesPruned(make { $0.bodies = [Data(repeating: 8, count: 32)] })),
  ]

  /// Events whose sums exceed the range.
  static func extreme(_ amount: Int64, fetch: Position) -> [Event] {
    [
      .fetchStarted(
        make {
          ($0.credential, $0.unit, $0.operation) = ("main", "tokens", "keepa.product")
          ($0.bound, $0.expected) = (amount, amount)
        }),
      .tokensCharged(
        make {
          ($0.fetch, $0.attempt, $0.credential, $0.unit) = (fetch, 1, "main", "tokens")
          ($0.tokens, $0.reserved, $0.expected) = (amount, amount, amount)
        }),
      .balanceObserved(
        make {
          ($0.credential, $0.unit, $0.unexplained) = ("main", "tokens", amount)
          ($0.reading.balance, $0.reading.upstreamMs) = (amount, amount)
        }),
      .fetchSucceeded(make { ($0.fetch, $0.receivedBytes) = (fetch, .max) }),
      .cacheWritten(
        written {
          ($0.freshUntilMs, $0.graceUntilMs, $0.keepUntilMs) = (amount, amount, amount)
        }),
      .readsTallied(
        make {
          var row = ReadTally()
          (row.resource, row.contentSet, row.lastReadMs) = ("shared/a/1", 1, amount)
          (row.fresh, row.stale, row.joined) = (.max, .max, .max)
          $0.rows = [row, row]
        }),
    ]
  }

  private static func make<Message: EmptyMessage>(_ fill: (inout Message) -> Void) -> Message {
    var message = Message()
    fill(&message)
    return message
  }

  private static func fetchStarted(_ credential: String) -> FetchStarted {
    make {
      ($0.credential, $0.unit, $0.account) = (credential, "tokens", "acme")
      ($0.operation, $0.bound) = ("keepa.product", 10)
    }
  }

  private static func charged(_ change: (inout TokensCharged) -> Void) -> TokensCharged {
    make {
      ($0.fetch, $0.attempt, $0.credential, $0.unit) = (2, 1, "main", "tokens")
      ($0.account, $0.operation) = ("acme", "keepa.product")
      ($0.tokens, $0.reserved, $0.windows) = (7, 10, ["day 2026-11-21"])
      change(&$0)
    }
  }

  private static func doubt(_ change: (inout ChargeInDoubt) -> Void) -> ChargeInDoubt {
    make {
      ($0.attempt, $0.credential, $0.unit, $0.tokens) = (1, "main", "tokens", 10)
      change(&$0)
    }
  }

  private static func attemptFailed(
    _ change: (inout FetchAttemptFailed) -> Void
  ) -> FetchAttemptFailed {
    make {
      ($0.fetch, $0.attempt, $0.nextAttempt, $0.nextBound) = (4, 1, 2, 10)
      ($0.credential, $0.unit, $0.account) = ("main", "tokens", "acme")
      $0.operation = "keepa.product"
      change(&$0)
    }
  }

  private static func closing(_ change: (inout ResolvedDoubt) -> Void) -> ResolvedDoubt {
    make {
      ($0.fetch, $0.attempt, $0.account, $0.operation) = (4, 1, "acme", "keepa.product")
      ($0.tokens, $0.released) = (10, 10)
      change(&$0)
    }
  }

  private static func resolved(
    _ doubts: [ResolvedDoubt], credential: String = "main"
  ) -> ChargeResolved {
    make { ($0.credential, $0.unit, $0.doubts) = (credential, "tokens", doubts) }
  }

  private static func written(_ change: (inout CacheWritten) -> Void) -> CacheWritten {
    make {
      ($0.resource, $0.contentSet, $0.presence) = ("shared/a/1", 1, .absent)
      change(&$0)
    }
  }
}

protocol EmptyMessage { init() }

extension CredentialAdded: EmptyMessage {}
extension CredentialStatusChanged: EmptyMessage {}
extension FetchStarted: EmptyMessage {}
extension FetchSucceeded: EmptyMessage {}
extension FetchAttemptFailed: EmptyMessage {}
extension TokensCharged: EmptyMessage {}
extension ReservationReleased: EmptyMessage {}
extension ChargeInDoubt: EmptyMessage {}
extension ChargeResolved: EmptyMessage {}
extension ResolvedDoubt: EmptyMessage {}
extension BalanceObserved: EmptyMessage {}
extension CacheWritten: EmptyMessage {}
extension CacheExpired: EmptyMessage {}
extension CacheEvicted: EmptyMessage {}
extension CachePurged: EmptyMessage {}
extension BodiesPruned: EmptyMessage {}
extension ReadsTallied: EmptyMessage {}
