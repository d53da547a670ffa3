import TollbookEvents

/// A call to an upstream as an audit follows it, until it has ended and nothing of it is in doubt.
struct AuditCall: Sendable {
  /// What is known of each resource.
  struct Marks: OptionSet, Sendable {
    let rawValue: UInt8

    /// There was no need to buy it.
    static let duplicate = Marks(rawValue: 1)
    /// The answer was kept.
    static let brought = Marks(rawValue: 2)
    /// It was what had been there before.
    static let unchanged = Marks(rawValue: 4)
    /// The entry is gone; it had been read while it was fresh, or not.
    static let used = Marks(rawValue: 8)
    static let unread = Marks(rawValue: 16)
  }

  /// Somebody who asked for some of it.
  struct Demand: Sendable {
    var account: Int
    /// Whether nobody waits for it.
    var isBehind: Bool
  }

  /// Empty: it began before what the log holds.
  var demands = ShortList<Demand>()
  /// Whether its events tell who pays for which kind of resources.
  var tellsKinds = false
  /// Numbers of names; nil: it began before what the log holds.
  var credential: Int?
  var operation: Int?
  /// Places on the shelf, in request order.
  var resources: [Int] = []
  var marks: [Marks] = []
  /// Of each resource the number of its demand; empty: all are of the first.
  var demandOf: [Int64] = []
  /// Of each resource, by which a cost is divided; empty: evenly.
  var weights: [Int64] = []
  /// The index after the resource that was marked last.
  var marked = 0
  /// The attempt that was answered; 0: none.
  var succeeded: UInt32 = 0
  /// Nothing more will be booked for it, but for doubts.
  var isOver = false
  var openDoubts = 0

  /// Who asked first.
  var account: Int? { demands.first?.account }

  /// Who asked for a resource; nil: not known.
  func demand(ofResource index: Int) -> Demand? {
    guard index < demandOf.count, demands.indices.contains(Int(truncatingIfNeeded: demandOf[index]))
    else { return demands.first }
    return demands[Int(truncatingIfNeeded: demandOf[index])]
  }

  func isBehind(_ index: Int) -> Bool { demand(ofResource: index)?.isBehind ?? false }

  /// The index of a place among the resources, looked for from where it is expected.
  func index(of place: Int, near hint: Int) -> Int? {
    if hint < resources.count, resources[hint] == place { return hint }
    return resources.firstIndex(of: place)
  }

  /// The place of the resource at an index.
  func resource(_ index: Int) -> Int? { index < resources.count ? resources[index] : nil }

  /// An amount divided over some of the resources.
  func divided(_ amount: Int64, over indices: [Int]) -> [Int64] {
    guard !weights.isEmpty else { return evenly(amount, over: indices.count) }
    return divide(amount, over: indices.map { $0 < weights.count ? weights[$0] : 1 })
  }
}

/// Who pays, and how much of it.
struct AuditPayer: Sendable {
  /// Nil: not known.
  var account: Int?
  /// Of the resources that it pays for, the number of its name; nil: not told.
  var kind: Int?
  var weight: Int64 = 1
}

/// An attempt of a call.
struct AttemptKey: Hashable, Sendable {
  var fetch: Position
  var attempt: UInt32
}

/// What is reserved for an attempt that began in the range and has not ended, as an audit follows it.
struct AuditReservation: Sendable {
  /// What is reserved on one page of the books. What only limits a cost that another part tells is none.
  struct Part: Sendable {
    var meter: AuditMeter
    /// The number of its name.
    var window: Int
    var amount: Int64
  }

  /// The event that reserved it: few are still open when they are asked for, and then it tells who pays.
  var record: [UInt8]
  var position: Position
  /// What the clock said then.
  var wall: Timestamp
  var parts: ShortList<Part>

  var isOver: Bool { parts.allSatisfy { $0.amount <= 0 } }
}

/// When by the clock something began to be held for an attempt, and for whom and what: it counts there until it ends.
struct AuditOrigin: Sendable {
  var time: Timestamp
  var payers = ShortList<AuditPayer>()
  /// Of the call; a doubt outlives it.
  var operation: Int?
}

/// What is in doubt or unprovable of an attempt, as an audit follows it.
struct AuditDoubt: Sendable {
  var origin: AuditOrigin
  /// Whether it began in the range.
  var isCounted = false
  /// On how many pages of the books it is open.
  var openPages = 0
  /// The unit in which it was settled first: there the settlement counts as a charge.
  var countedUnit: Int?
}
