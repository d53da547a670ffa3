import Synchronization

/// A histogram with fixed upper bounds, as Prometheus counts them.
package struct Histogram: Sendable {
  /// Upper bounds, rising; values above the last fall into a bucket of their own.
  package let bounds: [Double]
  /// One more than bounds, not cumulated.
  package private(set) var counts: [UInt64]
  package private(set) var sum = 0.0

  package init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  package mutating func record(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    sum += value
  }

  /// Adds what another one of the same bounds has recorded.
  package mutating func add(_ other: Histogram) {
    for index in counts.indices where index < other.counts.count {
      counts[index] += other.counts[index]
    }
    sum += other.sum
  }
}

/// What the writer measures of itself: since the process began, not from the log.
package final class LogStatistics: Sendable {
  /// A reading of all of it.
  package struct Values: Sendable {
    package var commits: UInt64 = 0
    package var events: UInt64 = 0
    package var decisions: UInt64 = 0
    /// What the bodies take that were stored.
    package var bodySpace = 0
    /// Events in a commit.
    package var commitEvents = Histogram(
      bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000])
    /// Seconds from taking the queue to the end of the flush.
    package var commitSeconds = Histogram(
      bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1])
  }

  private let shared = Mutex(Values())

  package init() {}

  package var values: Values { shared.withLock { $0 } }

  func recordCommit(events: Int, decisions: Int, bodySpace: Int, nanoseconds: Int64) {
    shared.withLock { values in
      values.commits += 1
      values.events += UInt64(events)
      values.decisions += UInt64(decisions)
      values.bodySpace += bodySpace
      values.commitEvents.record(Double(events))
      values.commitSeconds.record(Double(nanoseconds) / 1e9)
    }
  }
}
