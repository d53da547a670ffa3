import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct BucketLevelTests {
  private func level(
    _ balance: Int64, capacity: Int64 = 1_200, refill: Int64 = 20, in wait: Int64 = 5_000,
    tick: Int64 = 60_000
  ) -> BucketLevel {
    BucketLevel(
      balance: balance, capacity: capacity, refill: refill,
      nextRefill: Timestamp.testStart.advanced(byMilliseconds: wait), tick: tick)
  }

  private func lost(_ level: BucketLevel, within horizon: Int64) -> Int64 {
    level.lost(from: .testStart, within: horizon)
  }

  @Test func `a full bucket loses the refill that comes, one that has room nothing`() {
    #expect(lost(level(1_200), within: 5_000) == 20)
    #expect(lost(level(1_193), within: 5_000) == 13)
    #expect(lost(level(1_180), within: 5_000) == 0)
    #expect(lost(level(-30), within: 5_000) == 0)
  }

  @Test func `nothing is lost before the refill`() {
    #expect(lost(level(1_200), within: 4_999) == 0)
    #expect(lost(level(1_200), within: -1) == 0)
  }

  @Test func `each refill within the time counts`() {
    #expect(lost(level(1_200), within: 64_999) == 20)
    #expect(lost(level(1_200), within: 65_000) == 40)
    #expect(lost(level(1_170), within: 125_000) == 30)
  }

  @Test func `a refill that comes before the call is charged makes nothing lost`() {
    #expect(level(1_200).lost(from: .testStart, after: 5_000, within: 6_000) == 20)
    #expect(level(1_200).lost(from: .testStart, after: 5_001, within: 6_000) == 0)
    #expect(level(1_200).lost(from: .testStart, after: 5_001, within: 65_000) == 20)
    #expect(level(1_200).lost(from: .testStart, after: 65_001, within: 65_000) == 0)
    // It should have come, and did not.
    #expect(level(1_200, in: -1).lost(from: .testStart, after: 500, within: 6_000) == 0)
  }

  @Test(arguments: Seeds.all)
  func `what is charged until then would have been lost at the refills that count`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let refill = random.int64(1...300)
    let capacity = refill * random.int64(1...60)
    let horizon = random.int64(0...300_000)
    let landing = random.int64(0...horizon)
    let chargedAt = random.int64(0...landing)
    let wait = random.int64(1...60_000)
    let level = level(
      random.chance(70) ? capacity - random.int64(0...refill) : random.int64(-50...capacity),
      capacity: capacity, refill: refill, in: wait)
    let lost = level.lost(from: .testStart, after: landing, within: horizon)
    var (with, without) = (Bucket(balance: level.balance), Bucket(balance: level.balance))
    var isCharged = false
    for next in stride(from: wait, through: horizon, by: Int(level.tick)) {
      if chargedAt <= next, !isCharged {
        with.balance -= lost
        isCharged = true
      }
      with.refill(refill, capacity)
      without.refill(refill, capacity)
    }
    if !isCharged { with.balance -= lost }
    #expect(with.balance == without.balance)
    #expect(with.lost + lost == without.lost)
  }

  @Test func `more than it holds is a figure that nobody understands`() {
    #expect(lost(level(1_201), within: 5_000) == 0)
  }

  @Test func `no figures make it overflow`() {
    #expect(lost(level(.max, capacity: .max, refill: .max), within: .max) >= 0)
    #expect(lost(level(.min), within: .max) == 0)
    #expect(lost(level(1_200, tick: 0), within: 5_000) == 0)
    let whole = level(.max, capacity: .max, refill: .max)
    #expect(whole.lost(from: .testStart, after: .max, within: .max) >= 0)
    #expect(whole.lost(from: .testStart, after: .min, within: .max) >= 0)
  }

  /// A bucket as it is: a refill a tick, never above what it holds.
  private struct Bucket {
    var balance: Int64
    var lost: Int64 = 0

    mutating func refill(_ amount: Int64, _ capacity: Int64) {
      lost += max(0, balance + amount - capacity)
      balance = min(capacity, balance + amount)
    }

    /// - Returns: whether it was let in.
    mutating func buy(_ amount: Int64) -> Bool {
      guard amount <= balance else { return false }
      balance -= amount
      return true
    }
  }

  @Test(arguments: Seeds.all)
  func `what is spent of it would have been lost, and nobody is refused because of it`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    let refill = random.int64(1...300)
    let capacity = refill * random.int64(1...60)
    let horizon = random.int64(0...300_000)
    let level = level(
      random.chance(50) ? capacity - random.int64(0...refill) : random.int64(-50...capacity),
      capacity: capacity, refill: refill, in: random.int64(1...60_000))
    let lost = lost(level, within: horizon)
    // With and without what is spent ahead, at any instant within the time.
    var (with, without) = (Bucket(balance: level.balance), Bucket(balance: level.balance))
    var next = level.nextRefill.milliseconds - Timestamp.testStart.milliseconds
    let spentAt = random.int64(0...min(horizon, next))
    if spentAt < next { with.balance -= lost }
    while next <= horizon {
      with.refill(refill, capacity)
      without.refill(refill, capacity)
      next += level.tick
    }
    if spentAt < level.nextRefill.milliseconds - Timestamp.testStart.milliseconds {
      #expect(with.balance == without.balance)
      #expect(with.lost + lost == without.lost)
    }
    for _ in 0..<100 {
      if random.chance(30) {
        with.refill(refill, capacity)
        without.refill(refill, capacity)
      }
      let wish = random.int64(1...capacity)
      let isAdmitted = without.buy(wish)
      if spentAt < level.nextRefill.milliseconds - Timestamp.testStart.milliseconds {
        #expect(with.buy(wish) == isAdmitted)
        #expect(with.balance >= without.balance)
      }
    }
  }
}
