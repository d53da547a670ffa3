import Testing
import TollbookEvents
import TollbookUpstreams

@testable import TollbookGateway

/// What is counted in memory while the log takes nothing.
@Suite struct CountedReadsTests {
  private func demand(_ number: Int) -> ReadTallies.Demand {
    ReadTallies.Demand(
      ResourceKey(shared: "keepa.product", path: "1/\(number)"), wanted: 0, account: "default",
      operation: "keepa.product")
  }

  @Test func `reads that cannot be written stay within the bound, and none is lost`() {
    let tallies = ReadTallies()
    let most = ReadTallies.mostRows
    for round in 0..<3 {
      let refused = tallies.drain()
      for number in 0..<most {
        tallies.record(.unmet, demand(round * most + number), at: .init(milliseconds: 1))
      }
      tallies.restore(refused)
    }
    let rows = tallies.drain().flatMap { event -> [ReadTally] in
      if case .readsTallied(let event) = event { event.rows + event.unmet } else { [] }
    }
    #expect(rows.count == most + 1)
    #expect(rows.reduce(0) { $0 + Int($1.unmet) } == 3 * most)
  }

  @Test func `refusals of ever new sorts stay within the bound, and none is lost`() {
    let refusals = RefusalLog()
    let most = RefusalLog.mostSorts
    var written = 0
    func refuse(_ number: Int) {
      var demand = Demand()
      demand.account = "account \(number)"
      let need = Need(
        "keepa.product", ResourceKey(shared: "keepa.product", path: "1/\(number)"), parts: 0)
      let note = PurchaseQueue.RefusalNote(
        demand: demand, needs: [need], refusal: ReserveRefusal(reason: .insufficientTokens))
      if refusals.note(note, credential: "key") != nil { written += 1 }
    }
    for round in 0..<3 {
      let refused = refusals.drain()
      for number in 0..<most + 100 { refuse(round * 10_000 + number) }
      refusals.restore(refused)
    }
    let events = refusals.drain().compactMap { event -> SpendRefused? in
      if case .spendRefused(let event) = event { event } else { nil }
    }
    #expect(events.count == most)
    #expect(events.reduce(0) { $0 + Int($1.resources) } + written == 3 * (most + 100))
    #expect(events.allSatisfy { $0.refused.isEmpty })
  }
}
