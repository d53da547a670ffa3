import JSONText
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

/// Several schedules beside each other.
@Suite struct ScheduleClockTests {
  private static let minute: Int64 = 60_000
  private static let start = instant("2026-11-21T10:00:00Z")

  private func clock(_ rules: [(String, String)], atOnce: Int = 8) throws -> ScheduleClock {
    var clock = ScheduleClock(atOnce: atOnce)
    for (name, rule) in rules {
      try clock.add(Schedule(name, standard: ScheduleRule(rule), anchor: Self.start))
    }
    return clock
  }

  private func after(_ minutes: Int64) -> Timestamp {
    Self.start.advanced(byMilliseconds: minutes * Self.minute)
  }

  private func change(
    rule: String? = nil, paused: Bool? = nil, runNow: Bool? = nil
  ) throws -> ScheduleChange {
    try ScheduleChange(rule: rule, paused: paused, runNow: runNow)
  }

  @Test func `what has been due for longest begins first, then by name`() throws {
    var clock = try clock([("b", "every 5m"), ("a", "every 5m"), ("c", "every 3m")])
    #expect(clock.look(at: after(2)).isEmpty)
    #expect(clock.next(now: after(2)) == after(3))
    let runs = clock.look(at: after(5))
    #expect(runs.map(\.name) == ["c", "a", "b"])
    #expect(runs.map(\.occurrence) == [after(3), after(5), after(5)])
    #expect(runs.map(\.cause) == [.catchUp, .due, .due])
    #expect(runs.allSatisfy { $0.number == 1 })
    #expect(clock.running == 3)
  }

  @Test func `a run that takes long is followed by one run for all that became due meanwhile`()
    throws
  {
    var clock = try clock([("a", "every 5m")])
    #expect(clock.look(at: after(5)).count == 1)
    #expect(clock.look(at: after(10)).isEmpty)
    #expect(clock.look(at: after(17)).isEmpty)
    #expect(clock.next(now: after(17)) == nil)
    clock.ended("a", .done("3 of 40"), at: after(18))
    #expect(clock["a"]?.last?.detail == "3 of 40")
    let runs = clock.look(at: after(18))
    #expect(runs.map(\.occurrence) == [after(15)])
    #expect(runs.map(\.cause) == [.catchUp])
    #expect(runs.map(\.number) == [2])
    clock.ended("a", .done(), at: after(19))
    #expect(clock.look(at: after(19)).isEmpty)
    #expect(clock.next(now: after(19)) == after(20))
  }

  @Test func `no more begin than may be under way, and the others stay due`() throws {
    var clock = try clock([("a", "every 5m"), ("b", "every 5m"), ("c", "every 4m")], atOnce: 2)
    #expect(clock.look(at: after(5)).map(\.name) == ["c", "a"])
    #expect(clock.look(at: after(6)).isEmpty)
    #expect(clock.next(now: after(6)) == nil)
    clock.ended("c", .failed("no answer"), at: after(6))
    #expect(clock.next(now: after(6)) == after(6))
    #expect(clock.look(at: after(6)).map(\.name) == ["b"])
  }

  @Test func `a run that somebody asks for begins at once, while paused too, and moves nothing`()
    throws
  {
    var clock = try clock([("a", "daily 03:00 UTC"), ("b", "every 1m")])
    _ = try clock.change("a", change(paused: true, runNow: true), at: Self.start)
    #expect(clock.next(now: Self.start) == Self.start)
    let runs = clock.look(at: after(1))
    #expect(runs.map(\.name) == ["a", "b"])
    #expect(runs.map(\.cause) == [.asked, .due])
    #expect(runs[0].occurrence == nil)
    // Asked again while it is under way: once more after it, however often.
    _ = try clock.change("a", change(runNow: true), at: after(1))
    _ = try clock.change("a", change(runNow: true), at: after(1))
    #expect(clock.look(at: after(1)).isEmpty)
    clock.ended("a", .done(), at: after(1))
    #expect(clock.look(at: after(1)).map(\.name) == ["a"])
    clock.ended("a", .done(), at: after(1))
    #expect(clock.look(at: after(1)).isEmpty)
    // And its own time stays.
    _ = try clock.change("a", change(paused: false), at: after(2))
    #expect(clock["a"]?.schedule.next(now: after(2)) == instant("2026-11-22T03:00:00Z"))
  }

  @Test func `a run that was asked for is that of what is due as well`() throws {
    var clock = try clock([("a", "every 5m")])
    _ = try clock.change("a", change(runNow: true), at: after(6))
    let runs = clock.look(at: after(6))
    #expect(runs.map(\.cause) == [.asked])
    #expect(runs.map(\.occurrence) == [after(5)])
    clock.ended("a", .done(), at: after(7))
    #expect(clock.look(at: after(7)).isEmpty)
  }

  @Test func `never two at once, never an occurrence twice, whatever happens`() throws {
    var reached: [String: Int] = [:]
    for seed in 1...200 as ClosedRange<UInt64> {
      var chance = SeededGenerator(seed: seed)
      let rules = ["every 5m", "hourly :15", "daily 03:00 America/Los_Angeles", "hourly :40"]
      let names = ["scan_all", "reconcile_sales", "refresh_comps", "send_notifications"]
      var clock = ScheduleClock(atOnce: chance.int(1...4))
      var now = instant("2026-10-31T10:00:00Z")
      for (name, rule) in zip(names, rules) {
        try clock.add(Schedule(name, standard: ScheduleRule(rule), anchor: now))
      }
      var latest = now
      var underWay: Set<String> = []
      var ran: Set<String> = []
      for _ in 0..<500 {
        now = now.advanced(byMilliseconds: chance.int64(1_000...20 * Self.minute))
        // The clock is set ahead by two days, and back by one, to no more than a day behind the latest that it showed.
        if chance.chance(1) { now = now.advanced(byMilliseconds: 2_880 * Self.minute) }
        latest = max(latest, now)
        let back = now.advanced(byMilliseconds: -1_440 * Self.minute)
        if chance.chance(2), latest.advanced(byMilliseconds: -1_500 * Self.minute) < back {
          now = back
        }
        for run in clock.look(at: now) {
          #expect(underWay.insert(run.name).inserted, "seed \(seed): \(run.name) twice at once")
          reached[run.cause.rawValue, default: 0] += 1
          if let occurrence = run.occurrence, run.name != "scan_all" {
            #expect(
              ran.insert("\(run.name) \(occurrence)").inserted,
              "seed \(seed): \(run.name) \(occurrence) twice")
          }
        }
        #expect(underWay.count <= clock.atOnce)
        #expect(clock.running == underWay.count)
        if let name = underWay.sorted().first, chance.chance(60) {
          underWay.remove(name)
          clock.ended(name, .done(), at: now)
        }
        if chance.chance(5) {
          _ = try clock.change(chance.pick(names), change(runNow: true), at: now)
        }
        if chance.chance(5) {
          _ = try clock.change(chance.pick(names), change(paused: chance.chance(30)), at: now)
        }
      }
    }
    for cause in ScheduledRun.Cause.allCases {
      #expect(reached[cause.rawValue, default: 0] > 100, "\(cause): \(reached)")
    }
  }

  @Test func `a name that is not there or is there already is refused by name`() throws {
    var clock = try clock([("a", "every 5m"), ("b", "hourly :00")])
    let unknown = #expect(throws: ScheduleProblem.self) {
      try clock.change("c\n", change(paused: true), at: Self.start)
    }
    #expect(unknown?.description == "there is no schedule “c”; there are a, b")
    let twice = #expect(throws: ScheduleProblem.self) {
      try clock.add(Schedule("a", standard: ScheduleRule("every 5m"), anchor: Self.start))
    }
    #expect(twice?.description == "there is a schedule a already")
    for number in 2..<ScheduleClock.most {
      try clock.add(Schedule("s\(number)", standard: ScheduleRule("every 5m"), anchor: Self.start))
    }
    let full = #expect(throws: ScheduleProblem.self) {
      try clock.add(Schedule("z", standard: ScheduleRule("every 5m"), anchor: Self.start))
    }
    #expect(full?.description == "there are 64 schedules already")
  }

  @Test func `the list tells of each schedule how it stands`() throws {
    var clock = try clock([("scan_all", "every 5m"), ("refresh", "daily 03:00 UTC")])
    _ = try clock.change("refresh", change(rule: "hourly :15", paused: true), at: Self.start)
    _ = clock.look(at: after(5))
    var json = JSONWriter()
    clock.write(to: &json, now: after(6))
    let list = """
      {"schedules":[\
      {"name":"refresh","rule":"hourly :15","standard_rule":"daily 03:00 UTC","moved":true,\
      "paused":true,"state":"paused","run_asked":false,"next_at":null,"running_since":null,\
      "last_run_at":null,"last_ended_at":null,"last_state":null,"last_detail":null,"runs":0},\
      {"name":"scan_all","rule":"every 5m","standard_rule":"every 5m","moved":false,\
      "paused":false,"state":"running","run_asked":false,"next_at":"2026-11-21T10:10:00.000Z",\
      "running_since":"2026-11-21T10:05:00.000Z","last_run_at":"2026-11-21T10:05:00.000Z",\
      "last_ended_at":null,"last_state":null,"last_detail":null,"runs":1}]}
      """
    #expect(json.string == list)
    clock.ended("scan_all", .failed("no\nanswer"), at: after(7))
    var entry = JSONWriter()
    try #require(clock["scan_all"]).write(to: &entry, now: after(11))
    #expect(entry.string.contains(#""state":"due""#))
    #expect(entry.string.contains(#""last_state":"failed","last_detail":"no answer""#))
  }
}
