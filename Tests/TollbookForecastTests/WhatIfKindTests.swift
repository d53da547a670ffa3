import Testing
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookLog
import TollbookTestSupport

private let minute: Int64 = 60_000

/// Made-up logs of kinds that no provider's folder tells of: what the replay does with any of them.
@Suite struct WhatIfKindTests {
  private let folder: TemporaryFolder
  private let time: ManualTime
  private let log: EventLog

  init() throws {
    folder = try TemporaryFolder()
    time = ManualTime()
    log = try folder.openLog(folds: [], time: time.source)
  }

  private static let places = "atlas.place"
  private static let meter = MeterKey(owner: "atlas:0fd8", unit: "calls")

  /// Places, each by what it cost.
  private static let told = WhatIfKind(places, limit: .untold, prices: .recorded)

  /// Places, however many in a call for three; those that begin with `fixed` never change.
  private static let together = WhatIfKind(
    places, limit: .untold, prices: .calls(price: { _, _ in 3 }, group: { _ in "places" }),
    role: { key in
      guard key.kind == places else { return .other }
      return key.path.hasPrefix("fixed") ? .company : .tried
    })

  private static func resource(_ name: String) -> String { "shared/\(places)/\(name)" }

  /// A call, written down before it is sent.
  ///
  /// - Parameters:
  ///   - cost: of all of it.
  ///   - isWithAnswer: it is written down with its answer instead, in one commit.
  ///   - tellsAsked: then it says when it was decided.
  private func buy(
    _ names: [String], for cost: Int64, taking duration: Int64 = 0, isWithAnswer: Bool = false,
    tellsAsked: Bool = true, operation: String = places
  ) async throws {
    var move = Move()
    move.meter = Self.meter.name
    (move.amount, move.reserved) = (cost, cost)
    var started = FetchStarted()
    started.operation = operation
    started.resources = names.map(Self.resource)
    started.moves = [move]
    var demand = Demand()
    if isWithAnswer, tellsAsked { demand.askedMs = time.now.milliseconds }
    started.demands = [demand]
    var fetch: Position = 0
    if isWithAnswer {
      fetch = log.head + 1
    } else {
      fetch = try await log.append([.fetchStarted(started)]).position
    }
    time.advance(byMilliseconds: duration)
    var succeeded = FetchSucceeded()
    succeeded.fetch = fetch
    succeeded.durationMs = UInt32(duration)
    var charged = TokensCharged()
    charged.fetch = fetch
    charged.attempt = 1
    charged.operation = operation
    charged.moves = [move]
    let events: [Event] =
      [.fetchSucceeded(succeeded)] + names.map { .cacheWritten(written($0, fetch)) }
      + [.tokensCharged(charged)]
    try await log.append((isWithAnswer ? [.fetchStarted(started)] : []) + events)
  }

  private func written(_ name: String, _ fetch: Position) -> CacheWritten {
    var event = CacheWritten()
    event.resource = Self.resource(name)
    event.presence = .present
    event.fetch = fetch
    event.fetchedMs = time.now.milliseconds
    event.freshUntilMs = event.fetchedMs + minute
    event.graceUntilMs = event.freshUntilMs
    event.errorGraceUntilMs = event.freshUntilMs
    event.keepUntilMs = event.fetchedMs + 1_000 * minute
    return event
  }

  /// Reads that were answered from the cache.
  private func read(_ name: String, times: UInt32 = 1, isCut: Bool = false) async throws {
    var row = ReadTally()
    row.resource = isCut ? "" : Self.resource(name)
    row.operation = Self.places
    row.firstReadMs = time.now.milliseconds
    row.lastReadMs = row.firstReadMs
    row.fresh = times
    row.wantedContentSet = 0
    var event = ReadsTallied()
    event.rows = [row]
    try await log.append([.readsTallied(event)])
  }

  private func play(_ kind: WhatIfKind, _ fresh: [Int64]) async throws -> WhatIfReport {
    let record = try #require(try WhatIf.read(LogSource(log), WhatIf.Question(kind)))
    return try #require(
      await WhatIf.play(
        record,
        fresh.map { fresh in
          var policy = record.policy
          policy.present.fresh = fresh
          return WhatIfPolicy(name: "\(fresh)", products: policy)
        }))
  }

  @Test func `where no price list tells, a purchase costs what the same resource cost`()
    async throws
  {
    try await buy(["one"], for: 4)
    try await buy(["two"], for: 9)
    time.advance(byMilliseconds: 30_000)
    try await read("one")
    let report = try await play(Self.told, [minute, 10_000])
    #expect(report.played.unit == "calls")
    #expect(report.played.outcomes.map(\.cost) == [Bounds(13), Bounds(17)])
    #expect(report.notes.contains { $0.contains("No price list tells") })
  }

  @Test func `one whose prices differed costs as much as it ever did, at the least and the most`()
    async throws
  {
    try await buy(["one"], for: 4)
    time.advance(byMilliseconds: 2 * minute)
    try await buy(["one"], for: 6)
    time.advance(byMilliseconds: 30_000)
    try await read("one")
    let report = try await play(Self.told, [minute, 10_000])
    #expect(report.played.outcomes.map(\.cost) == [Bounds(10), Bounds(low: 14, high: 16)])
  }

  @Test func `what one call brings is paid once, and its company whatever the windows are`()
    async throws
  {
    try await buy(["fixed-1", "one"], for: 3)
    time.advance(byMilliseconds: 2 * minute)
    try await buy(["fixed-2", "one", "two"], for: 3)
    time.advance(byMilliseconds: 2 * minute)
    try await buy(["one", "two"], for: 3)
    time.advance(byMilliseconds: 2 * minute)
    try await buy(["fixed-3"], for: 3)
    let report = try await play(Self.together, [minute, 100 * minute])
    #expect(report.played.recorded.cost == Bounds(12))
    #expect(report.played.recorded.requests == 5)
    // Without the third call, and without the second one's places at no less.
    #expect(report.played.outcomes.map(\.cost) == [Bounds(12), Bounds(9)])
    #expect(report.played.outcomes.map(\.calls) == [Bounds(4), Bounds(3)])
    #expect(report.played.outcomes.map(\.hits) == [Bounds(0), Bounds(3)])
  }

  @Test func `calls that bring nothing of the kind are told apart`() async throws {
    try await buy(["one"], for: 4)
    var started = FetchStarted()
    started.operation = "atlas.road"
    started.resources = ["shared/atlas.road/1"]
    var move = Move()
    move.meter = Self.meter.name
    (move.amount, move.reserved) = (50, 50)
    started.moves = [move]
    try await log.append([.fetchStarted(started)])
    let report = try await play(Self.told, [minute])
    #expect(report.kind == Self.places)
    #expect(report.played.recorded.cost == Bounds(4))
    #expect(report.notes.contains { $0.contains("1 call of atlas.road, for 0 to 50 calls") })
  }

  @Test func `a call that is booked with its answer was asked for before it`() async throws {
    for tellsAsked in [true, false] {
      try await buy(["one"], for: 4, isWithAnswer: true)
      time.advance(byMilliseconds: minute)
      // Asked for after a minute, answered ten seconds later.
      try await buy(
        ["one"], for: 4, taking: 10_000, isWithAnswer: true, tellsAsked: tellsAsked)
      let report = try await play(Self.told, [minute, minute + 5_000])
      #expect(report.played.recorded.cost == Bounds(tellsAsked ? 8 : 16))
      #expect(report.played.outcomes[0].cost == report.played.recorded.cost)
      // Within a window that ended between the two it would not have been bought.
      #expect(report.played.outcomes[1].cost == Bounds(tellsAsked ? 4 : 8), "\(tellsAsked)")
      time.advance(byMilliseconds: 100 * minute)
    }
  }

  @Test func `reads that were too many to be told are exact in the record and bounded elsewhere`()
    async throws
  {
    try await buy(["one"], for: 4)
    time.advance(byMilliseconds: 30_000)
    try await read("one")
    try await read("", times: 7, isCut: true)
    let report = try await play(Self.told, [minute, 10_000])
    #expect(report.played.recorded.requests == 9)
    #expect(report.played.recorded.hits == Bounds(8))
    #expect(report.played.outcomes[0].hits == Bounds(8))
    #expect(report.played.outcomes[0].cost == Bounds(4))
    #expect(report.played.outcomes[1].cost == Bounds(low: 8, high: 8 + 7 * 4))
    #expect(report.played.outcomes[1].hits == Bounds(low: 0, high: 7))
    #expect(report.notes.contains { $0.contains("7 reads were too many") })
  }

  @Test func `an entry that came unasked answers under every policy, from then on`() async throws {
    try await buy(["one"], for: 4)
    time.advance(byMilliseconds: 5_000)
    // As an import does.
    try await log.append([.cacheWritten(written("two", 0))])
    time.advance(byMilliseconds: 5_000)
    try await read("two")
    let report = try await play(Self.told, [minute, 2_000])
    #expect(report.played.recorded.hits == Bounds(1))
    #expect(report.played.outcomes.map(\.cost) == [Bounds(4), Bounds(8)])
    #expect(report.played.outcomes.map(\.hits) == [Bounds(1), Bounds(0)])
  }

  @Test func `several kinds are read in one pass`() async throws {
    try await buy(["one"], for: 4)
    let other = WhatIfKind("atlas.road", limit: .untold, prices: .recorded)
    let records = try #require(
      try WhatIf.read(LogSource(log), WhatIf.Question(Self.told), of: [Self.told, other]))
    var reports: [WhatIfReport] = []
    for record in records { reports.append(try #require(await WhatIf.play(record, []))) }
    #expect(reports.map(\.kind) == [Self.places, "atlas.road"])
    #expect(reports.map(\.played.recorded.requests) == [1, 0])
    #expect(reports.map(\.played.recorded.cost) == [Bounds(4), Bounds(0)])
  }

  @Test func `a policy is of the kind whose name it begins with`() throws {
    let kinds = [Self.told, WhatIfKind("atlas.road", limit: .untold, prices: .recorded)]
    #expect(try WhatIfPolicy.kind(of: "atlas.road.fresh=3s", among: kinds).name == "atlas.road")
    #expect(
      try WhatIfPolicy.kind(of: " atlas.place.absent.fresh=3s,grace=1s", among: kinds).name
        == Self.places)
    for (text, named) in [
      ("sea.depth.fresh=3s", "sea.depth"), ("fresh=3s", "atlas.place.fresh"), ("", "sets nothing"),
    ] {
      do throws(WhatIfPolicy.Problem) {
        _ = try WhatIfPolicy.kind(of: text, among: kinds)
        Issue.record("“\(text)” is taken for a policy")
      } catch { #expect(error.description.contains(named), "\(error)") }
    }
    // All that there are.
    do throws(WhatIfPolicy.Problem) {
      _ = try WhatIfPolicy.kind(of: "sea.depth.fresh=3s", among: kinds)
    } catch { #expect(error.description.contains("atlas.place, atlas.road")) }
  }
}
