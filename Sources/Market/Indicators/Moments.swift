/// Count, mean and spread of some numbers.
///
/// One number is added as B. P. Welford does ("Note on a method for calculating corrected sums of squares and
/// products", 1962), two groups are put together as Chan, Golub and LeVeque do ("Updating formulae and a pairwise
/// algorithm for computing sample variances", 1979). No large squares are subtracted from each other, so equal numbers
/// have exactly their own mean and exactly no deviation.
struct Moments: Hashable, Sendable {
  private(set) var count = 0.0
  /// 0 if there are no numbers; not finite if they are too large.
  private(set) var mean = 0.0
  /// The sum of the squares of what each number is away from the mean.
  private var squares = 0.0

  init() {}

  init(of values: some Sequence<Double>) {
    for value in values { add(value) }
  }

  mutating func add(_ value: Double) {
    count += 1
    let before = value - mean
    mean += before / count
    squares += before * (value - mean)
  }

  /// The moments of the numbers of both.
  func merged(with other: Moments) -> Moments {
    guard count > 0 else { return other }
    guard other.count > 0 else { return self }
    let difference = other.mean - mean
    var both = Moments()
    both.count = count + other.count
    let share = other.count / both.count
    both.mean = mean + difference * share
    both.squares = squares + other.squares + difference * difference * count * share
    return both
  }

  /// The population's standard deviation: the squares are divided by the count, not by one less. Nil if there are no
  /// numbers, or they are too large.
  var deviation: Double? { count > 0 ? (squares / count).squareRoot().ifFinite : nil }
}

extension Moments {
  /// At each index the moments of the `window` values that end there; nil where there are fewer, and everywhere for a
  /// window below 1.
  ///
  /// The values are cut into blocks as long as the window. A window is then the end of one block and the beginning of
  /// the next: both are added up once, so the time grows with the values and not with the window, and nothing is ever
  /// subtracted. A huge value leaves no trace once it is out of the window.
  static func rolling(_ values: [Double], window: Int) -> [Moments?] {
    var rolling = [Moments?](repeating: nil, count: values.count)
    guard window >= 1, window <= values.count else { return rolling }
    // Of the last whole block: the moments from each place in it to its end.
    var ends: [Moments] = []
    var start = Moments()
    for (index, value) in values.enumerated() {
      let place = index % window
      if place == 0 {
        ends = self.ends(of: values[max(0, index - window)..<index])
        start = Moments()
      }
      start.add(value)
      guard index >= window - 1 else { continue }
      rolling[index] = place == window - 1 ? start : ends[place + 1].merged(with: start)
    }
    return rolling
  }

  private static func ends(of block: ArraySlice<Double>) -> [Moments] {
    var ends: [Moments] = []
    ends.reserveCapacity(block.count)
    var end = Moments()
    for value in block.reversed() {
      end.add(value)
      ends.append(end)
    }
    ends.reverse()
    return ends
  }
}
