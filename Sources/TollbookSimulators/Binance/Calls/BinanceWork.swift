import JSONText

/// Computes the body of a call.
struct BinanceWork: Sendable {
  let market: BinanceMarket
  /// The exchange's clock, milliseconds since 1970.
  let now: Int64
  /// Request weight of a minute, as `exchangeInfo` tells it.
  let weightLimit: Int
  /// What goes wrong with the numbers.
  let fault: BinanceFault.Kind?

  /// The body of a call.
  func json(_ call: BinanceCall) -> [UInt8] {
    switch call.query {
    case .ping: return Array("{}".utf8)
    case .time: return Array("{\"serverTime\":\(call.unit.of(now))}".utf8)
    case .exchangeInfo(let selection, let permissions, let shows):
      return exchangeInfo(call, selection, permissions, shows)
    case .depth(let index, let limit): return rows(index, call).json(book(index, limit: limit))
    case .trades(let index, let limit):
      let window = BinanceWindow(limit: limit)
      return rows(index, call).json(
        singlesOf: market.trades(index, window, now: now), limit: limit)
    case .aggregates(let index, let fromID, let window):
      let trades =
        fromID.map { market.trades(index, from: $0, latest: now, limit: window.limit) }
        ?? market.trades(index, window, now: now)
      return rows(index, call).json(aggregates: trades)
    case .candles(let index, let interval, let zone, let window):
      return rows(index, call).json(
        market.candles(index, interval, zone: zone, window, now: now))
    case .average(let index): return average(index, call.unit)
    case .dayTickers(let selection, let isMini):
      return list(selection, call) { index, json in
        dayTicker(index, call.unit).write(isMini: isMini, fault: fault, to: &json)
      }
    case .prices(let selection):
      return list(selection, call) { index, json in writePrice(index, to: &json) }
    case .bookTickers(let selection):
      return list(selection, call) { index, json in writeBest(index, to: &json) }
    case .rollingTickers(let selection, let minutes, let isMini):
      let start = (now - minutes * 60_000).floorDivided(by: 60_000) * 60_000
      return list(selection, call) { index, json in
        let times = (call.unit.of(start), call.unit.of(now))
        ticker(index, from: start, times).write(isMini: isMini, fault: fault, to: &json)
      }
    case .tradingDays(let selection, let zone, let isMini):
      let start = BinanceInterval.day.open(containing: now, zone: zone)
      let end = BinanceInterval.day.end(opening: start, zone: zone)
      return list(selection, call) { index, json in
        let times = (call.unit.of(start), call.unit.last(before: end))
        ticker(index, from: start, times).write(isMini: isMini, fault: fault, to: &json)
      }
    }
  }

  private func rows(_ index: Int, _ call: BinanceCall) -> BinanceRows {
    BinanceRows(symbol: market.symbols[index], unit: call.unit, fault: fault)
  }

  /// The symbols of a selection; those of another status than is wanted are left out.
  private func indexes(_ selection: BinanceSelection, _ call: BinanceCall) -> [Int] {
    let indexes: [Int] =
      switch selection {
      case .one(let index): [index]
      case .several(let indexes): indexes
      case .all: Array(market.symbols.indices)
      }
    return indexes.filter { index in
      let symbol = market.symbols[index]
      guard !selection.isOne else { return true }
      // What will be listed is not there yet.
      let isListed = symbol.listed * BinanceSymbol.hour <= now
      return isListed && (call.status ?? symbol.status) == symbol.status
    }
  }

  /// One object for one symbol, else an array.
  private func list(
    _ selection: BinanceSelection, _ call: BinanceCall,
    _ write: (Int, inout JSONWriter) -> Void
  ) -> [UInt8] {
    let indexes = indexes(selection, call)
    var json = JSONWriter(capacity: 64 + 560 * indexes.count)
    if selection.isOne, let index = indexes.first {
      write(index, &json)
    } else {
      json.array(indexes) { json, index in write(index, &json) }
    }
    return json.bytes
  }

  private func exchangeInfo(
    _ call: BinanceCall, _ selection: BinanceSelection, _ permissions: [String]?, _ shows: Bool
  ) -> [UInt8] {
    let isPermitted = permissions?.contains(where: BinanceExchangeInfo.permissions.contains) ?? true
    let symbols = indexes(selection, call).map { market.symbols[$0] }
    return BinanceExchangeInfo(
      symbols: isPermitted ? symbols : [], weightLimit: weightLimit, showsPermissions: shows,
      serverTime: call.unit.of(now)
    ).json()
  }

  private func book(_ index: Int, limit: Int) -> BinanceBook {
    BinanceBook(
      market.symbols[index], last: market.lastTrade(index, before: now + 1), now: now,
      limit: limit)
  }

  /// The average of the last five minutes, and the last price if there was no trade in them.
  private func average(_ index: Int, _ unit: BinanceTimeUnit) -> [UInt8] {
    let symbol = market.symbols[index]
    let last = market.lastTrade(index, before: now + 1)
    let trades = market.summary(index, from: now - 300_000 + 1, to: now + 1)
    var json = JSONWriter()
    json.object { json in
      json.field("mins", 5)
      if let trades {
        json.decimal("price", BinanceTicker.average(of: trades, symbol), BinanceDecimal.places)
      } else {
        json.decimal("price", last?.price ?? 0, symbol.priceDecimals)
      }
      json.field("closeTime", unit.of(last?.time ?? 0))
    }
    return json.bytes
  }

  private func dayTicker(_ index: Int, _ unit: BinanceTimeUnit) -> BinanceTicker {
    let start = now - 86_400_000
    return BinanceTicker(
      kind: .day, symbol: market.symbols[index],
      trades: market.summary(index, from: start, to: now + 1),
      before: market.lastTrade(index, before: start),
      last: market.lastTrade(index, before: now + 1), book: book(index, limit: 1),
      openTime: unit.of(start), closeTime: unit.of(now))
  }

  private func ticker(
    _ index: Int, from start: Int64, _ times: (open: Int64, close: Int64)
  ) -> BinanceTicker {
    BinanceTicker(
      kind: .window, symbol: market.symbols[index],
      trades: market.summary(index, from: start, to: now + 1), before: nil,
      last: market.lastTrade(index, before: now + 1), book: nil, openTime: times.open,
      closeTime: times.close)
  }

  private func writePrice(_ index: Int, to json: inout JSONWriter) {
    let symbol = market.symbols[index]
    json.object { json in
      json.field("symbol", symbol.name)
      if fault == .numberInfinite {
        json.field("price", BinanceRows.infinite)
      } else {
        let last = market.lastTrade(index, before: now + 1)
        json.decimal("price", last?.price ?? 0, symbol.priceDecimals)
      }
    }
  }

  private func writeBest(_ index: Int, to json: inout JSONWriter) {
    let symbol = market.symbols[index]
    let book = book(index, limit: 1)
    json.object { json in
      json.field("symbol", symbol.name)
      json.decimal("bidPrice", book.bids.first?.price ?? 0, symbol.priceDecimals)
      json.decimal("bidQty", book.bids.first?.quantity ?? 0, symbol.quantityDecimals)
      json.decimal("askPrice", book.asks.first?.price ?? 0, symbol.priceDecimals)
      json.decimal("askQty", book.asks.first?.quantity ?? 0, symbol.quantityDecimals)
    }
  }
}
