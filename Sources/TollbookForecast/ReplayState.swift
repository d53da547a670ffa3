import TollbookEvents

/// The entries of one resource under a policy: at most one for each set of paid parts that can be asked for.
struct ReplayShelf: Sendable {
  /// One more than there are sets in a chain of parts that an upstream's parameters can ask for.
  static let most = 6

  private var entries: InlineArray<6, Held>
  private(set) var count: Int = 0
  /// Until then nobody begins another purchase: one is under way, or was just refused.
  var busyUntil: Int64 = .min

  init() { entries = InlineArray(repeating: .nothing) }

  subscript(index: Int) -> Held {
    get { entries[index] }
    set { entries[index] = newValue }
  }

  /// The newest entry that has all wanted parts, -1 if there is none.
  func newest(covering wanted: UInt64) -> Int {
    var found = -1
    for index in 0..<count where entries[index].contentSet & wanted == wanted {
      if found < 0 || entries[index].high > entries[found].high { found = index }
    }
    return found
  }

  /// Adds an entry in place of those that it serves for.
  mutating func put(_ held: Held) {
    removeAll { $0.contentSet & held.contentSet == $0.contentSet }
    if count == Self.most { removeFirst() }
    entries[count] = held
    count += 1
  }

  mutating func apply(_ purge: RecordedPurge) {
    if purge.isHard { return removeAll { $0.contentSet == purge.contentSet } }
    for index in 0..<count where entries[index].contentSet == purge.contentSet {
      entries[index].staleFrom = min(entries[index].staleFrom, purge.staleFrom)
    }
  }

  private mutating func removeFirst() {
    for index in 1..<count { entries[index - 1] = entries[index] }
    count -= 1
  }

  private mutating func removeAll(where isGone: (Held) -> Bool) {
    var kept = 0
    for index in 0..<count where !isGone(entries[index]) {
      if kept != index { entries[kept] = entries[index] }
      kept += 1
    }
    count = kept
  }

  // MARK: One for two

  /// Whether both hold the same, but for when it was fetched.
  func isLike(_ other: ReplayShelf) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count {
      let (a, b) = (entries[index], other.entries[index])
      guard a.contentSet == b.contentSet, a.isPresent == b.isPresent, a.staleFrom == b.staleFrom
      else { return false }
    }
    return true
  }

  /// By how much the times at which the entries were fetched are apart; 0 if they meet.
  func distance(to other: ReplayShelf) -> Int64 {
    var distance: Int64 = 0
    for index in 0..<count {
      let (a, b) = (entries[index], other.entries[index])
      let (gap, overflow) = max(a.low, b.low).subtractingReportingOverflow(min(a.high, b.high))
      distance = max(distance, overflow ? .max : gap - 1)
    }
    return distance
  }

  /// All that either can be; they must be alike.
  mutating func widen(to other: ReplayShelf) {
    for index in 0..<count {
      let (a, b) = (entries[index], other.entries[index])
      var both = a
      both.low = min(a.low, b.low)
      both.high = max(a.high, b.high)
      both.prior = min(a.prior, b.prior)
      both.link = a.link == b.link ? a.link : -1
      both.isBehind = a.isBehind && b.isBehind
      entries[index] = both
    }
    busyUntil = max(busyUntil, other.busyUntil)
  }
}

/// What is counted, each as bounds.
struct ReplayCounts: Hashable, Sendable {
  /// In the unit that is played.
  var cost = Bounds.zero
  var bought = Bounds.zero
  var hits = Bounds.zero
  var stale = Bounds.zero
  var refused = Bounds.zero
  var unanswered = Bounds.zero

  func joined(_ other: ReplayCounts) -> ReplayCounts {
    var both = self
    both.cost = cost.joined(other.cost)
    both.bought = bought.joined(other.bought)
    both.hits = hits.joined(other.hits)
    both.stale = stale.joined(other.stale)
    both.refused = refused.joined(other.refused)
    both.unanswered = unanswered.joined(other.unanswered)
    return both
  }

  static func += (left: inout ReplayCounts, right: ReplayCounts) {
    left.cost += right.cost
    left.bought += right.bought
    left.hits += right.hits
    left.stale += right.stale
    left.refused += right.refused
    left.unanswered += right.unanswered
  }
}

/// One way in which things may have gone with a resource: what is in the cache then, and what was counted since the
/// ways parted.
struct ReplayFork: Sendable {
  /// More ways than that are made fewer by widening.
  static let most = 8

  var shelf: ReplayShelf
  var counts = ReplayCounts()
  /// Of the answer of this step, in milliseconds; nil: none.
  var age: Bounds?
  /// Whether this step made a call that is not on the record.
  var hasCalled = false

  init(_ shelf: ReplayShelf) { self.shelf = shelf }

  /// Brings ways together that cannot be told apart any more, and others if there are too many.
  static func merge(_ forks: inout [ReplayFork]) {
    var index = 0
    while index < forks.count {
      var other = index + 1
      while other < forks.count {
        if forks[index].shelf.isLike(forks[other].shelf),
          forks[index].shelf.distance(to: forks[other].shelf) == 0
        {
          forks[index].take(forks.remove(at: other))
        } else {
          other += 1
        }
      }
      index += 1
    }
    while forks.count > most { mergeClosest(&forks) }
  }

  private static func mergeClosest(_ forks: inout [ReplayFork]) {
    var best: (distance: Int64, first: Int, second: Int)?
    for first in forks.indices {
      for second in forks.indices.dropFirst(first + 1)
      where forks[first].shelf.isLike(forks[second].shelf) {
        let distance = forks[first].shelf.distance(to: forks[second].shelf)
        if best.map({ distance < $0.distance }) ?? true { best = (distance, first, second) }
      }
    }
    if let best {
      forks[best.first].take(forks.remove(at: best.second))
      return
    }
    // Nothing alike: all that can be said is that something may be there.
    let last = forks.removeLast()
    var newest = Int64.min / 4
    for shelf in [forks[0].shelf, last.shelf] {
      for index in 0..<shelf.count { newest = max(newest, shelf[index].high) }
    }
    forks[0].counts = forks[0].counts.joined(last.counts)
    var shelf = ReplayShelf()
    shelf.put(.anything(before: newest))
    forks[0].shelf = shelf
  }

  private mutating func take(_ other: ReplayFork) {
    shelf.widen(to: other.shelf)
    counts = counts.joined(other.counts)
    age = age.map { age in other.age.map(age.joined) ?? age } ?? other.age
    hasCalled = hasCalled && other.hasCalled
  }
}
