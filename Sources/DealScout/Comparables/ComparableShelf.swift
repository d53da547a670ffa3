import TollbookEvents

/// The comparables of one place: of every seller the cheapest, sorted by total and id.
///
/// An offer without a known seller counts for itself. Offers are named by their places in the list that they come from.
struct ComparableShelf: Sendable {
  /// Those of ``chosen``.
  private(set) var totals: [Int64] = []
  /// The cheapest of every seller, and all without a known one.
  private(set) var chosen: [Int] = []
  let oldestSeen: Timestamp
  /// Of the group.
  let key: ProductKey
  /// How many of those before each place were sold.
  private var soldBefore: [Int] = [0]
  private var placeOfSeller: [UInt64: Int] = [:]
  /// Doubles included.
  private let members: [Int]

  /// - Parameters:
  ///   - members: places in `offers`, in any order, no id twice.
  /// - Returns: nil for no members.
  init?(_ members: [Int], of offers: [Offer], key: ProductKey) {
    guard let oldest = members.lazy.map({ offers[$0].seen }).min() else { return nil }
    oldestSeen = oldest
    self.key = key
    self.members = members
    let sorted = members.map { (total: offers[$0].total, index: $0) }.sorted { left, right in
      left.total == right.total
        ? offers[left.index].id < offers[right.index].id : left.total < right.total
    }
    placeOfSeller.reserveCapacity(members.count)
    for (total, index) in sorted {
      let place = totals.count
      if let seller = offers[index].seller.token {
        guard placeOfSeller[seller] == nil else { continue }
        placeOfSeller[seller] = place
      }
      totals.append(total)
      chosen.append(index)
      soldBefore.append(soldBefore[place] + (offers[index].soldAt == nil ? 0 : 1))
    }
  }

  /// The place of a seller's cheapest; nil: they have none here, or are not known.
  func place(of seller: UInt64?) -> Int? { seller.flatMap { placeOfSeller[$0] } }

  /// The place of an offer of the list; nil: it is not among the chosen.
  func place(ofOffer index: Int, of offers: [Offer]) -> Int? {
    let (total, id) = (offers[index].total, offers[index].id)
    var low = 0
    var high = chosen.count
    while low < high {
      let middle = low + (high - low) / 2
      let isBefore =
        totals[middle] == total ? offers[chosen[middle]].id < id : totals[middle] < total
      if isBefore { low = middle + 1 } else { high = middle }
    }
    return low < chosen.count && chosen[low] == index ? low : nil
  }

  /// What is left without an id and a seller; nil: nothing.
  func rest(without offer: Offer, of offers: [Offer]) -> ComparableShelf? {
    let others = members.filter { index in
      offers[index].id != offer.id
        && (offer.seller.token == nil || offers[index].seller.token != offer.seller.token)
    }
    return ComparableShelf(others, of: offers, key: key)
  }

  /// How many were sold of a range of places from which one is left out.
  func sold(in places: Range<Int>, without gap: Int?) -> Int {
    guard let last = places.last else { return 0 }
    func real(_ place: Int) -> Int { gap.map { place < $0 ? place : place + 1 } ?? place }
    let (start, end) = (real(places.lowerBound), real(last) + 1)
    let sold = soldBefore[end] - soldBefore[start]
    guard let gap, start..<end ~= gap else { return sold }
    return sold - (soldBefore[gap + 1] - soldBefore[gap])
  }
}
