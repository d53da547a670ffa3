import Hummingbird
import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// Which markets there are, by what the exchange says.
final class SymbolBook: Sendable {
  private struct Known {
    var written: Position
    var fetched: Timestamp
    var info: BinanceExchangeInfo
  }

  private let known = Mutex<Known?>(nil)
  private let freshness: BinanceFreshness

  init(_ freshness: BinanceFreshness) { self.freshness = freshness }

  /// The market that a text means. One that is not known is looked for once more, if what is known is older than an unknown
  /// symbol is believed to be one.
  ///
  /// - Throws: a `Problem`: the text means no market, or nobody can tell.
  func symbol(
    _ text: String, _ asking: MarketAsking, _ reading: inout MarketReading
  ) async throws -> BinanceExchangeInfo.Symbol {
    let known = try await info(noOlderThan: freshness.exchangeInfo, asking, &reading)
    if let symbol = known.resolve(text) { return symbol }
    let again = try await info(noOlderThan: freshness.unknownSymbol, asking, &reading)
    guard let symbol = again.resolve(text) else {
      throw reading.told(Self.unknown(text))
    }
    return symbol
  }

  /// What ``symbol(_:_:_:)`` would ask for, without asking: the name that a text means, and what has to be bought to know
  /// it. While nothing is known, the name is what the text most likely means.
  ///
  /// - Throws: the text means no market.
  func ahead(
    _ text: String, _ asking: MarketAsking
  ) throws(Problem) -> (name: String, demands: [ResourceDemand]) {
    let known = known.withLock(\.self)
    let age = known.map { asking.now &- $0.fetched.milliseconds } ?? -1
    let need = BinanceResource.answer(.allMarkets)
    var demand = asking.demand(need.endpoint, [need.key])
    demand.age = .fetched(freshness.exchangeInfo)
    if let known, 0..<freshness.exchangeInfo ~= age {
      if let symbol = known.info.resolve(text) { return (symbol.name, []) }
      if age < freshness.unknownSymbol { throw Self.unknown(text) }
      demand.age = .fetched(freshness.unknownSymbol)
    }
    let guess = text.uppercased().filter { !"/-_".contains($0) }
    guard BinanceSymbols.isSymbol(guess) else { throw Self.unknown(text) }
    return (guess, [demand])
  }

  private static func unknown(_ text: String) -> Problem {
    Problem(
      .unknownSymbol, "Binance has no market “\(text.inOneLine(atMost: 100))”", field: "symbol")
  }

  /// - Parameter longest: how old it may be, in milliseconds.
  private func info(
    noOlderThan longest: Int64, _ asking: MarketAsking, _ reading: inout MarketReading
  ) async throws -> BinanceExchangeInfo {
    let known = known.withLock(\.self)
    let age = known.map { asking.now &- $0.fetched.milliseconds } ?? -1
    // Looked up for each request: a read of what somebody asked for it is not.
    if let known, 0..<longest ~= age { return known.info }
    let need = BinanceResource.answer(.allMarkets)
    var demand = asking.demand(need.endpoint, [need.key])
    demand.age = .fetched(longest)
    var own = reading.part
    // An older list will do where the exchange cannot be asked.
    own.refusesStale = false
    defer { reading.add(charges: own) }
    return try read(try await own.pieces(of: demand, asking.gateway), own).info
  }

  /// What the exchange would say of some markets alone, cut out of what it says of all: that costs the same, and answers
  /// whoever asks for others next.
  ///
  /// - Parameter names: as the exchange spells them.
  /// - Returns: nil: it does not name one of them.
  func excerpt(
    of names: [String], _ asking: MarketAsking, _ reading: inout MarketReading
  ) async throws -> [UInt8]? {
    let need = BinanceResource.answer(.allMarkets)
    let demand = asking.demand(need.endpoint, [need.key])
    let (info, bytes) = try read(try await reading.pieces(of: demand, asking.gateway), reading)
    return info.excerpt(of: names, in: bytes)
  }

  /// Reads what is kept of the list, if it is not the one that is known.
  private func read(
    _ pieces: [MarketReading.Piece<Never>], _ reading: MarketReading
  ) throws(Problem) -> (info: BinanceExchangeInfo, bytes: [UInt8]) {
    guard let piece = pieces.first, let content = piece.content else {
      throw reading.told(Problem(.upstreamUnavailable, "Binance does not say which markets it has"))
    }
    if let known = known.withLock(\.self), piece.written > 0, known.written == piece.written {
      return (known.info, content)
    }
    do throws(BinanceReadingError) {
      let info = try BinanceExchangeInfo(content)
      known.withLock { $0 = Known(written: piece.written, fetched: piece.fetched, info: info) }
      return (info, content)
    } catch { throw reading.told(Problem(.upstreamUnavailable, "\(error)")) }
  }
}

extension Problem.Kind {
  static let unknownSymbol = Problem.Kind(
    "unknown-symbol", .notFound, "There is no such market")
}
