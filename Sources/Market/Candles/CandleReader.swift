import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// Candles of a series, from what is kept of it and else from the exchange.
struct CandleReader {
  let asking: MarketAsking
  let series: CandleSeries

  /// The most blocks that are asked for at once.
  private static let mostBlocks: Int64 = 60
  private var state: BinanceState { asking.system.state }
  private var interval: BinanceInterval { series.interval }
  private var memory: DigestMemory<[Candle]> { asking.system.candles }

  /// The number of the first candle that is not closed now.
  private var openNumber: Int64 { interval.number(at: state.settled(at: asking.now)) }

  /// The number of the first candle that there can be.
  private var firstNumber: Int64 { interval.number(at: BinanceTime.range.lowerBound) }

  /// Whether all candles open where their interval says. From which day three days count differs, and is not documented:
  /// nothing of these is kept in blocks.
  private var isOnGrid: Bool { interval != .threeDays }

  private var needsClock: Bool {
    state.needsClock(at: asking.now, after: asking.system.freshness.clock)
  }

  private func window(_ candles: [Candle]) -> CandleWindow {
    let settled = state.settled(at: asking.now)
    let closed = candles.prefix { $0.figures.closeTime < settled }
    var window = CandleWindow()
    window.add(older: [CandleWindow.Part(candles: closed)], before: .max)
    window.open = Array(candles[closed.endIndex...])
    return window
  }

  /// The newest candles that are closed, and those that are not.
  ///
  /// - Parameters:
  ///   - count: of closed candles. There are fewer if the market is younger.
  ///   - end: only candles before this number; nil: all.
  func newest(
    _ count: Int, before end: Int64? = nil, withOpen: Bool, _ reading: inout MarketReading
  ) async throws -> CandleWindow {
    try await readClock(&reading)
    let open = openNumber
    guard isOnGrid else {
      let items = end.map { [("endTime", "\(interval.openTime(ofCandle: $0) - 1)")] } ?? []
      return window(try await asked(count, items, &reading))
    }
    let readsOpen = withOpen && end.map { $0 > open } ?? true
    let end = min(end ?? open, open)
    var window = CandleWindow()
    var next = max(firstNumber, end - Int64(count))
    var pieces = blocks(from: next, until: end)
    if readsOpen { pieces.append(.open(series)) }
    var isFirst = true
    // Where candles are missing, older ones make up for them.
    while !pieces.isEmpty {
      let found = try await read(pieces, &reading, isNewest: isFirst)
      window.add(older: found.closed, before: end)
      if isFirst { window.open = found.open }
      isFirst = false
      let missing = Int64(count - window.closedCount)
      guard missing > 0, next > firstNumber, !found.isWhollyAbsent else { break }
      let reached = CandlePiece.floor(next, CandlePiece.size) * CandlePiece.size
      next = max(firstNumber, reached - missing)
      pieces = blocks(from: next, until: min(reached, end))
    }
    if window.closedCount == 0 {
      let candles = try await beforeStop(count, end, &reading)
      window.add(older: [CandleWindow.Part(candles: candles[...])], before: end)
    }
    window.keepNewest(count)
    return window
  }

  /// The newest candles of a market that is not traded any more: nobody but the exchange knows when they were.
  private func beforeStop(
    _ count: Int, _ end: Int64, _ reading: inout MarketReading
  ) async throws -> [Candle] {
    var items: [(String, String)] = []
    if end < openNumber { items.append(("endTime", "\(interval.openTime(ofCandle: end) - 1)")) }
    return try await asked(count, items, &reading)
  }

  /// What the exchange answers to a question of its own, which is not taken apart.
  ///
  /// Not inlined: the optimizer of Swift 6.3 crashes (in CoroSplit) on the callers where it is.
  @inline(never)
  private func asked(
    _ count: Int, _ items: [(String, String)], _ reading: inout MarketReading
  ) async throws -> [Candle] {
    guard let demand = question(count, items),
      let bytes = try await reading.pieces(of: demand, asking.gateway).first?.content
    else { return [] }
    return try candles(bytes, reading)
  }

  private func question(_ count: Int, _ items: [(String, String)]) -> ResourceDemand? {
    let own = [
      ("symbol", series.symbol), ("interval", interval.rawValue),
      ("limit", "\(min(Int64(count), CandleSpan.most))"),
    ]
    guard let request = try? BinanceRequest(.klines, own + items) else { return nil }
    return asking.demand(.klines, [BinanceResource.answer(request).key])
  }

  private func candles(
    _ bytes: [UInt8], _ reading: MarketReading
  ) throws(Problem) -> [Candle] {
    do throws(BinanceReadingError) {
      return try BinanceCandles.read(
        bytes, interval, irregularBefore: BinanceTime.range.upperBound
      ).map { Candle($0, interval) }
    } catch { throw reading.told(Problem(.upstreamUnavailable, "\(error)")) }
  }

  /// What one piece holds; nil: the exchange does not have it.
  private func candles(
    of content: MarketReading.Piece<[Candle]>, _ reading: MarketReading
  ) throws(Problem) -> [Candle]? {
    if let known = content.known { return known }
    guard let bytes = content.content else { return nil }
    let candles = try candles(bytes, reading)
    memory.keep(candles, of: content.digest)
    return candles
  }

  /// The oldest candles from a number on, those that are not closed among them.
  ///
  /// - Parameter end: the number behind the last that is wanted.
  func oldest(
    _ count: Int, from first: Int64, before end: Int64, _ reading: inout MarketReading
  ) async throws -> [Candle] {
    try await readClock(&reading)
    guard isOnGrid else { return try await afterListing(count, first, end, &reading) }
    let open = openNumber
    var next = max(first, firstNumber)
    var candles: [Candle] = []
    while candles.count < count, next < end {
      let stop = min(end, next + Int64(count - candles.count))
      var pieces = blocks(from: next, until: min(stop, open))
      // One more may have closed meanwhile.
      if stop >= open { pieces.append(.open(series)) }
      guard !pieces.isEmpty else { break }
      let found = try await read(pieces, &reading, isNewest: stop >= open)
      if found.isWhollyAbsent, candles.isEmpty, stop < open {
        return try await afterListing(count, first, end, &reading)
      }
      let closed = found.closed.flatMap(\.candles)
      candles += (closed + found.open).filter { next <= $0.number && $0.number < end }
      guard stop < open else { break }
      next = pieces.last.map(Self.end(of:)) ?? stop
    }
    return Array(candles.prefix(count))
  }

  /// The oldest candles of a market that came later: nobody but the exchange knows when that was.
  private func afterListing(
    _ count: Int, _ first: Int64, _ end: Int64, _ reading: inout MarketReading
  ) async throws -> [Candle] {
    let start = interval.openTime(ofCandle: max(first, firstNumber))
    var items = [("startTime", "\(start)")]
    if end < openNumber { items.append(("endTime", "\(interval.openTime(ofCandle: end) - 1)")) }
    return try await asked(count, items, &reading)
  }

  private static func end(of piece: CandlePiece) -> Int64 {
    guard case .block(_, let number) = piece else { return .max }
    return CandlePiece.candles(ofBlock: number).upperBound
  }

  private func blocks(from first: Int64, until end: Int64) -> [CandlePiece] {
    guard first < end else { return [] }
    let last = CandlePiece.floor(end - 1, CandlePiece.size)
    let begin = max(CandlePiece.floor(first, CandlePiece.size), last - Self.mostBlocks + 1)
    return (begin...last).map { .block(series, number: $0) }
  }

  private struct Found {
    var closed: [CandleWindow.Part] = []
    var open: [Candle] = []
    /// Whether nothing was ever traded in all of it.
    var isWhollyAbsent = true
  }

  private func read(
    _ pieces: [CandlePiece], _ reading: inout MarketReading, isNewest: Bool
  ) async throws -> Found {
    let contents: [MarketReading.Piece<[Candle]>]
    if isNewest {
      contents = try await self.contents(pieces, &reading)
    } else {
      // What older candles are from says nothing of how old the answer is.
      var own = reading.part
      defer { reading.add(own) }
      contents = try await self.contents(pieces, &own)
    }
    var found = Found()
    for (piece, content) in zip(pieces, contents) {
      guard let candles = try candles(of: content, reading) else { continue }
      found.isWhollyAbsent = found.isWhollyAbsent && candles.isEmpty
      if case .open = piece {
        // What has closed since it was fetched stands in its block.
        let last = found.closed.last { !$0.candles.isEmpty }?.candles.last?.number ?? .min
        found.open = candles.filter { $0.number > last }
      } else {
        found.closed.append(CandleWindow.Part(candles: candles[...], digest: content.digest))
      }
    }
    return found
  }

  /// What is kept of some pieces, or bought. How old an answer may be concerns candles that are not closed: others never
  /// change.
  private func contents(
    _ pieces: [CandlePiece], _ reading: inout MarketReading
  ) async throws -> [MarketReading.Piece<[Candle]>] {
    var contents: [MarketReading.Piece<[Candle]>] = []
    for demand in demands(pieces) {
      contents += try await reading.pieces(of: demand, asking.gateway, knowing: memory)
    }
    return contents
  }

  /// What some pieces are asked for by, blocks first.
  private func demands(_ pieces: [CandlePiece]) -> [ResourceDemand] {
    let demand = asking.demand(.klines, pieces.map(\.resource))
    guard demand.age != .windows else { return [demand] }
    let blocks = pieces.prefix { if case .block = $0 { true } else { false } }
    var closed = asking.demand(.klines, blocks.map(\.resource))
    closed.age = .windows
    let rest = pieces[blocks.count...].map(\.resource)
    return [closed] + (rest.isEmpty ? [] : [asking.demand(.klines, rest)])
  }

  // MARK: Looking ahead

  /// What ``newest(_:before:withOpen:_:)`` would ask for, as far as no candle is missing.
  func demands(
    newest count: Int, before end: Int64? = nil, withOpen: Bool
  ) -> [ResourceDemand] {
    guard isOnGrid else {
      let items = end.map { [("endTime", "\(interval.openTime(ofCandle: $0) - 1)")] } ?? []
      return clock + [question(count, items)].compactMap { $0 }
    }
    let open = openNumber
    let readsOpen = withOpen && end.map { $0 > open } ?? true
    let end = min(end ?? open, open)
    let blocks = blocks(from: max(firstNumber, end - Int64(count)), until: end)
    return clock + demands(blocks + (readsOpen ? [.open(series)] : []))
  }

  /// The same of ``oldest(_:from:before:_:)``.
  func demands(oldest count: Int, from first: Int64, before end: Int64) -> [ResourceDemand] {
    guard isOnGrid else {
      let items = [("startTime", "\(interval.openTime(ofCandle: max(first, firstNumber)))")]
      return clock + [question(count, items)].compactMap { $0 }
    }
    let first = max(first, firstNumber)
    let (stop, _) = first.addingReportingOverflow(Int64(count))
    let (open, last) = (openNumber, min(end, stop))
    let blocks = blocks(from: first, until: min(last, open))
    return clock + demands(blocks + (last >= open ? [.open(series)] : []))
  }

  private var clock: [ResourceDemand] {
    needsClock ? [asking.demand(.time, [BinanceResource.clock.key])] : []
  }

  /// Sees to it that the exchange's clock is known. If it cannot be asked, ours has to do.
  private func readClock(_ reading: inout MarketReading) async throws {
    guard needsClock else { return }
    var own = reading.part
    let demand = asking.demand(.time, [BinanceResource.clock.key])
    let pieces = try? await own.pieces(of: demand, asking.gateway)
    reading.add(charges: own)
    // What was bought has been noted; what another process bought has not.
    guard needsClock else { return }
    if let entry = pieces?.first?.content.flatMap({ ClockEntry($0) }) { state.note(entry.sample) }
  }
}
