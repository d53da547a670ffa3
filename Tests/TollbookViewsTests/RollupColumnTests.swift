import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// What each kind of event adds to the rollups, by hand.
@Suite struct RollupColumnTests {
  /// A row of the first hour, mostly of acme's products.
  private static func row(
    _ account: String = "acme", _ kind: String = "keepa.product", _ unit: String = "",
    tags: [String] = [], operation: String = "keepa.product", hours: Int64 = 0
  ) -> RollupModel.Row {
    RollupModel.Row(
      hour: Timestamp.testStart.milliseconds / 3_600_000 + hours, account: Array(account.utf8),
      operation: Array(operation.utf8), kind: Array(kind.utf8), tags: tags.map { Array($0.utf8) },
      unit: Array(unit.utf8))
  }

  private static func payer(
    _ account: String = "acme", _ kind: String = "keepa.product", tags: [String] = [],
    weight: Int64 = 1
  ) -> Payer {
    Payer(account: account, tags: tags, kind: kind, weight: weight)
  }

  private static func move(
    _ unit: String, _ amount: Int64, of reserved: Int64? = nil, expected: Int64? = nil,
    limitOnly: Bool = false
  ) -> Move {
    filled(Move()) {
      $0.meter = MeterName(quotaGroup: "key", unit: unit)
      $0.amount = amount
      $0.reserved = reserved ?? amount
      $0.expected = expected ?? amount
      $0.limitOnly = limitOnly
    }
  }

  private static func share(
    _ amounts: [Int64], _ use: Use, of resource: String = "", payer: UInt32 = 0,
    written: Position = 0
  ) -> Share {
    filled(Share()) {
      $0.resource = resource
      ($0.amounts, $0.use, $0.payer, $0.written) = (amounts, use, payer, written)
    }
  }

  private static func charge(
    _ moves: [Move], _ shares: [Share], _ payers: [Payer] = [payer()]
  ) -> Event {
    .tokensCharged(
      filled(TokensCharged()) {
        $0.operation = "keepa.product"
        ($0.moves, $0.shares, $0.payers) = (moves, shares, payers)
      })
  }

  // MARK: Calls

  @Test func `a call counts once, and its resources with whoever waits for them`() throws {
    let event = filled(FetchStarted()) {
      $0.operation = "keepa.product"
      $0.resources = ["shared/keepa.product/1/A", "shared/keepa.code/1/B", "shared/keepa.code/1/C"]
      let demand = filled(Demand()) { ($0.account, $0.tags) = ("acme", ["batch", "spring"]) }
      $0.demands = [demand, filled(Demand()) { ($0.account, $0.refresh) = ("zeta", .warm) }]
      $0.demandOf = [0, 0, 1]
      $0.weights = [5, 0, 9]
      $0.moves = [Self.move("tokens", 3)]
    }
    let found = try RollupLab.of([.fetchStarted(event)]).found()
    let tags = ["batch", "spring"]
    #expect(
      found.rows == [
        Self.row(tags: tags): [.calls: 1, .readsBought: 1],
        Self.row("acme", "keepa.code", tags: tags): [.readsBought: 1, .callsOfOtherKinds: 1],
        Self.row("zeta", "keepa.code"): [.callsOfOtherAccounts: 1],
      ])
    #expect(found.since == 1)
  }

  @Test func `a retry is a call of the first payer, and no purchase`() throws {
    let event = filled(FetchAttemptFailed()) {
      ($0.operation, $0.nextAttempt) = ("keepa.product", 2)
      $0.moves = [Self.move("tokens", 3)]
      $0.payers = [Self.payer("zeta"), Self.payer()]
    }
    let last = filled(FetchAttemptFailed()) { ($0.attempt, $0.reason) = (2, .timedOut) }
    let found = try RollupLab.of([.fetchAttemptFailed(event), .fetchAttemptFailed(last)]).found()
    #expect(
      found.rows == [
        Self.row("zeta"): [.calls: 1, .retries: 1],
        Self.row(): [.callsOfOtherAccounts: 1, .retriesOfOtherAccounts: 1],
      ])
  }

  @Test func `answers that were kept count with their payers`() throws {
    let event = filled(FetchSucceeded()) {
      $0.operation = "keepa.product"
      $0.payers = [Self.payer(weight: 3), Self.payer("zeta", weight: 0), Self.payer("zeta", "k")]
    }
    let found = try RollupLab.of([.fetchSucceeded(event)]).found()
    #expect(
      found.rows == [Self.row(): [.bought: 3], Self.row("zeta", "k"): [.bought: 1]])
  }

  @Test(arguments: [RefreshReason.none, .ahead])
  func `what is refused counts, and by itself what nobody waited for`(
    refresh: RefreshReason
  ) throws {
    let event = filled(SpendRefused()) {
      $0.operation = "keepa.product"
      $0.demand = filled(Demand()) { ($0.account, $0.refresh) = ("acme", refresh) }
      $0.payers = [Self.payer(weight: 4)]
    }
    let found = try RollupLab.of([.spendRefused(event)]).found()
    let behind: [RollupColumn: Int64] = refresh == .none ? [:] : [.refusedBehind: 4]
    #expect(found.rows == [Self.row(): behind.merging([.refused: 4]) { $1 }])
  }

  // MARK: Reads

  private static func tally(_ fill: (inout ReadTally) -> Void) -> ReadTally {
    filled(ReadTally()) {
      ($0.resource, $0.account, $0.operation) = (
        "shared/keepa.product/1/A", "acme", "keepa.product"
      )
      fill(&$0)
    }
  }

  @Test func `reads count by how they were answered, and avoid what the entry had cost`() throws {
    let answered = Self.tally {
      ($0.fresh, $0.stale, $0.joined, $0.booked) = (5, 2, 1, 1)
      $0.costs = [Cost(Amount(3, "tokens")), Cost(Amount(10, "EUR"))]
    }
    let unknown = Self.tally { ($0.tags, $0.fresh, $0.stale, $0.joined) = (["batch"], 1, 2, 4) }
    let unmet = Self.tally { $0.unmet = 6 }
    let first = Self.tally { ($0.operation, $0.fresh) = ("", 100) }
    let event = filled(ReadsTallied()) {
      ($0.rows, $0.unmet) = ([answered, unknown, first], [unmet])
    }
    let found = try RollupLab.of([.readsTallied(event)]).found()
    #expect(
      found.rows == [
        Self.row(): [
          .readsFresh: 5, .readsStale: 2, .readsJoined: 1, .readsBooked: 1, .readsUnmet: 6,
        ],
        Self.row("acme", "keepa.product", "tokens"): [.avoided: 21, .avoidedByJoining: 3],
        Self.row("acme", "keepa.product", "EUR"): [.avoided: 70, .avoidedByJoining: 10],
        Self.row(tags: ["batch"]): [
          .readsFresh: 1, .readsStale: 2, .readsJoined: 4, .readsOfUnknownCost: 7,
        ],
      ])
  }

  // MARK: Charges

  @Test func `a charge is its payers' by the shares, in each unit, and limits count nothing`()
    throws
  {
    let event = Self.charge(
      [
        Self.move("tokens", 7), Self.move("tokens", 7, expected: 1, limitOnly: true),
        Self.move("EUR", 100, of: 90, expected: 60),
      ],
      [
        Self.share([4, 70], .served), Self.share([3, 20], .duplicate, payer: 1),
        Self.share([0, 10], .handedOn, of: "shared/keepa.product/1/A", payer: 1),
      ], [Self.payer(weight: 1), Self.payer("zeta", weight: 1)])
    let found = try RollupLab.of([event]).found()
    #expect(
      found.rows == [
        Self.row(): [.charges: 1, .priceDrifts: 1],
        Self.row("zeta"): [.chargesOfOtherAccounts: 1],
        Self.row("acme", "keepa.product", "tokens"): [
          .unitCharges: 1, .certain: 4, .expected: 4, .served: 4,
        ],
        Self.row("zeta", "keepa.product", "tokens"): [
          .unitChargesOfOtherAccounts: 1, .certain: 3, .expected: 3, .duplicate: 3,
        ],
        Self.row("acme", "keepa.product", "EUR"): [
          .unitCharges: 1, .certain: 70, .expected: 42, .aboveList: 20, .excess: 5, .served: 70,
        ],
        Self.row("zeta", "keepa.product", "EUR"): [
          .unitChargesOfOtherAccounts: 1, .certain: 30, .expected: 18, .aboveList: 20, .excess: 5,
          .duplicate: 20, .handedOn: 10,
        ],
      ])
    #expect(found.remarks == [1: .price])
  }

  @Test func `a charge without shares bought nothing, and is divided by the weights`() throws {
    let event = Self.charge(
      [Self.move("tokens", 7, expected: 9)], [],
      [Self.payer(weight: 2), Self.payer("acme", "keepa.code", weight: 1)])
    let found = try RollupLab.of([event]).found()
    #expect(
      found.rows == [
        Self.row(): [.charges: 1, .priceDrifts: 1],
        Self.row("acme", "keepa.code"): [.chargesOfOtherKinds: 1],
        Self.row("acme", "keepa.product", "tokens"): [
          .unitCharges: 1, .certain: 5, .expected: 6, .belowList: 1, .failed: 5,
        ],
        Self.row("acme", "keepa.code", "tokens"): [
          .unitChargesOfOtherKinds: 1, .certain: 2, .expected: 3, .belowList: 1, .failed: 2,
        ],
      ])
  }

  @Test(arguments: [
    (Use.served, RollupColumn.served), (.duplicate, .duplicate), (.unchanged, .unchanged),
    (.failed, .failed), (.handedOn, .passedThrough), (.unspecified, .failed),
    (.refreshed, .neverRead),
  ])
  func `what became of a share is its class of waste`(use: Use, column: RollupColumn) throws {
    let found = try RollupLab.of([
      Self.charge([Self.move("tokens", 7)], [Self.share([7], use)])
    ]).found()
    #expect(
      found.rows[Self.row("acme", "keepa.product", "tokens")]
        == [.unitCharges: 1, .certain: 7, .expected: 7, column: 7])
    #expect(found.remarks == [:])
  }

  // MARK: Doubts

  private static func doubt(_ moves: [Move]) -> RecordedEvent {
    recorded(
      1,
      .chargeInDoubt(
        filled(ChargeInDoubt()) {
          ($0.operation, $0.moves) = ("keepa.product", moves)
          $0.payers = [Self.payer(weight: 2), Self.payer("zeta", weight: 1)]
        }))
  }

  private static func recorded(_ position: Position, _ event: Event, hours: Int64 = 0)
    -> RecordedEvent
  {
    RecordedEvent(
      position: position, time: .testStart.advanced(byMilliseconds: hours * 3_600_000),
      event: event)
  }

  @Test func `a doubt counts in the hour that the clock said, though its end tells another`()
    throws
  {
    let lab = try RollupLab()
    let start = Timestamp.testStart
    let earlier = start.advanced(byMilliseconds: -2 * 3_600_000)
    var doubt = Self.doubt([Self.move("tokens", 9)])
    doubt.wall = earlier
    try lab.apply([doubt])
    func row(_ account: String, hours: Int64) -> RollupModel.Row {
      var row = Self.row(account, "keepa.product", "tokens")
      row.hour += hours
      return row
    }
    #expect(
      try lab.found().rows == [
        row("acme", hours: -2): [.inDoubt: 6], row("zeta", hours: -2): [.inDoubt: 3],
      ])
    #expect(try lab.dump()["\(RollupFold.fold.id).doubts"]?.rows == 1)
    try lab.apply([Self.recorded(2, Self.closing(9, settled: 0))])
    #expect(try lab.found().rows == [:])
    #expect(try lab.dump()["\(RollupFold.fold.id).doubts"]?.rows == 0)
  }

  private static func closing(
    _ amount: Int64, settled: Int64, unprovable: Int64 = 0, was: Bool = false,
    limitOnly: Bool = false, unit: String = "tokens"
  ) -> Event {
    let doubt = filled(ResolvedDoubt()) {
      ($0.operation, $0.tokens, $0.settled) = ("keepa.product", amount, settled)
      ($0.unprovable, $0.wasUnprovable, $0.limitOnly) = (unprovable, was, limitOnly)
      $0.released = amount - settled - unprovable
      $0.sinceMs = Timestamp.testStart.milliseconds
      $0.payers = [Self.payer(weight: 2), Self.payer("zeta", weight: 1)]
    }
    return .chargeResolved(
      filled(ChargeResolved()) {
        ($0.meter, $0.doubts) = (MeterName(quotaGroup: "key", unit: unit), [doubt])
      })
  }

  @Test func `a doubt counts in the hour in which it began, whenever it is closed`() throws {
    let lab = try RollupLab()
    let (acme, zeta) = (
      Self.row("acme", "keepa.product", "tokens"), Self.row("zeta", "keepa.product", "tokens")
    )
    try lab.apply([
      Self.doubt([Self.move("tokens", 9), Self.move("tokens", 9, limitOnly: true)])
    ])
    #expect(try lab.found().rows == [acme: [.inDoubt: 6], zeta: [.inDoubt: 3]])

    try lab.apply([
      Self.recorded(2, Self.closing(9, settled: 0, unprovable: 6), hours: 2),
      Self.recorded(3, Self.closing(9, settled: 9, limitOnly: true), hours: 2),
    ])
    #expect(try lab.found().rows == [acme: [.unprovable: 4], zeta: [.unprovable: 2]])

    try lab.apply([Self.recorded(4, Self.closing(6, settled: 3, was: true), hours: 5)])
    #expect(
      try lab.found().rows == [
        Self.row(hours: 5): [.charges: 1],
        Self.row("zeta", hours: 5): [.chargesOfOtherAccounts: 1],
        Self.row("acme", "keepa.product", "tokens", hours: 5): [
          .unitCharges: 1, .certain: 2, .failed: 2,
        ],
        Self.row("zeta", "keepa.product", "tokens", hours: 5): [
          .unitChargesOfOtherAccounts: 1, .certain: 1, .failed: 1,
        ],
      ])
  }

  @Test(arguments: [["tokens", "EUR"], ["EUR", "tokens"]])
  func `a doubt about several units is one charge, in the unit that is settled first`(
    order: [String]
  ) throws {
    let lab = try RollupLab()
    try lab.apply([Self.doubt([Self.move("tokens", 9), Self.move("EUR", 9)])])
    for (index, unit) in order.enumerated() {
      for (number, settled) in [4 as Int64, 3].enumerated() {
        let closing = Self.closing(
          9 - 4 * Int64(number), settled: settled, unprovable: number == 0 ? 5 : 0,
          was: number > 0, unit: unit)
        try lab.apply([Self.recorded(Position(2 + 2 * index + number), closing)])
      }
    }
    let found = try lab.found()
    #expect(found[.charges] == 2)
    #expect(found[.unitCharges] == 4)
    #expect(try lab.dump()["\(RollupFold.fold.id).doubts"]?.rows == 0)
  }

  // MARK: Readings

  @Test func `readings are nobody's, and name what the books do not explain`() throws {
    func balance(_ unexplained: Int64, isGap: Bool = false) -> Event {
      .balanceObserved(
        filled(BalanceObserved()) {
          $0.meter = MeterName(quotaGroup: "key", unit: "tokens")
          ($0.unexplained, $0.restoreGap) = (unexplained, isGap)
        })
    }
    let window = filled(WindowObserved()) {
      $0.meter = MeterName(quotaGroup: "key", unit: "requests")
      $0.unexplained = 4
    }
    let found = try RollupLab.of([
      balance(0), balance(-3), balance(8, isGap: true), balance(0, isGap: true),
      .windowObserved(window),
    ]).found()
    #expect(
      found.rows == [
        Self.row("", "", operation: ""): [.readings: 5, .drifts: 2, .restoreGaps: 2],
        Self.row("", "", "tokens", operation: ""): [.unexplained: -3, .restoreGap: 8],
        Self.row("", "", "requests", operation: ""): [.unexplained: 4],
      ])
    #expect(found.remarks == [2: .drift, 3: .restoreGap, 4: .restoreGap, 5: .drift])
  }

  // MARK: Refreshes

  private static let refreshed = row("acme", "keepa.product", "tokens")

  /// A charge of 7 for an entry (1) that nobody waited for.
  private static let refresh = recorded(
    2, charge([move("tokens", 7)], [share([7], .refreshed, written: 1)]))

  private static func read(fresh: UInt32 = 0, stale: UInt32 = 0, joined: UInt32 = 0) -> Event {
    .readsTallied(
      filled(ReadsTallied()) {
        $0.rows = [
          filled(ReadTally()) {
            ($0.written, $0.fresh, $0.stale, $0.joined) = (1, fresh, stale, joined)
          }
        ]
      })
  }

  /// What says that an entry is no longer fresh, or no longer there.
  enum End: CaseIterable {
    case replaced, expired, evicted, swept, purged

    var event: Event {
      switch self {
      case .replaced: .cacheWritten(filled(CacheWritten()) { $0.replaced = [7, 1] })
      case .expired: .cacheExpired(filled(CacheExpired()) { $0.written = 1 })
      case .evicted: .cacheEvicted(filled(CacheEvicted()) { $0.written = 1 })
      case .swept:
        .entriesSwept(
          filled(EntriesSwept()) { $0.entries = [filled(SweptEntry()) { $0.written = 1 }] })
      case .purged: .cachePurged(filled(CachePurged()) { $0.written = 1 })
      }
    }
  }

  private static func fate(_ events: [RecordedEvent]) throws -> RollupColumn? {
    let lab = try RollupLab()
    try lab.apply([refresh])
    for event in events { try lab.apply([event]) }
    let columns = try lab.found().rows[refreshed] ?? [:]
    #expect(columns[.certain] == 7)
    let classes: [RollupColumn] = [.stillLive, .neverRead, .refreshedAndUsed]
    let found = classes.filter { columns[$0] != nil }
    #expect(found.count == 1)
    return found.first { columns[$0] == 7 }
  }

  @Test func `a refresh is live until something is known about it`() throws {
    #expect(try Self.fate([]) == .stillLive)
    #expect(try Self.fate([Self.recorded(3, Self.read(stale: 2), hours: 1)]) == .stillLive)
  }

  @Test(arguments: [(UInt32(1), UInt32(0)), (0, 1)])
  func `a refresh that answers a read while it is fresh was of use, in the hour of its charge`(
    fresh: UInt32, joined: UInt32
  ) throws {
    let read = Self.recorded(3, Self.read(fresh: fresh, joined: joined), hours: 9)
    #expect(try Self.fate([read]) == .refreshedAndUsed)
    let end = Self.recorded(4, End.expired.event, hours: 10)
    #expect(try Self.fate([read, end]) == .refreshedAndUsed)
  }

  @Test(arguments: End.allCases)
  func `a refresh that ends without a read was never read`(end: End) throws {
    #expect(try Self.fate([Self.recorded(3, end.event, hours: 1)]) == .neverRead)
  }

  @Test(
    arguments: End.allCases,
    [
      (Int64(5_000), RollupColumn.refreshedAndUsed), (5_001, .neverRead),
    ])
  func `a read that is written down late still counts, for five seconds`(
    end: End, late: (Int64, RollupColumn)
  ) throws {
    let ended = Self.recorded(3, end.event, hours: 1)
    let read = RecordedEvent(
      position: 4, time: ended.time.advanced(byMilliseconds: late.0), event: Self.read(fresh: 1))
    #expect(try Self.fate([ended, read]) == late.1)
  }

  @Test func `nothing is remembered of a refresh that is decided`() throws {
    let lab = try RollupLab()
    try lab.apply([Self.refresh, Self.recorded(3, Self.read(fresh: 1))])
    let second = Self.recorded(
      5, Self.charge([Self.move("tokens", 2)], [Self.share([2], .refreshed, written: 4)]))
    let ended = filled(CacheExpired()) { $0.written = 4 }
    try lab.apply([second, Self.recorded(6, .cacheExpired(ended))])
    #expect(try lab.dump()["\(RollupFold.fold.id).refreshes"]?.rows == 1)
    #expect(try lab.dump()["\(RollupFold.fold.id).gone"]?.rows == 1)
    try lab.apply([Self.recorded(7, .serviceStarted(ServiceStarted()), hours: 1)])
    #expect(try lab.dump()["\(RollupFold.fold.id).refreshes"]?.rows == 0)
    #expect(try lab.dump()["\(RollupFold.fold.id).gone"]?.rows == 0)
  }

  // MARK: Names

  @Test(arguments: [
    payer("a\u{0}b"), payer("acme", "k\u{0}"), payer(tags: ["a\u{0}"]), payer(tags: ["a\u{1}b"]),
    payer(tags: [""]), payer(String(repeating: "a", count: 490)),
  ])
  func `an event whose names cannot be told apart is parked, and leaves no trace`(
    payer: Payer
  ) throws {
    let lab = try RollupLab()
    let good = Self.charge([Self.move("tokens", 7)], [Self.share([7], .served)])
    // The first payer's part would be possible.
    let bad = Self.charge(
      [Self.move("tokens", 7, expected: 1)],
      [Self.share([4], .refreshed, written: 1), Self.share([3], .served, payer: 1)],
      [Self.payer(), payer])
    try lab.apply([Self.recorded(1, good)])
    let before = try lab.dump()
    #expect(try lab.apply([Self.recorded(2, bad)]).map(\.position) == [2])
    #expect(differences(before, try lab.dump()) == [])
    #expect(try lab.apply([Self.recorded(3, good)]) == [])
    #expect(try lab.found()[.certain] == 14)
  }

  @Test func `the longest possible names are counted`() throws {
    // 8 bytes for the hour, 4 ends, operation, kind and unit.
    let account = String(repeating: "a", count: 511 - 8 - 4 - 13 - 13 - 6)
    let event = Self.charge(
      [Self.move("tokens", 7)], [Self.share([7], .served)], [Self.payer(account)])
    let found = try RollupLab.of([event]).found()
    #expect(found.rows[Self.row(account, "keepa.product", "tokens")]?[.served] == 7)
  }

  @Test func `names that look alike are two`() throws {
    let events = ["caf\u{e9}", "cafe\u{301}"].map { name in
      Self.charge(
        [Self.move("tokens", 7)], [Self.share([7], .served)],
        [Self.payer(name, tags: [name])])
    }
    let rows = try RollupLab.of(events).found().rows
    #expect(rows.count == 4)
    #expect(rows.values.filter { $0[.certain] == 7 }.count == 2)
  }

  @Test(arguments: [Int64.min, -1, 0, 1, .max])
  func `amounts at the ends of the range stop nothing`(amount: Int64) throws {
    let lab = try RollupLab()
    let payers = [Self.payer(weight: .max), Self.payer("zeta", weight: .max)]
    let charge = Self.charge(
      [Self.move("tokens", amount, of: 0 &- amount, expected: 0 &- amount)],
      [Self.share([amount], .refreshed, written: 1)], payers)
    let undivided = Self.charge([Self.move("tokens", amount, of: -1, expected: 1)], [], payers)
    let read = filled(ReadsTallied()) {
      $0.rows = [
        Self.tally {
          ($0.fresh, $0.stale, $0.joined, $0.written) = (.max, .max, .max, 1)
          $0.costs = [Cost(Amount(amount, "tokens"))]
        }
      ]
    }
    let events = [
      charge, charge, undivided, .readsTallied(read),
      Self.closing(amount, settled: amount), Self.doubt([Self.move("tokens", amount)]).event,
    ]
    let parked = try lab.apply(
      events.enumerated().map { Self.recorded(Position($0.offset + 1), $0.element) })
    #expect(parked == [])
    let wasted = try lab.found()
    #expect(wasted[.stillLive] == 0)
  }
}
