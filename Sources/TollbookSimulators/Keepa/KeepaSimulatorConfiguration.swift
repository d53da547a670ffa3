/// How a simulated Keepa behaves.
package struct KeepaSimulatorConfiguration: Sendable {
  /// The keys that have access; 64 characters each. Each has a bucket of its own.
  package var keys: Set<String> = [KeepaSimulator.sampleKey]
  /// Tokens per refill.
  package var refillRate = 20
  /// Tokens in a key's bucket at the start; nil is a full bucket, 60 refills.
  package var balance: Int?
  /// How long a call takes before it is charged, in milliseconds.
  package var latency = 0
  /// Faults from the start.
  package var faults = KeepaFaults()
  /// A folder of recorded products that are served instead of invented ones.
  package var bodies: RecordedBodies?
  /// A 429 carries an `error` of type `notEnoughTokens`; otherwise it is the bare envelope.
  package var explainsRefusals = false
  /// An unknown ASIN among known ones is left out of `products`; otherwise it comes as an entry
  /// with `productType` 4.
  package var omitsUnknown = false
  /// Offers that are newer than the `update` hours cost 5 instead of 6 per page.
  package var discountsFreshOffers = true
  /// The clock, milliseconds since 1970. Products have histories from the end of 2024 on.
  package var now: @Sendable () -> Int64 = WallClock.milliseconds
  /// Waits; a test may not want to.
  package var sleep: @Sendable (_ milliseconds: Int) async -> Void = WallClock.sleep

  /// A paid-up key of the 20-token plan with a full bucket.
  package init() {}
}
