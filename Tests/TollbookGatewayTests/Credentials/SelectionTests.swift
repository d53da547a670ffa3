import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct `The choice among credentials` {
  private func candidates(_ count: Int) -> [CandidateCredential] {
    (0..<count).map { index in
      CandidateCredential(member: CredentialMember(id: "\(index)", upstream: TollUpstream()))
    }
  }

  private func ids(_ order: [CandidateCredential]) -> [String] { order.map(\.member.id) }

  /// How far counts are from what is expected of them.
  private func chiSquare(_ counts: [Int], _ expected: [Double]) -> Double {
    zip(counts, expected).reduce(0) { sum, pair in
      let difference = Double(pair.0) - pair.1
      return sum + difference * difference / pair.1
    }
  }

  /// The number that a chi-square of so many degrees of freedom exceeds once in a thousand (Wilson and Hilferty, 1931).
  private func critical(_ degrees: Int) -> Double {
    let part = 2 / (9 * Double(degrees))
    let root = 1 - part + 3.0902 * part.squareRoot()
    return Double(degrees) * root * root * root
  }

  @Test(arguments: [2, 3, 7, 50])
  func `random takes each as often as the others, in the first place and in the second`(
    _ count: Int
  ) {
    let seed = UInt64(4_711 + count)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let all = candidates(count)
    let draws = 100_000
    var first = [Int](repeating: 0, count: count)
    var second = [Int](repeating: 0, count: count)
    for _ in 0..<draws {
      let order = Selection.random.order(all, draw: Double.random(in: 0..<1, using: &random))
      first[Int(order[0].member.id) ?? 0] += 1
      second[Int(order[1].member.id) ?? 0] += 1
    }
    let expected = [Double](repeating: Double(draws) / Double(count), count: count)
    #expect(chiSquare(first, expected) < critical(count - 1))
    #expect(chiSquare(second, expected) < critical(count - 1))
  }

  @Test func `weighted takes each as often as its weight says`() {
    var random = SeededGenerator(seed: 99)
    var all = candidates(3)
    for (index, weight) in [UInt32(1), 3, 6].enumerated() { all[index].weight = weight }
    let draws = 100_000
    var first = [0, 0, 0]
    for _ in 0..<draws {
      let order = Selection.weighted.order(all, draw: Double.random(in: 0..<1, using: &random))
      #expect(Set(ids(order)) == ["0", "1", "2"])
      first[Int(order[0].member.id) ?? 0] += 1
    }
    #expect(chiSquare(first, [10_000, 30_000, 60_000]) < critical(2))
  }

  @Test func `failover keeps the order, most_remaining and least_recently_limited make one`() {
    var all = candidates(4)
    for (index, left) in [Int64(5), 900, 70].enumerated() { all[index].remaining = left }
    all[0].limited = Timestamp(milliseconds: 9_000)
    all[1].limited = Timestamp(milliseconds: 1_000)
    all[3].limited = Timestamp(milliseconds: 5_000)
    #expect(ids(Selection.failover.order(all, draw: 0.9)) == ["0", "1", "2", "3"])
    #expect(ids(Selection.mostRemaining.order(all, draw: 0.9)) == ["1", "2", "0", "3"])
    #expect(ids(Selection.leastRecentlyLimited.order(all, draw: 0.9)) == ["2", "1", "3", "0"])
  }

  @Test(arguments: [0, 1.0.nextDown, 1, -3, 17])
  func `whatever is drawn, each is there once`(_ draw: Double) {
    for selection in Selection.allCases {
      let order = ids(selection.order(candidates(5), draw: draw))
      #expect(order.sorted() == ["0", "1", "2", "3", "4"])
    }
    #expect(Selection.random.order([], draw: draw).isEmpty)
  }
}
