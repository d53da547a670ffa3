package import TollbookEvents
import TollbookUpstreams

/// What one asker wants bought: what the cache did not have for a demand.
struct PurchaseOrder: Sendable {
  /// In the order in which they are to be bought if not all can be. All are of one operation and want the same parts.
  var needs: [Need]
  /// As the events tell it.
  var demand: Demand
  /// How old what is found may be.
  var age = AgeLimit.windows
  /// Whether all of it is bought, or nothing.
  var isWhole = false
  /// Whether it leaves alone what is kept for those who wait for an answer.
  var isBackground = false
  /// Whether it only spends what is lost otherwise. Nobody waits for it: it is not tried again, and whoever joins it is not
  /// refused because of it.
  var isAhead = false
  /// Whether what it spends ahead comes back only with the next window of its meter: then nobody is made to wait for that.
  var isOfWindow = false
  /// How long to go on buying as refills arrive, in milliseconds.
  var patience: Int64 = 0
  /// The most that it may cost on the first meter of its calls, over all of them and every attempt;
  /// nil: no limit of its own. What is in doubt counts as spent.
  var limit: Int64?
  /// When it is answered at the latest, in milliseconds from now, whatever is under way: the time in the queue counts.
  var deadline: Int64
}

/// How the buying of one need ended for one asker.
struct Purchase: Sendable {
  enum End: Sendable {
    /// It was bought, and is in the cache since that position. The cost is its share on the first meter; of the bound
    /// where the cost is in doubt.
    case written(cost: Int64, position: Position)
    /// It was bought, and is not kept.
    case handedOn(cost: Int64, Write)
    /// The answer of a call that was passed through.
    case passedThrough(cost: Int64, RawAnswer)
    /// It was in the cache already, fresh enough for who wanted it.
    case found
    case failed(PurchaseProblem)
    /// It was not bought, by rule.
    case refused(PurchaseProblem)
  }

  var end: End
  /// Whether another demand paid for it.
  var isJoined = false
  /// Whether the log tells that this demand wanted it: by the start of a fetch, or by a refusal.
  var isBooked = false
  /// Its share of attempts that brought nothing.
  var lost = LostCost()
}

extension Purchase {
  /// What its demand has paid for it, or may have: its share of the call and of attempts that brought nothing.
  var spent: Int64 { isJoined ? 0 : cost &+ lost.charged &+ lost.inDoubt }

  /// Why it was not bought.
  var problem: PurchaseProblem? {
    switch end {
    case .failed(let problem), .refused(let problem): problem
    case .written, .handedOn, .passedThrough, .found: nil
    }
  }

  /// Its share of the call that brought it; 0 for who joined.
  var cost: Int64 {
    switch end {
    case .written(let cost, _), .handedOn(let cost, _), .passedThrough(let cost, _):
      isJoined ? 0 : cost
    case .found, .failed, .refused: 0
    }
  }
}

/// What attempts that brought nothing have cost, on the first meter.
struct LostCost: Hashable, Sendable {
  var charged: Int64 = 0
  /// It may have been spent.
  var inDoubt: Int64 = 0

  static func + (left: LostCost, right: LostCost) -> LostCost {
    LostCost(charged: left.charged &+ right.charged, inDoubt: left.inDoubt &+ right.inDoubt)
  }
}

/// Why something could not be bought.
package struct PurchaseProblem: Error, Hashable, Sendable {
  /// The raw values are part of the HTTP API.
  package enum Reason: String, Sendable, CaseIterable {
    case insufficientTokens = "insufficient_tokens"
    /// Another meter than an upstream's balance says no: a window, a budget.
    case limitReached = "limit_reached"
    /// A budget says no.
    case budgetExceeded = "budget_exceeded"
    /// The account was closed.
    case accountClosed = "account_closed"
    /// The access key is not for it.
    case notAllowed = "not_allowed"
    case requestLimit = "max_tokens_reached"
    case upstreamUnavailable = "upstream_unavailable"
    /// The request's time is over.
    case tooLate = "deadline_exceeded"
    /// It came without a part that was asked for.
    case incomplete
    case keyRejected = "key_rejected"
    case requestRejected = "request_rejected"
    case notConfigured = "upstream_not_configured"
    /// It was bought under the same idempotency key, and is not kept.
    case answerLost = "answer_lost"
    case storageFull = "storage_full"
    /// What is stored could not be read, so that nobody knows whether it is there.
    case storageFailed = "storage_failed"
    case busy = "busy"
    case stopping = "stopping"
  }

  package let reason: Reason
  /// For a person.
  package let detail: String
  /// When it is worth trying again; nil if nobody knows or it is not.
  package let retryAt: Timestamp?
  /// The HTTP status with which the upstream said no; 0: it did not.
  package let upstreamStatus: Int
  /// Whether the upstream answered, and left this out: neither brought nor known to be absent.
  package private(set) var isUnanswered = false
  /// The budget that says no, where one does.
  package private(set) var budget: BudgetRefusal?

  package init(
    _ reason: Reason, _ detail: String, retryAt: Timestamp? = nil, upstreamStatus: Int = 0
  ) {
    self.reason = reason
    self.detail = detail
    self.retryAt = retryAt
    self.upstreamStatus = upstreamStatus
  }

  /// A budget says no.
  init(_ refusal: BudgetRefusal, retryAt: Timestamp?) {
    self.init(.budgetExceeded, refusal.description, retryAt: retryAt)
    budget = refusal
  }

  static func unanswered(_ detail: String) -> PurchaseProblem {
    var problem = PurchaseProblem(.upstreamUnavailable, detail)
    problem.isUnanswered = true
    return problem
  }

  /// Whether it may be bought later than now, if only meters have to free.
  var frees: Timestamp? {
    switch reason {
    case .insufficientTokens, .limitReached, .budgetExceeded: retryAt
    default: nil
    }
  }
}
