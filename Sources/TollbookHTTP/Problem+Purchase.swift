import HTTPTypes
package import TollbookGateway

extension Problem.Kind {
  package static let limitReached = Problem.Kind(
    "limit-reached", .tooManyRequests, "A limit has nothing left for it")
  package static let upstreamUnavailable = Problem.Kind(
    "upstream-unavailable", .serviceUnavailable, "The upstream gave no usable answer")
  package static let upstreamRefused = Problem.Kind(
    "upstream-refused", .badGateway, "The upstream refuses the request or the credential")
  package static let deadlineExceeded = Problem.Kind(
    "deadline-exceeded", .gatewayTimeout, "The time for the request is over")
}

extension Problem {
  /// Why one thing could not be had, for a client that asked for nothing else.
  package init(_ problem: PurchaseProblem) {
    let kind: Kind =
      switch problem.reason {
      case .insufficientTokens, .limitReached, .budgetExceeded, .requestLimit: .limitReached
      case .accountClosed, .notAllowed: .forbidden
      case .upstreamUnavailable, .incomplete, .notConfigured: .upstreamUnavailable
      case .keyRejected, .requestRejected: .upstreamRefused
      case .tooLate: .deadlineExceeded
      case .answerLost: .answerLost
      case .storageFull: .readOnly
      case .storageFailed: .storageFailed
      case .busy: .busy
      case .stopping: .stopping
      }
    self.init(kind, problem.detail, retryAt: problem.retryAt)
    reason = problem.reason.rawValue
    budget = problem.budget
  }
}
