import LMDB
import TollbookEvents

/// An entry of the cache as an audit follows it.
struct AuditEntry: Sendable {
  var contentSet: UInt32
  /// The call that brought it, and the position of its `CacheWritten`.
  var fetch: Position
  var written: Position
  var digest: BodyDigest
  var fetched: Int64
  var freshUntil: Int64
  /// What it cost.
  var tokens: Int64
  /// The key that it was bought with, as the audit numbers names; nil: unknown.
  var credential: Int?

  /// Whether the sweeper noted that it is no longer fresh.
  var isMarkedExpired = false
  /// Whether nobody waited for it.
  var isBehind = false
  /// Whether it answered a read while it was fresh.
  var isRead = false
  /// Tokens whose class of waste depends on what becomes of it.
  var pending: Int64 = 0
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
    var contentSet: UInt32
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

  /// Whether a reader of that content set, who accepts that age, had no need to buy: a fresh entry covers it, or a call
  /// that is under way will.
  func answers(_ place: Int, _ contentSet: UInt32, at time: Timestamp, maximumAge: UInt32?) -> Bool
  {
    let now = time.milliseconds
    let isFresh = places[place].entries.contains { entry in
      entry.contentSet & contentSet == contentSet && entry.freshUntil > now
        && (maximumAge.map { now &- entry.fetched <= Int64($0) * 1_000 } ?? true)
    }
    return isFresh
      || places[place].underWay.contains { $0.contentSet & contentSet == contentSet }
  }
}
