import TollbookEvents

extension DealBoard {
  /// A listing, and what is said of it. The same object stands in one table after the other until something changes.
  package final class Row: Sendable {
    let listing: SeenListing
    /// Nil: prices may not be judged by what eBay shows.
    let verdict: ShownVerdict?
    /// When time alone changes whether it counts next, in milliseconds since 1970; `max`: never.
    let change: Int64

    var score: ShownVerdict.Score? { verdict?.score }

    init(listing: SeenListing, verdict: ShownVerdict? = nil, change: Timestamp? = nil) {
      self.listing = listing
      self.verdict = verdict
      self.change = change?.milliseconds ?? .max
    }
  }
}

/// What is shown of a verdict: some sixty bytes, where the figures that it rests on take three hundred.
enum ShownVerdict: Hashable, Sendable {
  struct Score: Hashable, Sendable {
    let fair: QuarterUnits
    /// In tenths of a percent.
    let discount: Int64
    /// Of a point.
    let tenths: Int64
    let flags: [DealFlag]
    let penalties: [DealPenalty]
    /// How many comparables are kept, and how many are not.
    let kept: Int32
    let dropped: Int32
    let confidence: Confidence
    /// 0 to 100.
    let points: Int8
  }

  case scored(Score)
  case unscored(DealRefusal)

  init(_ verdict: DealVerdict) {
    switch verdict {
    case .unscored(let refusal): self = .unscored(refusal)
    case .scored(let score):
      let statistics = score.comparables.statistics
      self = .scored(
        Score(
          fair: score.fair, discount: score.discount, tenths: score.tenths, flags: score.flags,
          penalties: score.penalties, kept: Int32(clamping: statistics.kept),
          dropped: Int32(clamping: statistics.dropped), confidence: score.confidence,
          points: Int8(clamping: score.points)))
    }
  }

  var score: Score? {
    if case .scored(let score) = self { score } else { nil }
  }

  var refusal: DealRefusal? {
    if case .unscored(let refusal) = self { refusal } else { nil }
  }
}
