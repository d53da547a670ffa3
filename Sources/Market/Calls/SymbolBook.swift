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
      throw reading.told(
        Problem(
          .unknownSymbol, "Binance has no market “\(text.inOneLine(atMost: 100))”", field: "symbol")
      )
    }
    return symbol
  }

  /// - Parameter longest: how old it may be, in milliseconds.
  private func info(
    noOlderThan longest: Int64, _ asking: MarketAsking, _ reading: inout MarketReading
  ) async throws -> BinanceExchangeInfo {
    let known = known.withLock(\.self)
    let age = known.map { asking.now &- $0.fetched.milliseconds } ?? -1
    // Looked up for each request: a read of what somebody asked for it is not.
    if let known, 0..<longest ~= age { return known.info }
    let need = BinanceResource.answer(asking.exchangeInfo)
    var demand = asking.demand(need.endpoint, [need.key])
    demand.age = .fetched(longest)
    var own = reading.part
    // An older list will do where the exchange cannot be asked.
    own.refusesStale = false
    defer { reading.add(charges: own) }
    let pieces = try await own.pieces(of: demand, asking.gateway)
    guard let piece = pieces.first, let content = piece.content else {
      throw reading.told(Problem(.upstreamUnavailable, "Binance does not say which markets it has"))
    }
    if let known, piece.written > 0, known.written == piece.written { return known.info }
    do throws(BinanceReadingError) {
      let info = try BinanceExchangeInfo(content)
      self.known.withLock {
        $0 = Known(written: piece.written, fetched: piece.fetched, info: info)
      }
      return info
    } catch { throw reading.told(Problem(.upstreamUnavailable, "\(error)")) }
  }
}

extension Problem.Kind {
  static let unknownSymbol = Problem.Kind(
    "unknown-symbol", .notFound, "There is no such market")
}
