import Foundation
import Testing

@testable import TollbookSimulators

/// What goes wrong on purpose, and who pays for it.
@Suite struct KeepaFaultTests {
  @Test(
    arguments: [
      (.http500, 500, 0, .failed), (.http503, 503, 0, .failed), (.http429, 429, 0, .refused),
      (.slowBody, 200, 1, .answered), (.cutBody, 200, 1, .dropped), (.cutChunks, 200, 1, .dropped),
      (.drop, 0, 1, .dropped), (.error200, 200, 0, .failed), (.html200, 200, 0, .failed),
      (.missingProduct, 200, 1, .answered), (.latency, 200, 1, .answered),
    ] as [(KeepaFault.Kind, Int, Int, Books.Outcome)])
  func `a fault answers and charges as it says and then it is over`(
    kind: KeepaFault.Kind, status: Int, tokens: Int, outcome: Books.Outcome
  ) async throws {
    let bench = Bench { $0.faults = KeepaFaults([KeepaFault(kind, next: 1)]) }
    let answer = await bench.raw("B0AAAAAAAA")
    #expect(answer.status == status)
    let books = bench.simulator.books
    #expect(books.tokens == tokens)
    #expect(books.calls.first?.outcome == outcome)
    #expect(books.calls.first?.fault == kind)
    #expect(bench.simulator.bucket()?.balance == 1200 - tokens)
    let next = try await bench.ask("B0AAAAAAAA")
    #expect(next.status == 200 && next.products?.count == 1)
  }

  @Test func `a server error may charge all the same`() async throws {
    let bench = Bench { $0.faults = KeepaFaults([KeepaFault(.http500, next: 1, charges: true)]) }
    let answer = try await bench.ask("B0AAAAAAAA,B0BBBBBBBB")
    #expect(answer.status == 500)
    #expect(answer.error?["type"] == "internalServerError")
    #expect(answer.int("tokensConsumed") == 2)
    #expect(bench.simulator.books.tokensWithoutAnswer == 2)
  }

  @Test func `a dropped call may be free`() async throws {
    let bench = Bench { $0.faults = KeepaFaults([KeepaFault(.drop, next: 1, charges: false)]) }
    #expect(await bench.raw("B0AAAAAAAA").delivery == .withheld)
    #expect(bench.simulator.books.tokens == 0)
  }

  @Test func `a missing product is paid for`() async throws {
    let bench = Bench { $0.faults = KeepaFaults([KeepaFault(.missingProduct, next: 1)]) }
    let answer = try await bench.ask("B0AAAAAAAA,B0BBBBBBBB")
    #expect(answer.products?.compactMap { $0["asin"] as? String } == ["B0BBBBBBBB"])
    #expect(answer.int("tokensConsumed") == 2)
  }

  @Test func `chance strikes about as often as it should and repeatably`() async throws {
    func strikes(seed: UInt64) -> [Bool] {
      var faults = KeepaFaults([KeepaFault(.drop, probability: 0.25, seed: seed)])
      return (0..<2000).map { _ in faults.strike("/product") != nil }
    }
    #expect(strikes(seed: 7) == strikes(seed: 7))
    #expect(strikes(seed: 7) != strikes(seed: 8))
    #expect((400...600).contains(strikes(seed: 7).count { $0 }))
  }

  @Test func `faults are read from short JSON`() throws {
    let text =
      #"{"rules":[{"kind":"cut_body","next":2},{"kind":"drop","probability":0.5,"seed":3}]}"#
    let faults = try JSONDecoder().decode(KeepaFaults.self, from: Data(text.utf8))
    #expect(
      faults
        == KeepaFaults([
          KeepaFault(.cutBody, next: 2), KeepaFault(.drop, probability: 0.5, seed: 3),
        ]))
  }
}
