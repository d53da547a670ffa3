private import Synchronization

/// The simulated market: every trade of every symbol, computed from the seed when it is asked for.
///
/// It has no past and no future of its own: it answers for any time, and who asks leaves out what is later than now.
/// Sums of whole hours and days are remembered, within bounds.
final class BinanceMarket: Sendable {
  /// All symbols, in the order of the exchange.
  let symbols: [BinanceSymbol]
  private let indexes: [String: Int]

  private struct Memory: Sendable {
    var hours = RecentValues<BinanceHour>(capacity: 1_024)
    var hourSums = RecentValues<BinanceSummary>(capacity: 65_536)
    var daySums = RecentValues<BinanceSummary>(capacity: 65_536)
  }

  private let memory = Mutex(Memory())

  /// No id of a trade comes near this; larger ones are taken for it.
  private static let mostTrades: Int64 = 10_000_000_000_000

  init(_ symbols: [BinanceSymbol]) {
    self.symbols = symbols
    indexes = Dictionary(
      symbols.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The index of a symbol; nil if there is no such symbol.
  func index(of name: String) -> Int? { indexes[name] }

  private func key(_ index: Int, _ time: Int64) -> UInt64 {
    UInt64(truncatingIfNeeded: index) << 32 | UInt64(UInt32(truncatingIfNeeded: time))
  }

  // MARK: Trades

  /// The trades of an hour of trading.
  func hour(_ index: Int, _ hour: Int64) -> BinanceHour {
    let key = key(index, hour)
    if let known = memory.withLock({ $0.hours.value(key) }) { return known }
    let drawn = BinanceHour(symbols[index], hour: hour)
    memory.withLock { $0.hours.insert(drawn, key) }
    return drawn
  }

  /// The last trade before a time; nil if there is none.
  func lastTrade(_ index: Int, before time: Int64) -> BinanceTrade? {
    let symbol = symbols[index]
    let latest = (time - 1).floorDivided(by: BinanceSymbol.hour)
    guard let last = symbol.lastTradingHour(to: latest) else { return nil }
    let hour = hour(index, last)
    let position = hour.index(from: time)
    if position > 0 { return hour.trades[position - 1] }
    guard let previous = symbol.lastTradingHour(to: last - 1) else { return nil }
    return self.hour(index, previous).trades.last
  }

  /// The first trade at or after a time; nil if there will be none.
  func firstTrade(_ index: Int, from time: Int64) -> BinanceTrade? {
    let symbol = symbols[index]
    let earliest = time.floorDivided(by: BinanceSymbol.hour)
    guard let first = symbol.firstTradingHour(from: earliest) else { return nil }
    let hour = hour(index, first)
    let position = hour.index(from: time)
    if position < hour.trades.count { return hour.trades[position] }
    guard let next = symbol.firstTradingHour(from: first + 1) else { return nil }
    return self.hour(index, next).trades.first
  }

  /// Trades from an id on, oldest first.
  ///
  /// - Parameters:
  ///   - latest: trades after this time are left out
  func trades(_ index: Int, from id: Int64, latest: Int64, limit: Int) -> [BinanceTrade] {
    let symbol = symbols[index]
    let id = min(
      Self.mostTrades, max(id, symbol.firstAggregate(of: symbol.firstTradingHour(from: 0) ?? 0)))
    var next = symbol.firstTradingHour(
      from: symbol.hour(afterTradingHours: id / symbol.aggregatesPerHour))
    var trades: [BinanceTrade] = []
    while let hour = next, hour * BinanceSymbol.hour <= latest, trades.count < limit {
      for trade in self.hour(index, hour).trades where trade.id >= id {
        guard trade.time <= latest, trades.count < limit else { return trades }
        trades.append(trade)
      }
      next = symbol.firstTradingHour(from: hour + 1)
    }
    return trades
  }

  // MARK: Sums

  /// What the trades from a time up to, not including, another come to; nil if there are none.
  func summary(_ index: Int, from start: Int64, to end: Int64) -> BinanceSummary? {
    let symbol = symbols[index]
    let length = BinanceSymbol.hour
    var sum: BinanceSummary?
    var time = max(start, symbol.listed * length)
    while time < end {
      let hour = time.floorDivided(by: length)
      guard let trading = symbol.firstTradingHour(from: hour) else { return sum }
      guard trading == hour else {
        time = trading * length
        continue
      }
      let next = (hour + 1) * length
      if time == hour * length, next <= end {
        if hour % 24 == 0, time + 24 * length <= end {
          sum.add(daySum(index, hour))
          time += 24 * length
        } else {
          sum.add(hourSum(index, hour))
          time = next
        }
      } else {
        let drawn = self.hour(index, hour)
        let range = drawn.index(from: time)..<max(drawn.index(from: time), drawn.index(from: end))
        sum.add(BinanceSummary(drawn.trades[range]))
        time = next
      }
    }
    return sum
  }

  private func hourSum(_ index: Int, _ hour: Int64) -> BinanceSummary? {
    let key = key(index, hour)
    if let known = memory.withLock({ $0.hourSums.value(key) }) { return known }
    // The trades themselves are not remembered: a long history would push out what is asked for again.
    guard let sum = BinanceSummary(BinanceHour(symbols[index], hour: hour).trades[...]) else {
      return nil
    }
    memory.withLock { $0.hourSums.insert(sum, key) }
    return sum
  }

  /// The sum of the day that begins with an hour.
  private func daySum(_ index: Int, _ start: Int64) -> BinanceSummary? {
    let key = key(index, start)
    if let known = memory.withLock({ $0.daySums.value(key) }) { return known }
    var sum: BinanceSummary?
    for hour in start..<(start + 24) where symbols[index].trades(in: hour) {
      sum.add(hourSum(index, hour))
    }
    guard let sum else { return nil }
    memory.withLock { $0.daySums.insert(sum, key) }
    return sum
  }
}

extension Int64 {
  /// The quotient, rounded down also below zero.
  func floorDivided(by divisor: Int64) -> Int64 {
    let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
  }
}
