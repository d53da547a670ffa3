/// What trades one after another come to.
struct BinanceSummary: Sendable, Hashable {
  /// The first price, in ticks.
  private(set) var open: Int64
  private(set) var high: Int64
  private(set) var low: Int64
  /// The last price, in ticks.
  private(set) var close: Int64
  /// In steps.
  private(set) var volume: Int64
  /// What takers bought of it, in steps.
  private(set) var takerVolume: Int64
  /// What was paid, in units of 10^−`quoteDecimals`.
  private(set) var quote: Int128
  /// What takers paid of it.
  private(set) var takerQuote: Int128
  /// The id of the first single trade.
  private(set) var firstID: Int64
  /// The id of the last single trade.
  private(set) var lastID: Int64

  /// How many single trades; their ids have no gaps.
  var count: Int64 { lastID - firstID + 1 }

  /// One trade.
  init(_ trade: BinanceTrade) {
    open = trade.price
    high = trade.price
    low = trade.price
    close = trade.price
    volume = trade.quantity
    takerVolume = trade.isBuyerMaker ? 0 : trade.quantity
    quote = Int128(trade.quote)
    takerQuote = trade.isBuyerMaker ? 0 : quote
    firstID = trade.first
    lastID = trade.last
  }

  /// Trades of one hour; nil if there are none.
  init?(_ trades: ArraySlice<BinanceTrade>) {
    guard let first = trades.first else { return nil }
    self.init(first)
    for trade in trades.dropFirst() { add(trade) }
  }

  /// Adds the next trade.
  mutating func add(_ trade: BinanceTrade) {
    high = max(high, trade.price)
    low = min(low, trade.price)
    close = trade.price
    volume += trade.quantity
    let paid = Int128(trade.quote)
    quote += paid
    if !trade.isBuyerMaker {
      takerVolume += trade.quantity
      takerQuote += paid
    }
    lastID = trade.last
  }

  /// Adds the trades that came next.
  mutating func add(_ next: BinanceSummary) {
    high = max(high, next.high)
    low = min(low, next.low)
    close = next.close
    volume += next.volume
    takerVolume += next.takerVolume
    quote += next.quote
    takerQuote += next.takerQuote
    lastID = next.lastID
  }
}

extension BinanceSummary? {
  /// Adds the trades that came next, if there were any.
  mutating func add(_ next: BinanceSummary?) {
    guard let next else { return }
    if self == nil { self = next } else { self?.add(next) }
  }
}
