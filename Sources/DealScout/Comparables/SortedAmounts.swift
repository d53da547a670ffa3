/// Sorted amounts, of which one may be left out without copying the others. Results are in quarters of a minor unit.
struct SortedAmounts {
  private let amounts: [Int64]
  private let gap: Int
  let count: Int

  /// - Parameters:
  ///   - amounts: sorted, each from 0 to ``Offer/mostMinorUnits``.
  ///   - gap: the place of the amount that is left out; nil: none is.
  init(_ amounts: [Int64], without gap: Int?) {
    let inside = gap.flatMap { amounts.indices.contains($0) ? $0 : nil }
    self.amounts = amounts
    self.gap = inside ?? amounts.count
    count = amounts.count - (inside == nil ? 0 : 1)
  }

  subscript(place: Int) -> Int64 { amounts[place < gap ? place : place + 1] }

  /// The mean of the two in the middle for an even number; 0 for none.
  func median(of places: Range<Int>) -> Int64 {
    guard !places.isEmpty else { return 0 }
    let middle = places.lowerBound + places.count / 2
    return places.count.isMultiple(of: 2)
      ? 2 * (self[middle - 1] + self[middle]) : 4 * self[middle]
  }

  /// The inclusive quartile: 1 the lower, 3 the upper; 0 for no amounts.
  func quartile(_ number: Int, of places: Range<Int>) -> Int64 {
    guard !places.isEmpty else { return 0 }
    let (whole, quarters) = (number * (places.count - 1)).quotientAndRemainder(dividingBy: 4)
    let place = places.lowerBound + whole
    guard quarters > 0 else { return 4 * self[place] }
    return 4 * self[place] + Int64(quarters) * (self[place + 1] - self[place])
  }

  /// The places of the amounts from one bound through another, both in quarters.
  func places(from low: Int64, through high: Int64) -> Range<Int> {
    let start = firstPlace { 4 * $0 >= low }
    return start..<max(start, firstPlace { 4 * $0 > high })
  }

  /// The median of the distances from a point in quarters, which is the median of all: the mean of the two in the
  /// middle for an even number; 0 for none.
  func medianDistance(from point: Int64) -> Int64 {
    guard count > 0 else { return 0 }
    let split = firstPlace { 4 * $0 >= point }
    let upper = distance(rank: count / 2, from: point, split: split)
    guard count.isMultiple(of: 2) else { return upper }
    let lower = distance(rank: count / 2 - 1, from: point, split: split)
    // Both are even: the point is a multiple of 2.
    return (lower + upper) / 2
  }

  /// The distance of a rank, from 0. To the left of the split the distances rise to the left, from it on to the right:
  /// the rank is found in the two rising rows by halving.
  private func distance(rank: Int, from point: Int64, split: Int) -> Int64 {
    func left(_ index: Int) -> Int64 { point - 4 * self[split - 1 - index] }
    func right(_ index: Int) -> Int64 { 4 * self[split + index] - point }
    let (leftCount, rightCount) = (split, count - split)
    // How many of the `rank` smallest are to the left.
    var low = max(0, rank - rightCount)
    var high = min(rank, leftCount)
    while low < high {
      let middle = low + (high - low) / 2
      if left(middle) < right(rank - middle - 1) { low = middle + 1 } else { high = middle }
    }
    let other = rank - low
    if low >= leftCount { return right(other) }
    if other >= rightCount { return left(low) }
    return min(left(low), right(other))
  }

  private func firstPlace(where isThere: (Int64) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if isThere(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
