package import JSONText

/// What an audit adds up: for all of its range, and for each group. What was spent and what the cache avoided stand in
/// columns of their own and are never added to each other.
package struct AuditSums: Hashable, Sendable {
  /// Charged, and doubts that were settled, when they were: as the ledger has it.
  package var certain: Int64 = 0
  /// In doubt by the end of the range. A doubt counts when it began. Negative if the range closes doubts from before it.
  package var inDoubt: Int64 = 0
  /// Held as spent for good by the end of the range; counts when the doubt began.
  package var unprovable: Int64 = 0
  /// What the price list said for what was charged.
  package var expected: Int64 = 0
  package var charges: Int64 = 0
  /// Requests to the upstream, each retry too.
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
  /// Resources that were wanted and not bought, by rule.
  package var refused: Int64 = 0
  /// Of those, refreshes that nobody waited for.
  package var refusedBehind: Int64 = 0

  /// What the entries that answered reads had cost, once for each read: so much the cache avoided.
  package var avoided: Int64 = 0
  /// The same for reads that joined.
  package var avoidedByJoining: Int64 = 0
  /// Reads from entries whose cost is not in the log: nothing is counted as avoided for them.
  package var readsOfUnknownCost: Int64 = 0

  package static let zero = AuditSums()

  package init() {}

  package var tokens: TokenInterval {
    TokenInterval(low: certain, high: certain &+ inDoubt &+ unprovable)
  }

  /// Reads that were answered without buying.
  package var hits: Int64 { readsFresh &+ readsStale &+ readsJoined }

  /// Reads that found nothing in the cache to be answered with.
  package var misses: Int64 {
    max(0, readsBought &+ readsUnmet &+ refused &- refusedBehind &- readsBooked)
  }

  package var reads: Int64 { hits &+ misses }

  /// Hits among all reads, in hundredths of a percent; nil without reads.
  package var hitRate: Int64? { Self.share(hits, of: reads) }

  /// What the cache avoided among what would have been spent without it, in hundredths of a percent.
  package var hitRateByTokens: Int64? {
    let saved = avoided &+ avoidedByJoining
    return Self.share(saved, of: saved &+ max(0, tokens.high))
  }

  private static func share(_ part: Int64, of whole: Int64) -> Int64? {
    guard whole > 0, part >= 0 else { return nil }
    return Int64(clamping: Int128(part) * 10_000 / Int128(whole))
  }

  package static func + (left: AuditSums, right: AuditSums) -> AuditSums {
    var sum = left
    sum += right
    return sum
  }

  package static func += (left: inout AuditSums, right: AuditSums) {
    left.certain &+= right.certain
    left.inDoubt &+= right.inDoubt
    left.unprovable &+= right.unprovable
    left.expected &+= right.expected
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
    left.refused &+= right.refused
    left.refusedBehind &+= right.refusedBehind
    left.avoided &+= right.avoided
    left.avoidedByJoining &+= right.avoidedByJoining
    left.readsOfUnknownCost &+= right.readsOfUnknownCost
  }
}

extension AuditSums {
  /// Writes them as members of an object, with money where a token has a price.
  package func write(to json: inout JSONWriter, price: TokenPrice?) {
    json.object("tokens") { json in
      json.field("low", tokens.low)
      json.field("high", tokens.high)
      json.field("certain", certain)
      json.field("in_doubt", inDoubt)
      json.field("unprovable", unprovable)
      json.field("expected", expected)
    }
    json.object("avoided") { json in
      json.field("tokens", avoided)
      json.field("tokens_by_joining", avoidedByJoining)
      json.field("reads_of_unknown_cost", readsOfUnknownCost)
    }
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
    json.field("hit_rate", hitRate.map { Double($0) / 100 })
    json.field("hit_rate_by_tokens", hitRateByTokens.map { Double($0) / 100 })
    if let price {
      json.object("money") { json in
        json.field("currency", price.currency)
        json.field("low_micro_units", price.microUnits(of: tokens.low))
        json.field("high_micro_units", price.microUnits(of: tokens.high))
        json.field("avoided_micro_units", price.microUnits(of: avoided))
        json.field("avoided_by_joining_micro_units", price.microUnits(of: avoidedByJoining))
      }
    }
  }
}
