import JSONText
import TollbookArchive
import TollbookEvents
import TollbookViews

/// What a stretch of time brought: reads, and of each unit what was spent and what the cache spared.
struct CacheSums: Hashable, Sendable {
  /// Of one unit.
  struct Amounts: Hashable, Sendable {
    /// Charged, doubts that were settled, and corrections.
    var charged: Int64 = 0
    /// In doubt, and what nobody can prove; nil: not known of a stretch that short.
    var inDoubt: Int64? = 0
    /// What the entries that answered reads had cost, once for each read; nil: not known of a stretch that short.
    var avoided: Int64? = 0

    /// What the cache spared among what would have been paid without it, from 0 to 1; nil: nothing would have been, or
    /// it is not known.
    var ratio: Double? {
      guard let avoided, let inDoubt else { return nil }
      let spent = max(0, Double(charged) + Double(inDoubt))
      let whole = Double(avoided) + spent
      return whole > 0 ? Double(max(0, avoided)) / whole : nil
    }
  }

  /// Reads that were answered without buying.
  var hits: Int64 = 0
  /// Reads that found nothing to be answered with. A stale read and its purchase may lie in different stretches: one
  /// alone could come to less than nothing.
  var misses: Int64 { max(0, missed) }
  private var missed: Int64 = 0
  private(set) var amounts: [String: Amounts] = [:]
  private let isByMinute: Bool

  /// From 0 to 1; nil without reads.
  var ratio: Double? {
    let reads = Double(hits) + Double(misses)
    return reads > 0 ? Double(hits) / reads : nil
  }

  init() { isByMinute = false }

  /// By the minutes of the clock. A refresh that nobody waited for counts as a miss, as in `GET /cache/stats`.
  init(_ totals: MetricsView.Totals) {
    isByMinute = true
    hits = totals.hits
    missed = totals.misses
    for series in [MetricSeries.amountsCharged, .amountsCorrected] {
      for amount in totals.amounts(of: series) {
        var sum = amounts[amount.unit] ?? nothing
        sum.charged &+= amount.count
        amounts[amount.unit] = sum
      }
    }
  }

  /// Of a unit of which nothing was counted.
  private var nothing: Amounts {
    isByMinute ? Amounts(inDoubt: nil, avoided: nil) : Amounts()
  }

  /// Forgets what was spent.
  mutating func removeAmounts() { amounts = [:] }

  /// Adds a row of an hour. A refresh that nobody waited for is no read.
  mutating func add(_ row: RollupRow, unit: String) {
    guard !unit.isEmpty else {
      hits &+= row[.readsFresh] &+ row[.readsStale] &+ row[.readsJoined]
      missed &+=
        row[.readsBought] &+ row[.readsUnmet] &+ row[.refused] &- row[.refusedBehind]
        &- row[.readsBooked]
      return
    }
    var sum = amounts[unit] ?? Amounts()
    sum.charged &+= row[.certain] &+ row[.corrected]
    sum.inDoubt = (sum.inDoubt ?? 0) &+ row[.inDoubt] &+ row[.unprovable]
    sum.avoided = (sum.avoided ?? 0) &+ row[.avoided] &+ row[.avoidedByJoining]
    amounts[unit] = sum
  }

  static func += (left: inout CacheSums, right: CacheSums) {
    left.hits &+= right.hits
    left.missed &+= right.missed
    for (unit, other) in right.amounts {
      var sum = left.amounts[unit] ?? Amounts()
      sum.charged &+= other.charged
      sum.inDoubt = sum.inDoubt.flatMap { own in other.inDoubt.map { own &+ $0 } }
      sum.avoided = sum.avoided.flatMap { own in other.avoided.map { own &+ $0 } }
      left.amounts[unit] = sum
    }
  }
}

// MARK: As JSON

extension CacheSums {
  /// Writes them as members of an object.
  ///
  /// - Parameter units: those to tell about.
  func write(to json: inout JSONWriter, units: [String]) {
    json.field("hit_rate", ratio?.percent)
    json.field("hit_ratio", ratio.map { rounded($0, digits: 4) })
    json.field("hits", hits)
    json.field("misses", misses)
    json.array("amounts", units) { json, unit in
      let amounts = amounts[unit] ?? nothing
      json.object { json in
        json.field("unit", unit)
        json.amount("charged", amounts.charged, unit)
        json.amount("in_doubt", amounts.inDoubt, unit)
        json.amount("avoided", amounts.avoided, unit)
        json.field("hit_rate_by_amount", amounts.ratio?.percent)
        json.field("hit_ratio_by_amount", amounts.ratio.map { rounded($0, digits: 4) })
      }
    }
  }
}

extension Double {
  /// A part of one in percent, to two decimals.
  var percent: Double { (self * 10_000).rounded() / 100 }
}
