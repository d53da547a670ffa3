package import TollbookEvents

/// What is lost with an entry, so that entries can be compared: what has the least worth goes first.
///
/// Within a rank it is the priority of GreedyDual-Size-Frequency: clock + frequency × cost / size, with the clock as it
/// stood when the entry was used last (L. Cherkasova, "Improving WWW Proxies Performance with
/// Greedy-Dual-Size-Frequency Caching Policy", HP Laboratories, HPL-98-69, 1998).
package struct EvictionWorth: Hashable, Sendable, Comparable {
  /// Whether anything would have to be bought again that need not be otherwise.
  package enum Rank: Int, Sendable {
    /// It cost nothing, or it answers nobody any more.
    case nothing
    /// It answers only if nothing better can be had: who asks for it next buys it anyway.
    case fallback
    /// It answers, and nothing is bought.
    case saving
  }

  package let rank: Rank
  package let priority: Double
  /// When it was fetched or read last.
  package let used: Timestamp
  /// Which position wrote it. No two entries have the same.
  package let written: Position

  /// - Parameters:
  ///   - clock: as it stood when the entry was used last.
  ///   - reads: since it was bought. The purchase counts as one more.
  ///   - cost: of buying it again, as a ``CostScale`` weighs it. Not negative.
  ///   - space: what its body takes, in bytes.
  package init(
    rank: Rank, clock: Double, reads: UInt64, cost: Double, space: Double, used: Timestamp,
    written: Position
  ) {
    self.rank = cost > 0 ? rank : .nothing
    priority = clock + (Double(reads) + 1) * cost / max(1, space)
    self.used = used
    self.written = written
  }

  /// By the position that wrote it at last, so that the same entries always go in the same order.
  package static func < (left: Self, right: Self) -> Bool {
    (left.rank.rawValue, left.priority, left.used, left.written)
      < (right.rank.rawValue, right.priority, right.used, right.written)
  }
}
