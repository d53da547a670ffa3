import Bytes
import TollbookEvents

/// An entry of the cache as an audit follows it.
struct AuditEntry: Sendable {
  var contentSet: UInt64
  /// The call that brought it, and the position of its `CacheWritten`.
  var fetch: Position
  var written: Position
  var digest: BodyDigest
  var fetched: Int64
  var freshUntil: Int64
  /// When the upstream's own data is from; 0: unknown.
  var upstreamUpdated: Int64
  /// What it cost.
  var costs = ShortList<UnitAmount>()
  /// The key that it was bought with, as the audit numbers names; nil: unknown.
  var credential: Int?

  /// Whether the sweeper noted that it is no longer fresh.
  var isMarkedExpired = false
  /// Whether nobody waited for it.
  var isBehind = false
  /// Whether it answered a read while it was fresh.
  var isRead = false
  /// What was paid and whose class of waste depends on what becomes of it.
  var pending = ShortList<UnitAmount>()
}

/// A body's SHA-256, or that there is none.
struct BodyDigest: Hashable, Sendable {
  private var words: [4 of UInt64]

  init(_ bytes: RawSpan, _ range: Range<Int>, presence: UInt64) {
    if range.count == 32 {
      words = [4 of UInt64] { bytes.bigEndianUInt64(at: range.lowerBound + 8 * $0) }
    } else {
      // Nothing, or nothing that Tollbook writes.
      words = [presence, bytes.mixedHash(in: range), 0, 0]
    }
  }

  static func == (left: BodyDigest, right: BodyDigest) -> Bool {
    (0..<4).allSatisfy { left.words[$0] == right.words[$0] }
  }

  func hash(into hasher: inout Hasher) { hasher.combine(words[0]) }
}

/// The live entries of each resource, and the calls for it that are under way.
///
/// A place is given up when nothing is left in it, so that memory is bounded by what is live.
struct AuditShelf: Sendable {
  struct UnderWay: Sendable {
    var fetch: Position
    var contentSet: UInt64
  }

  struct Place: Sendable {
    var name: ByteName
    var entries: [AuditEntry] = []
    /// The one that was replaced last: reads are written down up to a second after they happened, and may be its.
    var replaced: AuditEntry?
    var underWay: [UnderWay] = []
    /// How many calls name the place.
    var references = 0
  }

  private(set) var places: [Place] = []
  private var index = NameIndex()
  private var unused: [Int] = []

  /// How many entries are live.
  var entryCount: Int { places.reduce(0) { $0 + $1.entries.count } }

  /// Entries that stopped being fresh before an instant, and that nobody noted as expired.
  func overdueCount(at time: Timestamp) -> Int {
    places.reduce(0) { count, place in
      count
        + place.entries.count { !$0.isMarkedExpired && $0.freshUntil < time.milliseconds }
    }
  }

  func find(_ name: ByteName) -> Int? {
    index.find(name.hash) { places[$0].name.bytes == name.bytes }
  }

  func find(_ range: Range<Int>, in bytes: RawSpan) -> Int? {
    let name = bytes.extracting(range)
    return index.find(bytes.mixedHash(in: range)) { name.elementsEqual(places[$0].name.bytes) }
  }

  /// The place of a resource, made if there is none.
  mutating func place(of range: Range<Int>, in bytes: RawSpan) -> Int {
    find(range, in: bytes) ?? add(ByteName(bytes, range))
  }

  private mutating func add(_ name: ByteName) -> Int {
    let place: Int
    if let free = unused.popLast() {
      place = free
      places[free] = Place(name: name)
    } else {
      place = places.count
      places.append(Place(name: name))
    }
    index.insert(place, name.hash)
    return place
  }

  subscript(place: Int) -> Place {
    get { places[place] }
    _modify { yield &places[place] }
  }

  /// Gives a place up if nothing is left in it. What it held last must have been dealt with.
  mutating func giveUp(_ place: Int) {
    guard places[place].entries.isEmpty, places[place].references == 0 else { return }
    index.remove(place, places[place].name.hash)
    places[place] = Place(name: ByteName(bytes: []))
    unused.append(place)
  }

  /// Whether a reader had no need to buy: a fresh entry covers what is wanted and is young enough, or a call that is
  /// under way will bring it.
  func answers(_ place: Int, _ demand: DemandFields, at time: Timestamp) -> Bool {
    let wanted = demand.contentSet
    return places[place].entries.contains { entry in
      entry.contentSet & wanted == wanted && entry.freshUntil > time.milliseconds
        && demand.accepts(entry, at: time.milliseconds)
    } || places[place].underWay.contains { $0.contentSet & wanted == wanted }
  }
}

extension DemandFields {
  /// Whether an entry is young enough.
  fileprivate func accepts(_ entry: AuditEntry, at now: Int64) -> Bool {
    if ageBasis == .live { return false }
    guard ageBasis != .neverBuy, let maximumAge else { return true }
    let oldest = now &- Int64(maximumAge) * 1_000
    return (ageBasis == .upstream ? entry.upstreamUpdated : entry.fetched) >= oldest
  }
}
