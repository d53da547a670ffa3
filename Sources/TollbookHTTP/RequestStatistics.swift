import Synchronization
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

  private static let bounds = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30,
  ]
  private let shared = Mutex(Values())

  var values: Values { shared.withLock { $0 } }

  func record(route: String, method: String, status: Int, nanoseconds: Int64) {
    let key = Key(route: route, method: method, status: status)
    let seconds = Double(nanoseconds) / 1e9
    shared.withLock { values in
      values.counts[key, default: 0] += 1
      values.seconds[route, default: Histogram(bounds: Self.bounds)].record(seconds)
    }
  }
}
