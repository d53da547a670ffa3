import TollbookEvents
import TollbookGateway
import TollbookLog

/// Asks eBay, by way of the cache: looks first how its limits stand, if that is not known, and asks once more where a token
/// was not taken any more.
struct EbayAsking: Sendable {
  let gateway: Gateway
  /// What is known of eBay's limits and tokens.
  let state: EbayState

  struct Answer: Sendable {
    var outcomes: [ResourceOutcome]
    var position: Position
    /// Calls that it has cost.
    var charge: Int64 = 0
    /// Calls that it may have cost beside.
    var inDoubt: Int64 = 0
  }

  func answer(_ demand: ResourceDemand) async -> Answer {
    if buys(demand) { await readLimits(for: demand.principal) }
    let first = await gateway.answer(demand)
    var answer = Answer(first)
    let isWithoutToken = state.authorization(at: gateway.log.time.now()) == nil
    let isFailed = first.outcomes.contains { $0.problem?.reason == .upstreamUnavailable }
    guard isWithoutToken, isFailed else { return answer }
    // With another token the same call succeeds; what has succeeded is not bought again.
    let second = Answer(await gateway.answer(demand))
    answer.outcomes = second.outcomes
    answer.position = second.position
    answer.charge += second.charge
    answer.inDoubt += second.inDoubt
    return answer
  }

  /// Whether eBay would be asked. What the cache has is answered without a look at the limits.
  private func buys(_ demand: ResourceDemand) -> Bool {
    guard case .success(let preview) = gateway.preview(demand) else { return true }
    return preview.fates.contains {
      switch $0.fate {
      case .bought, .refused: true
      case .cached, .unknown: false
      }
    }
  }

  /// Asks eBay how its limits stand, if that is not known or long ago. If it cannot be asked, what is counted here holds.
  private func readLimits(for principal: Principal) async {
    guard state.needsLimits(at: gateway.log.time.now()) else { return }
    var demand = EbayNeed.limits.demand()
    demand.principal = principal
    _ = await gateway.answer(demand)
  }
}

extension EbayAsking.Answer {
  fileprivate init(_ answer: DemandAnswer) {
    outcomes = answer.outcomes
    position = answer.position
    for outcome in answer.outcomes {
      charge += outcome.cost + outcome.lost
      inDoubt += outcome.inDoubt
    }
  }
}
