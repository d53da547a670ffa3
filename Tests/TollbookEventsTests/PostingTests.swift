import Testing
import TollbookEvents

/// What events book, of both formats.
@Suite struct PostingTests {
  private static let page = MeterKey(owner: "main", unit: "tokens")
  private static let budget = MeterKey(
    .budget, owner: "spring", unit: "EUR", window: "day 2026-11-21")
  private static let limit = MeterKey(
    .account, owner: "acme", unit: "tokens", window: "day 2026-11-21")
  private static let payers = [
    Payer(account: "acme", tags: ["a"], kind: "keepa.product", weight: 2),
    Payer(account: "zeta", kind: "keepa.discovery", weight: 1),
  ]

  private static func move(_ page: MeterKey, _ change: (inout Move) -> Void) -> Move {
    var move = Move()
    move.meter = page.name
    move.window = page.window
    change(&move)
    return move
  }

  /// A move of each page: the upstream's tokens, money, and a limit on the tokens.
  private static func moves(_ change: (inout Move) -> Void = { _ in }) -> [Move] {
    [
      move(page) {
        ($0.amount, $0.expected) = (9, 7)
        change(&$0)
      },
      move(budget) {
        ($0.amount, $0.granted, $0.windowEndsMs) = (1_500_000_000, 20_000_000_000, 1_000)
        $0.basis = .price
        change(&$0)
      },
      move(limit) {
        ($0.amount, $0.limitOnly) = (9, true)
        change(&$0)
      },
    ]
  }

  /// The postings that `moves` make.
  private static func postings(
    _ changes: [Posting.Change], attempt: UInt32, operation: String = "keepa.product",
    payers: [Payer] = payers
  ) -> [Posting] {
    var postings = zip([page, budget, limit], changes).map { Posting($0, $1) }
    for index in postings.indices {
      postings[index].fetch = 300
      postings[index].attempt = attempt
      postings[index].operation = operation
      postings[index].payers = payers
    }
    postings[0].expected = 7
    postings[1].granted = 20_000_000_000
    postings[1].windowEnds = Timestamp(milliseconds: 1_000)
    postings[1].basis = .price
    postings[2].isLimitOnly = true
    return postings
  }

  /// The posting of a format 1 event.
  private static func posting(
    _ change: Posting.Change, attempt: UInt32, operation: String = "", account: String? = nil,
    expected: Int64 = 0
  ) -> Posting {
    var posting = Posting(page, change)
    posting.fetch = 300
    posting.attempt = attempt
    posting.operation = operation
    posting.payers = account.map { [Payer(account: $0)] } ?? []
    posting.expected = expected
    return posting
  }

  // MARK: Reservations

  @Test func `a call that begins reserves`() {
    var event = FetchStarted()
    (event.operation, event.credential) = ("keepa.product", "main")
    (event.account, event.unit, event.bound, event.expected) = ("acme", "tokens", 4, 2)
    #expect(
      Event.fetchStarted(event).postings(at: 300) == [
        Self.posting(
          .reserved(4), attempt: 1, operation: "keepa.product", account: "acme", expected: 2)
      ])

    event.demands = Self.payers.map {
      var demand = Demand()
      (demand.account, demand.tags) = ($0.account, $0.tags)
      return demand
    }
    event.resources = ["shared/keepa.product/1/B", "shared/keepa.discovery/c"]
    event.demandOf = [0, 1]
    event.weights = [2, 1]
    event.moves = Self.moves()
    #expect(
      Event.fetchStarted(event).postings(at: 300)
        == Self.postings([.reserved(9), .reserved(1_500_000_000), .reserved(9)], attempt: 1))
  }

  @Test func `an attempt that failed reserves for the next, if there is one`() {
    var event = FetchAttemptFailed()
    (event.fetch, event.attempt, event.nextAttempt, event.nextBound) = (300, 1, 2, 4)
    (event.credential, event.unit, event.account) = ("main", "tokens", "acme")
    event.operation = "keepa.product"
    #expect(
      Event.fetchAttemptFailed(event).postings(at: 310) == [
        Self.posting(.reserved(4), attempt: 2, operation: "keepa.product", account: "acme")
      ])

    event.moves = Self.moves()
    event.payers = Self.payers
    #expect(
      Event.fetchAttemptFailed(event).postings(at: 310)
        == Self.postings([.reserved(9), .reserved(1_500_000_000), .reserved(9)], attempt: 2))

    #expect(Event.fetchAttemptFailed(event).hasPostings)
    event.nextAttempt = 0
    #expect(Event.fetchAttemptFailed(event).postings(at: 310) == [])
    #expect(!Event.fetchAttemptFailed(event).hasPostings)
  }

  // MARK: Ends

  @Test func `a charge settles, and ends a reservation or a part of it`() {
    var event = TokensCharged()
    (event.fetch, event.attempt, event.credential, event.unit) = (300, 2, "main", "tokens")
    (event.account, event.operation) = ("acme", "keepa.product")
    (event.tokens, event.reserved, event.expected) = (3, 4, 2)
    #expect(
      Event.tokensCharged(event).postings(at: 310) == [
        Self.posting(
          .charged(3, of: 4), attempt: 2, operation: "keepa.product", account: "acme",
          expected: 2)
      ])

    event.moves = Self.moves { $0.reserved = $0.amount - 1 }
    event.payers = Self.payers
    let changes: [Posting.Change] = [
      .charged(9, of: 8), .charged(1_500_000_000, of: 1_499_999_999), .charged(9, of: 8),
    ]
    #expect(
      Event.tokensCharged(event).postings(at: 310) == Self.postings(changes, attempt: 2))
  }

  @Test func `a release gives back`() {
    var event = ReservationReleased()
    (event.fetch, event.attempt, event.credential) = (300, 2, "main")
    (event.unit, event.tokens) = ("tokens", 4)
    #expect(
      Event.reservationReleased(event).postings(at: 310)
        == [Self.posting(.released(4), attempt: 2)])

    event.moves = Self.moves()
    #expect(
      Event.reservationReleased(event).postings(at: 310)
        == Self.postings(
          [.released(9), .released(1_500_000_000), .released(9)], attempt: 2, operation: "",
          payers: []))
  }

  @Test func `a doubt holds as spent`() {
    var event = ChargeInDoubt()
    (event.fetch, event.attempt, event.credential) = (300, 2, "main")
    (event.unit, event.tokens, event.sentMs) = ("tokens", 4, 77)
    #expect(
      Event.chargeInDoubt(event).postings(at: 310) == [Self.posting(.doubted(4), attempt: 2)])

    event.moves = Self.moves()
    event.payers = Self.payers
    event.operation = "keepa.product"
    #expect(
      Event.chargeInDoubt(event).postings(at: 310)
        == Self.postings([.doubted(9), .doubted(1_500_000_000), .doubted(9)], attempt: 2))
  }

  @Test func `a set of doubts of format 1 closes on the meter of its credential`() {
    var doubt = ResolvedDoubt()
    (doubt.fetch, doubt.attempt, doubt.account) = (300, 2, "acme")
    doubt.operation = "keepa.product"
    (doubt.tokens, doubt.settled, doubt.released, doubt.unprovable) = (6, 3, 2, 1)
    doubt.wasUnprovable = true
    var event = ChargeResolved()
    (event.credential, event.unit, event.doubts) = ("main", "tokens", [doubt])
    let postings = Event.chargeResolved(event).postings(at: 310)
    guard case .closed(let closed)? = postings.first?.change else {
      Issue.record("no doubt is closed")
      return
    }
    #expect(
      postings == [
        Self.posting(.closed(closed), attempt: 2, operation: "keepa.product", account: "acme")
      ])
    #expect([closed.amount, closed.settled, closed.released, closed.unprovable] == [6, 3, 2, 1])
    #expect(closed.wasUnprovable)
    #expect(closed.since == nil)
  }

  @Test func `a set of doubts closes on the windows of its meter`() {
    var event = ChargeResolved()
    event.meter = Self.budget.name
    event.doubts = ([("day 2026-11-20", 0), ("day 2026-11-21", 77), ("", 0)] as [(String, Int64)])
      .map {
        var doubt = ResolvedDoubt()
        (doubt.fetch, doubt.attempt, doubt.operation) = (300, 1, "keepa.product")
        (doubt.window, doubt.sinceMs) = $0
        (doubt.tokens, doubt.settled) = (6, 6)
        doubt.payers = Self.payers
        doubt.limitOnly = doubt.sinceMs > 0
        return doubt
      }
    let postings = Event.chargeResolved(event).postings(at: 310)
    #expect(
      postings.map(\.page)
        == ["day 2026-11-20", "day 2026-11-21", ""].map {
          Self.budget.inWindow($0)
        })
    #expect(postings.map(\.isLimitOnly) == [false, true, false])
    #expect(postings.allSatisfy { $0.payers == Self.payers })
    let since = postings.map { posting in
      guard case .closed(let doubt) = posting.change else { return nil as Timestamp?? }
      return doubt.since
    }
    #expect(since == [.some(nil), .some(Timestamp(milliseconds: 77)), .some(nil)])
  }

  // MARK: Readings

  @Test func `a balance opens a meter, and later grants what was refilled`() {
    var event = BalanceObserved()
    (event.credential, event.unit) = ("main", "tokens")
    (event.reading.balance, event.refill, event.unexplained) = (300, 75, -2)
    event.fetch = 300
    var expected = Posting(Self.page, .observed(unexplained: -2))
    expected.granted = 300
    expected.fetch = 300
    #expect(Event.balanceObserved(event).postings(at: 310) == [expected])

    event.previous.balance = 230
    expected.granted = 75
    #expect(Event.balanceObserved(event).postings(at: 310) == [expected])

    event.meter = MeterName(quotaGroup: "project", unit: "weight")
    expected.page = MeterKey(owner: "project", unit: "weight")
    #expect(Event.balanceObserved(event).postings(at: 310) == [expected])
  }

  @Test func `a reading of a window grants what its limit changed by`() {
    var event = WindowObserved()
    event.meter = Self.budget.name
    event.window = Self.budget.window
    (event.used, event.limit, event.granted, event.unexplained) = (70, 100, 20, 5)
    (event.windowEndsMs, event.fetch) = (1_000, 300)
    var expected = Posting(Self.budget, .observed(unexplained: 5))
    expected.granted = 20
    expected.windowEnds = Timestamp(milliseconds: 1_000)
    expected.fetch = 300
    #expect(Event.windowObserved(event).postings(at: 310) == [expected])
    event.windowEndsMs = 0
    expected.windowEnds = nil
    #expect(Event.windowObserved(event).postings(at: 310) == [expected])
  }

  @Test func `a correction adds its difference to who paid, and ends no reservation`() {
    var event = ChargeCorrected()
    (event.charge, event.fetch, event.attempt) = (305, 300, 2)
    event.operation = "keepa.product"
    event.payers = Self.payers
    event.moves = [
      Self.move(Self.page) { $0.amount = -9 },
      Self.move(Self.limit) { ($0.amount, $0.limitOnly) = (-6, true) },
    ]
    let postings = Event.chargeCorrected(event).postings(at: 310)
    #expect(postings.map(\.change) == [.corrected(-9), .corrected(-6)])
    #expect(postings.map(\.page) == [Self.page, Self.limit])
    #expect(postings.map(\.isLimitOnly) == [false, true])
    #expect(postings.map(\.fetch) == [300, 300])
    #expect(postings[0].shares == [-6, -3])
  }

  @Test func `a bill posts what it says beyond the books, and is no reading`() {
    var event = InvoicePosted()
    event.meter = Self.budget.name
    event.window = Self.budget.window
    (event.invoiced, event.booked, event.unexplained) = (70, 100, -30)
    let expected = Posting(Self.budget, .observed(unexplained: -30))
    #expect(Event.invoicePosted(event).postings(at: 310) == [expected])
  }

  @Test func `events that book nothing have no postings`() {
    let events: [Event] = [
      .fetchSucceeded(FetchSucceeded()), .fetchFailed(FetchFailed()),
      .cacheWritten(CacheWritten()), .entriesSwept(EntriesSwept()),
      .spendRefused(SpendRefused()), .logRestored(LogRestored()),
      .serviceRecovered(ServiceRecovered()),
    ]
    for event in events {
      #expect(event.postings(at: 1) == [])
      #expect(!event.hasPostings)
    }
  }

  // MARK: Parts

  private static func share(_ payer: UInt32, _ amounts: [Int64]) -> Share {
    var share = Share()
    share.payer = payer
    share.amounts = amounts
    return share
  }

  /// 9 tokens and 1.5 EUR, with a limit between them.
  private static func charge(_ shares: [Share]) -> [Posting] {
    var event = TokensCharged()
    let all = moves()
    event.moves = [all[0], all[2], all[1]]
    event.payers = payers
    event.shares = shares
    return Event.tokensCharged(event).postings(at: 310)
  }

  @Test func `shares tell what each payer has of each cost, and not of a limit`() {
    let postings = Self.charge([
      Self.share(1, [2, 500_000_000]), Self.share(0, [4, 0]), Self.share(1, [3, 1_000_000_000]),
    ])
    #expect(postings.map(\.page) == [Self.page, Self.limit, Self.budget])
    #expect(postings.map(\.parts) == [[4, 5], [], [0, 1_500_000_000]])
    #expect(postings[0].shares == [4, 5])
    #expect(postings[2].shares == [0, 1_500_000_000])
  }

  @Test(
    arguments: [
      [],
      [share(2, [9, 1_500_000_000])],
      [share(0, [9, 1_500_000_000]), share(7, [0, 0])],
      [share(0, [])],
    ] as [[Share]])
  func `without shares, or with shares that are not those of the payers, weights divide a cost`(
    shares: [Share]
  ) {
    let postings = Self.charge(shares)
    #expect(postings.map(\.parts) == [[], [], []])
    #expect(postings[0].shares == [6, 3])
    #expect(postings[2].shares == [1_000_000_000, 500_000_000])
  }

  @Test func `shares that tell the first cost alone leave the second to the weights`() {
    let postings = Self.charge([Self.share(0, [1]), Self.share(1, [8])])
    #expect(postings.map(\.parts) == [[1, 8], [], []])
    #expect(postings[2].shares == [1_000_000_000, 500_000_000])
  }

  @Test func `shares of format 1 are all the account's`() {
    var event = TokensCharged()
    (event.account, event.tokens) = ("acme", 3)
    var share = Share()
    (share.resource, share.tokens) = ("a", 3)
    event.shares = [share]
    let postings = Event.tokensCharged(event).postings(at: 310)
    #expect(postings.map(\.parts) == [[]])
    #expect(postings.map(\.shares) == [[3]])
  }

  @Test func `other changes have no shares`() {
    var posting = Posting(Self.page, .doubted(9))
    posting.payers = Self.payers
    #expect(posting.shares == [])
    #expect(posting.divided(9) == [6, 3])
  }

  @Test(
    arguments: [
      (9, [2, 1], [6, 3]),
      (-9, [2, 1], [-6, -3]),
      (-10, [1, 1, 1], [-4, -3, -3]),
      (10, [0, 0], [5, 5]),
      (-1, [], []),
      (7, [-5, 1], [0, 7]),
      (.max, [1], [.max]),
      (.min + 1, [1], [.min + 1]),
      // The one amount that has no opposite loses one.
      (.min, [1], [.min + 1]),
    ] as [(Int64, [Int64], [Int64])])
  func `amounts are divided over the weights, also those given back`(
    amount: Int64, weights: [Int64], expected: [Int64]
  ) {
    let payers = weights.map { Payer(account: "acme", weight: $0) }
    #expect(payers.dividing(amount) == expected)
  }
}
