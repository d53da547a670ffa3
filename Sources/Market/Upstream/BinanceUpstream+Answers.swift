import JSONText
import TollbookEvents
import TollbookGateway
import TollbookUpstreams

// What an answer of the exchange brings, and what it says of the meter.

extension BinanceUpstream {
  /// Candles before this day, 2021-01-01, may open and close elsewhere: around stops of trading the exchange's early years
  /// have some.
  private static let irregularBefore: Int64 = 1_609_459_200_000

  func exchange(
    _ answer: UpstreamAnswer, of call: Call, sent: Int64, received: Int64
  ) -> Exchange {
    switch BinanceAnswer.read(
      status: answer.status, headers: answer.headers, body: answer.body, now: received)
    {
    case .failed(let failure):
      return refused(failure, answer, call, received)
    case .ok(let body):
      do throws(BinanceReadingError) {
        let delivery = try delivery(body, answer, call, sent: sent, received: received)
        return Exchange(
          .success(delivery), readings: readings(answer), duration: .zero)
      } catch {
        let failure = UpstreamFailure(
          .unreadable, status: answer.status, detail: "\(error)", charge: .unknown)
        return Exchange(
          .failure(failure), readings: readings(answer), duration: .zero)
      }
    }
  }

  /// The weight of the minute, as the exchange counts it. Which minute that is the ledger tells by when it was asked: the
  /// date of an answer may be that of a machine in between.
  private func readings(_ answer: UpstreamAnswer) -> [MeterReading] {
    guard let used = try? BinanceUsedWeight(answer.headers) else {
      return []
    }
    return [
      MeterReading(Self.meter, .usage(WindowUsage(used: used.weight, limit: state.limit)))
    ]
  }

  private func refused(
    _ failure: BinanceFailure, _ answer: UpstreamAnswer, _ call: Call, _ received: Int64
  ) -> Exchange {
    if failure.reason == .unknownSymbol, let absent = absent(call) {
      return Exchange(
        .success(Delivery(absent)), readings: readings(answer), duration: .zero)
    }
    let reason: FailureReason =
      switch failure.reason {
      case .limited, .banned: .insufficientTokens
      case .trouble: .upstreamError
      case .unreadable: .unreadable
      case .restrictedRegion, .firewall, .unknownSymbol, .unknownInterval, .invalidRequest,
        .notFound:
        .requestRejected
      }
    let detail =
      switch failure.reason {
      case .restrictedRegion: "it does not serve the place that it was asked from: \(failure)"
      case .firewall: "what stands before it lets nothing through: \(failure)"
      default: "\(failure)"
      }
    var exchange = Exchange(
      .failure(
        UpstreamFailure(
          reason, status: answer.status, detail: detail,
          charge: failure.mayHaveCounted ? .unknown : .known(0))),
      readings: readings(answer), duration: .zero)
    switch failure.reason {
    // What is turned away does not count: what was used before is what its answer tells.
    case .limited, .banned, .firewall, .restrictedRegion: exchange.charges = [Self.meter: .told(0)]
    default: break
    }
    if let until = failure.until {
      exchange.closures = [Self.meter: Timestamp(milliseconds: until)]
    }
    return exchange
  }

  /// What is kept of a symbol that the exchange does not know; nil: it is not clear which one that is.
  private func absent(_ call: Call) -> [Write]? {
    switch call {
    case .passed, .clock: return nil
    case .candles(_, let pieces):
      let windows = freshness.windows(fresh: freshness.unknownSymbol)
      return pieces.map { Write($0.resource, body: nil, windows: windows) }
    case .answers(_, let requests):
      guard requests.count == 1, case .one = requests[0].symbols else { return nil }
      return [Write(BinanceResource.answer(requests[0]).key, body: nil)]
    }
  }

  private func delivery(
    _ body: [UInt8], _ answer: UpstreamAnswer, _ call: Call, sent: Int64, received: Int64
  ) throws(BinanceReadingError) -> Delivery {
    switch call {
    case .passed:
      let type = answer.header("Content-Type") ?? "application/json"
      return Delivery([], raw: RawAnswer(status: answer.status, contentType: type, body: body))
    case .clock:
      let time = try BinanceServerTime(body).milliseconds
      guard let sample = BinanceClockSample(sent: sent, received: received, serverTime: time) else {
        throw BinanceReadingError(.breaks("took too long to tell the time"), in: "time")
      }
      state.note(sample)
      return Delivery([
        Write(
          BinanceResource.clock.key, body: ClockEntry(sample).json,
          windows: freshness.windows(fresh: freshness.clock))
      ])
    case .candles(let span, let pieces):
      return Delivery(try writes(body, span, pieces, sent: sent, received: received))
    case .answers(let request, let requests):
      return Delivery(try writes(body, request, requests, sent: sent, received: received))
    }
  }

  private func writes(
    _ body: [UInt8], _ span: CandleSpan, _ pieces: [CandlePiece], sent: Int64, received: Int64
  ) throws(BinanceReadingError) -> [Write] {
    let interval = span.series.interval
    let candles = try BinanceCandles.read(
      body, interval, irregularBefore: Self.irregularBefore, mostRows: Int(CandleSpan.most))
    for (row, candle) in candles.enumerated()
    where !span.covers(interval.number(at: candle.openTime)) {
      throw BinanceReadingError(
        .breaks("is not within what was asked for"), in: "klines", row: row, member: "open time")
    }
    let writing = CandleWriting(
      span: span, freshness: freshness, settledWhenAsked: state.settled(at: sent),
      settledNow: state.settled(at: received))
    let writes = writing.writes(pieces, candles)
    guard !state.isTrusted else { return writes }
    // Nobody knows which of them are closed.
    return writes.map { write in
      var write = write
      write.body = write.body ?? BinanceRows.join([])
      write.disposition = .handOn(.incomplete, detail: "the exchange's clock is not confirmed")
      return write
    }
  }

  private func writes(
    _ body: [UInt8], _ request: BinanceRequest, _ requests: [BinanceRequest], sent: Int64,
    received: Int64
  ) throws(BinanceReadingError) -> [Write] {
    let endpoint = request.endpoint
    var fresh = freshness.present(endpoint)
    func write(_ request: BinanceRequest, _ body: [UInt8]) -> Write {
      Write(
        BinanceResource.answer(request).key, body: body, windows: freshness.windows(fresh: fresh))
    }
    switch endpoint {
    case .ticker24Hours, .tickerPrice, .bookTicker, .ticker, .tradingDay:
      let fragments = try BinanceFragments.split(body, answering: request)
      if requests.count == 1, requests[0] == request { return [write(request, body)] }
      let bytes = Dictionary(fragments.map { ($0.symbol, $0.bytes) }) { first, _ in first }
      return requests.compactMap { one in
        one.symbols.names.first.flatMap { bytes[$0] }.map { write(one, $0) }
      }
    case .exchangeInfo:
      let info = try BinanceExchangeInfo(body)
      if let weight = info.requestWeight, weight.window == BinanceTime.minute {
        state.note(limit: weight.limit)
      }
    case .depth: _ = try BinanceBook(body)
    case .trades: _ = try BinanceTrades.read(body)
    case .aggTrades: _ = try BinanceTrades.readAggregates(body)
    case .avgPrice: _ = try BinanceAveragePrice(body)
    case .klines, .uiKlines:
      if let interval = request.interval {
        let candles = try BinanceCandles.read(
          body, interval, zone: request.timeZone, irregularBefore: Self.irregularBefore)
        // Where candles of three days open only they themselves tell.
        let grid = BinanceGrid(
          interval, zone: request.timeZone, anchor: candles.last?.openTime)
        fresh = self.fresh(grid, sent: sent, received: received)
      }
    case .time: _ = try BinanceServerTime(body)
    case .ping: break
    }
    return [write(request, body)]
  }

  /// How long an answer that is kept as it came tells the candle that is not closed: for its window, and never after it has
  /// closed.
  private func fresh(_ grid: BinanceGrid, sent: Int64, received: Int64) -> Int64 {
    guard state.isTrusted, let closes = grid.next(after: state.settled(at: sent)) else {
      return freshness.openCandle
    }
    return min(
      freshness.openCandle(of: grid.interval), max(0, closes - state.settled(at: received)))
  }
}
