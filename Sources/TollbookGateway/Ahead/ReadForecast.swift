import Foundation
package import TollbookEvents
package import TollbookViews

/// How likely an entry is of use if it is bought again before it stops being fresh.
///
/// Buying it anew makes it answer longer by the time that has passed since it was fetched. Of use is that if somebody
/// reads it in the time that is gained; he would have bought it himself. Reads are taken to come by chance, as often as
/// since the fetch; the time in which nobody read it counts twice, so that what is not wanted any more is left.
package enum ReadForecast {
  /// What is less likely to be read than not is not bought ahead.
  package static let leastChance = 0.5

  /// Whether what will probably be read so often is more likely to be read at all than not.
  static func isLikely(_ reads: Double) -> Bool { 1 - exp(-reads) >= leastChance }

  /// The probability that somebody reads the entry in the time that it gains; nil: it is not to be bought ahead at all.
  ///
  /// - Parameter fresh: how long it would be fresh, in milliseconds.
  package static func chance(
    of entry: CacheEntry, fresh: Int64, at now: Timestamp
  ) -> Double? {
    let age = now.milliseconds &- entry.fetched.milliseconds
    let left = entry.freshUntil.milliseconds &- now.milliseconds
    // Before half of its time is over most of what was paid for would be thrown away.
    guard entry.isPresent, !entry.isPurged, age > 0, left > 0, age >= left, fresh > left,
      let lastRead = entry.lastRead
    else { return nil }
    let silence = min(max(0, now.milliseconds - lastRead.milliseconds), age)
    return chance(reads: entry.hits, in: age, silence: silence, gained: fresh - left)
  }

  /// - Parameters:
  ///   - reads: how often it was read in a time.
  ///   - silence: the time at the end of that in which nobody read it.
  ///   - gained: the time in which somebody should read it.
  static func chance(reads: UInt64, in age: Int64, silence: Int64, gained: Int64) -> Double {
    guard reads > 0, age > 0, gained > 0 else { return 0 }
    let rate = Double(reads) / (Double(age) + Double(max(0, silence)))
    return 1 - exp(-rate * Double(gained))
  }
}
