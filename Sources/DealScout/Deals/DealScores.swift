import TollbookEvents

/// Listings with their verdicts, of which only those are scored anew that may have changed.
///
/// A verdict rests on the listings of a family, which have no product in common with those of any other, and on what the
/// words of titles weigh among all. A family is scored anew when one of its listings has come, gone or been seen again,
/// or time has made one begin or cease to count. Words are weighed anew, and then all families scored, when an hour is
/// over or the number of listings has changed by an eighth: until then new titles are grouped by the weights there are.
struct DealScores {
  private struct Family {
    /// The row of a listing that is as it was; nil: it was seen since.
    var members: [(listing: SeenListing, row: DealBoard.Row?)] = []
    var isChanged = false

    mutating func add(_ listing: SeenListing, _ row: DealBoard.Row?, isChanged: Bool) {
      members.append((listing, row))
      self.isChanged = self.isChanged || isChanged
    }
  }

  private static let longestWeighed: Int64 = 3_600_000

  private let rules: DealRules
  /// As they were told last.
  private var rows: [DealBoard.Row] = []
  private var judges = false
  private var now = Timestamp(milliseconds: 0)
  private var weighed = (count: 0, at: Timestamp(milliseconds: 0))
  private(set) var weights = WordWeights()
  /// How many listings were scored the last time.
  private(set) var scored = 0

  /// - Parameter rules: checked before.
  init(_ rules: DealRules = DealRules()) { self.rules = rules }

  /// A row for each listing.
  ///
  /// - Parameters:
  ///   - listings: each id once; the same object is unchanged.
  ///   - judges: whether prices may be judged; without that there is no verdict.
  mutating func rows(
    of listings: [SeenListing], judges: Bool, now: Timestamp
  ) -> [DealBoard.Row] {
    // To a clock that was set back all is new.
    if judges != self.judges || now < self.now { self = DealScores(rules) }
    self.judges = judges
    self.now = now
    let isWeighed = weigh(listings)
    scored = 0
    var rows: [DealBoard.Row] = []
    rows.reserveCapacity(listings.count)
    for family in families(of: listings) {
      if judges, family.isChanged || isWeighed {
        rows += score(family.members.map(\.listing))
      } else {
        rows += family.members.map { $0.row ?? DealBoard.Row(listing: $0.listing) }
      }
    }
    self.rows = rows
    return rows
  }

  private func families(of listings: [SeenListing]) -> some Sequence<Family> {
    var known = Dictionary(rows.map { (ObjectIdentifier($0.listing), $0) }) { first, _ in first }
    var families: [ProductFamily: Family] = [:]
    for listing in listings {
      let row = known.removeValue(forKey: ObjectIdentifier(listing))
      let isChanged = row.map { $0.change <= now.milliseconds } ?? true
      families[listing.family, default: Family()].add(listing, row, isChanged: isChanged)
    }
    // What is gone was compared with those that are left.
    for row in known.values { families[row.listing.family]?.isChanged = true }
    return families.values
  }

  /// - Returns: whether words weigh something else than before.
  private mutating func weigh(_ listings: [SeenListing]) -> Bool {
    guard judges else { return false }
    let age = now.milliseconds - weighed.at.milliseconds
    let difference = abs(listings.count - weighed.count)
    if age < Self.longestWeighed && difference * 8 <= weighed.count { return false }
    weighed = (listings.count, now)
    weights = WordWeights()
    for listing in listings {
      guard let offer = listing.offer, ComparableBook.isComparable(offer, now, rules),
        case .title(let key)? = offer.key
      else { continue }
      weights.count(key.parts.words, 1)
    }
    return true
  }

  private mutating func score(_ listings: [SeenListing]) -> [DealBoard.Row] {
    scored += listings.count
    let offers = listings.map(\.offer)
    let book = ComparableBook(
      offers.compactMap(\.self), weights: weights, now: now, rules: rules)
    return zip(listings, offers).map { listing, offer in
      DealBoard.Row(
        listing: listing, verdict: offer.map { ShownVerdict(book.verdict(on: $0)) },
        change: offer.flatMap { ComparableBook.nextChange(of: $0, after: now, rules: rules) })
    }
  }
}
