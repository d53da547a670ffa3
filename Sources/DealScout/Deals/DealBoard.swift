import Synchronization
import TollbookEvents

/// Listings with their scores, as they were when the index last changed or the board grew old.
///
/// Scores are made anew by whoever asks first after a change, and at most once in a while: a scan changes the index many
/// times.
final class DealBoard: Sendable {
  /// A listing, and what is said of it.
  struct Row: Sendable {
    let listing: SeenListing
    /// Nil: prices may not be judged by what eBay shows.
    let verdict: DealVerdict?

    var score: DealScore? { verdict?.score }
  }

  /// The rows, those with the best score first.
  struct Content: Sendable {
    var rows: [Row] = []
    fileprivate(set) var version: UInt64 = 0
    fileprivate(set) var made = Timestamp(milliseconds: 0)
  }

  /// So long rows may be older than the index, in milliseconds.
  private static let longestBehind: Int64 = 2_000
  /// After so long ends and ages are told anew, in milliseconds.
  private static let longestUnchanged: Int64 = 60_000

  private let rules: DealRules
  private let content = Mutex<Content?>(nil)
  private let making = Mutex(false)

  init(_ rules: DealRules = DealRules()) { self.rules = rules }

  /// The rows at an instant.
  ///
  /// - Parameter judges: whether prices may be judged.
  func content(of index: ListingIndex, judges: Bool, now: Timestamp) async -> Content {
    let known = content.withLock(\.self)
    if let known {
      let age = now.milliseconds - known.made.milliseconds
      let isCurrent = known.version == index.version && 0..<Self.longestUnchanged ~= age
      if isCurrent || 0..<Self.longestBehind ~= age { return known }
      // Somebody is at it: what is there will do.
      let isMine = making.withLock { making in
        defer { making = true }
        return !making
      }
      guard isMine else { return known }
    }
    defer { making.withLock { $0 = false } }
    let made = await Self.make(index, judges, now, rules)
    content.withLock { $0 = made }
    return made
  }

  @concurrent
  private static func make(
    _ index: ListingIndex, _ judges: Bool, _ now: Timestamp, _ rules: DealRules
  ) async -> Content {
    let (all, version) = index.all
    let listings = all.filter { !$0.isOver(at: now) }
    var verdicts: [DealVerdict?] = Array(repeating: nil, count: listings.count)
    if judges {
      let places = listings.indices.filter { listings[$0].offer != nil }
      let offers = places.compactMap { listings[$0].offer }
      // The rules were checked when they were made.
      if let found = try? DealScorer.score(all: offers, against: offers, now: now, rules: rules) {
        for (place, verdict) in zip(places, found) { verdicts[place] = verdict }
      }
    }
    var rows = zip(listings, verdicts).map { Row(listing: $0, verdict: $1) }
    rows.sort { left, right in
      (right.score?.tenths ?? -1, left.listing.id.description)
        < (left.score?.tenths ?? -1, right.listing.id.description)
    }
    return Content(rows: rows, version: version, made: now)
  }
}
