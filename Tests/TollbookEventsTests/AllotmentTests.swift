import Testing
import TollbookEvents

@Suite struct AllotmentTests {
  @Test(arguments: 1...300 as ClosedRange<UInt64>)
  func `Law 4: shares sum to the amount, and each is its exact share rounded up or down`(
    seed: UInt64
  ) {
    var random = Generator(state: seed)
    let largest = pick([0, 1, 9, 1_000, .max], &random)
    let weights = (0..<Int.random(in: 1...40, using: &random)).map { _ in
      Bool.random(using: &random) ? Int64.random(in: 0...largest, using: &random) : largest
    }
    let amount = Int64.random(in: 0...pick([5, 300, .max], &random), using: &random)

    let shares = allot(amount, over: weights)

    #expect(shares.count == weights.count)
    #expect(shares.reduce(0) { $0 + Int128($1) } == Int128(amount))
    let sum: Int128 = weights.reduce(0) { $0 + Int128($1) }
    let effective: [Int128] = sum == 0 ? weights.map { _ in 1 } : weights.map { Int128($0) }
    let total: Int128 = effective.reduce(0, +)
    var roundedUp: [(remainder: Int128, index: Int)] = []
    var roundedDown: [(remainder: Int128, index: Int)] = []
    for (index, share) in shares.enumerated() {
      let product = Int128(amount) * effective[index]
      let extra = Int128(share) - product / total
      #expect(extra == 0 || extra == 1)
      if extra == 1 {
        roundedUp.append((product % total, index))
      } else {
        roundedDown.append((product % total, index))
      }
    }
    // Who got one more had the larger remainder, or the same and came earlier.
    for up in roundedUp {
      for down in roundedDown {
        #expect(
          up.remainder > down.remainder
            || (up.remainder == down.remainder && up.index < down.index))
      }
    }
  }

  private func pick(_ values: [Int64], _ random: inout Generator) -> Int64 {
    values[Int.random(in: values.indices, using: &random)]
  }

  @Test(
    arguments: [
      (0, [1, 2], [0, 0]),
      (7, [], []),
      (7, [0, 0, 0], [3, 2, 2]),
      (10, [1, 1, 1], [4, 3, 3]),
      (5, [6, 2, 2], [3, 1, 1]),
      (1, [1, 2, 2], [0, 1, 0]),
      (3, [0, 5, 0], [0, 3, 0]),
      (.max, [1], [.max]),
      (.max, [.max, .max], [.max / 2 + 1, .max / 2]),
      (3, [.max, .max, .max, .max], [1, 1, 1, 0]),
    ] as [(Int64, [Int64], [Int64])])
  func `known divisions`(amount: Int64, weights: [Int64], expected: [Int64]) {
    #expect(allot(amount, over: weights) == expected)
  }

  @Test func `a negative amount or weight is a mistake that stops the process`() async {
    await #expect(processExitsWith: .failure) { _ = allot(-1, over: [1]) }
    await #expect(processExitsWith: .failure) { _ = allot(1, over: [1, -1]) }
  }
}
