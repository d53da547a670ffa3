package import TollbookEvents
package import TollbookGateway

/// What the recorded demand costs, and how it is answered, under one policy.
package struct WhatIfOutcome: Hashable, Sendable {
  /// The policy as it was written.
  package var name: String
  /// Nil: as recorded.
  package var products: FreshnessPolicy?
  /// Resources asked for: once for each resource of each request.
  package var requests: Int64 = 0
  /// Calls to the upstream, attempts that failed included.
  package var calls = Bounds.zero
  /// In the unit of the table.
  package var cost = Bounds.zero
  /// Resources bought.
  package var bought = Bounds.zero
  /// Answered from the cache, fresh or in grace.
  package var hits = Bounds.zero
  /// Answered from the cache, past its time, because nothing better could be had.
  package var stale = Bounds.zero
  /// Wanted to be bought, and refused by rule; some of them were answered stale.
  package var refused = Bounds.zero
  /// Not answered.
  package var unanswered = Bounds.zero
  /// Of what was served, in seconds; nil if nothing was.
  package var medianAge: Bounds?
  package var highAge: Bounds?

  /// Hits among requests.
  package var hitRate: (low: Double, high: Double) {
    guard requests > 0 else { return (0, 0) }
    return (Double(hits.low) / Double(requests), Double(hits.high) / Double(requests))
  }
}

/// What was recorded in one unit, and what other policies would have made of it.
package struct WhatIfTable: Hashable, Sendable {
  /// The unit that costs are in.
  package var unit: String
  package var recorded: WhatIfOutcome
  /// In the order of the policies. Empty: no price list says what would have been bought in this unit, and only the calls
  /// and their cost are known of the record.
  package var outcomes: [WhatIfOutcome] = []
}

/// What was recorded, and what other policies would have made of it: a table for each unit.
package struct WhatIfReport: Hashable, Sendable {
  /// What was tried with other windows, such as `atlas.place`.
  package var kind: String
  /// Positions of the events that it is about: after the first, up to the second.
  package var after: Position
  package var through: Position
  /// Of the first and the last demand; nil if there was none.
  package var period: ClosedRange<Timestamp>?
  /// The windows in force at the end of the period, as the events tell them.
  package var recordedPolicy: FreshnessPolicy
  /// What is played.
  package var played: WhatIfTable
  /// What was spent in other units, in their order.
  package var others: [WhatIfTable]
  /// What bounds the figures, in sentences for people.
  package var notes: [String]

  package var tables: [WhatIfTable] { [played] + others }
}
