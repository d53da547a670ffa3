import TollbookEvents

/// What the record leaves of the windows of a limit, by when they end.
struct WindowTrack: Sendable {
  private struct Page {
    var ends: Int64
    /// Of all that was spent in it, also later than an instant of which it is asked.
    var free: Int64 = 0
    var granted: Int64 = 0
  }

  /// The most pages that are followed; older ones keep what they had left.
  private static let most = 512

  private var open: [MeterKey: Page] = [:]
  private var closed: [(ends: Int64, free: Int64)] = []
  private var limit: Int64?

  mutating func add(_ posting: Posting) {
    let known = open[posting.page]
    guard let ends = known?.ends ?? posting.windowEnds?.milliseconds else { return }
    var page = known ?? Page(ends: ends)
    page.free &+= posting.granted &- posting.spent
    page.granted &+= posting.granted
    if page.granted > 0 { limit = page.granted }
    open[posting.page] = page
    if open.count > Self.most { close() }
  }

  private mutating func close() {
    let sorted = open.sorted { $0.value.ends < $1.value.ends }
    for (key, page) in sorted.prefix(Self.most / 2) {
      closed.append((page.ends, page.free))
      open[key] = nil
    }
  }

  /// Tells each step what its window had left in the end, and begins each window anew: what was not spent in one is not
  /// there in the next.
  ///
  /// What a window had left when it was over is no more than it had left at any instant of it.
  func apply(to demand: inout RecordedDemand, length: Int64) {
    let pages = (closed + open.values.map { ($0.ends, $0.free) }).sorted { $0.ends < $1.ends }
    let phase = pages.last.map { $0.ends % length } ?? 0
    var merged: [Probe] = []
    merged.reserveCapacity(demand.probes.count + pages.count)
    var next = 0
    var window: Int64?
    for probe in demand.probes {
      var probe = probe
      let (past, _) = (probe.time - phase).quotientAndRemainder(dividingBy: length)
      if window != past {
        if window != nil {
          merged.append(
            Probe(
              time: probe.time, earliest: probe.time, resource: -1, weight: 0, kind: .refill))
        }
        window = past
      }
      while next < pages.count, pages[next].ends <= probe.time { next += 1 }
      let isItsOwn = next < pages.count && pages[next].ends - length <= probe.time
      probe.available = isItsOwn ? pages[next].free : limit ?? .max
      merged.append(probe)
    }
    demand.probes = merged
  }
}

extension Posting {
  /// By how much it lessens what a page has left.
  fileprivate var spent: Int64 {
    switch change {
    case .reserved(let amount): amount
    case .charged(let amount, let reserved): amount &- reserved
    case .released(let amount): 0 &- amount
    case .doubted: 0
    case .closed(let doubt): doubt.settled &+ doubt.unprovable &- doubt.amount
    case .corrected(let difference): difference
    case .observed(let unexplained): unexplained
    }
  }
}
