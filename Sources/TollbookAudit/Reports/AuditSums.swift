package import JSONText
import TollbookArchive

/// What an audit counts: for all of its range, and for each group.
package struct AuditCounts: Hashable, Sendable {
  /// What was charged for, and doubts that were settled.
  package var charges: Int64 = 0
  /// Requests to an upstream, each retry too.
  package var calls: Int64 = 0
  package var retries: Int64 = 0
  /// Answers of the upstream that were kept, those that say “there is no such thing” too.
  package var bought: Int64 = 0

  /// Reads that were answered from the cache, and those that joined somebody else's purchase.
  package var readsFresh: Int64 = 0
  package var readsStale: Int64 = 0
  package var readsJoined: Int64 = 0
  /// Reads that found nothing to answer with and began a purchase.
  package var readsBought: Int64 = 0
  /// Reads that got no answer, and of which no purchase or refusal tells.
  package var readsUnmet: Int64 = 0
  /// Stale reads of which a purchase or a refusal tells too, so that they are counted there once more.
  package var readsBooked: Int64 = 0
  /// Reads from entries whose cost is not in the log: nothing is counted as avoided for them.
  package var readsOfUnknownCost: Int64 = 0
  /// Resources that were wanted and not bought, by rule.
  package var refused: Int64 = 0
  /// Of those, refreshes that nobody waited for.
  package var refusedBehind: Int64 = 0

  package static let zero = AuditCounts()

  package init() {}

  /// Reads that were answered without buying.
  package var hits: Int64 { readsFresh &+ readsStale &+ readsJoined }

  /// Reads that found nothing in the cache to be answered with.
  package var misses: Int64 {
    max(0, readsBought &+ readsUnmet &+ refused &- refusedBehind &- readsBooked)
  }

  package var reads: Int64 { hits &+ misses }

  /// Hits among all reads, in hundredths of a percent; nil without reads.
  package var hitRate: Int64? { hundredths(hits, of: reads) }

  package static func += (left: inout AuditCounts, right: AuditCounts) {
    left.charges &+= right.charges
    left.calls &+= right.calls
    left.retries &+= right.retries
    left.bought &+= right.bought
    left.readsFresh &+= right.readsFresh
    left.readsStale &+= right.readsStale
    left.readsJoined &+= right.readsJoined
    left.readsBought &+= right.readsBought
    left.readsUnmet &+= right.readsUnmet
    left.readsBooked &+= right.readsBooked
    left.readsOfUnknownCost &+= right.readsOfUnknownCost
    left.refused &+= right.refused
    left.refusedBehind &+= right.refusedBehind
  }
}

/// What an audit adds up of one unit. What was spent and what the cache avoided stand in columns of their own and are
/// never added to each other.
package struct UnitAmounts: Hashable, Sendable {
  /// Charged, and doubts that were settled, when they were: as the ledger has it.
  package var certain: Int64 = 0
  /// In doubt. It counts when it began. A range that is not of whole hours knows nothing of what came after it; it is
  /// negative if the range closes doubts from before it.
  package var inDoubt: Int64 = 0
  /// Held as spent for good; counts when the doubt began.
  package var unprovable: Int64 = 0
  /// Reserved for attempts that began in the range and of which the end is not known: held, and perhaps spent. It counts
  /// when it was reserved, and no longer once the attempt has ended, in the range or, of whole hours, after it.
  package var reserved: Int64 = 0
  /// What the price list said for what was charged.
  package var expected: Int64 = 0
  /// How many charges are of this unit.
  package var charges: Int64 = 0
  /// What the entries that answered reads had cost, once for each read: so much the cache avoided.
  package var avoided: Int64 = 0
  /// The same for reads that joined.
  package var avoidedByJoining: Int64 = 0

  package static let zero = UnitAmounts()

  package init() {}

  package var spent: AmountInterval {
    AmountInterval(low: certain, high: certain &+ inDoubt &+ unprovable &+ reserved)
  }

  package var saved: Int64 { avoided &+ avoidedByJoining }

  /// What the cache avoided among what would have been spent without it, in hundredths of a percent.
  package var hitRate: Int64? { hundredths(saved, of: saved &+ max(0, spent.high)) }

  package static func += (left: inout UnitAmounts, right: UnitAmounts) {
    left.certain &+= right.certain
    left.inDoubt &+= right.inDoubt
    left.unprovable &+= right.unprovable
    left.reserved &+= right.reserved
    left.expected &+= right.expected
    left.charges &+= right.charges
    left.avoided &+= right.avoided
    left.avoidedByJoining &+= right.avoidedByJoining
  }
}

/// A part of a whole in hundredths of a percent, rounded half up; nil where there is nothing to divide.
package func hundredths(_ part: Int64, of whole: Int64) -> Int64? {
  guard whole > 0, part >= 0 else { return nil }
  return Int64(clamping: (Int128(part) * 20_000 + Int128(whole)) / (2 * Int128(whole)))
}

/// Counts, and the amounts of each unit of which there are any.
package struct AuditSums: Hashable, Sendable {
  package var counts: AuditCounts
  package private(set) var amounts: PerUnit<UnitAmounts>

  package static let zero = AuditSums()

  package init() {
    counts = .zero
    amounts = PerUnit()
  }

  init(_ sums: AuditGroups.Sums, unitsOf names: Names) {
    counts = sums.counts
    amounts = PerUnit(sums.amounts, unitsOf: names) { $0 != .zero }
  }

  /// The amounts of a unit; zero if there are none.
  package subscript(unit: String) -> UnitAmounts { amounts[unit] ?? .zero }

  package static func + (left: AuditSums, right: AuditSums) -> AuditSums {
    var sum = left
    sum += right
    return sum
  }

  package static func += (left: inout AuditSums, right: AuditSums) {
    left.counts += right.counts
    for element in right.amounts { left.amounts[element.unit, default: .zero] += element.value }
    left.amounts.removeAll { $0 == .zero }
  }
}

// MARK: As JSON

extension AuditSums {
  /// Writes them as members of an object.
  ///
  /// - Parameters:
  ///   - price: what a token costs, to have money beside tokens.
  ///   - units: those to tell about.
  package func write(to json: inout JSONWriter, price: TokenPrice?, units: [String]) {
    json.array("amounts", units) { json, unit in
      json.object { json in self[unit].write(to: &json, unit: unit, price: price) }
    }
    counts.write(to: &json)
  }
}

extension AuditCounts {
  fileprivate func write(to json: inout JSONWriter) {
    json.field("charges", charges)
    json.field("calls", calls)
    json.field("retries", retries)
    json.field("bought", bought)
    json.object("reads") { json in
      json.field("fresh", readsFresh)
      json.field("stale", readsStale)
      json.field("joined", readsJoined)
      json.field("bought", readsBought)
      json.field("refused", refused)
      json.field("unmet", readsUnmet)
    }
    json.field("reads_of_unknown_cost", readsOfUnknownCost)
    json.field("hit_rate", hitRate.map { Double($0) / 100 })
  }
}

extension UnitAmounts {
  fileprivate func write(to json: inout JSONWriter, unit: String, price: TokenPrice?) {
    json.field("unit", unit)
    json.amount("low", spent.low, unit)
    json.amount("high", spent.high, unit)
    json.amount("certain", certain, unit)
    json.amount("in_doubt", inDoubt, unit)
    json.amount("unprovable", unprovable, unit)
    json.amount("reserved", reserved, unit)
    json.amount("expected", expected, unit)
    json.amount("avoided", avoided, unit)
    json.amount("avoided_by_joining", avoidedByJoining, unit)
    json.field("charges", charges)
    json.field("hit_rate_by_amount", hitRate.map { Double($0) / 100 })
    guard let price, price.isOf(unit) else { return }
    json.object("money") { json in
      json.field("currency", price.currency)
      json.field("low_nano_units", price.nanoUnits(of: spent.low))
      json.field("high_nano_units", price.nanoUnits(of: spent.high))
      json.field("avoided_nano_units", price.nanoUnits(of: avoided))
      json.field("avoided_by_joining_nano_units", price.nanoUnits(of: avoidedByJoining))
    }
  }
}
