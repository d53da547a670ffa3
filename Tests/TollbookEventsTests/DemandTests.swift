import Testing
import TollbookEvents

/// Who asked for a call and who pays for it, of both formats.
@Suite struct DemandTests {
  private static let products = ["1/B000000001", "1/B000000002", "3/B000000003"].map {
    "shared/keepa.product/\($0)"
  }
  private static let search = "shared/keepa.discovery/café"

  private static func demand(_ account: String, tags: [String] = []) -> Demand {
    var demand = Demand()
    demand.account = account
    demand.tags = tags
    return demand
  }

  @Test func `two demands of two accounts and two kinds have a payer for each account and kind`() {
    var event = FetchStarted()
    event.resources = [Self.products[0], Self.search, Self.products[1], Self.products[2]]
    event.demands = [Self.demand("acme", tags: ["a", "b"]), Self.demand("zeta")]
    event.demandOf = [0, 1, 0, 1]
    event.weights = [3, 50, 2, 7]

    #expect(
      event.payers == [
        Payer(account: "acme", tags: ["a", "b"], kind: "keepa.product", weight: 5),
        Payer(account: "zeta", kind: "keepa.discovery", weight: 50),
        Payer(account: "zeta", kind: "keepa.product", weight: 7),
      ])
    #expect(event.resources.indices.map { event.demand(ofResource: $0) } == [0, 1, 0, 1])
    #expect(event.allDemands == event.demands)
  }

  @Test func `without weights each resource weighs one, and without numbers all are the first's`() {
    var event = FetchStarted()
    event.resources = [Self.products[0], Self.search, Self.products[1]]
    event.demands = [Self.demand("acme"), Self.demand("zeta")]
    #expect(
      event.payers == [
        Payer(account: "acme", kind: "keepa.product", weight: 2),
        Payer(account: "acme", kind: "keepa.discovery", weight: 1),
      ])
    #expect(event.demand(ofResource: 7) == 0)
  }

  @Test func `two demands of one account stay two payers`() {
    var event = FetchStarted()
    event.resources = [Self.products[0], Self.products[1]]
    event.demands = [Self.demand("acme", tags: ["a"]), Self.demand("acme", tags: ["b"])]
    event.demandOf = [1, 0]
    #expect(
      event.payers == [
        Payer(account: "acme", tags: ["b"], kind: "keepa.product", weight: 1),
        Payer(account: "acme", tags: ["a"], kind: "keepa.product", weight: 1),
      ])
  }

  @Test func `a call without resources is paid by who asked first`() {
    var event = FetchStarted()
    event.demands = [Self.demand("acme", tags: ["a"]), Self.demand("zeta")]
    #expect(event.payers == [Payer(account: "acme", tags: ["a"])])
  }

  @Test func `a number of a demand that is not there, and a weight below nothing, pay nothing`() {
    var event = FetchStarted()
    event.resources = [Self.products[0], Self.products[1]]
    event.demands = [Self.demand("acme")]
    event.demandOf = [0, 1]
    event.weights = [-4, 2]
    #expect(event.payers == [Payer(account: "acme", kind: "keepa.product", weight: 0)])
  }

  @Test func `format 1 has one demand, and tells the account alone`() {
    var event = FetchStarted()
    event.account = "acme"
    event.resources = Self.products
    event.contentSet = 5
    event.maxAgeSeconds = 0
    event.behind = true
    event.askedMs = 77
    var demand = Self.demand("acme")
    demand.contentSet = 5
    demand.maxAgeSeconds = 0
    demand.refresh = .grace
    demand.askedMs = 77
    #expect(event.allDemands == [demand])
    #expect(event.payers == [Payer(account: "acme")])
    #expect(demand.isBehind)

    event.behind = false
    event.clearMaxAgeSeconds()
    #expect(event.allDemands.allSatisfy { !$0.isBehind && !$0.hasMaxAgeSeconds })
  }

  @Test func `a refusal tells who asked and which meter said no, in both formats`() {
    var event = SpendRefused()
    event.account = "acme"
    event.credential = "main"
    event.unit = "tokens"
    (event.wanted, event.available, event.retryMs) = (100, -3, 77)
    event.contentSet = 5
    event.maxAgeSeconds = 9
    event.behind = true
    event.askedMs = 66
    var demand = Self.demand("acme")
    demand.contentSet = 5
    demand.maxAgeSeconds = 9
    demand.refresh = .grace
    demand.askedMs = 66
    #expect(event.anyDemand == demand)
    #expect(MeterKey(event.refusingWant.meter) == MeterKey(owner: "main", unit: "tokens"))
    #expect(event.refusingWant.wanted == 100)
    #expect(event.refusingWant.available == -3)
    #expect(event.refusingWant.retryMs == 77)

    event.demand = Self.demand("zeta", tags: ["a"])
    event.wants = (0..<3 as Range<Int64>).map { index in
      var want = Want()
      want.wanted = index
      return want
    }
    event.refusedBy = 1
    #expect(event.anyDemand == Self.demand("zeta", tags: ["a"]))
    #expect(event.refusingWant.wanted == 1)
    // One that is not there: the last.
    event.refusedBy = 9
    #expect(event.refusingWant.wanted == 2)
  }
}
