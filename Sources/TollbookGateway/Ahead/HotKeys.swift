import TollbookEvents
import TollbookViews

/// Which entries are read so often that they are worth refreshing before they stop being fresh: a pure state machine. It is
/// told of reads and of the time, and says what is due.
///
/// 1. An entry is due at most once, shortly before it stops being fresh, each a little earlier or later than others.
/// 2. Only what was read since it was fetched is due, and only if it will probably be read in the time that a refresh adds.
/// 3. What was due is forgotten until somebody reads what came in its place.
/// 4. It knows so many entries at the most; if there are more, the half that is read least makes room.
///
/// A look costs nothing before the first entry is due.
struct HotKeys: Sendable {
  struct Key: Hashable, Sendable {
    var resource: ResourceKey
    var parts: UInt64
  }

  /// An entry that should be refreshed.
  struct Due: Sendable {
    var key: Key
    var fetched: Timestamp
    /// How often it will probably be read in the time that a refresh adds to its freshness.
    var reads: Double
  }

  private struct Row {
    var written: Position
    var fetched: Timestamp
    var freshUntil: Timestamp
    var lastRead: Timestamp
    /// Since it was fetched.
    var reads: Double
    /// Of those that stood in its place before, the last of them counting most.
    var earlierReads: Double = 0
    var earlierTime: Double = 0
    var due: Timestamp
    var isTaken = false

    init(_ entry: CacheEntry, at now: Timestamp) {
      written = entry.written
      fetched = entry.fetched
      freshUntil = entry.freshUntil
      lastRead = now
      reads = 1
      due = HotKeys.due(entry)
    }

    var window: Int64 { freshUntil.milliseconds - fetched.milliseconds }

    /// How often it will probably be read in the time that a refresh adds, which is its age. Reads are taken to come as
    /// often as so far; the time in which nobody read it counts twice.
    func expectedReads(at now: Timestamp) -> Double {
      let age = Double(max(1, now.milliseconds - fetched.milliseconds))
      let silence = min(age, Double(max(0, now.milliseconds - lastRead.milliseconds)))
      return (reads + earlierReads) / (age + silence + earlierTime) * age
    }

    /// What nobody asked for in so many of its windows is of no interest any more.
    func isCold(at now: Timestamp) -> Bool {
      now.milliseconds - freshUntil.milliseconds > HotKeys.patience * window
    }
  }

  /// The most entries that are known.
  static let most = 4_096
  /// The most that are due at once.
  static let mostDue = 128
  /// What is fresh for longer than that is not looked at yet, in milliseconds.
  static let farthest: Int64 = 7_200_000
  /// What is fresh for a shorter time cannot be refreshed in time, in milliseconds.
  static let shortest: Int64 = 500
  /// So long before the end an entry is due, in milliseconds: time for a call. Half as much again by chance.
  static let lead: Int64 = 400
  /// After so many windows in which nobody read it an entry is forgotten.
  fileprivate static let patience: Int64 = 4
  /// Between two looks for room, in milliseconds.
  private static let roomInterval: Int64 = 1_000

  private var rows: [Key: Row] = [:]
  /// Nothing is due before.
  private var earliest: Timestamp?
  private var lastRoom: Timestamp?

  /// How many entries are known.
  var count: Int { rows.count }

  /// When an entry is to be refreshed: later than half of its time, and at a moment of its own, which its position tells.
  fileprivate static func due(_ entry: CacheEntry) -> Timestamp {
    let window = entry.freshUntil.milliseconds - entry.fetched.milliseconds
    // Any spreading function will do: this is the step of a linear generator.
    let mixed = (entry.written &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407) >> 33
    let lead = Self.lead + Int64(mixed % UInt64(Self.lead / 2 + 1))
    return entry.freshUntil.advanced(byMilliseconds: -min(lead, window * 9 / 20))
  }

  /// Somebody was answered with an entry that was fresh.
  mutating func read(_ entry: CacheEntry, at now: Timestamp) {
    let left = entry.freshUntil.milliseconds &- now.milliseconds
    let window = entry.freshUntil.milliseconds &- entry.fetched.milliseconds
    guard entry.isPresent, !entry.isPurged, entry.fetched <= now, left > 0, left < Self.farthest,
      window >= Self.shortest
    else { return }
    let key = Key(resource: entry.resource, parts: entry.contentSet)
    guard let known = rows[key] else {
      if rows.count >= Self.most { makeRoom(at: now) }
      guard rows.count < Self.most else { return }
      return note(Row(entry, at: now), of: key)
    }
    // Who was answered with an older one has not read this.
    guard entry.written >= known.written else { return }
    if entry.written == known.written {
      rows[key]?.reads += 1
      rows[key]?.lastRead = max(known.lastRead, now)
      return
    }
    var row = Row(entry, at: now)
    let time = max(0, entry.fetched.milliseconds - known.fetched.milliseconds)
    row.earlierReads = (known.reads + known.earlierReads) / 2
    row.earlierTime = (Double(time) + known.earlierTime) / 2
    note(row, of: key)
  }

  private mutating func note(_ row: Row, of key: Key) {
    rows[key] = row
    earliest = min(earliest ?? row.due, row.due)
  }

  /// Whether a look is worth it.
  func mayBeDue(at now: Timestamp) -> Bool { earliest.map { $0 <= now } ?? false }

  /// What should be refreshed now, that which will be read most first. What is not taken is due again at the next look.
  mutating func due(at now: Timestamp) -> [Due] {
    guard mayBeDue(at: now) else { return [] }
    earliest = nil
    var due: [Due] = []
    rows = rows.filter { key, row in
      if row.isCold(at: now) { return false }
      guard !row.isTaken, now < row.freshUntil else { return true }
      earliest = min(earliest ?? row.due, row.due)
      guard row.due <= now, row.fetched <= now else { return true }
      let reads = row.expectedReads(at: now)
      if ReadForecast.isLikely(reads) {
        due.append(Due(key: key, fetched: row.fetched, reads: reads))
      }
      return true
    }
    due.sort { left, right in
      if left.reads != right.reads { return left.reads > right.reads }
      return left.key < right.key
    }
    return Array(due.prefix(Self.mostDue))
  }

  /// They are being refreshed, or cannot be.
  mutating func take(_ keys: some Sequence<Key>) {
    for key in keys { rows[key]?.isTaken = true }
  }

  private mutating func makeRoom(at now: Timestamp) {
    if let lastRoom, (0..<Self.roomInterval).contains(now.milliseconds &- lastRoom.milliseconds) {
      return
    }
    lastRoom = now
    rows = rows.filter { !$0.value.isCold(at: now) && now < $0.value.freshUntil }
    guard rows.count >= Self.most else { return }
    let ranked = rows.map { ($0.key, $0.value.expectedReads(at: now)) }.sorted { left, right in
      if left.1 != right.1 { return left.1 < right.1 }
      return left.0 < right.0
    }
    for (key, _) in ranked.prefix(Self.most / 2) { rows[key] = nil }
  }
}

extension HotKeys.Key: Comparable {
  static func < (left: Self, right: Self) -> Bool {
    (left.resource.description, left.parts) < (right.resource.description, right.parts)
  }
}
