import Keepa
import TollbookForecast
import TollbookTestSupport

@testable import TollbookGateway

extension WhatIfWorld {
  convenience init(
    _ policy: FreshnessPolicy, rate: Int = 20, balance: Int? = nil,
    _ change: (inout GatewaySettings) -> Void = { _ in }
  ) async throws {
    try await self.init(
      policy, rate: rate, balance: balance,
      isIdle: { $0.purchasers.first?.isIdle != false }, change)
  }

  func report(_ policies: [WhatIfPolicy]) async throws -> WhatIfReport {
    guard let record = try WhatIf.read(source, WhatIf.Question(.keepa)),
      let report = await WhatIf.play(record, policies)
    else { fatalError("nobody ended it") }
    return report
  }

  func predict(_ policy: FreshnessPolicy) async throws -> WhatIfOutcome {
    try await report([WhatIfPolicy(name: "tried", products: policy)]).played.outcomes[0]
  }

  func recorded() async throws -> WhatIfOutcome { try await report([]).played.recorded }
}
