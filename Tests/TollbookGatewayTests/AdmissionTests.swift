import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `Admission of purchases` {
  private let start = Timestamp.testStart

  private func meter(
    balance: Int64, rate: Int64 = 20, reduction: Int64 = 0, refillIn: Int64 = 30_000,
    reserved: Int64 = 0
  ) -> Meter {
    var meter = Meter()
    meter.apply(
      .reading(
        balance: balance, at: start, refillIn: refillIn, rate: rate, reduction: reduction),
      to: World.key)
    if reserved > 0 {
      var event = FetchStarted()
      event.moves = [Move(World.key, reserved)]
      meter.apply(.fetchStarted(event), to: World.key)
    }
    return meter
  }

  private func admit(
    _ bounds: [Int64], on meter: Meter, after milliseconds: Int64 = 0,
    _ overdraft: GatewaySettings.Overdraft = .never, callSize: Int = .max
  ) -> Admission {
    Admission(
      of: bounds, on: meter, at: start.advanced(byMilliseconds: milliseconds),
      overdraft: overdraft, callSize: callSize)
  }

  @Test func `the longest prefix in request order is admitted, not the best fit`() {
    let admission = admit([3, 3, 9, 1], on: meter(balance: 10))
    #expect(admission.admitted == 2)
    #expect(admission.refusal == .insufficientTokens)
    #expect(admission.available == 10)
    // 3 + 3 + 9 = 15 needs one refill of 20.
    #expect(admission.retryAt == start.advanced(byMilliseconds: 30_000))
  }

  @Test func `nothing is admitted before a balance is known`() {
    let admission = admit([1], on: Meter())
    #expect(admission.admitted == 0)
    #expect(admission.retryAt == nil)
  }

  @Test func `what is more than the bucket can hold is never promised`() {
    let admission = admit([1_201], on: meter(balance: 1_200))
    #expect(admission.refusal == .insufficientTokens)
    #expect(admission.retryAt == nil)
  }

  @Test func `with an overdraft any call goes out while something is there`() {
    let low = meter(balance: 1)
    #expect(admit([12, 12, 12], on: low, .allow).admitted == 3)
    #expect(admit([12, 12, 12], on: low, .never).admitted == 0)
    #expect(admit([1], on: meter(balance: 0), .allow).admitted == 0)
    #expect(
      admit([1], on: meter(balance: -25), .allow).retryAt
        == start.advanced(byMilliseconds: 30_000 + 60_200))
  }

  @Test func `with an overdraft the second call waits if the first uses everything up`() {
    let admission = admit(
      Array(repeating: 1, count: 250), on: meter(balance: 50), .allow, callSize: 100)
    #expect(admission.admitted == 100)
    #expect(admission.refusal == .insufficientTokens)
    #expect(admission.retryAt != nil)
  }

  @Test func `refills that must have come count, up to the bucket's capacity`() {
    let meter = meter(balance: 5)
    #expect(Admission.available(on: meter, at: start) == 5)
    #expect(Admission.available(on: meter, at: start.advanced(byMilliseconds: 29_999)) == 5)
    #expect(Admission.available(on: meter, at: start.advanced(byMilliseconds: 30_000)) == 25)
    #expect(Admission.available(on: meter, at: start.advanced(byMilliseconds: 90_200)) == 45)
    #expect(Admission.available(on: meter, at: start.advanced(byMilliseconds: 2 * day)) == 1_200)
  }

  @Test func `a full bucket takes no refill for tokens that are only held`() {
    // 1,200 there, 300 held: whether or not they are taken later, 900 can be spent beside them.
    let meter = meter(balance: 1_200, reserved: 300)
    #expect(Admission.available(on: meter, at: start) == 900)
    #expect(Admission.available(on: meter, at: start.advanced(byMilliseconds: 3 * hour)) == 900)
  }

  @Test func `a flow reduction is taken off each refill, rounded against us`() {
    let meter = meter(balance: 0, rate: 20, reduction: 1_001)
    #expect(Admission.available(on: meter, at: start.advanced(byMilliseconds: 30_000)) == 18)
    let starved = self.meter(balance: 0, rate: 5, reduction: 9_000)
    #expect(Admission.available(on: starved, at: start.advanced(byMilliseconds: day)) == 0)
    #expect(admit([1], on: starved).retryAt == nil)
  }

  @Test func `a clock set back gives nothing and takes nothing`() {
    #expect(
      Admission.available(on: meter(balance: 7), at: start.advanced(byMilliseconds: -day)) == 7)
  }

  @Test(arguments: [Int64.min, -1 << 61, 1 << 61, Int64.max])
  func `no sum overflows, whatever the ledger holds`(wild: Int64) {
    let meter = meter(balance: wild, rate: 1 << 30)
    _ = admit([1, 2, 3], on: meter, after: .max / 4)
    _ = admit([1, 2, 3], on: meter, after: .max / 4, .allow)
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `at the time to try again it fits, and just before it does not`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let rate = random.int64(1...60)
      let meter = meter(
        balance: random.int64(-400...(rate * 60)), rate: rate,
        reduction: random.chance(30) ? random.int64(0...(rate * 1_000)) : 0,
        refillIn: random.int64(0...60_199))
      let bounds = (0..<random.int(1...120)).map { _ in random.int64(1...12) }
      let overdraft = random.pick(GatewaySettings.Overdraft.allCases)
      let now = random.int64(0...(4 * hour))
      let first = admit(bounds, on: meter, after: now, overdraft)
      let sum = bounds.prefix(first.admitted).reduce(0, +)
      if overdraft == .never { #expect(sum <= max(0, first.available)) }
      guard let retryAt = first.retryAt else {
        if first.refusal == .insufficientTokens && meter.reading!.sureRefill > 0 {
          let next = sum + bounds[first.admitted]
          #expect(next > KeepaUpstream.bucket().capacity(of: meter.reading!))
        }
        continue
      }
      let wait = retryAt.milliseconds - start.milliseconds
      #expect(wait > now)
      let there = admit(bounds, on: meter, after: wait, overdraft)
      let before = admit(bounds, on: meter, after: wait - 1, overdraft)
      #expect(there.admitted > first.admitted, "seed \(seed)")
      #expect(before.admitted == first.admitted, "seed \(seed)")
    }
  }
}
