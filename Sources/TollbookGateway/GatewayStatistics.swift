import Synchronization
package import TollbookLog
import TollbookUpstreams

/// What the gateway measures of its calls: since the process began, not from the log.
package final class GatewayStatistics: Sendable {
  package struct Values: Sendable {
    /// Upstream calls by outcome: the HTTP status, or why there was none.
    package var calls: [String: UInt64] = [:]
    package var callSeconds = Histogram(
      bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120])
  }

  private let shared: Mutex<[String: Values]>

  /// - Parameter upstreams: the names of those that are called.
  init(_ upstreams: [String]) {
    shared = Mutex(Dictionary(uniqueKeysWithValues: upstreams.map { ($0, Values()) }))
  }

  /// By the names of the upstreams.
  package var values: [String: Values] { shared.withLock { $0 } }

  func record(_ exchange: Exchange, of upstream: String) {
    let outcome: String
    switch exchange.result {
    case .success: outcome = "200"
    case .failure(let failure) where failure.status > 0: outcome = "\(failure.status)"
    case .failure(let failure): outcome = "\(failure.reason)"
    }
    shared.withLock { values in
      values[upstream, default: Values()].calls[outcome, default: 0] += 1
      values[upstream, default: Values()].callSeconds.record(
        Double(exchange.duration.milliseconds) / 1_000)
    }
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
