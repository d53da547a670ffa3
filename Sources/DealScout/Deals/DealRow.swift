extension DealBoard {
  /// A listing, and what is said of it. The same object stands in one table after the other until something changes.
  package final class Row: Sendable {
    let listing: SeenListing
    /// Nil: prices may not be judged by what eBay shows.
    let verdict: DealVerdict?
    let title: SearchedText

    var score: DealScore? { verdict?.score }

    init(listing: SeenListing, verdict: DealVerdict?, title: SearchedText? = nil) {
      self.listing = listing
      self.verdict = verdict
      self.title = title ?? SearchedText(listing.title.lowercased())
    }
  }
}
