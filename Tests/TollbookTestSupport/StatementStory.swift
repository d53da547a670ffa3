import Keepa
package import TollbookEvents

/// Two calls that two accounts share, paid on two meters in two units, while a third meter only limits one of the costs.
/// The first call is answered, the second is in doubt until it is partly settled.
package enum StatementStory {
  package static let tokens = MeterKey(owner: "keepa:0fd8", unit: "tokens")
  /// Without its window.
  package static let money = MeterKey(
    .budget, owner: "spring", dimensions: [dimension("model", "small")], unit: "EUR")
  /// It only limits, and so is in no statement.
  package static let limit = MeterKey(.account, owner: "acme", unit: "tokens")

  /// The events, which are to be the first ones of a log.
  package static let events: [Event] = [
    .fetchStarted(started), .tokensCharged(charged), .fetchStarted(started),
    .chargeInDoubt(doubted),
    resolved(tokens, doubt(of: 5, settled: 0, released: 5)),
    resolved(limit, doubt(of: 5, settled: 0, released: 5, limitOnly: true)),
    resolved(money, doubt(of: 2, settled: 1, released: 0)),
  ]

  private static let day = "day 2026-11-21"
  private static let resources = (1...3).map { "shared/keepa.product/1/B00000000\($0)" }
  private static let payers = [
    Payer(account: "acme", kind: "keepa.product", weight: 1),
    Payer(account: "zeta", kind: "keepa.product", weight: 2),
  ]

  private static var started: FetchStarted {
    var event = FetchStarted()
    event.operation = "keepa.product"
    event.credential = "keepa:0fd8"
    event.resources = resources
    event.demands = ["acme", "zeta"].map { account in
      var demand = Demand()
      demand.account = account
      return demand
    }
    event.demandOf = [0, 1, 1]
    event.moves = moves(tokens: 9, money: 20)
    return event
  }

  private static var charged: TokensCharged {
    var event = TokensCharged()
    event.fetch = 1
    event.attempt = 1
    event.credential = "keepa:0fd8"
    event.operation = "keepa.product"
    event.moves = moves(tokens: 7, money: 10)
    for (index, reserved) in [9, 20, 9].enumerated() {
      event.moves[index].reserved = Int64(reserved)
      event.moves[index].expected = 6
    }
    event.moves[1].basis = .price
    event.payers = payers
    event.shares = [
      share(0, [4, 3], payer: 0), share(1, [2, 3], payer: 1), share(2, [1, 4], payer: 1),
    ]
    return event
  }

  private static func share(_ index: Int, _ amounts: [Int64], payer: UInt32) -> Share {
    var share = Share()
    share.resource = resources[index]
    share.amounts = amounts
    share.payer = payer
    share.use = .served
    return share
  }

  private static var doubted: ChargeInDoubt {
    var event = ChargeInDoubt()
    event.fetch = 3
    event.attempt = 1
    event.credential = "keepa:0fd8"
    event.operation = "keepa.product"
    event.moves = moves(tokens: 5, money: 2)
    event.payers = payers
    return event
  }

  private static func moves(tokens count: Int64, money nanos: Int64) -> [Move] {
    [move(tokens, count), move(money.inWindow(day), nanos), move(limit, count, limitOnly: true)]
  }

  private static func move(_ meter: MeterKey, _ amount: Int64, limitOnly: Bool = false) -> Move {
    var move = Move()
    move.meter = meter.name
    move.window = meter.window
    move.amount = amount
    move.limitOnly = limitOnly
    return move
  }

  private static func doubt(
    of amount: Int64, settled: Int64, released: Int64, limitOnly: Bool = false
  ) -> ResolvedDoubt {
    var doubt = ResolvedDoubt()
    doubt.fetch = 3
    doubt.attempt = 1
    doubt.operation = "keepa.product"
    doubt.tokens = amount
    doubt.settled = settled
    doubt.released = released
    doubt.unprovable = amount - settled - released
    doubt.payers = payers
    doubt.limitOnly = limitOnly
    return doubt
  }

  private static func resolved(_ meter: MeterKey, _ doubt: ResolvedDoubt) -> Event {
    var doubt = doubt
    if meter == money { doubt.window = day }
    var event = ChargeResolved()
    event.meter = meter.name
    event.doubts = [doubt]
    event.evidence = .reading
    return .chargeResolved(event)
  }

  private static func dimension(_ name: String, _ value: String) -> Dimension {
    var dimension = Dimension()
    dimension.name = name
    dimension.value = value
    return dimension
  }
}
