/// What a row of the rollups adds up. The number is part of stored rows and never given to another column.
///
/// Counts stand in rows without a unit, amounts in rows of their unit.
///
/// A call, a retry or a charge that several pay for counts once: with the first of its payers. Who adds up by accounts or
/// by kinds finds it with the others too, in columns of their own: once for each other account, and each other kind.
package enum RollupColumn: UInt8, CaseIterable, Sendable {
  /// Requests to an upstream, each retry too.
  case calls = 0
  case retries = 1
  /// Charges, and doubts that were settled.
  case charges = 2
  /// Answers that were kept.
  case bought = 3
  case readsFresh = 4
  case readsStale = 5
  case readsJoined = 6
  /// Resources that somebody waited for, in calls that were begun.
  case readsBought = 7
  /// Reads that got no answer, and of which no purchase or refusal tells.
  case readsUnmet = 8
  /// Stale reads of which a purchase or a refusal tells too.
  case readsBooked = 9
  /// Resources that were wanted and not bought, by rule.
  case refused = 10
  /// Of those, refreshes that nobody waited for.
  case refusedBehind = 11
  /// Reads from entries whose cost nobody knows.
  case readsOfUnknownCost = 12
  /// Readings of an upstream's own books. They are nobody's: their names are empty.
  case readings = 13
  /// Costs that are not what the price list says.
  case priceDrifts = 14
  /// Readings that the books do not explain, those after a restore apart.
  case drifts = 15
  case restoreGaps = 16
  case callsOfOtherAccounts = 17
  case callsOfOtherKinds = 18
  case retriesOfOtherAccounts = 19
  case retriesOfOtherKinds = 20
  case chargesOfOtherAccounts = 21
  case chargesOfOtherKinds = 22

  /// Charged, and doubts that were settled, when they were.
  case certain = 24
  /// In doubt. It counts when it became doubtful.
  case inDoubt = 25
  /// Held as spent for good. It counts when it became doubtful.
  case unprovable = 26
  /// What the price list said for what was charged.
  case expected = 27
  /// What the entries that answered reads had cost, once for each read.
  case avoided = 28
  /// The same for reads that joined.
  case avoidedByJoining = 29
  /// Charged above what the price list says, and below.
  case aboveList = 30
  case belowList = 31
  /// Charged above what had been reserved.
  case excess = 32
  /// Moved by somebody else, by readings; negative: given back.
  case unexplained = 33
  /// What the log does not know of, by the first readings after a restore.
  case restoreGap = 34
  /// How many charges are of the unit.
  case unitCharges = 35
  case unitChargesOfOtherAccounts = 36
  case unitChargesOfOtherKinds = 37
  /// What corrections add to what is certain, in the hour of the correction: their sum, and what of it takes off.
  case corrected = 38
  case correctedDown = 39

  // What became of what is certain. What is in doubt or unprovable has its column above.

  case duplicate = 40
  case failed = 41
  case unchanged = 42
  case neverRead = 43
  case refreshedAndUsed = 44
  case served = 45
  case stillLive = 46
  case handedOn = 47
  case passedThrough = 48

  /// Posted from upstreams' bills: what is billed beyond what is booked; negative: billed less.
  case billed = 49

  /// Whether the column stands in rows of a unit.
  package var hasUnit: Bool { rawValue >= 24 }
}

/// The columns of something that counts once, though several may pay for it.
package struct RollupCount: Sendable {
  /// With the first payer.
  package let all: RollupColumn
  /// With the first payer of each other account, and of each other kind.
  package let ofOtherAccounts: RollupColumn
  package let ofOtherKinds: RollupColumn

  package static let calls = RollupCount(
    all: .calls, ofOtherAccounts: .callsOfOtherAccounts, ofOtherKinds: .callsOfOtherKinds)
  package static let retries = RollupCount(
    all: .retries, ofOtherAccounts: .retriesOfOtherAccounts, ofOtherKinds: .retriesOfOtherKinds)
  package static let charges = RollupCount(
    all: .charges, ofOtherAccounts: .chargesOfOtherAccounts, ofOtherKinds: .chargesOfOtherKinds)
  package static let unitCharges = RollupCount(
    all: .unitCharges, ofOtherAccounts: .unitChargesOfOtherAccounts,
    ofOtherKinds: .unitChargesOfOtherKinds)
}

/// Why an audit names an event by itself.
package struct RollupRemarks: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A charge that is not what the price list says.
  package static let price = RollupRemarks(rawValue: 1)
  /// A reading that the books do not explain.
  package static let drift = RollupRemarks(rawValue: 2)
  /// The first reading after a restore.
  package static let restoreGap = RollupRemarks(rawValue: 4)
}
