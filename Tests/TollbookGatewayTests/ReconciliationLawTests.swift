import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

private let reached = Reached()

@Suite(
  Reaching(
    title: "Reconciliation",
    names: [
      "evidence reading", "evidence bucketFull", "evidence unexplained", "charged in between",
      "charged all", "released all", "reading ignored", "reading too young", "slack",
      "unexplained", "late charge", "ended exact", "ended unprovable",
    ], reached: reached))
struct `Law 4: books on paper agree with the upstream's` {
  @Test(arguments: Seeds.all)
  func `a random world never breaks a rule of the meter`(seed: UInt64) {
    var world = PaperWorld(seed: seed)
    for step in 0..<500 {
      world.act()
      if let problem = world.problem {
        Issue.record("seed \(seed), step \(step): \(problem)")
        return
      }
    }
    world.end()
    if let problem = world.finalProblem { Issue.record("seed \(seed), at the end: \(problem)") }
  }

  @Test(arguments: Seeds.all)
  func `others' spending shows to the token while nothing is held`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var paper = Paper(rate: 20, balance: 600)
    for _ in 0..<200 {
      paper.wait(random.int64(1...150_000))
      paper.spendElsewhere(random.int64(0...max(0, paper.bucket.balance - 500)))
      if random.chance(60) { paper.observe() }
      if paper.bucket.balance > 1_000 { paper.spendElsewhere(600) }
    }
    paper.observe()
    #expect(paper.meter[.unexplained] == paper.foreign, "seed \(seed)")
    #expect(paper.meter[.free] == paper.bucket.balance, "seed \(seed)")
    #expect(paper.worstResidual == 0)
  }
}

/// Calls, answers, losses and readings in any order, and what must hold whatever the order is.
private struct PaperWorld {
  private var random: SeededGenerator
  private var paper: Paper
  private let hasOthers: Bool
  private let isIdle: Bool
  private let hasOldAnswers: Bool
  private var waiting: [Paper.Open] = []
  private var worked: [(call: Paper.Open, reading: UpstreamReading)] = []
  private var questions: [(question: BalanceReconciliation.Question, reading: UpstreamReading)] = []
  /// Bounds of calls given up that the upstream may still charge, and until when.
  private var late: [(bound: Int64, until: Timestamp)] = []

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    hasOthers = seed % 3 == 0
    isIdle = seed % 2 == 0
    hasOldAnswers = seed % 5 == 0
    let rate = random.int64(2...60)
    paper = Paper(rate: rate, balance: random.int64(0...(rate * 60)))
  }

  mutating func act() {
    switch random.int(0...99) {
    case 0..<16: wait(random.int64(1...3_000))
    case 16..<24: wait(random.int64(3_000...90_000))
    // Some worlds are idle at times and full, the others busy and nearly empty.
    case 24..<26: wait(random.int64(90_000...(isIdle ? 2 * hour : 100_000)))
    case 26..<46: begin()
    case 46..<62: work()
    case 62..<78: answer()
    case 78..<84: lose()
    case 84..<86: notSent()
    case 86..<92: question()
    case 92..<98: questionAnswered()
    default: if hasOthers { paper.spendElsewhere(random.int64(1...40)) }
    }
  }

  /// Lets time pass. Where answers are never older than a client's patience, the others are given up first.
  private mutating func wait(_ milliseconds: Int64) {
    let patience = paper.now.advanced(byMilliseconds: milliseconds - 30_000)
    while !hasOldAnswers, worked.contains(where: { $0.call.asked < patience }) { answer() }
    while !hasOldAnswers, let index = waiting.firstIndex(where: { $0.asked < patience }) {
      paper.doubted(waiting.remove(at: index))
    }
    if !hasOldAnswers { questions.removeAll { $0.question.asked < patience } }
    paper.wait(milliseconds)
  }

  private mutating func begin() {
    let bound = random.int64(1...12) * random.int64(1...10)
    let admission = Admission(
      of: [bound], on: paper.meter, at: paper.now, overdraft: .never)
    guard admission.refusal == nil else { return }
    let cost = random.chance(50) ? bound : random.int64(0...bound)
    waiting.append(paper.begin(bound: bound, cost: cost))
  }

  private mutating func work() {
    guard let call = takeWaiting() else { return }
    paper.work(call)
    worked.append((call, paper.reading()))
  }

  private mutating func takeWaiting() -> Paper.Open? {
    guard !waiting.isEmpty else { return nil }
    return waiting.remove(at: random.int(0...waiting.count - 1))
  }

  private mutating func answer() {
    guard !worked.isEmpty else { return }
    let (call, reading) = worked.remove(at: random.int(0...worked.count - 1))
    note(before: paper.events.count) { $0.answered(call, reading: reading) }
  }

  /// No answer comes: it was charged, is charged later, or never.
  private mutating func lose() {
    if !worked.isEmpty, random.chance(40) {
      return paper.doubted(worked.remove(at: random.int(0...worked.count - 1)).call)
    }
    guard let call = takeWaiting() else { return }
    if random.chance(40) {
      let at = paper.now.advanced(byMilliseconds: random.int64(0...59_000))
      paper.bucket.charge(call.cost, later: at.milliseconds)
      paper.charged += call.cost
      late.append((call.cost, at))
      reached.count("late charge")
    }
    paper.doubted(call)
  }

  private mutating func notSent() {
    guard let call = takeWaiting() else { return }
    paper.released(call)
  }

  private mutating func question() { questions.append((paper.question, paper.reading())) }

  private mutating func questionAnswered() {
    guard !questions.isEmpty else { return }
    let question = questions.remove(at: random.int(0...questions.count - 1))
    note(before: paper.events.count) { $0.observe(question.reading, to: question.question) }
  }

  // MARK: What must hold

  private mutating func note(before count: Int, _ change: (inout Paper) -> Void) {
    let hadDoubts = !paper.doubts.isEmpty
    change(&paper)
    let events = Array(paper.events[count...])
    guard let observation = events.observation else { return reached.count("reading ignored") }
    if observation.slack > 0 { reached.count("slack") }
    if observation.unexplained != 0 { reached.count("unexplained") }
    guard let resolution = events.resolution else {
      if hadDoubts { reached.count("reading too young") }
      return
    }
    reached.count("evidence \(resolution.evidence)")
    guard resolution.evidence == .reading else { return }
    let sum = resolution.doubts.reduce(0) { $0 + $1.tokens }
    reached.count(
      resolution.difference == 0
        ? "released all" : resolution.difference == sum ? "charged all" : "charged in between")
  }

  var problem: String? {
    let meter = paper.meter
    if paper.worstResidual != 0 { return "the residual was \(paper.worstResidual)" }
    let held = meter[.reserved] + meter[.inDoubt] + meter[.unprovable]
    if paper.charged > meter[.settled] + held {
      return "\(paper.charged) was charged, \(meter[.settled]) settled and \(held) held"
    }
    guard !hasOthers else { return nil }
    if meter[.settled] > paper.charged {
      return "\(meter[.settled]) was settled and only \(paper.charged) charged"
    }
    if !(-meter[.unprovable]...0).contains(meter[.unexplained]) {
      return "\(meter[.unexplained]) is unexplained though nobody else uses the key"
    }
    return unsafeAdmission
  }

  /// Whether more would be admitted than the bucket has beside what may still be charged.
  private var unsafeAdmission: String? {
    let pending =
      waiting.reduce(0) { $0 + $1.bound }
      + late.filter { $0.until > paper.now }.reduce(0) { $0 + $1.bound }
    var bucket = paper.bucket
    bucket.advance(to: paper.now.milliseconds)
    let available = Admission.available(on: paper.meter, at: paper.now)
    guard available > 0, available > bucket.balance - pending else { return nil }
    return "\(available) could be spent; there are \(bucket.balance), \(pending) of them spoken for"
  }

  mutating func end() {
    for call in waiting {
      paper.work(call)
      worked.append((call, paper.reading()))
      paper.wait(1)
    }
    waiting = []
    while !worked.isEmpty { answer() }
    for _ in 0..<3 {
      paper.wait(61_000)
      note(before: paper.events.count) { $0.observe() }
    }
  }

  var finalProblem: String? {
    let meter = paper.meter
    if let problem { return problem }
    if meter[.reserved] != 0 || meter[.inDoubt] != 0 { return "something is still held" }
    if meter[.free] != paper.bucket.balance {
      return "\(meter[.free]) is free and the balance is \(paper.bucket.balance)"
    }
    reached.count(meter[.unprovable] == 0 ? "ended exact" : "ended unprovable")
    guard meter[.unprovable] == 0, !hasOthers, meter[.settled] != paper.charged else {
      return nil
    }
    return "\(meter[.settled]) settled and \(paper.charged) charged"
  }
}
