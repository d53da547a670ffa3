import Testing

@testable import TollbookSimulators

/// The laws of Keepa's bucket: batches per tick, admission above zero, debt, a cap of 60 refills.
@Suite struct TokenBucketTests {
  private let tick = TokenBucket.tick

  @Test(
    arguments: [
      // balance, ticks, balance then
      (0, 0, 0), (0, 1, 20), (0, 2, 40), (-340, 17, 0), (-340, 18, 20), (1180, 1, 1200),
      (1190, 1, 1200), (1200, 5, 1200), (-1, 61, 1200), (5000, 3, 5000), (-1_000_000, 1, -999_980),
    ])
  func `each tick brings one batch and never more than the cap`(
    balance: Int, ticks: Int64, then: Int
  ) {
    var bucket = TokenBucket(rate: 20, balance: balance, at: 1000)
    bucket.advance(to: 1000 + ticks * tick)
    #expect(bucket.balance == then)
    bucket.advance(to: 1000 + ticks * tick + tick - 1)
    #expect(bucket.balance == then)
  }

  @Test func `a balance of one admits anything and zero admits nothing`() {
    var bucket = TokenBucket(rate: 5, balance: 1, at: 0)
    #expect(bucket.wouldAdmit(at: 0))
    bucket.charge(300, at: 0)
    #expect(bucket.balance == -299)
    #expect(!bucket.wouldAdmit(at: 0))
    // -299 + 59 * 5 = -4; one more tick and the balance is 1.
    #expect(!bucket.wouldAdmit(at: 59 * tick))
    #expect(!bucket.wouldAdmit(at: 60 * tick - 1))
    #expect(bucket.wouldAdmit(at: 60 * tick))
  }

  @Test func `zero is refused until the next tick`() {
    var bucket = TokenBucket(rate: 20, balance: 1, at: 0)
    bucket.charge(1, at: 0)
    #expect(!bucket.wouldAdmit(at: tick - 1))
    #expect(bucket.wouldAdmit(at: tick))
  }

  @Test func `the time to the next refill runs from a whole tick down to one`() {
    var bucket = TokenBucket(rate: 20, balance: 7, at: 500)
    #expect(bucket.nextRefill(at: 500) == tick)
    #expect(bucket.nextRefill(at: 501) == tick - 1)
    #expect(bucket.nextRefill(at: 500 + tick - 1) == 1)
    #expect(bucket.nextRefill(at: 500 + tick) == tick)
    bucket.advance(to: 500 + tick)
    #expect(bucket.balance == 27)
  }

  @Test func `a clock that runs backwards changes nothing`() {
    var bucket = TokenBucket(rate: 20, balance: 7, at: 1_000_000)
    bucket.advance(to: 0)
    #expect(bucket.balance == 7)
    #expect(bucket.nextRefill(at: 0) == tick)
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `the bucket agrees with one that counts every tick`(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    let rate = [1, 5, 20, 60][numbers.below(4)]
    let start = Int64(numbers.below(1_000_000))
    var model = numbers.within(-200...(60 * rate))
    var bucket = TokenBucket(rate: rate, balance: model, at: start)
    var now = start
    var nextTick = start + tick
    for _ in 0..<300 {
      let pause = numbers.chance(5) ? numbers.below(8_000_000) : numbers.below(30_000)
      now += Int64(pause)
      while nextTick <= now {
        model = max(model, min(60 * rate, model + rate))
        nextTick += tick
      }
      let isAdmitted = bucket.admits(at: now)
      #expect(isAdmitted == (model > 0))
      #expect(bucket.balance == model)
      #expect(bucket.nextRefill(at: now) == nextTick - now)
      if model > 0 {
        let cost = numbers.chance(10) ? numbers.below(400) : 1 + numbers.below(4)
        bucket.charge(cost, at: now)
        model -= cost
      }
    }
  }

  @Test func `trackings take fractions of a token from every refill`() {
    var bucket = TokenBucket(rate: 5, balance: 0, at: 0)
    bucket.set(flowReduction: 250, at: 0)
    bucket.advance(to: TokenBucket.tick)
    #expect(bucket.balance == 4)
    bucket.advance(to: 4 * TokenBucket.tick)
    #expect(bucket.balance == 19)
    bucket.advance(to: 1000 * TokenBucket.tick)
    #expect(bucket.balance == 300)
  }

  @Test func `trackings never take more than the refill brings`() {
    var bucket = TokenBucket(rate: 5, balance: 7, at: 0)
    bucket.set(flowReduction: 99_000, at: 0)
    bucket.advance(to: 10 * TokenBucket.tick)
    #expect(bucket.balance == 7)
  }
}

extension TokenBucket {
  /// `admits`, asked of a copy, as an expectation cannot change what it looks at.
  fileprivate func wouldAdmit(at now: Int64) -> Bool {
    var copy = self
    return copy.admits(at: now)
  }

  /// `refillIn`, asked of a copy.
  fileprivate func nextRefill(at now: Int64) -> Int64 {
    var copy = self
    return copy.refillIn(at: now)
  }
}
