import TollbookEvents
import TollbookLog
import TollbookViews

/// A look at all that the cache holds, in portions: what its bodies take, what its entries have cost, and which have
/// the least worth.
struct CacheCensus: Sendable {
  /// The most entries, or bodies that no entry names, in one portion.
  static let portion = 1_000
  /// The most entries that it remembers.
  static let mostVictims = 8_192

  /// By what worth is told.
  struct Basis: Sendable {
    var clock: EvictionClock
    /// What costs weigh; nil: nobody knows yet, and no worth is told.
    var scale: CostScale?
    var now: Timestamp
    /// So long after it was fetched an entry stays, in milliseconds: who bought it may still be about to read it.
    var inUse: Int64
    /// The kinds of which nothing goes: nobody sells it.
    var spared: Set<String>
  }

  let basis: Basis
  /// What entries cost, as far as it has looked.
  private(set) var scale = CostScale()
  private(set) var least = EvictionPolicy<EvictCommand.Victim>(limit: mostVictims)
  /// What the bodies take that entries name, in bytes of the data file.
  private(set) var named = 0.0
  /// What the bodies take that no entry names any more.
  private(set) var released = 0

  init(_ basis: Basis) { self.basis = basis }

  /// What all of them take.
  var space: Int { Int(named.rounded()) + released }

  /// Looks at a portion of the entries.
  ///
  /// - Parameter cursor: where the portion before has ended.
  /// - Returns: where this one has; nil: it was the last one.
  mutating func look(
    after cursor: [UInt8]?, _ cache: CacheView, _ reader: LogReader,
    in transaction: borrowing LogReading
  ) throws(LogError) -> [UInt8]? {
    let page = try cache.page(
      after: cursor, limit: Self.portion, scanLimit: Self.portion, in: transaction
    ) { _ in true }
    for entry in page.entries {
      scale.add(entry.amounts)
      // What has no body takes no room.
      guard !entry.digest.isEmpty,
        let row = try reader.storedBytes(ofBody: entry.digest, in: transaction)
      else { continue }
      let names = try cache.references(to: entry.digest, in: transaction) ?? 1
      let space = Double(Body.space(ofRow: row)) / Double(max(1, names))
      named += space
      guard let weights = basis.scale, !isInUse(entry), !basis.spared.contains(entry.resource.kind)
      else { continue }
      least.offer(
        EvictCommand.Victim(entry, space: space), worth: worth(of: entry, space, weights))
    }
    return page.next
  }

  /// Looks at a portion of the bodies that no entry names.
  mutating func lookAtReleased(
    after cursor: [UInt8]?, _ cache: CacheView, _ reader: LogReader,
    in transaction: borrowing LogReading
  ) throws(LogError) -> [UInt8]? {
    let found = try cache.releasedBodies(after: cursor, limit: Self.portion, in: transaction)
    for digest in found.digests {
      guard let row = try reader.storedBytes(ofBody: digest, in: transaction) else { continue }
      released += Body.space(ofRow: row)
    }
    return found.next
  }

  private func worth(
    of entry: CacheEntry, _ space: Double, _ weights: CostScale
  ) -> EvictionWorth {
    let now = basis.now
    let used = max(entry.fetched, entry.lastRead ?? entry.fetched)
    let rank: EvictionWorth.Rank =
      entry.hasFreshness(at: now)
      ? .saving : entry.state(at: now) == .expired ? .nothing : .fallback
    return EvictionWorth(
      rank: rank, clock: basis.clock.value(at: used), reads: entry.hits,
      cost: weights.weight(entry.amounts), space: space, used: used, written: entry.written)
  }

  /// Also of one that was fetched by a clock that was ahead a little.
  private func isInUse(_ entry: CacheEntry) -> Bool {
    entry.fetched > basis.now.advanced(byMilliseconds: -basis.inUse)
      && entry.fetched < basis.now.advanced(byMilliseconds: basis.inUse)
  }
}
