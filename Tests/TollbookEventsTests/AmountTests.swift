import Testing
import TollbookEvents

@Suite struct AmountTests {
  @Test func `amounts of different units are never added`() {
    var amounts: [Amount] = []
    amounts.add(3, "tokens")
    amounts.add([Amount(1_500_000_000, "EUR"), Amount(-1, "tokens")])
    amounts.add(0, "requests")
    #expect(amounts == [Amount(2, "tokens"), Amount(1_500_000_000, "EUR"), Amount(0, "requests")])
    #expect(amounts.count(of: "tokens") == 2)
    #expect(amounts.count(of: "EUR") == 1_500_000_000)
    #expect(amounts.count(of: "USD") == 0)
  }

  @Test func `units are the same if their bytes are`() {
    var amounts: [Amount] = []
    amounts.add(1, "caf\u{e9}")
    amounts.add(2, "cafe\u{301}")
    amounts.add(4, "caf\u{e9}")
    #expect(amounts.map(\.count) == [5, 2])
    #expect(amounts.count(of: "cafe\u{301}") == 2)
  }

  @Test func `sums wrap around`() {
    var amounts = [Amount(.max, "tokens")]
    amounts.add(2, "tokens")
    #expect(amounts == [Amount(.min + 1, "tokens")])
  }

  @Test(
    arguments: [
      ("EUR", true), ("USD", true), ("eur", false), ("EURO", false), ("EU", false), ("", false),
      ("tokens", false), ("E\u{dc}R", false), ("EU1", false), ("\u{c9}R", false),
    ] as [(String, Bool)])
  func `money is named by three capitals`(unit: String, isMoney: Bool) {
    #expect(Amount.isMoney(unit) == isMoney)
  }

  @Test(
    arguments: [
      (1, "tokens", "1 token"), (0, "tokens", "0 tokens"), (1_200, "tokens", "1200 tokens"),
      (1, "weight", "1 weight"), (2, "weight", "2 weight"), (1, "EUR", "0.000000001 EUR"),
      (12_500_000_000, "EUR", "12.50 EUR"), (-1, "tokens", "-1 tokens"),
    ] as [(Int64, String, String)])
  func `one of a unit is told as one`(count: Int64, unit: String, words: String) {
    #expect(Amount(count, unit).inWords == words)
  }

  @Test func `an amount is written as a cost`() {
    let cost = Cost(Amount(-7, "EUR"))
    #expect(cost.unit == "EUR")
    #expect(cost.amount == -7)
  }

  @Test func `what an entry cost is read of both formats`() {
    var written = CacheWritten()
    written.tokens = 3
    #expect(written.amounts == [Amount(3, "tokens")])
    written.costs = [Cost(Amount(2, "tokens")), Cost(Amount(9, "EUR"))]
    #expect(written.amounts == [Amount(2, "tokens"), Amount(9, "EUR")])

    var purged = CachePurged()
    purged.tokens = 4
    #expect(purged.amounts == [Amount(4, "tokens")])
    purged.costs = [Cost(Amount(9, "EUR"))]
    #expect(purged.amounts == [Amount(9, "EUR")])

    var recovered = ServiceRecovered()
    recovered.tokensInDoubt = 5
    #expect(recovered.amountsInDoubt == [Amount(5, "tokens")])
    recovered.inDoubt = [Cost(Amount(1, "requests"))]
    #expect(recovered.amountsInDoubt == [Amount(1, "requests")])
  }
}
