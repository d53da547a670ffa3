/// How a simulated Binance behaves.
package struct BinanceSimulatorConfiguration: Sendable {
  /// Another seed gives other prices, other trades and other invented symbols.
  package var seed: UInt64 = 1
  /// How many symbols are listed; from 1 to `BinanceListing.mostSymbols`. The first ones have well-known names.
  package var symbols = 200
  /// From when histories are counted back, milliseconds since 1970, taken for the midnight before it: the oldest
  /// symbols were listed 400 days earlier. Nil: the day on which the simulator starts.
  package var epoch: Int64?
  /// Request weight that an address may use in a minute.
  package var weightLimit = 6_000
  /// How many calls of a minute are refused with 429 before the next one brings a ban.
  package var refusalsBeforeBan = 5
  /// How long a call takes, in milliseconds.
  package var latency = 0
  /// Faults from the start.
  package var faults = BinanceFaults()
  /// What is not as usual from the start.
  package var conditions = BinanceConditions()
  /// The clock, milliseconds since 1970.
  package var now: @Sendable () -> Int64 = WallClock.milliseconds
  /// Waits; a test may not want to.
  package var sleep: @Sendable (_ milliseconds: Int) async -> Void = WallClock.sleep

  /// Two hundred symbols, the limit of the exchange, no faults.
  package init() {}
}
