import Testing
import TollbookTestSupport

@testable import Market

@Suite("the exchange's clock") struct BinanceClockTests {
  private static let now: Int64 = 1_790_000_000_000

  private func sample(
    offset: Int64, trip: Int64 = 100, at sent: Int64 = now
  ) throws -> BinanceClockSample {
    try #require(
      BinanceClockSample(
        sent: sent, received: sent + trip, serverTime: sent + trip / 2 + offset))
  }

  @Test func `the offset is taken from the middle of the trip`() throws {
    let sample = try #require(
      BinanceClockSample(sent: Self.now, received: Self.now + 101, serverTime: Self.now + 1_050))
    #expect(sample.offset == 1_000)
    #expect(sample.uncertainty == 51)
    #expect(sample.received == Self.now + 101)
  }

  @Test(
    arguments: [
      (now, now - 1, now), (now, now + 20_001, now), (Int64.min, Int64.max, now), (now, now, 0),
      (now, now, Int64.max), (-1, now, now), (Int64.max, Int64.max, Int64.max),
    ] as [(Int64, Int64, Int64)])
  func `a trip that cannot be tells nothing`(_ sent: Int64, _ received: Int64, _ server: Int64) {
    #expect(BinanceClockSample(sent: sent, received: received, serverTime: server) == nil)
  }

  @Test(arguments: [0, 5_000, -5_000] as [Int64])
  func `up to five seconds are normal`(offset: Int64) throws {
    var state = BinanceClockState()
    #expect(state.health == .unknown)
    state.note(try sample(offset: offset))
    #expect(state.health == .normal(offset: offset))
    #expect(state.sample?.offset == offset)
  }

  @Test(arguments: [5_001, 60_000, -60_000] as [Int64])
  func `up to a minute apart is told and taken`(offset: Int64) throws {
    var state = BinanceClockState()
    state.note(try sample(offset: offset))
    #expect(state.health == .apart(offset: offset))
    #expect(state.sample != nil)
  }

  @Test func `more than a minute needs two answers that agree`() throws {
    var state = BinanceClockState()
    state.note(try sample(offset: 0))
    state.note(try sample(offset: 3_600_000))
    #expect(state.health == .farApart(offset: 3_600_000, isConfirmed: false))
    #expect(state.sample == nil)
    state.note(try sample(offset: 3_605_001))
    #expect(state.health == .farApart(offset: 3_605_001, isConfirmed: false))
    state.note(try sample(offset: 3_600_001))
    #expect(state.health == .farApart(offset: 3_600_001, isConfirmed: true))
    #expect(state.sample?.offset == 3_600_001)
    state.note(try sample(offset: -3_600_000))
    #expect(state.sample == nil)
    state.note(try sample(offset: 10))
    #expect(state.health == .normal(offset: 10))
  }

  @Test func `a candle is closed after its lag, by the exchange's clock`() throws {
    let state = BinanceState(limit: 6_000)
    state.note(try sample(offset: 1_000, trip: 100))
    let close = Self.now - 1
    // The clock may be 50 ms behind what is told, and the lag is two seconds.
    #expect(state.settled(at: close + 2_000 - 1_000 + 50) <= close)
    #expect(state.settled(at: close + 2_000 - 1_000 + 51) > close)
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `the true offset lies within the uncertainty`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let sent = random.int64(1_700_000_000_000..<1_900_000_000_000)
      let offset = random.int64(-100_000..<100_000)
      let there = random.int64(0..<5_000)
      let back = random.int64(0..<5_000)
      let sample = try #require(
        BinanceClockSample(
          sent: sent, received: sent + there + back, serverTime: sent + there + offset))
      #expect(abs(sample.offset - offset) <= sample.uncertainty)
      let state = BinanceState(limit: 6_000)
      state.note(sample)
      guard state.isTrusted else { continue }
      // Whatever is said to be closed is closed by the true clock.
      let now = sent + random.int64(0..<100_000)
      #expect(state.settled(at: now) <= now + offset - BinanceState.lag)
    }
  }
}
