import Algorithms
package import TollbookEvents

/// The clock that lets entries age: the highest priority of those that went although they still saved something. What
/// is used begins from there, so that what was used often, long ago, is overtaken in the end.
///
/// GreedyDual-Size-Frequency adds the clock to an entry whenever it is used. Rows of entries have no place for that,
/// but they tell when an entry was used last; the clock remembers how it stood then.
///
/// It begins at 0 in each process. All that was used before then begins from 0 too: among these only frequency, cost
/// and size count, until the first of them have gone and the clock is where their priorities are. That is sensible,
/// since the clock means something only beside the priorities of entries that were there with it, which the log does
/// not hold.
package struct EvictionClock: Sendable {
  /// The most instants at which it remembers how it stood. Beyond, every second one is forgotten: an entry that was
  /// used then counts as used a little earlier.
  static let mostSteps = 1_024

  /// How it stands.
  package private(set) var value = 0.0
  /// Since when it stood how. Rising in both.
  private var steps: [(since: Timestamp, value: Double)] = []

  package init() {}

  /// Sets it to a priority, unless it stands higher already.
  package mutating func advance(to priority: Double, at now: Timestamp) {
    guard priority > value, priority.isFinite else { return }
    value = priority
    // Where the wall clock was set back, from then on as the last time.
    if let last = steps.last, now <= last.since {
      steps[steps.count - 1].value = priority
      return
    }
    steps.append((now, priority))
    guard steps.count > Self.mostSteps else { return }
    let last = steps.count - 1
    steps = steps.indices.filter { ($0 ^ last) & 1 == 0 }.map { steps[$0] }
  }

  /// How it stood at an instant, before anything went then.
  package func value(at instant: Timestamp) -> Double {
    let next = steps.partitioningIndex { $0.since >= instant }
    return next == 0 ? 0 : steps[next - 1].value
  }
}
