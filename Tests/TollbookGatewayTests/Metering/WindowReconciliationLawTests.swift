import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

private let reached = Reached()

@Suite(
  Reaching(
    title: "Window totals",
    names: [
      "evidence reading", "evidence unexplained", "unexplained", "total ignored", "released",
      "late charge", "ended exact", "ended unprovable",
    ], reached: reached))
struct `Law 4: a window on paper agrees with the upstream's total` {
  @Test(arguments: Seeds.all)
  func `in a random world nothing is lost and nothing is blamed on others`(seed: UInt64) throws {
    var world = try TotalWorld(seed: seed)
    for step in 0..<300 {
      world.act()
      if let problem = world.problem {
        Issue.record("seed \(seed), step \(step): \(problem)")
        return
      }
    }
    world.end()
    if let problem = world.finalProblem { Issue.record("seed \(seed), at the end: \(problem)") }
  }
}

/// Calls, answers, losses and totals in any order within one window.
private struct TotalWorld {
  private var random: SeededGenerator
  private var paper: WindowPaper
  private let hasOthers: Bool
  private var waiting: [WindowPaper.Open] = []
  private var worked: [(call: WindowPaper.Open, total: Int64)] = []
  private var questions: [(question: WindowReconciliation.Question, total: Int64)] = []
  /// Calls that nobody waits for, and when the upstream counts them.
  private var late: [(cost: Int64, at: Timestamp)] = []

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    hasOthers = seed % 3 == 0
    // A month, so that no window turns.
    let month = try #require(CalendarWindow(.month, zone: "UTC", limit: 1_000_000))
    paper = WindowPaper(.calendarWindow(month), at: instant("2026-11-02T00:00:00Z"))
  }

  mutating func act() {
    switch random.int(0...99) {
    case 0..<20: wait(random.int64(1...90_000))
    case 20..<45:
      let bound = random.int64(0...40)
      waiting.append(paper.begin(bound: bound, cost: random.int64(0...bound)))
    case 45..<62:
      guard let call = takeWaiting() else { return }
      paper.work(call)
      worked.append((call, paper.total))
    case 62..<80: answer()
    case 80..<86: lose()
    case 86..<88:
      guard let call = takeWaiting() else { return }
      reached.count("released")
      paper.released(call)
    case 88..<92: questions.append((paper.question, paper.total))
    case 92..<97:
      guard !questions.isEmpty else { return }
      let (question, total) = questions.remove(at: random.int(0...questions.count - 1))
      note { $0.observe(total, to: question) }
    default: if hasOthers { paper.total += random.int64(1...40) }
    }
  }

  private mutating func wait(_ milliseconds: Int64) {
    paper.now = paper.now.advanced(byMilliseconds: milliseconds)
    for call in late where call.at <= paper.now { paper.total += call.cost }
    late.removeAll { $0.at <= paper.now }
  }

  private mutating func takeWaiting() -> WindowPaper.Open? {
    waiting.isEmpty ? nil : waiting.remove(at: random.int(0...waiting.count - 1))
  }

  private mutating func answer() {
    guard !worked.isEmpty else { return }
    let (call, total) = worked.remove(at: random.int(0...worked.count - 1))
    note { $0.answered(call, total: total) }
  }

  /// No answer comes: it was counted, is counted within a minute, or never.
  private mutating func lose() {
    if !worked.isEmpty, random.chance(40) {
      return paper.doubted(worked.remove(at: random.int(0...worked.count - 1)).call)
    }
    guard let call = takeWaiting() else { return }
    if random.chance(50) {
      late.append((call.cost, paper.now.advanced(byMilliseconds: random.int64(1...59_000))))
      reached.count("late charge")
    }
    paper.doubted(call)
  }

  private mutating func note(_ change: (inout WindowPaper) -> [Event]) {
    let events = change(&paper)
    if events.isEmpty { reached.count("total ignored") }
    for event in events {
      switch event {
      case .chargeResolved(let event): reached.count("evidence \(event.evidence)")
      case .windowObserved(let event) where event.unexplained != 0: reached.count("unexplained")
      default: break
      }
    }
  }

  // MARK: What must hold

  private var spent: Int64 { Int64(clamping: paper.page.spent) }

  var problem: String? {
    if paper.paper.worstResidual != 0 { return "the residual was \(paper.paper.worstResidual)" }
    guard !hasOthers else { return nil }
    if paper.total > spent {
      return "the upstream counts \(paper.total), and \(spent) is spent or held"
    }
    if paper.page[.unexplained] != 0 {
      return "\(paper.page[.unexplained]) is unexplained though nobody else uses it"
    }
    return nil
  }

  mutating func end() {
    for call in waiting {
      paper.work(call)
      worked.append((call, paper.total))
    }
    waiting = []
    while !worked.isEmpty { answer() }
    for _ in 0..<2 {
      wait(61_000)
      note { $0.observe($0.total) }
    }
  }

  var finalProblem: String? {
    if let problem { return problem }
    let page = paper.page
    if page[.reserved] != 0 || page[.inDoubt] != 0 { return "something is still held" }
    reached.count(page[.unprovable] == 0 ? "ended exact" : "ended unprovable")
    let isRight = page[.unprovable] == 0 ? spent == paper.total : spent >= paper.total
    return isRight ? nil : "\(spent) is spent, and the upstream counts \(paper.total)"
  }
}
