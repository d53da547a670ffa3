import Testing
import TollbookEvents

@testable import TollbookGateway

/// How a difference is divided over who paid and over what counted the charge.
@Suite struct ChargeStandingTests {
  private static let told = MeterKey(owner: "keepa:main", unit: "tokens")
  private static let ofAcme = MeterKey(.budget, owner: "acme", unit: "tokens", window: "day 1")
  private static let ofAll = MeterKey(.budget, owner: "all", unit: "tokens")
  private static let money = MeterKey(owner: "keepa:main", unit: "EUR")

  /// A charge of 10 tokens, of which acme has 7 and zeta 3, and of some money.
  private static var charge: TokensCharged {
    var charge = TokensCharged()
    (charge.fetch, charge.attempt) = (5, 1)
    charge.payers = [Payer(account: "acme", weight: 1), Payer(account: "zeta", weight: 1)]
    charge.moves = [
      Move(told, 10), Move(ofAcme, 7), Move(ofAll, 10), Move(money, 2_000_000_000),
    ]
    for index in [1, 2] { charge.moves[index].limitOnly = true }
    charge.shares = ([(0, 7), (1, 3)] as [(UInt32, Int64)]).map { payer, amount in
      var share = Share()
      (share.payer, share.amounts) = (payer, [amount, amount * 200_000_000])
      return share
    }
    return charge
  }

  private static func standing(_ unit: String = "tokens") -> ChargeStanding? {
    ChargeStanding(Event.tokensCharged(charge).postings(at: 9), in: unit)
  }

  private static func isAcme(_ page: MeterKey) -> ((Payer) -> Bool)? {
    page == ofAcme ? { $0.account == "acme" } : { _ in true }
  }

  private static func amounts(_ event: ChargeCorrected) -> [MeterKey: Int64] {
    Dictionary(
      uniqueKeysWithValues: event.moves.map {
        (MeterKey($0.meter, window: $0.window), $0.amount)
      })
  }

  @Test func `each has the part that he had of the charge`() throws {
    let event = try #require(Self.standing()).correction(by: -5, counting: Self.isAcme)
    #expect(event.payers.map(\.weight) == [7, 3])
    #expect(event.payers.dividing(-5) == [-4, -1])
    #expect(Self.amounts(event) == [Self.told: -5, Self.ofAcme: -4, Self.ofAll: -5])
    #expect(event.moves.map(\.limitOnly) == [false, true, true])
  }

  @Test func `all of it leaves nothing to anybody`() throws {
    var standing = try #require(Self.standing())
    let event = standing.correction(by: -10, counting: Self.isAcme)
    #expect(Self.amounts(event) == [Self.told: -10, Self.ofAcme: -7, Self.ofAll: -10])
    standing.add(event, at: 12)
    #expect(standing.amount == 0)
    #expect(standing.shares == [0, 0])
    #expect(standing.parts.map(\.amount) == [0, 0, 0])
  }

  @Test func `a charge of nothing is divided by the weights`() throws {
    var standing = try #require(Self.standing())
    standing.add(standing.correction(by: -10, counting: Self.isAcme), at: 12)
    let event = standing.correction(by: 4, counting: Self.isAcme)
    #expect(event.payers.map(\.weight) == [1, 1])
    #expect(Self.amounts(event) == [Self.told: 4, Self.ofAcme: 2, Self.ofAll: 4])
  }

  @Test func `earlier corrections count`() throws {
    var standing = try #require(Self.standing())
    standing.add(standing.correction(by: -3, counting: Self.isAcme), at: 12)
    #expect(standing.amount == 7)
    #expect(standing.shares == [5, 2])
  }

  @Test func `of a budget that is gone as much in proportion`() throws {
    let event = try #require(Self.standing()).correction(by: -5) { _ in nil }
    #expect(Self.amounts(event) == [Self.told: -5, Self.ofAcme: -4, Self.ofAll: -5])
    let one = try #require(Self.standing()).correction(by: -1) { _ in nil }
    #expect(Self.amounts(one) == [Self.told: -1, Self.ofAcme: -1, Self.ofAll: -1])
  }

  @Test func `a budget whose payers are not those that it counted goes by proportion`() throws {
    let event = try #require(Self.standing()).correction(by: -5) { _ in { $0.account == "zeta" } }
    #expect(Self.amounts(event)[Self.ofAcme] == -4)
  }

  @Test func `a unit that the charge does not tell has no standing`() throws {
    #expect(try #require(Self.standing("EUR")).amount == 2_000_000_000)
    #expect(try #require(Self.standing("EUR")).parts.count == 1)
    #expect(Self.standing("coins") == nil)
  }
}
