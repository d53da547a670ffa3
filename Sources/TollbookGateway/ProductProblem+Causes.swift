import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension ProductProblem {
  /// The log did not take what was to be written.
  init(_ error: LogError) {
    switch error {
    case .queueFull: self.init(.busy, "\(error)")
    case .readOnly: self.init(.storageFull, "\(error)")
    case .closed: self.init(.stopping, "Tollbook is shutting down")
    case .storage, .damaged, .beforeBase, .viewNotInBase, .noView, .directory:
      self.init(.storageFailed, "\(error)")
    }
  }

  /// A purchase was refused by rule.
  init(_ refusal: ReserveRefusal) {
    switch refusal.reason {
    case .requestLimit:
      self.init(.requestLimit, "the request's own max_tokens is used up")
    case .storageReserve:
      self.init(.storageFull, "what storage is left is kept for calls already paid")
    default:
      self.init(
        .insufficientTokens,
        "it does not fit the \(max(0, refusal.available)) tokens that are there",
        retryAt: refusal.retryAt)
    }
  }

  /// The upstream did not deliver.
  ///
  /// - Parameter admission: whether one of the products would fit now, on that meter.
  init(_ failure: UpstreamFailure, admission: Admission, meter: Meter, at now: Timestamp) {
    switch failure.reason {
    case .insufficientTokens:
      // Keepa's word stands against a ledger that has tokens left; only a refill can change it.
      let refill = meter.reading?.refill(after: now)
      self.init(
        .insufficientTokens, "Keepa says that the tokens are used up",
        retryAt: admission.refusal == nil
          ? refill ?? now.advanced(byMilliseconds: Admission.tick) : admission.retryAt)
    case .keyRejected: self.init(.keyRejected, "Keepa refuses the key: \(failure.detail)")
    case .requestRejected where failure.status > 0:
      self.init(.requestRejected, "Keepa refuses the request: \(failure.detail)")
    default: self = .unavailable(failure)
    }
  }

  static let incomplete = ProductProblem(
    .incomplete,
    "Keepa could not collect the offers, and answered without them and what comes with them")
  static let purged = ProductProblem(.upstreamUnavailable, "it was purged meanwhile; ask again")

  static func unavailable(_ failure: UpstreamFailure) -> ProductProblem {
    ProductProblem(.upstreamUnavailable, "Keepa could not be asked: \(failure.detail)")
  }
}

extension Purchase {
  /// Whether it says nothing about this request: another one gave up for a reason of its own, or had it in the cache.
  var mustAskAgain: Bool {
    guard isJoined else { return false }
    switch end {
    case .found: return true
    case .refused(let problem): return problem.reason == .requestLimit
    case .written, .failed: return false
    }
  }

  /// When it may be tried again, if tokens are all that is missing and they will come.
  var retryAt: Timestamp? {
    guard case .refused(let problem) = end, problem.reason == .insufficientTokens else {
      return nil
    }
    return problem.retryAt
  }
}

extension ReserveCommand.Answer {
  /// Whether nothing was reserved, and a look at the balance might change that.
  var mayChangeWithReading: Bool {
    switch self {
    case .needsReading, .keyRejected: true
    case .reserved: isRefused
    }
  }

  /// Whether nothing was reserved for want of tokens.
  var isRefused: Bool {
    guard case .reserved(let calls, let refusal) = self else { return false }
    return calls.isEmpty && refusal?.reason == .insufficientTokens
  }
}

extension GatewayStatistics {
  func record<Answer>(_ call: UpstreamCall<Answer>) {
    let outcome: String
    switch call.result {
    case .success: outcome = "200"
    case .failure(let failure) where failure.status > 0: outcome = "\(failure.status)"
    case .failure(let failure): outcome = "\(failure.reason)"
    }
    record(outcome: outcome, seconds: Double(call.duration.milliseconds) / 1_000)
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
