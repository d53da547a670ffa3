/// How many new listings a search brings in an hour, as its scans have found it.
///
/// What was seen counts half as much after six hours. A search that was never scanned counts as one that brought one
/// listing in half an hour.
package struct ListingRate: Hashable, Sendable {
  private static let halfLife = 6.0
  private static let assumedHours = 0.5
  /// No more new listings of one scan are believed.
  private static let mostEach: Int64 = 10_000
  /// No longer gap between two scans is believed, in milliseconds: a day.
  private static let longestGap: Int64 = 86_400_000

  private var listings: Double
  private var hours: Double

  package init() {
    listings = 1
    hours = Self.assumedHours
  }

  /// What was kept of one; what is no figure becomes 0.
  package init(listings: Double, hours: Double) {
    self.listings = listings.isFinite ? max(0, listings) : 0
    self.hours = hours.isFinite ? max(0, hours) : 0
  }

  /// To be kept, weighted: listings in so many hours.
  package var kept: (listings: Double, hours: Double) { (listings, hours) }

  /// Listings in an hour.
  package var perHour: Double { listings / max(hours, Self.assumedHours) }

  /// A scan has found new listings.
  ///
  /// - Parameters:
  ///   - new: how many that the scan before did not show.
  ///   - gap: milliseconds since the scan before. Where the clock was set back it says nothing, and is left out.
  package mutating func scanned(new: Int64, after gap: Int64) {
    guard gap > 0 else { return }
    let passed = Double(min(gap, Self.longestGap)) / 3_600_000
    // What is left of the weight after so long: 0.5 to the power of passed / half-life, in halving steps and a line.
    let weight = Self.decay(passed / Self.halfLife)
    listings = listings * weight + Double(min(max(0, new), Self.mostEach))
    hours = hours * weight + passed
  }

  /// 0.5 to the power of a number that is not negative; between whole powers along a line.
  private static func decay(_ power: Double) -> Double {
    var (weight, rest) = (1.0, power)
    while rest >= 1, weight > 1e-9 {
      weight /= 2
      rest -= 1
    }
    return weight * (1 - min(rest, 1) / 2)
  }
}
