/// An application that the simulator knows.
package struct EbayApplication: Sendable, Equatable {
  /// eBay's "App ID".
  package var clientId: String
  /// eBay's "Cert ID".
  package var clientSecret: String
  /// What stands for its redirect addresses.
  package var ruName: String
  /// Where users are sent who consented; nil: a page shows the code, to be carried by hand.
  package var acceptURL: String?
  /// Where users are sent who did not; nil: to the same place.
  package var declineURL: String?

  /// The application of examples.
  package init(
    clientId: String = "Simulated-Tollbook-PRD-0001",
    clientSecret: String = "simulated-ebay-cert-0001",
    ruName: String = "Simulated-Tollbook-RuName", acceptURL: String? = nil,
    declineURL: String? = nil
  ) {
    self.clientId = clientId
    self.clientSecret = clientSecret
    self.ruName = ruName
    self.acceptURL = acceptURL
    self.declineURL = declineURL
  }
}

/// How a simulated eBay behaves.
package struct EbaySimulatorConfiguration: Sendable {
  /// Another seed gives another market.
  package var seed: UInt64 = 1
  /// How many product families there are; at most 10,000.
  package var families = 40
  /// How many places for listings each family has on each site; about five of six are taken at a time. At most 100,000.
  package var listingsPerFamily = 120
  /// How many deals are planted in each family on each site every day; at most 24.
  package var dealsPerFamilyDay = 1
  /// Who may call.
  package var applications = [EbayApplication()]
  /// How many calls an application has a day.
  package var limits: [EbayRoute.Resource: Int] = [
    .browse: 5_000, .items: 5_000, .insights: 5_000, .analytics: 5_000,
  ]
  /// How many tokens an application is given a day.
  package var mintLimits: [EbayGrant: Int] = [
    .clientCredentials: 1_000, .authorizationCode: 10_000, .refreshToken: 50_000,
  ]
  /// How long a call takes, in milliseconds.
  package var latency = 0
  /// Faults from the start.
  package var faults = EbayFaults()
  /// What is not as usual from the start.
  package var conditions = EbayConditions()
  /// The clock, milliseconds since 1970.
  package var now: @Sendable () -> Int64 = WallClock.milliseconds
  /// Waits; a test may not want to.
  package var sleep: @Sendable (_ milliseconds: Int) async -> Void = WallClock.sleep

  /// Forty families, eBay's limits, no faults.
  package init() {}
}
