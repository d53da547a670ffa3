import TollbookEvents

/// One step of the recorded demand, in the order of time. Resources are numbered.
struct Probe: Sendable {
  enum Kind: UInt8, Sendable {
    /// The upstream's bucket is filled up.
    case refill
    /// An operator took entries out of use.
    case purged
    /// An entry came that nobody had asked for, or that was bought elsewhere.
    case brought
    /// A call for what is bought whatever the windows are.
    case company
    /// A read that was answered in grace, and whose refresh was bought then. It is counted as a read of its own.
    case refreshed
    /// A read that was answered in grace, and whose refresh was refused then. Counted as a read of its own.
    case refreshRefused
    /// A read that bought.
    case bought
    /// A read whose purchase was refused.
    case refused
    /// A read whose purchase failed without having begun.
    case failed
    /// Reads answered from the cache.
    case read
    /// Reads that waited for somebody else's purchase.
    case joined
    /// Looks into the cache, which never buy.
    case peek
  }

  /// When; of several reads the last, of a purchase when the last of those asked who share its call.
  var time: Int64
  /// When the first of several reads may have been; of a purchase when it was asked for.
  var earliest: Int64
  /// The oldest data that would do, in milliseconds; negative: what the windows say.
  var maximumAge: Int64 = -1
  /// What could be spent then, as recorded.
  var available: Int64 = .max
  /// The parts that must be in the answer.
  var wanted: UInt64 = 0
  var resource: Int32
  /// How many reads.
  var weight: Int32 = 1
  /// Which purchase, refusal, purge, refill, entry or call; negative: none. A refill without one is the turn of a window.
  var link: Int32 = -1
  var kind: Kind
}

/// A product that was bought.
struct RecordedPurchase: Sendable {
  var resource: Int32
  var call: Int32
  /// When its entry was fetched; `Int64.min`: it was not answered.
  var fetched: Int64 = .min
  var isPresent = false
  /// The parts that its entry has.
  var contentSet: UInt64
  /// Nobody waited for it.
  var isBehind: Bool
  /// Its share of the call's cost.
  var cost = Bounds.zero
}

/// A call that was made.
struct RecordedCall: Sendable {
  var start: Int64
  var end: Int64 = .max
  var items: Range<Int32>
  var attempts: Int32 = 1
  var contentSet: UInt64
  var hasSucceeded = false
  var failure = FailureReason.unspecified
  /// In the unit that is played. What is reserved for an attempt under way may have been spent.
  var cost = Bounds.zero
  /// What it brought beside its items, and what of the cost that is: it is bought whatever the windows are.
  var company: [ResourceKey] = []
  /// That of its company: those of one group may share a call; negative: none.
  var group: Int32 = -1
  var fixed = Bounds.zero
}

/// Reads of which the log does not tell what they read, because they were too many.
struct CutReads: Sendable {
  var fresh: Int64 = 0
  var stale: Int64 = 0
  var unmet: Int64 = 0

  var all: Int64 { fresh + stale + unmet }
}

struct RecordedRefusal: Sendable {
  var reason: RefusalReason
  /// Whether the limit that is played had too little left, and not a budget or the request's own.
  var isOfLimit: Bool
}

struct RecordedPurge: Sendable {
  var contentSet: UInt64
  var isHard: Bool
  var staleFrom: Int64
}

/// The bucket gets a refill.
struct RecordedRefill: Sendable {
  var rate: Int64
  var capacity: Int64
}

/// An entry, as far as it is known.
struct Held: Hashable, Sendable {
  /// When it was fetched: between those two.
  var low: Int64
  var high: Int64
  /// What it took the place of was fetched then, at the earliest.
  var prior: Int64 = .min
  /// An operator took it out of use then.
  var staleFrom: Int64 = .max
  /// The recorded purchase that brought it; negative: another one.
  var link: Int32 = -1
  var contentSet: UInt64
  var isPresent: Bool
  /// Whether it was bought behind an answer in grace.
  var isBehind = false

  /// Something that nobody knows, which at the best serves everybody: fetched at that time at the latest.
  static func anything(before high: Int64) -> Held {
    Held(low: .min / 4, high: high, contentSet: .max, isPresent: true)
  }

  static let nothing = Held(low: .min, high: .min, contentSet: 0, isPresent: false)
}

/// Everything that the log says about what was asked for and what came of it.
struct RecordedDemand: Sendable {
  /// In the order of time.
  var probes: [Probe] = []
  var purchases: [RecordedPurchase] = []
  var calls: [RecordedCall] = []
  var refusals: [RecordedRefusal] = []
  var purges: [RecordedPurge] = []
  var refills: [RecordedRefill] = []
  /// What is known of each resource, in the order of their numbers.
  var terms: [ResourceTerms] = []
  /// Their names; empty where prices do not need them.
  var names: [ResourceKey] = []
  /// By how much our clock is behind that of turns, in milliseconds, as far as an entry tells.
  var lateness: Int64?
  var brought: [Held] = []
  /// The most that one of them may cost.
  var dearest: Int64 = 0
  var cut = CutReads()
  var resources = 0
  /// What was in the cache at the beginning.
  var initial: [Int32: [Held]] = [:]
  /// If the log goes on from a snapshot: when that was taken; what the cache held then is not known.
  var unknownBefore: Int64?
  /// What is known of a resource: bit 0 it was found once, bit 1 it was absent once.
  var presence: [UInt8] = []
  /// Of resources that were both, when, in the order of time.
  var presenceChanges: [Int32: [(time: Int64, isPresent: Bool)]] = [:]
  /// When the upstream did not answer well.
  var outages: [ClosedRange<Int64>] = []
  /// How long answers took, at the least and at the most.
  var shortestAnswer: Int64 = 0
  var longestAnswer: Int64 = 0
}
