/// Which symbols the simulated exchange lists: well-known names first, then invented ones.
package enum BinanceListing {
  /// A symbol that rests for four hours of every week, so that candles are missing: Wednesday from 02:00 to 06:00 UTC.
  package static let pausedSymbol = "ALGOUSDT"
  /// A symbol whose trading ended thirty days before the epoch; its status is `BREAK`.
  package static let endedSymbol = "WAVESUSDT"
  /// A symbol that was listed three days before the epoch, at 10:00 UTC.
  package static let recentSymbol = "ORBLUSDT"

  /// How many symbols there are at most.
  package static let mostSymbols = 2_000

  /// How long before the epoch the oldest symbols were listed, in days.
  package static let longestHistory: Int64 = 400

  private static let day: Int64 = 24

  /// The symbols of an exchange.
  ///
  /// What a symbol does at a time depends on the seed and its name alone. When it was listed, and when its trading
  /// ended, depends on the epoch.
  ///
  /// - Parameters:
  ///   - count: how many; from 1 to `mostSymbols`
  ///   - epoch: milliseconds since 1970; taken for the midnight UTC before it
  static func symbols(seed: UInt64, count: Int, epoch: Int64) -> [BinanceSymbol] {
    let count = min(mostSymbols, max(1, count))
    let midnight = max(0, epoch.floorDivided(by: 86_400_000)) * day
    var names: Set<String> = []
    var symbols: [BinanceSymbol] = []
    for pair in known.prefix(count) {
      names.insert(pair.base + pair.quote)
      symbols.append(symbol(pair, seed: seed, midnight: midnight))
    }
    var inventing = SeededNumbers("binance symbols", salt: Int(truncatingIfNeeded: seed))
    while symbols.count < count {
      let pair = invention(&inventing)
      guard names.insert(pair.base + pair.quote).inserted else { continue }
      symbols.append(symbol(pair, seed: seed, midnight: midnight))
    }
    return symbols
  }

  private static func symbol(_ pair: Pair, seed: UInt64, midnight: Int64) -> BinanceSymbol {
    let name = pair.base + pair.quote
    var numbers = SeededNumbers(name)
    numbers = SeededNumbers(seed: numbers.next() ^ (seed &* 0x9e37_79b9_7f4a_7c15))
    let chance = numbers.next()
    let isBusy = pair.aggregates > 0
    let aggregates = isBusy ? pair.aggregates : Int64(numbers.within(16...90))
    let more = aggregates * Int64(numbers.within(30...200)) / 100
    let age = isBusy ? longestHistory : Int64(numbers.within(60...Int(longestHistory)))
    let hour = isBusy ? 0 : Int64(numbers.below(24))
    return BinanceSymbol(
      name: name, base: pair.base, quote: pair.quote, priceDecimals: pair.priceDecimals,
      quantityDecimals: pair.quantityDecimals, middle: pair.middle, unit: pair.unit,
      aggregatesPerHour: aggregates, tradesPerHour: aggregates + more,
      listed: name == recentSymbol ? midnight - 3 * day + 10 : midnight - age * day + hour,
      ended: name == endedSymbol ? midnight - 30 * day : nil,
      pause: name == pausedSymbol ? BinanceSymbol.Pause(start: 2 * day + 2, length: 4) : nil,
      chance: chance)
  }

  /// A symbol before its life is drawn.
  private struct Pair {
    let base: String
    let quote: String
    let priceDecimals: Int
    let quantityDecimals: Int
    let middle: Int64
    /// Aggregate trades of an hour; 0: to be drawn.
    var aggregates: Int64 = 0

    /// A large quantity, worth a usual sum of the quote asset, in steps; at least eight.
    var unit: Int64 {
      let power = BinanceDecimal.power(priceDecimals) * BinanceDecimal.power(quantityDecimals)
      // The sum in ten-thousandths, so that fractions of a bitcoin can be told.
      let sum: Int64 =
        switch quote {
        case "BTC": 800
        case "BNB", "ETH": 20_000
        case "TRY": 1_200_000_000
        case "BRL": 160_000_000
        default: 30_000_000
        }
      return max(8, sum * power / middle / 10_000)
    }
  }

  /// Names of the real exchange, so that suffixes are as ambiguous as they are there. Prices are rough.
  private static let known: [Pair] = [
    pair("BTC", "USDT", 2, 5, 6_100_000, 160), pair("ETH", "USDT", 2, 4, 310_000, 140),
    pair("BNB", "USDT", 2, 3, 64_000, 110), pair("SOL", "USDT", 2, 3, 15_000, 120),
    pair("USDT", "TRY", 2, 0, 3_800, 90), pair("ALGO", "USDT", 4, 0, 1_800, 60),
    pair("WAVES", "USDT", 3, 2, 1_200, 40), pair("ORBL", "USDT", 4, 1, 24_000, 70),
    pair("XRP", "USDT", 4, 1, 19_000, 100), pair("ADA", "USDT", 4, 1, 5_500, 80),
    pair("DOGE", "USDT", 5, 0, 16_000, 90), pair("ETH", "BTC", 5, 3, 5_100, 60),
    pair("BNB", "BTC", 6, 2, 10_500, 40), pair("BTC", "TRY", 0, 5, 2_318_000, 50),
    pair("BTC", "EUR", 2, 5, 5_600_000, 50), pair("EUR", "USDT", 4, 1, 10_900, 50),
    pair("BTC", "BRL", 0, 5, 335_000, 30), pair("BTC", "FDUSD", 2, 5, 6_100_000, 120),
    pair("SHIB", "USDT", 8, 0, 1_850, 70), pair("AVAX", "USDT", 2, 2, 3_600, 70),
    pair("LINK", "USDT", 2, 2, 1_800, 60), pair("DOT", "USDT", 3, 2, 7_200, 50),
    pair("LTC", "USDT", 2, 3, 9_400, 60), pair("TRX", "USDT", 4, 1, 2_900, 60),
    pair("BNB", "ETH", 4, 3, 2_060, 20), pair("TUSD", "USDT", 4, 0, 9_990, 20),
  ]

  private static func pair(
    _ base: String, _ quote: String, _ priceDecimals: Int, _ quantityDecimals: Int,
    _ middle: Int64, _ aggregates: Int64
  ) -> Pair {
    Pair(
      base: base, quote: quote, priceDecimals: priceDecimals, quantityDecimals: quantityDecimals,
      middle: middle, aggregates: aggregates)
  }

  /// A pair with an invented base asset that can be spoken.
  private static func invention(_ numbers: inout SeededNumbers) -> Pair {
    var base = ""
    for _ in 0..<numbers.within(1...2) {
      base += numbers.pick(["B", "D", "F", "G", "K", "L", "M", "N", "P", "R", "S", "T", "V", "Z"])
      base += numbers.pick(["A", "E", "I", "O", "U"])
    }
    base += numbers.pick(["X", "N", "R", "L", "Q", "K", "M"])
    let quote = numbers.pick(["USDT", "USDT", "USDT", "USDT", "USDT", "BTC", "TRY", "FDUSD"])
    let priceDecimals = quote == "BTC" ? numbers.within(7...8) : numbers.within(2...7)
    let quantityDecimals =
      switch priceDecimals {
      case 2: 3
      case 3: 2
      case 4: 1
      default: 0
      }
    return Pair(
      base: base, quote: quote, priceDecimals: priceDecimals, quantityDecimals: quantityDecimals,
      middle: Int64(numbers.within(1_500...90_000)))
  }
}
