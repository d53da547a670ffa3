import TollbookEvents
import TollbookGateway

/// What the replay has to know of one resource.
struct ResourceTerms: Sendable {
  /// What it costs if a call brings nothing else, at the least and at the most. Not used where parts have prices.
  var price = Bounds.zero
  /// Those of one group may share a call; negative: it shares none.
  var group: Int32 = -1
  /// What says how long it is fresh beside the kind's window.
  var window: WhatIfWindow?

  /// How long an entry is fresh that was fetched then, in milliseconds.
  ///
  /// - Parameters:
  ///   - window: the kind's.
  ///   - lateness: by how much our clock is behind that of the turns.
  ///   - answer: how long before it was asked for.
  func fresh(_ window: Int64, fetched: Int64, lateness: Int64, answer: Int64) -> Int64 {
    guard let own = self.window, abs(fetched) < Self.farthest else { return window }
    let turn = own.next(fetched - answer - lateness) + lateness
    return min(max(window, own.least), max(0, turn - fetched))
  }

  /// Whether nothing that was there at the first instant is fresh at the second.
  func hasTurned(from first: Int64, to last: Int64, lateness: Int64) -> Bool {
    guard let window, abs(first) < Self.farthest else { return false }
    return window.next(first - lateness) + lateness <= last
  }

  /// Sums of such instants do not overflow.
  private static let farthest: Int64 = .max / 8
}

extension WhatIfWindow {
  /// By how much our clock is behind that of the turns, if an entry was out of date at the first turn after its fetch; nil:
  /// it ended otherwise.
  func lateness(of event: CacheWritten) -> Int64? {
    let (fetched, until) = (event.fetchedMs, event.freshUntilMs)
    guard fetched < until else { return nil }
    let late = until - next(until - lateness - Self.mostApart - 1)
    guard abs(late - lateness) <= Self.mostApart, next(fetched - late) + late == until else {
      return nil
    }
    return late
  }

  /// What is farther from what is usual is taken for another reason to end, in milliseconds.
  private static let mostApart: Int64 = 5_000
}
