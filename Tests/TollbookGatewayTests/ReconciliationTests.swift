import Testing
import TollbookEvents
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite struct `Reconciliation of a balance` {
  @Test func `the first reading opens the meter`() {
    let paper = Paper(balance: 600)
    #expect(paper.meter[.granted] == 600)
    #expect(paper.meter[.free] == 600)
    #expect(paper.meter.residual == 0)
  }

  @Test func `refills are counted from next refill to next refill`() {
    var paper = Paper(balance: 600)
    paper.wait(5 * minute)
    let event = paper.observe().observation
    #expect(event?.ticks == 5)
    #expect(event?.refill == 100)
    #expect(event?.unexplained == 0)
    #expect(paper.meter[.free] == 700)
  }

  @Test func `what another user of the key spends is unexplained to the token`() {
    var paper = Paper(balance: 600)
    paper.spendElsewhere(37)
    paper.wait(3 * minute)
    #expect(paper.observe().observation?.unexplained == 37)
    #expect(paper.meter[.unexplained] == 37)
    #expect(paper.meter[.free] == paper.bucket.balance)
  }

  @Test func `a balance within what is held needs no explanation`() {
    var paper = Paper(balance: 600)
    let call = paper.begin(bound: 100, cost: 60)
    paper.wait(1_000)
    #expect(paper.observe().observation?.unexplained == 0)
    paper.work(call)
    paper.wait(1_000)
    #expect(paper.observe().observation?.unexplained == 0)
    paper.wait(1_000)
    paper.answered(call, reading: paper.reading())
    #expect(paper.meter[.unexplained] == 0)
    #expect(paper.meter[.free] == 540)
    #expect(paper.meter[.settled] == 60)
  }

  @Test func `a charge above the bound is excess and blocks until covered`() {
    var paper = Paper(balance: 50)
    let call = paper.begin(bound: 10, cost: 80)
    paper.work(call)
    paper.wait(1_000)
    paper.answered(call, reading: paper.reading())
    #expect(paper.meter[.free] == -30)
    #expect(paper.meter[.unexplained] == 0)
    let admission = Admission(
      of: [1], on: paper.meter, at: paper.now, overdraft: .never)
    #expect(admission.admitted == 0)
  }

  // MARK: Doubt

  /// One call in doubt that cost `cost` of 10, then a reading after `wait`.
  private func doubt(
    cost: Int64, wait: Int64 = 61_000, balance: Int64 = 600,
    _ meanwhile: (inout Paper) -> Void = { _ in }
  ) -> (paper: Paper, resolution: ChargeResolved?) {
    var paper = Paper(balance: balance)
    let call = paper.begin(bound: 10, cost: cost)
    paper.work(call)
    paper.doubted(call)
    meanwhile(&paper)
    paper.wait(wait)
    let events = paper.observe()
    return (paper, events.resolution)
  }

  @Test func `difference 0 releases all`() {
    let (paper, resolution) = doubt(cost: 0)
    #expect(resolution?.evidence == .reading)
    #expect(resolution?.difference == 0)
    #expect(resolution?.doubts.map(\.released) == [10])
    #expect(paper.meter[.settled] == 0)
    #expect(paper.meter[.free] == paper.bucket.balance)
    #expect(paper.meter[.unexplained] == 0)
    #expect(paper.meter.lastDoubtSent == nil)
  }

  @Test func `a difference equal to the sum of the bounds charges all`() {
    let (paper, resolution) = doubt(cost: 10)
    #expect(resolution?.doubts.map(\.settled) == [10])
    #expect(paper.meter[.settled] == 10)
    #expect(paper.meter[.unexplained] == 0)
  }

  @Test func `in between the sum is posted to the set by allotment`() {
    var paper = Paper(balance: 600)
    let first = paper.begin(bound: 10, cost: 7)
    let second = paper.begin(bound: 5, cost: 0)
    paper.work(first)
    paper.work(second)
    paper.doubted(first)
    paper.doubted(second)
    paper.wait(61_000)
    let resolution = paper.observe().resolution
    #expect(resolution?.difference == 7)
    #expect(resolution?.doubts.map(\.settled) == allot(7, over: [10, 5]))
    #expect(resolution?.doubts.map(\.released) == [5, 3])
    #expect(paper.meter[.settled] == 7)
    #expect(paper.meter.residual == 0)
  }

  @Test func `a reading less than 60 s after the last doubt resolves nothing`() {
    let (paper, resolution) = doubt(cost: 0, wait: 59_999)
    #expect(resolution == nil)
    #expect(paper.meter[.inDoubt] == 10)
    #expect(doubt(cost: 0, wait: 60_000).resolution != nil)
  }

  @Test func `a reading that was asked for too early resolves nothing, however late it comes`() {
    var paper = Paper(balance: 600)
    let call = paper.begin(bound: 10, cost: 10)
    paper.doubted(call)
    paper.wait(50_000)
    let question = paper.question
    let early = paper.reading()
    // The upstream charges after it was read, and before it comes.
    paper.work(call)
    paper.wait(30_000)
    #expect(paper.observe(early, to: question).resolution == nil)
    paper.wait(61_000)
    #expect(paper.observe().resolution?.doubts.map(\.settled) == [10])
    #expect(paper.meter[.settled] == paper.charged)
  }

  @Test func `nothing resolves while something is under way`() {
    let (_, resolution) = doubt(cost: 0) { paper in
      let other = paper.begin(bound: 3, cost: 3)
      paper.work(other)
    }
    #expect(resolution == nil)
  }

  @Test func `where the bucket may have touched its cap the set is unprovable`() {
    let (paper, resolution) = doubt(cost: 4, wait: 10 * minute, balance: 1_195)
    #expect(resolution?.evidence == .bucketFull)
    #expect(resolution?.doubts.map(\.unprovable) == [10])
    #expect(paper.meter[.unprovable] == 10)
    #expect(paper.meter[.inDoubt] == 0)
    #expect(paper.meter.residual == 0)
    #expect(paper.holds.map(\.state) == [.unprovable])
  }

  @Test func `where nothing explains the difference the set is unprovable`() {
    let more = doubt(cost: 10) { $0.spendElsewhere(25) }
    #expect(more.resolution?.evidence == .unexplained)
    #expect(more.resolution?.difference == 35)
    #expect(more.paper.meter[.unprovable] == 10)
    #expect(more.paper.meter[.unexplained] == 25)
    let less = doubt(cost: 0) { $0.bucket.set(balance: $0.bucket.balance + 7) }
    #expect(less.resolution?.evidence == .unexplained)
    #expect(less.paper.meter[.unprovable] == 10)
  }

  @Test func `nothing is released on evidence that another user could have made`() {
    // Nothing was charged to us; somebody else spent 6. A reading cannot tell that from a charge.
    let (paper, resolution) = doubt(cost: 0) { $0.spendElsewhere(6) }
    #expect(resolution?.doubts.map(\.settled) == [6])
    #expect(paper.meter[.settled] >= paper.charged)
  }

  // MARK: Order and clocks

  @Test func `readings out of order are ignored`() {
    var paper = Paper(balance: 600)
    let first = paper.begin(bound: 10, cost: 10)
    let second = paper.begin(bound: 10, cost: 10)
    paper.wait(1_000)
    paper.work(first)
    let early = paper.reading()
    paper.wait(1_000)
    paper.work(second)
    let late = paper.reading()
    paper.wait(1_000)
    paper.answered(second, reading: late)
    #expect(paper.observe(early, to: first.question).isEmpty)
    paper.answered(first, reading: nil)
    #expect(paper.meter[.free] == 580)
    #expect(paper.meter[.unexplained] == 0)
  }

  @Test func `of two readings of one millisecond the second to come is ignored`() {
    var paper = Paper(balance: 600)
    let first = paper.begin(bound: 10, cost: 10)
    let second = paper.begin(bound: 10, cost: 10)
    paper.wait(1_000)
    paper.work(first)
    let early = paper.reading()
    paper.work(second)
    let late = paper.reading()
    paper.answered(second, reading: late)
    paper.answered(first, reading: early)
    #expect(paper.meter[.unexplained] == 0)
    #expect(paper.meter[.free] == 580)
  }

  @Test func `a slack refill is carried until the balance shows it`() {
    // Nearly full: of three refills nobody knows how many fitted while a call was under way.
    var paper = Paper(rate: 20, balance: 1_190)
    let call = paper.begin(bound: 50, cost: 30)
    paper.work(call)
    paper.wait(3 * minute)
    let event = paper.observe().observation
    #expect(event?.unexplained == 0)
    #expect((event?.slack ?? 0) > 0)
    paper.wait(1_000)
    paper.answered(call, reading: paper.reading())
    #expect(paper.meter[.unexplained] == 0)
    #expect(paper.meter[.free] == paper.bucket.balance)
    #expect(paper.meter.residual == 0)
  }

  @Test func `an upstream clock that was set back does not silence the upstream`() {
    var paper = Paper(balance: 600)
    paper.wait(2 * minute)
    paper.spendElsewhere(50)
    let events = paper.observe(paper.reading(skew: -day), to: paper.question)
    #expect(events.observation?.reading.balance == paper.bucket.balance)
    // How many refills there were is only known give or take one.
    #expect(paper.meter[.free] == paper.bucket.balance)
    paper.wait(2 * minute)
    #expect(paper.observe(paper.reading(skew: -day), to: paper.question).observation != nil)
    #expect(paper.meter[.free] == paper.bucket.balance)
  }

  @Test func `an upstream clock that jumps ahead proves no doubt`() {
    var paper = Paper(balance: 600)
    let call = paper.begin(bound: 10, cost: 10)
    paper.work(call)
    paper.doubted(call)
    paper.wait(61_000)
    let resolution = paper.observe(paper.reading(skew: hour), to: paper.question).resolution
    #expect(resolution?.doubts.map(\.released) == [0])
    #expect(paper.meter[.unprovable] == 10)
    #expect(paper.meter[.free] == paper.bucket.balance)
  }

  @Test func `our clock set back does not hold readings up`() {
    var paper = Paper(balance: 600)
    paper.wait(5 * minute)
    let reading = paper.reading()
    paper.now = paper.now.advanced(byMilliseconds: -hour)
    #expect(paper.observe(reading, to: paper.question).observation?.reading.balance == 700)
    #expect(paper.meter[.free] == 700)
  }
}
