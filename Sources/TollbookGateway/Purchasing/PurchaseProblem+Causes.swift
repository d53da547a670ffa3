import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension PurchaseProblem {
  /// The log did not take what was to be written.
  init(_ error: LogError) {
    switch error {
    case .queueFull: self.init(.busy, "\(error)")
    case .readOnly: self.init(.storageFull, "\(error)")
    case .closed: self = .stopping
    case .storage, .damaged, .beforeBase, .viewNotInBase, .noView, .directory:
      self.init(.storageFailed, "\(error)")
    }
  }

  /// A purchase was refused by rule.
  ///
  /// - Parameter title: the upstream, as people write it.
  init(_ refusal: ReserveRefusal, _ title: String) {
    if let until = refusal.closedUntil, let meter = refusal.meter, refusal.detail.isEmpty {
      self.init(
        refusal.reason == .meter ? .limitReached : .insufficientTokens,
        "\(title) has closed \(meter.limitName) until \(until)", retryAt: refusal.retryAt)
      return
    }
    switch refusal.reason {
    case .requestLimit:
      self.init(.requestLimit, "the request's own max_tokens is used up")
    case .storageReserve:
      self.init(.storageFull, "what storage is left is kept for calls already paid")
    case .accountClosed: self.init(.accountClosed, "the account is closed")
    case .meter where refusal.budget != nil:
      self =
        refusal.budgetRefusal.map { PurchaseProblem($0, retryAt: refusal.retryAt) } ?? .undecided
    case .meter:
      let meter = refusal.meter.map { "\($0)" } ?? "a limit"
      self.init(
        .limitReached,
        "it does not fit what is left of \(meter):"
          + " \(Amount(max(0, refusal.available), refusal.unit).inWords)",
        retryAt: refusal.retryAt)
    case .noCredential: self.init(.keyRejected, "\(title): \(refusal.detail)")
    case _ where !refusal.detail.isEmpty:
      self.init(.insufficientTokens, "\(title): \(refusal.detail)", retryAt: refusal.retryAt)
    default:
      self.init(
        .insufficientTokens,
        "it does not fit what is there:"
          + " \(Amount(max(0, refusal.available), refusal.unit).inWords)",
        retryAt: refusal.retryAt)
    }
  }

  /// The upstream did not deliver.
  init(_ failure: UpstreamFailure, _ title: String) {
    switch failure.reason {
    case .keyRejected:
      self.init(
        .keyRejected, "\(title) refuses the key: \(failure.detail)",
        upstreamStatus: failure.status)
    case .requestRejected where failure.status > 0:
      self.init(
        .requestRejected, "\(title) refuses the request: \(failure.detail)",
        upstreamStatus: failure.status)
    default: self = .unavailable(failure, title)
    }
  }

  static func unavailable(_ failure: UpstreamFailure, _ title: String) -> PurchaseProblem {
    PurchaseProblem(
      .upstreamUnavailable,
      failure.status > 0
        ? "\(title)'s answer is of no use: \(failure.detail)"
        : "\(title) could not be asked: \(failure.detail)", upstreamStatus: failure.status)
  }

  static let stopping = PurchaseProblem(.stopping, "Tollbook is shutting down")

  /// - Parameter failure: why the last attempt brought nothing, if another one is made.
  static func tooLate(_ title: String, after failure: UpstreamFailure? = nil) -> PurchaseProblem {
    let over = "the time for the request was over before \(title) had answered"
    guard let failure else { return PurchaseProblem(.tooLate, "\(over); ask again") }
    return PurchaseProblem(
      .tooLate, "\(over); its last answer was of no use: \(failure.detail)",
      upstreamStatus: failure.status)
  }

  static func paused(_ title: String, until instant: Timestamp) -> PurchaseProblem {
    PurchaseProblem(
      .upstreamUnavailable, "\(title) failed too often; it is asked again at \(instant)",
      retryAt: instant)
  }

  static let undecided = PurchaseProblem(.storageFailed, "nothing was decided about it")

  static let incomplete = PurchaseProblem(
    .incomplete, "it came without a part that was asked for")
  static let purged = PurchaseProblem(
    .upstreamUnavailable, "it was purged meanwhile; ask again")
}
