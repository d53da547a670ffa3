import JSONText
import Testing
import TollbookEvents
import TollbookLog

@testable import TollbookHTTP

@Suite struct CacheHealthTests {
  /// A cache that does well, but for what is changed.
  private func health(_ change: (inout CacheHealth.Figures) -> Void = { _ in }) -> CacheHealth {
    var figures = CacheHealth.Figures(
      hits: 9_000, misses: 1_000, memory: 100, memoryLimit: 1_000, answers: 10_000, errors: 0,
      averageTime: 0.01, highTime: 0.05)
    change(&figures)
    return CacheHealth(figures)
  }

  @Test func `a cache that does well has no alert`() {
    #expect(health().state == .ok)
    #expect(health().alerts.isEmpty)
    #expect(!health().isCold)
    #expect(health().states.allSatisfy { $0.state == .ok })
  }

  @Test(arguments: [
    (Int64(10_000), CacheRule.State.ok, "hit_rate >= 80"), (8_000, .ok, "hit_rate >= 80"),
    (7_999, .degraded, "70 <= hit_rate < 80"), (7_000, .degraded, "70 <= hit_rate < 80"),
    (6_999, .warning, "50 <= hit_rate < 70"), (5_000, .warning, "50 <= hit_rate < 70"),
    (4_999, .critical, "hit_rate < 50"), (0, .critical, "hit_rate < 50"),
  ])
  func `C29, C41, C42: the states of the hit rate meet without a gap`(
    _ hits: Int64, _ state: CacheRule.State, _ rule: String
  ) {
    let found = health {
      $0.hits = hits
      $0.misses = 10_000 - hits
    }
    #expect(found.hitRate == Double(hits) / 100)
    #expect(found.state == state)
    #expect(CacheRule.hitRate.verdict(of: found.hitRate).rule == rule)
    #expect(found.alerts.map(\.rule) == (state == .ok ? [] : [rule]))
  }

  @Test(arguments: [
    (0, CacheRule.State.ok, "memory_usage_percent <= 80"),
    (8_000, .ok, "memory_usage_percent <= 80"),
    (8_001, .warning, "80 < memory_usage_percent <= 90"),
    (9_000, .warning, "80 < memory_usage_percent <= 90"),
    (9_001, .critical, "memory_usage_percent > 90"),
    (12_000, .critical, "memory_usage_percent > 90"),
  ])
  func `C33, X8: memory is judged by the limit that is set`(
    _ memory: Int, _ state: CacheRule.State, _ rule: String
  ) {
    let found = health {
      $0.memory = memory
      $0.memoryLimit = 10_000
    }
    #expect(found.memoryUsage == Double(memory) / 100)
    #expect(found.state == state)
    #expect(CacheRule.memory.verdict(of: found.memoryUsage).rule == rule)
  }

  @Test(arguments: [
    (UInt64(0), CacheRule.State.ok, "error_rate <= 1"), (100, .ok, "error_rate <= 1"),
    (101, .degraded, "1 < error_rate <= 5"), (500, .degraded, "1 < error_rate <= 5"),
    (501, .critical, "error_rate > 5"), (10_000, .critical, "error_rate > 5"),
  ])
  func `C34, C42: errors above 1 % degrade, above 5 % they are critical`(
    _ errors: UInt64, _ state: CacheRule.State, _ rule: String
  ) {
    let found = health { $0.errors = errors }
    #expect(found.errorRate == Double(errors) / 100)
    #expect(found.state == state)
    #expect(CacheRule.errors.verdict(of: found.errorRate).rule == rule)
  }

  @Test(arguments: [
    (0.0001, CacheRule.State.ok, "p95_response_time_ms <= 200"),
    (0.2, .ok, "p95_response_time_ms <= 200"),
    (0.20001, .warning, "p95_response_time_ms > 200"),
    (30, .warning, "p95_response_time_ms > 200"),
  ])
  func `C27, X3: a cached answer in 200 ms is in time, a later one is not`(
    _ seconds: Double, _ state: CacheRule.State, _ rule: String
  ) throws {
    let found = health { $0.highTime = seconds }
    #expect(found.state == state)
    #expect(CacheRule.time.verdict(of: try #require(found.highTime)).rule == rule)
  }

  @Test func `a figure is judged as it is shown`() {
    let found = health {
      $0.hits = 799_996
      $0.misses = 200_004
    }
    #expect(found.hitRate == 80)
    #expect(found.state == .ok)
  }

  @Test func `the whole is as its worst figure, which is told first`() {
    let found = health {
      ($0.hits, $0.misses) = (75, 25)
      $0.memory = 950
      $0.errors = 200
      $0.highTime = 0.3
    }
    #expect(found.state == .critical)
    #expect(
      found.alerts.map(\.name) == [
        "cache.memory", "cache.response_time", "cache.hit_rate", "cache.errors",
      ])
    #expect(found.alerts.map(\.severity) == [.critical, .warning, .degraded, .degraded])
    #expect(found.alerts.map(\.threshold) == [90, 200, 80, 1])
    #expect(found.alerts.map(\.value) == [95, 300, 75, 2])
    #expect(found.alerts[0].detail == "memory_usage_percent is 95 %, above 90 %")
  }

  @Test(arguments: [(Int64(0), Int64(0), true), (0, 99, true), (0, 100, false), (50, 50, false)])
  func `under 100 reads the cache is cold, and only memory is judged`(
    _ hits: Int64, _ misses: Int64, _ isCold: Bool
  ) {
    let found = health {
      ($0.hits, $0.misses) = (hits, misses)
      ($0.answers, $0.errors) = (10, 10)
      $0.highTime = 1
    }
    #expect(found.isCold == isCold)
    #expect(found.state == (isCold ? .ok : .critical))
    #expect(
      found.states.map { $0.state == nil }
        == (isCold ? [true, false, true, true] : [false, false, false, false]))
    let full = health {
      ($0.hits, $0.misses) = (hits, misses)
      $0.memory = 901
    }
    #expect(full.state == .critical)
  }

  @Test func `with no figure nothing is divided by nothing`() {
    let found = CacheHealth(CacheHealth.Figures())
    #expect(found.hitRate == 0)
    #expect(found.errorRate == 0)
    #expect(found.highTime == nil)
    #expect(found.state == .ok)
  }
}

@Suite struct AnswerTimesTests {
  private let start = Timestamp(milliseconds: 1_795_248_000_000)

  private func at(minute: Int64) -> Timestamp { start.advanced(byMilliseconds: minute * 60_000) }

  private func record(
    _ statistics: RequestStatistics, minute: Int64, status: Int = 200, milliseconds: Int64 = 1,
    isFromCache: Bool = true, route: String = "/x"
  ) {
    statistics.record(
      route: route, method: "GET", status: status, nanoseconds: milliseconds * 1_000_000,
      isFromCache: isFromCache, at: at(minute: minute))
  }

  @Test func `answers are told by the minute, and the oldest are forgotten`() {
    let statistics = RequestStatistics()
    for minute in Int64(0)..<400 { record(statistics, minute: minute) }
    #expect(statistics.answers(inMinutes: at(minute: 385)..<at(minute: 400)).count == 15)
    #expect(statistics.answers(inMinutes: at(minute: 0)..<at(minute: 400)).count == 192)
    #expect(statistics.answers(inHours: at(minute: 0)..<at(minute: 60)).count == 60)
    #expect(statistics.answers(inMinutes: at(minute: 400)..<at(minute: 500)).count == 0)
  }

  @Test func `a clock that is set back is followed`() {
    let statistics = RequestStatistics()
    record(statistics, minute: 1_000_000)
    record(statistics, minute: 5)
    // The same place in the ring as the first.
    record(statistics, minute: 1_000_000 % 192)
    #expect(statistics.answers(inMinutes: at(minute: 0)..<at(minute: 192)).count == 2)
  }

  @Test func `errors are those of the service, and watching counts as nothing`() {
    let statistics = RequestStatistics()
    for status in [200, 404, 429, 500, 503] { record(statistics, minute: 0, status: status) }
    for route in ["/", "/health", "/metrics", "/cache/health"] {
      record(statistics, minute: 0, status: 500, route: route)
    }
    let answers = statistics.answers(inMinutes: at(minute: 0)..<at(minute: 1))
    #expect(answers.count == 5)
    #expect(answers.errors == 2)
    #expect(statistics.values.counts.values.reduce(0, +) == 9)
  }

  @Test func `what buys does not count among what the cache answers`() throws {
    let statistics = RequestStatistics()
    for _ in 0..<99 { record(statistics, minute: 0, milliseconds: 100) }
    for _ in 0..<50 { record(statistics, minute: 0, milliseconds: 1_500, isFromCache: false) }
    let answers = statistics.answers(inMinutes: at(minute: 0)..<at(minute: 1))
    #expect(try #require(answers.cachedSeconds.percentile(0.95)) <= 0.1)
    #expect(try #require(answers.seconds.percentile(0.95)) > 1)
    #expect(answers.cachedSeconds.total == 99)
  }

  @Test func `a percentile lies within the class of its value`() throws {
    var histogram = Histogram(bounds: RequestStatistics.bounds)
    #expect(histogram.percentile(0.95) == nil)
    #expect(histogram.mean == nil)
    for _ in 0..<95 { histogram.record(0.2) }
    for _ in 0..<5 { histogram.record(9) }
    let in95 = try #require(histogram.percentile(0.95))
    #expect(in95 > 0.1 && in95 <= 0.2)
    let in96 = try #require(histogram.percentile(0.96))
    #expect(in96 > 5 && in96 <= 10)
    for _ in 0..<1_000 { histogram.record(100) }
    #expect(histogram.percentile(0.95) == 30)
  }
}
