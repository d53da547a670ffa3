/// The candles of one series that answer a question.
struct CandleWindow: Sendable {
  /// Some of the candles of one body, the oldest first.
  struct Part: Sendable {
    var candles: ArraySlice<Candle>
    /// Of the body; empty: it is not kept.
    var digest: [UInt8] = []
  }

  /// Those that are closed, the oldest first.
  private var parts: [Part] = []
  /// How many of them there are.
  private(set) var closedCount = 0
  /// Those that are not, the oldest first.
  var open: [Candle] = []

  /// All of them, the oldest first.
  var candles: [Candle] { parts.flatMap(\.candles) + open }
  /// The figures of all of them.
  var figures: [CandleFigures] { parts.flatMap { $0.candles.map(\.figures) } + open.map(\.figures) }
  var count: Int { closedCount + open.count }
  var first: Candle? { parts.first?.candles.first ?? open.first }
  var last: Candle? { open.last ?? parts.last?.candles.last }

  /// The same for windows with the same candles alone, so that what was reckoned from one need not be again; empty where
  /// some are not closed or not kept.
  var digest: [UInt8] {
    guard open.isEmpty, let first, let last, parts.allSatisfy({ !$0.digest.isEmpty }) else {
      return []
    }
    let numbers = Array("\(first.number) \(last.number) ".utf8)
    return parts.reduce(into: numbers) { $0 += $1.digest }
  }

  /// Puts older candles before those that are there.
  ///
  /// - Parameter end: only candles before this number.
  mutating func add(older: [Part], before end: Int64) {
    let older = older.compactMap { part -> Part? in
      let candles = part.candles.prefix { $0.number < end }
      return candles.isEmpty ? nil : Part(candles: candles, digest: part.digest)
    }
    parts = older + parts
    closedCount += older.reduce(0) { $0 + $1.candles.count }
  }

  /// Keeps the newest closed ones.
  mutating func keepNewest(_ count: Int) {
    while let first = parts.first, closedCount > count {
      let kept = first.candles.dropFirst(closedCount - count)
      closedCount -= first.candles.count - kept.count
      if kept.isEmpty { parts.removeFirst() } else { parts[0].candles = kept }
    }
  }
}
