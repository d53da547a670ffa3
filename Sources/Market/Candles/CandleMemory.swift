import Synchronization

/// Candles as they were read from blocks, by the digests of those, so that a block that is asked for again and again is read
/// once.
///
/// Two generations: what was asked for since the last turn, and what was asked for in the one before. When the first is
/// full, the second is given up.
final class CandleMemory: Sendable {
  private struct Generations {
    var young: [[UInt8]: [Candle]] = [:]
    var old: [[UInt8]: [Candle]] = [:]
  }

  private let most: Int
  private let generations = Mutex(Generations())

  /// - Parameter most: blocks of one generation. A full one takes about 25 KB.
  init(most: Int = 512) { self.most = max(1, most) }

  /// How many blocks there are.
  var count: Int { generations.withLock { $0.young.count + $0.old.count } }

  /// Those of a block that was read before; nil: it was not, or that is forgotten.
  func candles(of digest: [UInt8]) -> [Candle]? {
    guard !digest.isEmpty else { return nil }
    return generations.withLock { generations in
      if let young = generations.young[digest] { return young }
      guard let old = generations.old.removeValue(forKey: digest) else { return nil }
      keep(old, digest, &generations)
      return old
    }
  }

  /// Remembers those of a block.
  func keep(_ candles: [Candle], of digest: [UInt8]) {
    guard !digest.isEmpty else { return }
    generations.withLock { keep(candles, digest, &$0) }
  }

  private func keep(_ candles: [Candle], _ digest: [UInt8], _ generations: inout Generations) {
    if generations.young.count >= most {
      generations.old = generations.young
      generations.young = [:]
    }
    generations.young[digest] = candles
  }
}

/// A candle that is kept.
struct Candle: Hashable, Sendable {
  /// How many of its interval came before it.
  var number: Int64
  /// As the exchange sent it.
  var row: [UInt8]
  var figures: CandleFigures

  init(_ candle: BinanceCandle, _ interval: BinanceInterval) {
    number = interval.number(at: candle.openTime)
    row = candle.row
    figures = candle.figures
  }
}
