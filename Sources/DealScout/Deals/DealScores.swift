import TollbookEvents

/// Listings with their verdicts, of which only those are scored anew that may have changed.
///
/// A verdict rests on the listings of a family, which have no product in common with those of any other, and on what the
/// words of titles weigh among all. A family is scored anew when one of its listings has come, gone or been seen again,
/// or time has made one begin or cease to count. Words are weighed anew, and then all families scored, when an hour is
/// over or the number of listings has changed by an eighth: until then new titles are grouped by the weights there are.
struct DealScores {
  /// What the listings of a family have in common.
  private enum Name: Hashable {
    case number(ProductKey)
    /// The numbers and the telling words of a title.
    case identity(Substring)
    /// Without a number titles are the same product only if all their words are the same.
    case wording(TitleKey)
    /// Nobody can tell which product they are.
    case unknown

    init(_ key: ProductKey?) {
      guard let key else {
        self = .unknown
        return
      }
      guard case .title(let title) = key else {
        self = .number(key)
        return
      }
      self = title.hasNumber ? .identity(title.parts.identity) : .wording(title)
    }
  }

  private struct Family {
    var rows: [EbayItemID: DealBoard.Row] = [:]
    /// When time alone changes a verdict next; nil: never.
    var change: Timestamp?
    var isChanged = true
  }

  private static let longestWeighed: Int64 = 3_600_000

  private let rules: DealRules
  private var families: [Name: Family] = [:]
  /// In which family a listing is, and the version of the index in which it was taken in.
  private var known: [EbayItemID: (family: Name, version: UInt64)] = [:]
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
  ///   - listings: each id once; one whose version is as it was is the same.
  ///   - judges: whether prices may be judged; without that there is no verdict.
  mutating func rows(
    of listings: [SeenListing], judges: Bool, now: Timestamp
  ) -> [DealBoard.Row] {
    // To a clock that was set back all is new.
    if judges != self.judges || now < self.now { self = DealScores(rules) }
    self.judges = judges
    self.now = now
    take(listings)
    weigh(listings)
    scored = 0
    for name in families.keys { score(name) }
    return families.values.flatMap(\.rows.values)
  }

  /// Takes in what is new, and lets go of what is gone.
  private mutating func take(_ listings: [SeenListing]) {
    for listing in listings {
      var title: SearchedText?
      if let (name, version) = known[listing.id] {
        guard version != listing.version else { continue }
        let before = remove(listing.id, from: name)
        if before?.listing.title == listing.title { title = before?.title }
      }
      let name = Name(listing.offer?.key)
      known[listing.id] = (name, listing.version)
      families[name, default: Family()].rows[listing.id] = DealBoard.Row(
        listing: listing, verdict: nil, title: title)
      families[name]?.isChanged = true
    }
    guard known.count > listings.count else { return }
    let ids = Set(listings.map(\.id))
    for (id, place) in known where !ids.contains(id) {
      remove(id, from: place.family)
      known[id] = nil
    }
    families = families.filter { !$0.value.rows.isEmpty }
  }

  @discardableResult
  private mutating func remove(_ id: EbayItemID, from name: Name) -> DealBoard.Row? {
    families[name]?.isChanged = true
    return families[name]?.rows.removeValue(forKey: id)
  }

  private mutating func weigh(_ listings: [SeenListing]) {
    guard judges else { return }
    let age = now.milliseconds - weighed.at.milliseconds
    let difference = abs(listings.count - weighed.count)
    if age < Self.longestWeighed && difference * 8 <= weighed.count { return }
    weighed = (listings.count, now)
    weights = WordWeights()
    let offers = listings.compactMap(\.offer)
    for index in ComparableBook.eligible(offers, now: now, rules: rules) {
      if case .title(let key) = offers[index].key { weights.count(key.parts.words, 1) }
    }
    for name in families.keys { families[name]?.isChanged = true }
  }

  private mutating func score(_ name: Name) {
    guard judges, var family = families[name],
      family.isChanged || family.change.map({ $0 <= now }) ?? false
    else { return }
    let offers = family.rows.values.compactMap(\.listing.offer)
    let book = ComparableBook(offers, weights: weights, now: now, rules: rules)
    family.rows = family.rows.mapValues { row in
      DealBoard.Row(
        listing: row.listing, verdict: row.listing.offer.map { book.verdict(on: $0) },
        title: row.title)
    }
    family.change =
      offers.compactMap { ComparableBook.nextChange(of: $0, after: now, rules: rules) }.min()
    family.isChanged = false
    families[name] = family
    scored += family.rows.count
  }
}
