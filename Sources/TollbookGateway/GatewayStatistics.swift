import Synchronization
package import TollbookLog
import TollbookUpstreams

/// What the gateway measures of its calls: since the process began, not from the log.
package final class GatewayStatistics: Sendable {
  package struct Values: Sendable {
    /// Upstream calls by outcome: the HTTP status, or why there was none.
    package var calls: [String: UInt64] = [:]
    package var callSeconds = Histogram(
      bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30])
  }

  private let shared = Mutex(Values())

  package var values: Values { shared.withLock { $0 } }

  func record(outcome: String, seconds: Double) {
    shared.withLock { values in
      values.calls[outcome, default: 0] += 1
      values.callSeconds.record(seconds)
    }
  }

  func record(_ exchange: Exchange) {
    let outcome: String
    switch exchange.result {
    case .success: outcome = "200"
    case .failure(let failure) where failure.status > 0: outcome = "\(failure.status)"
    case .failure(let failure): outcome = "\(failure.reason)"
    }
    record(outcome: outcome, seconds: Double(exchange.duration.milliseconds) / 1_000)
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
