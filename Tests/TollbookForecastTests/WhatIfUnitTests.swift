import Keepa
import Testing
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookLog
import TollbookTestSupport

private let hour: Int64 = 3_600_000
private let day: Int64 = 86_400_000

/// Made-up logs of calls that are paid in more than one unit, or shared by several requests.
@Suite struct WhatIfUnitTests {
  private let folder: TemporaryFolder
  private let time: ManualTime
  private let log: EventLog

  init() throws {
    folder = try TemporaryFolder()
    time = ManualTime()
    log = try folder.openLog(folds: [], time: time.source)
  }

  /// What one request wants of a call.
  private struct Wish {
    var asin: String
    var contentSet: UInt64 = 0
    /// In milliseconds before the call.
    var askedBefore: Int64 = 0
    var maximumAge: UInt32?
  }

  private static func resource(_ asin: String) -> String { "shared/keepa.product/1/\(asin)" }

  private static func move(_ meter: MeterKey, _ amount: Int64, limitOnly: Bool = false) -> Move {
    var move = Move()
    move.meter = meter.name
    move.amount = amount
    move.reserved = amount
    move.limitOnly = limitOnly
    return move
  }

  private static let bucket = MeterKey(owner: "keepa:0fd8", unit: "tokens")
  private static let limit = MeterKey(.account, owner: "acme", unit: "tokens")
  private static let money = MeterKey(.budget, owner: "spring", unit: "EUR")

  /// A call that several requests share: a token for each of its products, limited by a meter of the account.
  private func buy(_ wishes: [Wish], contentSet: UInt64 = 0, _ others: [Move] = []) async throws {
    var started = FetchStarted()
    started.operation = "keepa.product"
    started.credential = "keepa:0fd8"
    started.resources = wishes.map { Self.resource($0.asin) }
    started.contentSet = contentSet
    started.demands = wishes.map { wish in
      var demand = Demand()
      demand.account = "acme"
      demand.contentSet = wish.contentSet
      demand.askedMs = time.now.milliseconds - wish.askedBefore
      if let age = wish.maximumAge { demand.maxAgeSeconds = age }
      return demand
    }
    started.demandOf = (0..<UInt32(wishes.count)).map(\.self)
    let count = Int64(wishes.count)
    started.moves =
      [Self.move(Self.bucket, count), Self.move(Self.limit, count, limitOnly: true)] + others
    let fetch = try await log.append([.fetchStarted(started)]).position
    time.advance(byMilliseconds: 1_000)
    var succeeded = FetchSucceeded()
    succeeded.fetch = fetch
    succeeded.attempt = 1
    var charged = TokensCharged()
    charged.fetch = fetch
    charged.attempt = 1
    charged.operation = "keepa.product"
    charged.moves = started.moves
    try await log.append(
      [.fetchSucceeded(succeeded)] + wishes.map { .cacheWritten(written($0, fetch, contentSet)) }
        + [.tokensCharged(charged)])
  }

  private func written(_ wish: Wish, _ fetch: Position, _ contentSet: UInt64) -> CacheWritten {
    var event = CacheWritten()
    event.resource = Self.resource(wish.asin)
    event.contentSet = contentSet
    event.presence = .present
    event.fetch = fetch
    event.fetchedMs = time.now.milliseconds
    event.freshUntilMs = event.fetchedMs + day
    event.graceUntilMs = event.freshUntilMs
    event.errorGraceUntilMs = event.freshUntilMs + 23 * day
    event.keepUntilMs = event.fetchedMs + 90 * day
    return event
  }

  /// A call of another system, whose prices nobody knows.
  private func translate(_ unit: String, for amount: Int64) async throws {
    let move = Self.move(MeterKey(owner: "project", unit: unit), amount)
    var started = FetchStarted()
    started.operation = "words.translate"
    started.resources = ["shared/words.text/1"]
    started.moves = [move]
    let fetch = try await log.append([.fetchStarted(started)]).position
    var charged = TokensCharged()
    charged.fetch = fetch
    charged.attempt = 1
    charged.operation = started.operation
    charged.moves = [move]
    try await log.append([.tokensCharged(charged)])
  }

  private func report(_ policies: [FreshnessPolicy] = []) async throws -> WhatIfReport {
    let record = try #require(try WhatIf.read(LogSource(log), WhatIf.Question(.keepa)))
    let tried = policies.map { WhatIfPolicy(name: "tried", products: $0) }
    return try #require(await WhatIf.play(record, tried))
  }

  @Test func `calls in other units are counted apart, and not played`() async throws {
    for _ in 0..<2 {
      try await buy([Wish(asin: "B000000001")], [Self.move(Self.money, 30)])
      try await translate("EUR", for: 500)
      try await translate("tokens", for: 7_000)
      time.advance(byMilliseconds: 2 * day)
    }
    let report = try await report([.windows(fresh: day), .windows(fresh: 9 * day)])
    #expect(report.played.unit == "tokens")
    #expect(report.played.recorded.cost == Bounds(2))
    #expect(report.played.recorded.calls == Bounds(2))
    #expect(report.played.recorded.requests == 2)
    #expect(report.played.outcomes.map(\.cost) == [Bounds(2), Bounds(1)])
    #expect(report.others.map(\.unit) == ["EUR"])
    #expect(report.others.first?.recorded.cost == Bounds(1_060))
    #expect(report.others.first?.recorded.calls == Bounds(4))
    #expect(report.others.first?.outcomes.isEmpty == true)
    for text in [
      "2 calls of keepa.product, for 60 nano-EUR", "2 calls of words.translate, for 1000 nano-EUR",
      "2 calls of words.translate, for 14000 tokens",
    ] { #expect(report.notes.contains { $0.contains(text) }, "\(report.notes)") }
  }

  @Test func `requests that share a call are each decided as of when they asked`() async throws {
    try await buy([Wish(asin: "B000000001"), Wish(asin: "B000000002")])
    time.advance(byMilliseconds: 2 * day)
    // The first one asked ten hours before the call that they came to share.
    try await buy([
      Wish(asin: "B000000001", askedBefore: 10 * hour), Wish(asin: "B000000002"),
    ])
    let policies = [day, 2 * day - hour, 9 * day].map { FreshnessPolicy.windows(fresh: $0) }
    let report = try await report(policies)
    #expect(report.played.recorded.cost == Bounds(4))
    #expect(report.played.outcomes.map(\.cost) == [Bounds(4), Bounds(3), Bounds(2)])
    #expect(report.played.outcomes.map(\.hits) == [Bounds(0), Bounds(1), Bounds(2)])
    #expect(report.played.outcomes[0].calls == report.played.recorded.calls)
  }

  @Test func `what each request wanted of a shared call counts under every policy`() async throws {
    try await buy([Wish(asin: "B000000001")])
    time.advance(byMilliseconds: hour)
    try await buy(
      [
        Wish(asin: "B000000001", contentSet: 2),
        Wish(asin: "B000000002", maximumAge: 60),
      ], contentSet: 2)
    time.advance(byMilliseconds: hour)
    try await buy([Wish(asin: "B000000002", maximumAge: 60)])
    let patient = try await report([.windows(fresh: 90 * day)])
    // The poorer entry does not serve the second request; the last one demands younger data than there is.
    #expect(patient.played.outcomes.map(\.cost) == [Bounds(4)])
    #expect(patient.played.outcomes.map(\.hits) == [Bounds(0)])
  }

  @Test func `entries that a sweep removed before the period are not there at its beginning`()
    async throws
  {
    try await buy([Wish(asin: "B000000001")])
    try await buy([Wish(asin: "B000000002")])
    var sweep = EntriesSwept()
    sweep.entries = [("B000000001", true), ("B000000002", false)].map { asin, evicted in
      var entry = SweptEntry()
      entry.resource = Self.resource(asin)
      entry.evicted = evicted
      return entry
    }
    var question = WhatIf.Question(.keepa)
    question.after = try await log.append([.entriesSwept(sweep)]).position
    time.advance(byMilliseconds: hour)
    for asin in ["B000000001", "B000000002"] { try await buy([Wish(asin: asin)]) }
    let record = try #require(try WhatIf.read(LogSource(log), question))
    let policy = WhatIfPolicy(name: "", products: .windows(fresh: 9 * day))
    let report = try #require(await WhatIf.play(record, [policy]))
    #expect(report.played.recorded.cost == Bounds(2))
    #expect(report.played.outcomes.map(\.cost) == [Bounds(1)])
  }

  @Test func `what is reserved and not ended may have been spent`() async throws {
    var started = FetchStarted()
    started.operation = "keepa.product"
    started.resources = [Self.resource("B000000001")]
    started.moves = [Self.move(Self.bucket, 5), Self.move(Self.limit, 5, limitOnly: true)]
    let fetch = try await log.append([.fetchStarted(started)]).position
    #expect(try await report().played.recorded.cost == Bounds(low: 0, high: 5))
    var doubted = ChargeInDoubt()
    doubted.fetch = fetch
    doubted.attempt = 1
    doubted.moves = started.moves
    try await log.append([.chargeInDoubt(doubted)])
    #expect(try await report().played.recorded.cost == Bounds(low: 0, high: 5))
    var doubt = ResolvedDoubt()
    doubt.fetch = fetch
    doubt.attempt = 1
    doubt.tokens = 5
    doubt.settled = 2
    doubt.released = 2
    doubt.unprovable = 1
    var resolved = ChargeResolved()
    resolved.meter = Self.bucket.name
    resolved.doubts = [doubt]
    try await log.append([.chargeResolved(resolved)])
    #expect(try await report().played.recorded.cost == Bounds(low: 2, high: 3))
  }
}
