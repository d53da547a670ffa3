import Synchronization
package import TollbookEvents

/// The listings of the pages that are kept, by what was seen last: an index that is made from those pages, so that what is
/// deleted there is not here after the next start, and what nobody has seen for a day goes before.
///
/// 1. A listing is here once, however many searches show it.
/// 2. It goes when its end is over, or when it was not seen for as long as eBay's content may be shown: a day.
/// 3. At most ``most`` are here; then those that were seen longest ago go first.
/// 4. One that eBay does not show any more goes at once, and pages of before do not bring it back.
package final class ListingIndex: Sendable {
  static let most = 250_000
  /// In milliseconds: a day.
  static let longestUnseen: Int64 = 86_400_000
  /// Listings of which it remembers that they are gone; beyond, those that went first are forgotten.
  static let mostGone = 20_000

  /// What a page has changed.
  package struct Change: Hashable, Sendable {
    /// Listings that nobody had seen before.
    var new: [EbayItemID] = []
    /// Those that cost less than they did.
    var cheaper: [EbayItemID] = []
    /// Those that a filter should have kept out, or that have no price in the site's currency.
    var leftOut = 0
    /// All that it shows and that were not left out, also those of which something newer is known.
    var seen = 0
  }

  fileprivate struct Shelf {
    var listings: [EbayItemID: SeenListing] = [:]
    /// Which searches show a listing, by their keys without the page.
    var searches: [String: Set<EbayItemID>] = [:]
    var version: UInt64 = 0
    /// When eBay said that a listing is not there any more.
    var gone: [EbayItemID: Timestamp] = [:]
  }

  private let shelf = Mutex(Shelf())
  /// As that of the shelf; it can be read while the shelf is copied.
  private let shownVersion = Atomic<UInt64>(0)

  /// Grows with each change.
  var version: UInt64 { shownVersion.load(ordering: .acquiring) }
  package var count: Int { shelf.withLock { $0.listings.count } }

  package init() {}

  /// Takes in a page.
  ///
  /// - Parameter search: what was asked: what does not keep to its filters is left out, since eBay may have dropped them.
  package func add(_ page: EbaySearchPage, of search: EbaySearch, seen: Timestamp) -> Change {
    var change = Change()
    let admitted = page.listings.filter { search.admits($0) }
    change.leftOut = page.listings.count - admitted.count
    let name = search.keyOfAllPages
    shelf.withLock { shelf in
      shelf.version &+= 1
      for listing in admitted {
        let known = shelf.listings[listing.itemId]
        guard
          let row = SeenListing(listing, on: search.marketplace, seen: seen, after: known)
        else {
          change.leftOut += 1
          continue
        }
        if let gone = shelf.gone[row.id] {
          guard gone < seen else { continue }
          shelf.gone[row.id] = nil
        }
        if let known {
          // An older page says nothing new of it.
          guard known.seen <= seen else {
            shelf.searches[name, default: []].insert(row.id)
            change.seen += 1
            continue
          }
          if row.isCheaper(than: known) { change.cheaper.append(row.id) }
        } else {
          change.new.append(row.id)
        }
        shelf.listings[row.id] = row
        shelf.searches[name, default: []].insert(row.id)
        change.seen += 1
      }
      shelf.bound()
      shownVersion.store(shelf.version, ordering: .releasing)
    }
    return change
  }

  /// Lets go of what is over, and of what nobody has seen for too long.
  func expire(at now: Timestamp) {
    let oldest = now.advanced(byMilliseconds: -Self.longestUnseen)
    shelf.withLock { shelf in
      shelf.keep { $0.seen > oldest && !$0.isOver(at: now) }
      shownVersion.store(shelf.version, ordering: .releasing)
    }
  }

  /// All listings, which of them each search shows by its key without the page, and the version that they are of. The same
  /// object is unchanged from one version to the next.
  package var all: (listings: [SeenListing], searches: [String: Set<EbayItemID>], version: UInt64) {
    shelf.withLock { (Array($0.listings.values), $0.searches, $0.version) }
  }

  /// Takes out what eBay does not show any more.
  ///
  /// - Parameter instant: when eBay said so.
  func remove(_ ids: Set<EbayItemID>, gone instant: Timestamp) {
    shelf.withLock { shelf in
      for id in ids { shelf.gone[id] = max(instant, shelf.gone[id] ?? instant) }
      shelf.boundGone()
      shelf.keep { !ids.contains($0.id) }
      shownVersion.store(shelf.version, ordering: .releasing)
    }
  }

  /// What eBay said since an instant that it is not there any more.
  func gone(since instant: Timestamp) -> [EbayItemID] {
    shelf.withLock { $0.gone.compactMap { $1 >= instant ? $0 : nil } }
  }

  /// Whether eBay said that it is not there any more, though it was.
  func isGone(_ id: EbayItemID) -> Bool { shelf.withLock { $0.gone[id] != nil } }

  /// eBay shows a listing again that it did not.
  func noteShown(_ id: EbayItemID) { shelf.withLock { $0.gone[id] = nil } }

  subscript(id: EbayItemID) -> SeenListing? { shelf.withLock { $0.listings[id] } }
}

extension ListingIndex.Shelf {
  fileprivate mutating func keep(_ isKept: (SeenListing) -> Bool) {
    let before = listings.count
    listings = listings.filter { isKept($0.value) }
    guard listings.count < before else { return }
    for (name, ids) in searches {
      let kept = ids.filter { listings[$0] != nil }
      searches[name] = kept.isEmpty ? nil : kept
    }
    version &+= 1
  }

  fileprivate mutating func boundGone() {
    guard gone.count > ListingIndex.mostGone else { return }
    let instants = gone.values.sorted()
    let limit = instants[instants.count / 2]
    gone = gone.filter { $0.value > limit }
  }

  /// A tenth goes at once, so that not each page has to look.
  fileprivate mutating func bound() {
    guard listings.count > ListingIndex.most else { return }
    let seen = listings.values.map(\.seen).sorted()
    let limit = seen[seen.count / 10]
    keep { $0.seen > limit }
  }
}
