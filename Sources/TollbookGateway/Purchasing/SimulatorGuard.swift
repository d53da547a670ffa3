import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams

/// An upstream for one log, which takes nothing from a simulator if it holds real data.
///
/// Each answer says for itself whether a simulator gave it. One that is refused is a failure that cost nothing and
/// tells no balance, so that real books never hold simulated figures. The next answer is looked at anew.
final class SimulatorGuard: Upstream {
  private let mode: LogMode
  private let upstream: any Upstream
  private let last = Mutex<Bool?>(nil)

  init(_ upstream: any Upstream, for mode: LogMode) {
    self.mode = mode
    self.upstream = upstream
  }

  /// What is said of an answer that is refused.
  var refusal: String {
    "a simulator answers in \(title)'s place, and this folder holds real data; simulated data has a"
      + " folder of its own: `tollbook serve --simulate`"
  }

  /// Whether the last answer said that a simulator gave it; nil: there was none.
  var isSimulated: Bool? { last.withLock { $0 } }

  /// Whether the last answer was refused.
  var isRefusing: Bool { mode == .real && isSimulated == true }

  var name: String { upstream.name }
  var title: String { upstream.title }
  var credentials: [String] { upstream.credentials }
  var takesKey: Bool { upstream.takesKey }
  var keySetting: String { upstream.keySetting }
  var meters: [UpstreamMeter] { upstream.meters }
  var kinds: [ResourceKind] { upstream.kinds }
  var callLimit: Int64? { upstream.callLimit }

  func callSize(of operation: String, parts: UInt64) -> Int {
    upstream.callSize(of: operation, parts: parts)
  }

  func plan(_ needs: [Need]) -> [PlannedCall] { upstream.plan(needs) }

  func prerequisite(of operation: String, at now: Timestamp) -> Need? {
    upstream.prerequisite(of: operation, at: now)
  }

  func renewal(of resource: ResourceKey, parts: UInt64) -> Need? {
    upstream.renewal(of: resource, parts: parts)
  }

  func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    checked(await upstream.perform(call, with: credential, within: limit))
  }

  func readMeters(within limit: Duration) async -> Exchange? {
    await upstream.readMeters(within: limit).map(checked)
  }

  /// Another guard: whose answers they are each credential tells for itself.
  func with(_ lease: CredentialLease) -> (any Upstream)? {
    upstream.with(lease).map { SimulatorGuard($0, for: mode) }
  }

  private func checked(_ exchange: Exchange) -> Exchange {
    guard exchange.isAnswered else { return exchange }
    last.withLock { $0 = exchange.isSimulated }
    guard mode == .real, exchange.isSimulated else { return exchange }
    return Exchange(
      .failure(UpstreamFailure(.requestRejected, detail: refusal, charge: .none)),
      charges: exchange.charges.mapValues { _ in .notSent }, duration: exchange.duration,
      receivedBytes: exchange.receivedBytes, isSimulated: true)
  }
}

extension Exchange {
  /// Whether a complete answer came. A connection that failed does not say who is at its other end.
  var isAnswered: Bool {
    if case .failure(let failure) = result { return failure.status > 0 || isSimulated }
    return true
  }
}
