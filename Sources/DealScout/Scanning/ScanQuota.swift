package import TollbookEvents

/// The calls of a provider's day: how many there are, how many anybody has used, and when they begin anew.
///
/// 1. What the provider says beats what was counted here, but for calls of scans that it has not counted yet.
/// 2. Once the instant at which the calls begin anew has come, those of the day before count no more, also in the midst
///    of a scan. They begin anew too when the provider's figure falls, or when it names a later day.
/// 3. To it no clock goes back: one that is set back goes on from where it was, until a reading shows that it is right
///    now.
package struct ScanQuota: Hashable, Sendable {
  /// No provider sells more in a window.
  private static let most: Int64 = 1_000_000_000
  /// In milliseconds: a minute to 31 days.
  private static let windows: ClosedRange<Int64> = 60_000...2_678_400_000

  /// Calls in a window.
  package private(set) var limit: Int64
  /// Calls of this window, whoever made them, as far as they are known.
  package private(set) var used: Int64
  /// Calls of this window that scans made.
  package private(set) var scanned: Int64
  /// When the calls begin anew.
  package private(set) var reset: Timestamp
  /// In milliseconds. A day on which clocks change is an hour shorter or longer: the next reading tells.
  package let window: Int64

  /// What the provider told last.
  private var told: Int64
  /// Calls that scans have made since then.
  private var scannedSince: Int64 = 0
  /// Calls of scans in the window before.
  private var scannedBefore: Int64 = 0
  /// The latest instant that was seen.
  private var latest: Timestamp?
  /// By how many milliseconds the clock was set back.
  private var shift: Int64 = 0

  /// - Parameters:
  ///   - used: by anybody, as the provider told it.
  ///   - scanned: those of them that scans made; 0: not known.
  package init(
    limit: Int64, used: Int64, scanned: Int64 = 0, reset: Timestamp, window: Int64 = 86_400_000
  ) {
    self.limit = Self.within(limit)
    self.used = Self.within(used)
    self.scanned = min(Self.within(scanned), self.used)
    self.reset = reset
    self.window = min(max(window, Self.windows.lowerBound), Self.windows.upperBound)
    told = self.used
  }

  private static func within(_ count: Int64) -> Int64 { min(max(0, count), most) }

  /// Calls that are left.
  package var remaining: Int64 { max(0, limit - used) }

  /// Calls that others than scans made.
  package var others: Int64 { used - scanned }

  /// As it stands at an instant: where the calls have begun anew, with none used.
  package func at(_ now: Timestamp) -> ScanQuota {
    var quota = self
    quota.advance(to: now)
    return quota
  }

  /// Scans have made calls.
  package mutating func count(_ calls: Int64, at now: Timestamp) {
    advance(to: now)
    let calls = Self.within(calls)
    used = Self.within(used + calls)
    scanned = min(used, scanned + calls)
    scannedSince = Self.within(scannedSince + calls)
  }

  /// The provider has told how it stands.
  ///
  /// - Parameters:
  ///   - reset: when the calls begin anew. If that is over, it tells of the window before, or the clock here is wrong:
  ///     then the larger figure counts.
  ///   - now: when it was asked.
  package mutating func read(limit: Int64, used: Int64, reset: Timestamp, at now: Timestamp) {
    let left = Self.milliseconds(from: now, to: reset)
    if shift != 0, reset <= now.advanced(byMilliseconds: shift), left > 0, left <= longestLeft {
      // It had been set ahead, and is right again.
      shift = 0
      latest = now
    }
    advance(to: now)
    let (before, since) = (told, scannedSince)
    self.limit = Self.within(limit)
    told = Self.within(used)
    scannedSince = 0
    let isOver = reset <= latest ?? now
    let moved = Self.milliseconds(from: self.reset, to: reset)
    if told < before || moved > window / 2 && !isOver {
      self.used = told
      scanned = min(since, told)
      scannedBefore = 0
    } else {
      if isOver || moved < -window / 2 {
        // The calls have not begun anew yet: those of the window before count on.
        if told > self.used { scanned = Self.within(scanned + scannedBefore) }
        scannedBefore = 0
      }
      // A provider counts a call when it has answered it: those of scans are known here first.
      self.used = max(told, isOver ? self.used : scanned)
      scanned = min(scanned, self.used)
    }
    if !isOver { self.reset = reset }
  }

  /// Milliseconds until the calls begin anew, at the latest instant that was seen: at least a second, and no more than
  /// a window and an eighth, whatever the clock says.
  package var left: Int64 {
    guard let latest else { return window }
    return max(1_000, min(Self.milliseconds(from: latest, to: reset), longestLeft))
  }

  private var longestLeft: Int64 { window + window / 8 }

  private mutating func advance(to now: Timestamp) {
    var instant = now.advanced(byMilliseconds: shift)
    if let latest, instant < latest {
      shift = Self.milliseconds(from: now, to: latest)
      instant = latest
    }
    latest = instant
    guard instant >= reset else { return }
    let windows = Self.milliseconds(from: reset, to: instant) / window + 1
    reset = reset.advanced(byMilliseconds: windows * window)
    scannedBefore = scanned
    used = 0
    scanned = 0
    told = 0
  }

  /// At most some thousand years.
  private static func milliseconds(from start: Timestamp, to end: Timestamp) -> Int64 {
    let (gap, overflow) = end.milliseconds.subtractingReportingOverflow(start.milliseconds)
    let longest: Int64 = 100_000_000_000_000
    if overflow { return end < start ? -longest : longest }
    return min(max(gap, -longest), longest)
  }
}

/// Calls of each window that scans leave to people.
package struct ScanReserve: Hashable, Sendable {
  private enum Size: Hashable {
    case percent(Int64)
    case calls(Int64)
  }

  private let size: Size

  /// - Parameter percent: of the limit; 0 to 100.
  package static func percent(_ percent: Int64) -> ScanReserve {
    ScanReserve(size: .percent(min(max(0, percent), 100)))
  }

  package static func calls(_ calls: Int64) -> ScanReserve {
    ScanReserve(size: .calls(max(0, calls)))
  }

  /// Of a limit.
  package func calls(of limit: Int64) -> Int64 {
    switch size {
    case .percent(let percent): (limit * percent + 99) / 100
    case .calls(let calls): min(calls, limit)
    }
  }

  /// What is still to be left. What others have used comes out of it; a fiftieth of the limit is left in any case, for
  /// what they use between two readings.
  package func held(of quota: ScanQuota) -> Int64 {
    let whole = calls(of: quota.limit)
    return max(whole - quota.others, min(whole, (quota.limit + 49) / 50))
  }
}
