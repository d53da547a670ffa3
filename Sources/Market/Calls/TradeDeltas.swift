import TollbookEvents
import TollbookHTTP
import TollbookGateway

extension MarketAsking {
  /// The most pages of a thousand trades that one request reads.
  private static let mostPages = 20

  /// Volume deltas of candles from each trade, the newest candles, the one that is not closed left out: exactly those of
  /// which all trades were read.
  ///
  /// - Throws: a `Problem`: there are more trades than one request reads.
  func tradeDeltas(
    _ symbol: BinanceExchangeInfo.Symbol, _ question: MarketQuestion,
    _ reading: inout MarketReading
  ) async throws -> [DeltaPoint] {
    func tooMany() -> Problem {
      reading.told(
        Problem(
          .invalidField,
          "\(question.limit) candles of \(question.timeframe.rawValue) hold more than"
            + " \(Self.mostPages * BinanceTrades.mostRows) trades; ask for fewer, or for source"
            + " “candles”, which is exact too", field: "limit"))
    }
    let interval = question.timeframe
    let open = interval.number(at: system.state.settled(at: now))
    let first = open - Int64(question.limit)
    let end = interval.openTime(ofCandle: open)
    var sums: [Int64: [TradeFigures]] = [:]
    var query: [(name: String, value: String)] = [
      ("startTime", "\(interval.openTime(ofCandle: first))"), ("endTime", "\(end - 1)"),
    ]
    for page in 1... {
      let trades = try await trades(symbol, query, &reading)
      for trade in trades where trade.time < end {
        sums[interval.number(at: trade.time), default: []].append(
          TradeFigures(
            id: trade.id, price: trade.price.value, quantity: trade.quantity.value,
            isBuyerMaker: trade.isBuyerMaker))
      }
      guard let last = trades.last, trades.count == BinanceTrades.mostRows, last.time < end else {
        break
      }
      if page == 1, let first = trades.first {
        // How many there are their numbers tell, before all are paid for.
        let newest = try await self.trades(symbol, [("endTime", "\(end - 1)")], &reading).last
        let most = Int64(Self.mostPages * BinanceTrades.mostRows)
        if let newest, newest.id - first.id >= most { throw tooMany() }
      }
      guard page < Self.mostPages else { throw tooMany() }
      query = [("fromId", "\(last.id + 1)")]
    }
    var (base, quote) = (0.0, 0.0)
    let series: [(time: Int64, sum: VolumeDelta)] = (first..<open).map { number in
      let delta = CVD.sum(sums[number] ?? []).delta
      base += delta.base ?? .infinity
      quote += delta.quote ?? .infinity
      return (interval.openTime(ofCandle: number), VolumeDelta(base: base, quote: quote))
    }
    return DeltaPoint.points(series)
  }

  private func trades(
    _ symbol: BinanceExchangeInfo.Symbol, _ query: [(name: String, value: String)],
    _ reading: inout MarketReading
  ) async throws -> [BinanceAggregateTrade] {
    let request: BinanceRequest
    do throws(BinanceRequestFault) {
      request = try BinanceRequest(
        .aggTrades, query + [("symbol", symbol.name), ("limit", "\(BinanceTrades.mostRows)")])
    } catch { throw Problem(.internalError, "\(error)") }
    let need = BinanceResource.answer(request)
    let pieces = try await reading.pieces(of: demand(.aggTrades, [need.key]), gateway)
    guard let content = pieces.first?.content else { return [] }
    do throws(BinanceReadingError) { return try BinanceTrades.readAggregates(content) } catch {
      throw reading.told(Problem(.upstreamUnavailable, "\(error)"))
    }
  }
}
