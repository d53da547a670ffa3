import Synchronization
import TollbookEvents
import TollbookLog

/// Counts requests and how long they took, since the process began.
///
/// A route is counted by its pattern, never by its path: there are as many series as there are routes.
final class RequestStatistics: Sendable {
  struct Key: Hashable, Sendable, Comparable {
    let route: String
    let method: String
    let status: Int

    static func < (left: Key, right: Key) -> Bool {
      (left.route, left.method, left.status) < (right.route, right.method, right.status)
    }
  }

  struct Values: Sendable {
    fileprivate(set) var counts: [Key: UInt64] = [:]
    /// By route, in seconds until the answer was there.
    fileprivate(set) var seconds: [String: Histogram] = [:]
  }

  /// What is counted of the requests of a stretch of time, those of who only watches left out.
  struct Answers: Sendable {
    fileprivate(set) var count: UInt64 = 0
    /// Answers with status 500 or above.
    fileprivate(set) var errors: UInt64 = 0
    /// In seconds until the answer was there.
    fileprivate(set) var seconds = Histogram(bounds: RequestStatistics.bounds)
    /// The same of those that the cache gave and that cost nothing.
    fileprivate(set) var cachedSeconds = Histogram(bounds: RequestStatistics.bounds)

    fileprivate mutating func note(_ status: Int, _ time: Double, isFromCache: Bool) {
      count += 1
      if status >= 500 { errors += 1 }
      seconds.record(time)
      if isFromCache { cachedSeconds.record(time) }
    }

    fileprivate mutating func add(_ other: Answers) {
      count += other.count
      errors += other.errors
      seconds.add(other.seconds)
      cachedSeconds.add(other.cachedSeconds)
    }
  }

  /// Upper bounds in seconds. One of them is 0.2: so how many answers took longer than that is known exactly.
  static let bounds = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30,
  ]

  /// The paths that whoever watches asks, by which errors and times of all others would be hidden.
  private static let watching: Set<String> = [
    "/", "/health", "/metrics", "/cache/stats", "/cache/health", "/cache/performance",
    "/cache/recommendations",
  ]

  private struct State {
    var values = Values()
    /// Three hours and some more.
    var minutes = AnswerRing(slot: 60_000, capacity: 192)
    /// Twice a week, and some more.
    var hours = AnswerRing(slot: 3_600_000, capacity: 340)
  }

  private let shared = Mutex(State())

  var values: Values { shared.withLock { $0.values } }

  /// The requests that were answered in a stretch of whole minutes, as far as they are remembered: for three hours.
  func answers(inMinutes range: Range<Timestamp>) -> Answers {
    shared.withLock { $0.minutes.answers(in: range) }
  }

  /// The requests that were answered in a stretch of whole hours, as far as they are remembered: for two weeks.
  func answers(inHours range: Range<Timestamp>) -> Answers {
    shared.withLock { $0.hours.answers(in: range) }
  }

  /// Counts a request.
  ///
  /// - Parameters:
  ///   - isFromCache: whether the cache gave the answer, and it cost nothing.
  ///   - now: when it was answered.
  func record(
    route: String, method: String, status: Int, nanoseconds: Int64, isFromCache: Bool,
    at now: Timestamp
  ) {
    let key = Key(route: route, method: method, status: status)
    let seconds = Double(nanoseconds) / 1e9
    shared.withLock { state in
      state.values.counts[key, default: 0] += 1
      state.values.seconds[route, default: Histogram(bounds: Self.bounds)].record(seconds)
      guard !Self.watching.contains(route) else { return }
      state.minutes.change(at: now) { $0.note(status, seconds, isFromCache: isFromCache) }
      state.hours.change(at: now) { $0.note(status, seconds, isFromCache: isFromCache) }
    }
  }
}

/// The requests of the last stretches of time, each with a place of its own, of which the oldest is used again.
private struct AnswerRing {
  private struct Slot {
    /// Slots since 1970; -1: nothing was counted in it yet.
    var number: Int64 = -1
    var answers = RequestStatistics.Answers()
  }

  /// In milliseconds.
  private let length: Int64
  private var slots: [Slot]

  init(slot length: Int64, capacity: Int) {
    self.length = length
    slots = Array(repeating: Slot(), count: capacity)
  }

  mutating func change(
    at time: Timestamp, _ change: (inout RequestStatistics.Answers) -> Void
  ) {
    let number = number(of: time)
    let place = Int(number % Int64(slots.count))
    // Whatever else stands there is of another time, also if a clock was set back.
    if slots[place].number != number { slots[place] = Slot(number: number) }
    change(&slots[place].answers)
  }

  func answers(in range: Range<Timestamp>) -> RequestStatistics.Answers {
    let numbers = number(of: range.lowerBound)..<number(of: range.upperBound)
    var sum = RequestStatistics.Answers()
    for slot in slots where numbers.contains(slot.number) { sum.add(slot.answers) }
    return sum
  }

  /// What is before 1970 is in the first.
  private func number(of time: Timestamp) -> Int64 { max(0, time.milliseconds) / length }
}
