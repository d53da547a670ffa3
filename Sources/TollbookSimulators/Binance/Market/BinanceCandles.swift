/// Which part of a history is asked for: the exchange's rules for `startTime`, `endTime` and `limit`.
///
/// Neither: the newest rows. A start: the oldest rows from there. An end: the newest rows up to there. Both: from the
/// start, never past the end. Both times are included.
struct BinanceWindow: Sendable, Hashable {
  /// Milliseconds since 1970.
  var start: Int64?
  /// Milliseconds since 1970.
  var end: Int64?
  /// How many rows at most.
  var limit: Int
}

/// One row of `klines`.
struct BinanceCandle: Sendable, Hashable {
  /// When it opens, milliseconds since 1970.
  let open: Int64
  /// When the next one opens.
  let end: Int64
  /// The price of the last trade before it, or of the first trade if there is none before, in ticks.
  let before: Int64
  /// Its trades; nil: there are none, and the candle is a line at `before`.
  let trades: BinanceSummary?
}

extension BinanceMarket {
  /// The candles of a window, oldest first.
  ///
  /// There are none before the first trade and none that lie wholly in a pause or after the last hour of trading.
  /// The candle that `now` lies in is still open: it holds the trades up to now.
  func candles(
    _ index: Int, _ interval: BinanceInterval, zone: Int64, _ window: BinanceWindow, now: Int64
  ) -> [BinanceCandle] {
    guard let first = firstTrade(index, from: 0), first.time <= now, window.limit > 0 else {
      return []
    }
    let grid = Grid(
      symbol: symbols[index], interval: interval, zone: zone, now: now, firstTrade: first.time)
    let latest = min(now, window.end ?? now)
    let opens: [Int64]
    if let start = window.start {
      guard start <= latest else { return [] }
      opens = grid.opens(from: start, latest: latest, limit: window.limit)
    } else {
      opens = grid.opens(latest: latest, limit: window.limit)
    }
    guard let oldest = opens.first else { return [] }
    var close = lastTrade(index, before: oldest)?.price ?? first.price
    return opens.map { open in
      let end = interval.end(opening: open, zone: zone)
      let candle = BinanceCandle(
        open: open, end: end, before: close,
        trades: summary(index, from: open, to: min(end, now + 1)))
      close = candle.trades?.close ?? close
      return candle
    }
  }

  /// Aggregate trades of a window, oldest first, none later than now.
  func trades(_ index: Int, _ window: BinanceWindow, now: Int64) -> [BinanceTrade] {
    let latest = min(now, window.end ?? now)
    if let start = window.start {
      guard start <= latest, let first = firstTrade(index, from: start) else { return [] }
      return trades(index, from: first.id, latest: latest, limit: window.limit)
    }
    guard let last = lastTrade(index, before: latest + 1) else { return [] }
    return trades(
      index, from: last.id - Int64(window.limit) + 1, latest: latest, limit: window.limit)
  }

  /// When the candles of a symbol open.
  private struct Grid {
    let symbol: BinanceSymbol
    let interval: BinanceInterval
    let zone: Int64
    let now: Int64
    let firstTrade: Int64

    private func open(containing time: Int64) -> Int64 {
      interval.open(containing: time, zone: zone)
    }

    /// The hours in which a candle may have trades up to now.
    private func hours(_ open: Int64) -> ClosedRange<Int64> {
      let end = min(interval.end(opening: open, zone: zone), now + 1)
      let first = max(open, firstTrade).floorDivided(by: BinanceSymbol.hour)
      return first...max(first, (end - 1).floorDivided(by: BinanceSymbol.hour))
    }

    /// The oldest candles that open from a time on.
    func opens(from start: Int64, latest: Int64, limit: Int) -> [Int64] {
      var opens: [Int64] = []
      var next = open(containing: start)
      if next < start { next = interval.end(opening: next, zone: zone) }
      next = max(next, open(containing: firstTrade))
      while next <= latest, opens.count < limit {
        let hours = hours(next)
        guard let trading = symbol.firstTradingHour(from: hours.lowerBound) else { break }
        if trading <= hours.upperBound {
          opens.append(next)
          next = interval.end(opening: next, zone: zone)
        } else {
          next = max(
            interval.end(opening: next, zone: zone),
            open(containing: trading * BinanceSymbol.hour))
        }
      }
      return opens
    }

    /// The newest candles that open up to a time, oldest first.
    func opens(latest: Int64, limit: Int) -> [Int64] {
      var opens: [Int64] = []
      guard latest >= firstTrade else {
        return open(containing: firstTrade) <= latest ? [open(containing: firstTrade)] : []
      }
      var next = open(containing: latest)
      let oldest = open(containing: firstTrade)
      while next >= oldest, opens.count < limit {
        let hours = hours(next)
        guard let trading = symbol.lastTradingHour(to: hours.upperBound) else { break }
        if trading >= hours.lowerBound {
          opens.append(next)
          next = open(containing: next - 1)
        } else {
          next = min(
            open(containing: next - 1), open(containing: (trading + 1) * BinanceSymbol.hour - 1))
        }
      }
      return opens.reversed()
    }
  }
}
