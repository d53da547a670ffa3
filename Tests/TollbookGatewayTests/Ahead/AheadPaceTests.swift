import Testing
import TollbookEvents
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct AheadPaceTests {
  @Test func `it follows what calls take, slower ones at once and quicker ones by and by`() {
    var pace = AheadPace()
    #expect(pace.landing == 4_000)
    for _ in 0..<20 { pace.note(1_000) }
    #expect(pace.landing == 1_250)
    pace.note(2_000)
    #expect(pace.landing == 2_500)
    pace.note(1_000)
    #expect(pace.landing == 1_875)
  }

  @Test func `no answer makes it spend earlier than allowed, or at the very end`() {
    for took in [Int64.min, 0, 3_700, 120_000, .max] {
      var pace = AheadPace()
      for _ in 0..<50 { pace.note(took) }
      #expect(pace.landing >= AheadPace.least)
      #expect(pace.lead <= AheadPace.longest)
    }
  }

  /// A bucket of which is spent what the looks find, while callers come by chance.
  private struct Play {
    var random: SeededGenerator
    var books: AheadBooks
    var bucket: TokenBucket
    /// So long each call takes.
    let took: Int64
    var pace = AheadPace()
    var now: Int64
    /// The refill before which something was spent last.
    var madeUp: Int64 = 0
    var late = 0

    init(seed: UInt64) {
      random = SeededGenerator(seed: seed)
      took = random.int64(0...3_600)
      now = random.int64(0...TokenBucket.tick)
      let rate = random.int(1...60)
      bucket = TokenBucket(rate: rate, balance: 60 * rate, at: 0)
      books = AheadBooks(bucket)
    }

    mutating func look() {
      now += Purchaser.aheadInterval
      let refill = now + bucket.refillIn(at: now)
      let level = BucketLevel(
        balance: Int64(bucket.balance), capacity: Int64(bucket.capacity),
        refill: Int64(bucket.rate), nextRefill: Timestamp(milliseconds: refill),
        tick: TokenBucket.tick)
      let lost = level.lost(
        from: Timestamp(milliseconds: now), after: pace.landing, within: pace.lead)
      if lost > 0 {
        now += took
        if now >= refill { late += 1 }
        charge(random.int64(1...lost), isAhead: true)
        pace.note(took)
        madeUp = refill
      } else if now >= madeUp, random.int(0...299) == 0 {
        charge(random.int64(1...Int64(bucket.rate)), isAhead: false)
      }
    }

    private mutating func charge(_ tokens: Int64, isAhead: Bool) {
      bucket.charge(Int(tokens), at: now)
      books.charge(tokens, isAhead: isAhead, at: now)
    }
  }

  @Test(arguments: Seeds.all)
  func `Law: only who asks between a purchase and the refill could have used what it spent`(
    seed: UInt64
  ) {
    var play = Play(seed: seed)
    // In that time nobody asks here.
    for _ in 0..<4_000 { play.look() }
    play.books.advance(to: play.now + 2 * TokenBucket.tick)
    #expect(play.books.ahead > 0)
    #expect(play.late == 0, "it was charged before the refill that it made room for")
    #expect(play.books.wronglySpent == 0)
    #expect(play.books.overtaken == 0)
  }
}
