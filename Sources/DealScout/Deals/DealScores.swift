import TollbookEvents

/// The verdicts on listings.
struct DealScores {
  private let rules: DealRules

  init(_ rules: DealRules = DealRules()) { self.rules = rules }

  /// A row for each listing.
  ///
  /// - Parameter judges: whether prices may be judged.
  mutating func rows(
    of listings: [SeenListing], judges: Bool, now: Timestamp
  ) -> [DealBoard.Row] {
    var verdicts: [DealVerdict?] = Array(repeating: nil, count: listings.count)
    if judges {
      let places = listings.indices.filter { listings[$0].offer != nil }
      let offers = places.compactMap { listings[$0].offer }
      // The rules were checked when they were made.
      if let found = try? DealScorer.score(all: offers, against: offers, now: now, rules: rules) {
        for (place, verdict) in zip(places, found) { verdicts[place] = verdict }
      }
    }
    return zip(listings, verdicts).map { DealBoard.Row(listing: $0, verdict: $1) }
  }
}
