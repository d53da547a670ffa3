import Foundation
package import TollbookEvents

/// A call that two accounts share, paid with tokens and money, and limited by a budget of tokens.
///
/// `acme` waits for `A` and has `B` refreshed, `zeta` waits for `C`, which is handed on and not kept. It costs 21 tokens
/// and 0.07 EUR: 10 and 0.04 for `A`, 5 and 0.02 for `B`, 6 and 0.01 for `C`.
package struct SharedCall {
  package static let group = "llm:project"
  package static let credential = "llm:key"
  package static let operation = "llm.extract"

  /// The position of the `FetchStarted`, and the commits' time.
  package let fetch: Position
  package let time: Timestamp

  /// Where the call before it began, whose entries its own take the place of; 0: there was none.
  private let before: Position

  package init(from fetch: Position, at time: Timestamp, after before: Position = 0) {
    self.fetch = fetch
    self.time = time
    self.before = before
  }

  package static func resource(_ name: String) -> String {
    name == "C" ? "shared/llm.note/C" : "shared/llm.page/\(name)"
  }

  /// The pages' entries stand after the beginning and the answer.
  package func written(_ name: String) -> Position { fetch + (name == "A" ? 2 : 3) }

  /// The call from its beginning to its charge: six events.
  package var events: [Event] {
    [
      .fetchStarted(started), .fetchSucceeded(succeeded), .cacheWritten(entry("A", 10, 40)),
      .cacheWritten(entry("B", 5, 20)), .tokensCharged(charged), .windowObserved(observed),
    ]
  }

  /// As many events as `events`.
  package static let count: Position = 6

  package var started: FetchStarted {
    var event = FetchStarted()
    event.operation = Self.operation
    event.credential = Self.credential
    event.resources = ["A", "B", "C"].map(Self.resource)
    event.contentSet = 1
    event.demands = [
      demand("acme", .none), demand("acme", .grace), demand("zeta", .none),
    ]
    event.demandOf = [0, 1, 2]
    event.weights = [2, 1, 1]
    event.moves = Self.meters.map { meter, window, isLimit in
      var move = Move()
      move.meter = meter
      move.window = window
      move.amount = meter.unit == "EUR" ? 90_000_000 : 30
      move.expected = meter.unit == "EUR" ? 70_000_000 : 21
      move.limitOnly = isLimit
      return move
    }
    return event
  }

  private func demand(_ account: String, _ refresh: RefreshReason) -> Demand {
    var demand = Demand()
    demand.account = account
    demand.contentSet = 1
    demand.refresh = refresh
    return demand
  }

  /// Tokens of a day of the project, money of the key, and a budget.
  package static var meters: [(meter: MeterName, window: String, isLimit: Bool)] {
    var tokens = MeterName(quotaGroup: group, unit: "tokens")
    var model = Dimension()
    model.name = "model"
    model.value = "flash"
    tokens.dimensions = [model]
    var budget = MeterName(quotaGroup: "spring", unit: "tokens")
    budget.ownerKind = .budget
    return [
      (tokens, "day 2026-11-21", false),
      (MeterName(quotaGroup: credential, unit: "EUR"), "", false), (budget, "", true),
    ]
  }

  private var succeeded: FetchSucceeded {
    var event = FetchSucceeded()
    event.fetch = fetch
    event.attempt = 1
    event.found = 3
    event.durationMs = 240
    event.operation = Self.operation
    // Two entries are written, both of acme's.
    event.payers = zip(payers, [2, 0] as [Int64]).map { payer, written in
      var payer = payer
      payer.weight = written
      return payer
    }
    return event
  }

  private func entry(_ name: String, _ tokens: Int64, _ thousandths: Int64) -> CacheWritten {
    var event = CacheWritten()
    event.resource = Self.resource(name)
    event.contentSet = 1
    if before > 0 { event.replaced = [before + written(name) - fetch] }
    event.presence = .present
    event.fetch = fetch
    event.body = Data([UInt8](repeating: 7, count: 32))
    event.bodyBytes = 100
    event.fetchedMs = time.milliseconds
    event.freshUntilMs = time.milliseconds + 3_600_000
    event.graceUntilMs = event.freshUntilMs
    event.errorGraceUntilMs = event.freshUntilMs
    event.keepUntilMs = event.freshUntilMs
    event.costs = [Cost(Amount(tokens, "tokens")), Cost(Amount(thousandths * 1_000_000, "EUR"))]
    event.summaryForm = .none
    return event
  }

  package var payers: [Payer] {
    [
      Payer(account: "acme", kind: "llm.page", weight: 3),
      Payer(account: "zeta", kind: "llm.note", weight: 1),
    ]
  }

  package var charged: TokensCharged {
    var event = TokensCharged()
    event.fetch = fetch
    event.attempt = 1
    event.credential = Self.credential
    event.operation = Self.operation
    event.windows = ["day 2026-11-21"]
    event.moves = started.moves.map { move in
      var move = move
      move.reserved = move.amount
      move.amount = move.expected
      return move
    }
    event.payers = payers
    event.shares = [
      share("A", 10, 40, 0, .served), share("B", 5, 20, 0, .refreshed),
      share("C", 6, 10, 1, .handedOn),
    ]
    return event
  }

  private func share(
    _ name: String, _ tokens: Int64, _ thousandths: Int64, _ payer: UInt32, _ use: Use
  ) -> Share {
    var share = Share()
    share.resource = Self.resource(name)
    share.amounts = [tokens, thousandths * 1_000_000]
    share.payer = payer
    share.use = use
    share.written = use == .handedOn ? 0 : written(name)
    return share
  }

  /// The upstream counts seven tokens more than we do.
  package var observed: WindowObserved {
    var event = WindowObserved()
    event.meter = Self.meters[0].meter
    event.window = Self.meters[0].window
    event.used = 28
    event.limit = 1_000
    event.observedMs = time.milliseconds
    event.predictedLow = 21
    event.predictedHigh = 21
    event.unexplained = 7
    event.fetch = fetch
    return event
  }

  /// An attempt of the same call that was never answered, after its beginning.
  package var doubted: ChargeInDoubt {
    var event = ChargeInDoubt()
    event.fetch = fetch
    event.attempt = 1
    event.credential = Self.credential
    event.operation = Self.operation
    event.moves = started.moves
    event.payers = payers
    return event
  }

  /// The end of that doubt on one of the meters.
  package func resolved(
    _ meter: Int, amount: Int64, settled: Int64, unprovable: Int64 = 0
  ) -> ChargeResolved {
    let (name, window, isLimit) = Self.meters[meter]
    var doubt = ResolvedDoubt()
    doubt.fetch = fetch
    doubt.attempt = 1
    doubt.operation = Self.operation
    doubt.tokens = amount
    doubt.settled = settled
    doubt.unprovable = unprovable
    doubt.released = amount - settled - unprovable
    doubt.window = window
    doubt.payers = payers
    doubt.limitOnly = isLimit
    var event = ChargeResolved()
    event.meter = name
    event.doubts = [doubt]
    event.windows = ["day 2026-11-21"]
    return event
  }

  /// Reads of an entry of it.
  package func reads(
    _ name: String, account: String, fresh: UInt32 = 0, joined: UInt32 = 0, withCosts: Bool = true
  ) -> ReadsTallied {
    var row = ReadTally()
    row.resource = Self.resource(name)
    row.contentSet = 1
    row.account = account
    row.firstReadMs = time.milliseconds
    row.lastReadMs = time.milliseconds
    row.fresh = fresh
    row.joined = joined
    row.operation = Self.operation
    row.written = written(name)
    if withCosts { row.costs = entry(name, name == "A" ? 10 : 5, name == "A" ? 40 : 20).costs }
    var event = ReadsTallied()
    event.rows = [row]
    return event
  }
}
