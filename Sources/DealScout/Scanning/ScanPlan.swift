package import JSONText
package import TollbookEvents

/// A saved search as the planner sees it.
package struct ScanSearch: Hashable, Sendable {
  /// Pages that one scan may ask for.
  package static let pages: ClosedRange<Int64> = 1...50

  package let id: String
  /// By the wall clock; nil: never.
  package let lastScanned: Timestamp?
  /// Milliseconds since its last scan, by a clock that nobody sets; nil: not known, as after a start.
  package let age: Int64?
  /// The most calls that one scan may take.
  package let pages: Int64
  /// Calls that its scans take on the average.
  package let usualCalls: Double
  /// New listings in an hour, as scans have found it; nil: nobody knows yet.
  package let newPerHour: Double?

  /// - Parameter usualCalls: nil: as many as it may take.
  package init(
    _ id: String, lastScanned: Timestamp?, age: Int64? = nil, pages: Int64 = 1,
    usualCalls: Double? = nil, newPerHour: Double?
  ) {
    self.id = id
    self.lastScanned = lastScanned
    self.age = age.map { max(0, $0) }
    self.pages = min(max(pages, Self.pages.lowerBound), Self.pages.upperBound)
    let usual = usualCalls.flatMap { $0.isFinite ? $0 : nil } ?? Double(self.pages)
    self.usualCalls = min(max(usual, 1), Double(self.pages))
    self.newPerHour = newPerHour.flatMap { $0.isFinite ? min(max(0, $0), 1_000_000) : nil }
  }
}

/// Why a search is scanned now, or is not. The raw values are part of the HTTP API.
package enum ScanReason: String, Hashable, Sendable, CaseIterable {
  /// Scanned: it never was.
  case new
  /// Scanned: its interval is over.
  case due
  /// Scanned: otherwise it would go unscanned for longer than any search may.
  case overdue
  /// Scanned: its last scan lies ahead of the clock, which was set back, and nobody knows how long ago it was.
  case clock
  /// Not scanned: its last answer is still fresh, and would be bought for nothing.
  case fresh
  /// Not scanned: its interval is not over.
  case waits
  /// Not scanned: it is due, and the calls of this turn are given to others.
  case pace
  /// Not scanned: what is left is kept for people until the calls begin anew.
  case reserve
  /// Not scanned: no call is left until the calls begin anew.
  case spent

  package var isScanned: Bool {
    switch self {
    case .new, .due, .overdue, .clock: true
    case .fresh, .waits, .pace, .reserve, .spent: false
    }
  }
}

/// What is decided of one search.
package struct ScanDecision: Hashable, Sendable {
  package let search: String
  package let reason: ScanReason
  /// The most calls that its scan may take now; 0: it is not scanned.
  package let calls: Int64
  /// When it is expected to be scanned next, if all stays as it is.
  package let next: Timestamp
}

/// What is to be scanned in one turn.
package struct ScanPlan: Hashable, Sendable {
  /// One for each search: first those that are scanned, in the order in which they are to be; then the others, by when
  /// they are expected.
  package let decisions: [ScanDecision]
  /// Calls that scans may still make in this window, before this turn.
  package let budget: Int64
  /// Calls that are kept for people.
  package let held: Int64
  /// When the calls begin anew.
  package let reset: Timestamp
  /// Whether every search can be scanned as often as each is to be, with what is left.
  package let keepsLongestGap: Bool

  package var scans: [ScanDecision] { decisions.filter(\.reason.isScanned) }

  /// The most calls that the scans of this turn may make.
  package var calls: Int64 { decisions.reduce(0) { $0 + $1.calls } }

  /// Until when nothing is scanned, since what is left is kept for people, or nothing is left; nil: it is not so.
  package var heldUntil: Timestamp? {
    decisions.contains { $0.reason == .reserve || $0.reason == .spent } ? reset : nil
  }

  /// For a person, in one sentence without a full stop.
  package var sentence: String {
    let scans = scans.count
    if let heldUntil {
      let why =
        held > 0 ? "\(held) calls are kept for people" : "no call is left"
      return "\(scans) of \(decisions.count) searches are scanned; \(why) until \(heldUntil)"
    }
    return "\(scans) of \(decisions.count) searches are scanned, with up to \(calls) calls;"
      + " \(budget) are left for scans until \(reset)"
  }

  /// One object: scans, calls, budget, held, held_until, reset_at, keeps_longest_gap, searches (search, reason, calls,
  /// next_at).
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("scans", scans.count)
      json.field("calls", calls)
      json.field("budget", budget)
      json.field("held", held)
      json.field("held_until", heldUntil?.description)
      json.field("reset_at", reset.description)
      json.field("keeps_longest_gap", keepsLongestGap)
      json.array("searches", decisions) { json, decision in
        json.object { json in
          json.field("search", decision.search)
          json.field("reason", decision.reason.rawValue)
          json.field("calls", decision.calls)
          json.field("next_at", decision.next.description)
        }
      }
    }
  }
}
