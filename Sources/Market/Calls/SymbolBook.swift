import Hummingbird
import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// Which markets there are, by what the exchange says.
final class SymbolBook: Sendable {
  private let known = Mutex<(written: Position, info: BinanceExchangeInfo)?>(nil)
  private let freshness: BinanceFreshness

  init(_ freshness: BinanceFreshness) { self.freshness = freshness }

  /// The market that a text means. One that is not known is looked for once more, if what is known is older than an unknown
  /// symbol is believed to be one.
  ///
  /// - Throws: a `Problem`: the text means no market, or nobody can tell.
  func symbol(
    _ text: String, _ asking: MarketAsking, _ reading: inout MarketReading
  ) async throws -> BinanceExchangeInfo.Symbol {
    if let symbol = try await info(.windows, asking, &reading).resolve(text) { return symbol }
    let again = try await info(.fetched(freshness.unknownSymbol), asking, &reading)
    guard let symbol = again.resolve(text) else {
      throw reading.told(
        Problem(
          .unknownSymbol, "Binance has no market “\(text.inOneLine(atMost: 100))”", field: "symbol")
      )
    }
    return symbol
  }

  private func info(
    _ age: AgeLimit, _ asking: MarketAsking, _ reading: inout MarketReading
  ) async throws -> BinanceExchangeInfo {
    let need = BinanceResource.answer(asking.exchangeInfo)
    var demand = asking.demand(need.endpoint, [need.key])
    demand.age = age
    var own = MarketReading()
    defer { reading.add(charges: own) }
    let pieces = try await own.pieces(of: demand, asking.gateway)
    guard let piece = pieces.first, let content = piece.content else {
      throw reading.told(Problem(.upstreamUnavailable, "Binance does not say which markets it has"))
    }
    let last = known.withLock { $0?.written == piece.written ? $0?.info : nil }
    if piece.written > 0, let last { return last }
    do throws(BinanceReadingError) {
      let info = try BinanceExchangeInfo(content)
      known.withLock { $0 = (piece.written, info) }
      return info
    } catch { throw reading.told(Problem(.upstreamUnavailable, "\(error)")) }
  }
}

extension Problem.Kind {
  static let unknownSymbol = Problem.Kind(
    "unknown-symbol", .notFound, "There is no such market")
}
