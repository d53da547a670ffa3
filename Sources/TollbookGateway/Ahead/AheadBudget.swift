import TollbookEvents

/// What refreshing ahead has spent of a meter, by when, since the process began: so that no window sees more of it than it
/// may take.
///
/// It goes by instants and not by the names of windows: these change when the provider's clock turns out to be another one,
/// and a clock may be set back into a window that was spent.
struct AheadBudget: Hashable, Sendable {
  private struct Spending: Hashable, Sendable {
    var instant: Int64
    var amount: Int64
  }

  /// The provider may count a call so much earlier or later than it was to be spent for, in milliseconds: until it is
  /// decided about some time may pass, and clocks differ by up to two seconds.
  static let margin = longestWait + 2_000
  /// So long may pass until it is decided about, in milliseconds: then it is given up.
  static let longestWait: Int64 = 3_000
  /// The most purchases that are remembered; the oldest is forgotten first.
  static let most = 50_000

  private var spendings: [Spending] = []

  /// What may still be spent at an instant, whichever window the provider counts it in; 0 of a rule whose windows do not
  /// follow one another, or are so short that nobody can tell which one that is.
  func left(of allowance: AheadAllowance, _ rule: MeterRule, at now: Timestamp) -> Int64 {
    var left = allowance.perWindow
    for shift in [-Self.margin, 0, Self.margin] {
      let instant = now.advanced(byMilliseconds: shift)
      guard let window = rule.separateWindow(at: instant) else { return 0 }
      let reach = window.lowerBound - Self.margin..<window.upperBound + Self.margin
      let spent = spendings.reduce(Int64(0)) { sum, spending in
        reach.contains(spending.instant) ? sum &+ spending.amount : sum
      }
      left = min(left, allowance.perWindow - spent)
    }
    return max(0, left)
  }

  mutating func spend(_ amount: Int64, _ rule: MeterRule, at now: Timestamp) {
    guard amount > 0 else { return }
    if let window = rule.separateWindow(at: now) {
      // What may be counted in the window before still is in reach of it.
      let length = window.upperBound - window.lowerBound
      let oldest = window.lowerBound - length - 2 * Self.margin
      spendings.removeAll { $0.instant < oldest }
    }
    if spendings.count >= Self.most { spendings.removeFirst() }
    spendings.append(Spending(instant: now.milliseconds, amount: amount))
  }

  /// Takes back what was not spent after all.
  ///
  /// - Parameter now: when it was to be spent.
  mutating func giveBack(_ amount: Int64, at now: Timestamp) {
    guard amount > 0,
      let place = spendings.lastIndex(where: {
        $0.instant == now.milliseconds && $0.amount >= amount
      })
    else { return }
    spendings[place].amount -= amount
  }
}

extension MeterRule {
  /// When the window of an instant begins and ends, in milliseconds since 1970; nil: its windows have no such ends,
  /// overlap, or are too short.
  func separateWindow(at now: Timestamp) -> Range<Int64>? {
    switch self {
    case .refillBucket, .rollingWindow, .total, .unlimited: return nil
    case .clockWindow, .calendarWindow, .anchoredWindow:
      guard let begins = beginning(at: now), let ends = window(at: now).ends,
        ends.milliseconds - begins.milliseconds >= AheadBudget.margin
      else { return nil }
      return begins.milliseconds..<ends.milliseconds
    }
  }
}
