import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams

/// Keepa for one log, which takes nothing from a simulator if it holds real data.
///
/// Each answer says for itself whether a simulator gave it. One that is refused is a failure that cost nothing and
/// tells no balance, so that real books never hold simulated figures. The next answer is looked at anew.
final class SimulatorGuard: KeepaAPI {
  static let refusal =
    "a simulator answers in Keepa's place, and this folder holds real data; simulated data has a"
    + " folder of its own: `tollbook serve --simulate`"

  private let mode: LogMode
  private let keepa: any KeepaAPI
  private let last = Mutex<Bool?>(nil)

  init(_ keepa: any KeepaAPI, for mode: LogMode) {
    self.mode = mode
    self.keepa = keepa
  }

  /// Whether the last answer said that a simulator gave it; nil: there was none.
  var isSimulated: Bool? { last.withLock { $0 } }

  /// Whether the last answer was refused.
  var isRefusing: Bool { mode == .real && isSimulated == true }

  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> {
    checked(await keepa.products(request, within: limit))
  }

  func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
    checked(await keepa.balance(within: limit))
  }

  private func checked<Answer>(_ call: UpstreamCall<Answer>) -> UpstreamCall<Answer> {
    guard call.isAnswered else { return call }
    last.withLock { $0 = call.isSimulated }
    guard isRefused(call) else { return call }
    return UpstreamCall(
      sentMilliseconds: call.sentMilliseconds, duration: call.duration,
      receivedBytes: call.receivedBytes, isSimulated: true,
      result: .failure(
        UpstreamFailure(.requestRejected, detail: Self.refusal, charge: .none)))
  }

  private func isRefused<Answer>(_ call: UpstreamCall<Answer>) -> Bool {
    mode == .real && call.isSimulated
  }
}

extension UpstreamCall {
  /// Whether a complete answer came. A connection that failed does not say who is at its other end.
  fileprivate var isAnswered: Bool {
    if case .failure(let failure) = result { return failure.status > 0 || isSimulated }
    return true
  }
}
