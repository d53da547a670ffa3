package import TollbookEvents
package import TollbookViews

/// How a meter limits: what it admits, in which window that counts, and when it frees.
///
/// A rule knows no meter. It is asked with an instant of the wall clock, that of the decision, and with the meter's
/// pages for the windows that it names for that instant. Each window has a page of its own, so a window that was spent
/// stays spent when the clock is set back into it.
package enum MeterRule: Hashable, Sendable {
  case refillBucket(RefillBucket)
  case clockWindow(ClockWindow)
  case calendarWindow(CalendarWindow)
  case rollingWindow(RollingWindow)
  case anchoredWindow(AnchoredWindow)
  /// So much, once and for all.
  case total(limit: Int64)
  /// It counts, and limits nothing. So much is granted as is taken.
  case unlimited

  /// What may be spent in a window, or in all; nil for a bucket, whose balance says it, and where there is no limit.
  package var limit: Int64? {
    switch self {
    case .refillBucket, .unlimited: nil
    case .clockWindow(let rule): rule.limit
    case .calendarWindow(let rule): rule.limit
    case .rollingWindow(let rule): rule.limit
    case .anchoredWindow(let rule): rule.limit
    case .total(let limit): limit
    }
  }

  /// The window in which counts what is reserved at an instant.
  package func window(at now: Timestamp) -> MeterWindow {
    switch self {
    case .refillBucket, .total, .unlimited: .none
    case .clockWindow(let rule): rule.window(at: now)
    case .calendarWindow(let rule): rule.window(at: now)
    case .rollingWindow(let rule): rule.part(at: now)
    case .anchoredWindow(let rule): rule.window(at: now)
    }
  }

  /// The windows whose pages say what is left at an instant, the oldest first. The last is the one of that instant.
  package func windows(at now: Timestamp) -> [MeterWindow] {
    guard case .rollingWindow(let rule) = self else { return [window(at: now)] }
    return rule.parts(at: now)
  }

  /// When the window of an instant began; of one that rolls, how far it reaches back. Nil: it has no beginning.
  func beginning(at now: Timestamp) -> Timestamp? {
    switch self {
    case .refillBucket, .total, .unlimited: nil
    case .clockWindow(let rule): rule.window(at: now).ends?.advanced(byMilliseconds: -rule.length)
    case .calendarWindow(let rule): rule.beginning(at: now)
    case .rollingWindow(let rule): now.advanced(byMilliseconds: -rule.length)
    case .anchoredWindow(let rule):
      rule.window(at: now).ends?.advanced(byMilliseconds: -rule.length)
    }
  }

  /// What can be spent at an instant.
  ///
  /// - Parameter pages: the meter's pages of `windows(at:)`, in their order.
  package func available(on pages: [Meter], at now: Timestamp) -> Int64 {
    guard case .refillBucket(let bucket) = self else {
      guard let limit else { return .max }
      return Int64(clamping: Int128(limit) - max(0, pages.reduce(0) { $0 + $1.spent }))
    }
    return bucket.available(on: pages.last ?? Meter(), at: now)
  }

  /// When so much could be spent, once what is held now has ended; nil if waiting does not help or nobody knows.
  ///
  /// - Parameters:
  ///   - needed: more than can be spent at that instant.
  ///   - taken: what is taken at that instant before. Of a bucket it must come back too; in a later window it does not
  ///     count.
  package func instant(
    ofHaving needed: Int128, after taken: Int128 = 0, on pages: [Meter], at now: Timestamp
  ) -> Timestamp? {
    if case .refillBucket(let bucket) = self {
      return bucket.instant(ofHaving: taken + needed, on: pages.last ?? Meter(), at: now)
    }
    guard needed <= limit ?? 0 else { return nil }
    guard case .rollingWindow(let rule) = self else { return window(at: now).ends }
    var spent = pages.map(\.spent)
    if let last = spent.indices.last { spent[last] += taken }
    return rule.instant(ofHaving: needed, spent: spent, at: now)
  }

  /// What a move on the page posts as granted: the limit when the page is first used, later what the limit changed by.
  ///
  /// - Parameter amount: what the move takes.
  package func granted(on page: Meter, taking amount: Int64 = 0) -> Int64 {
    if case .unlimited = self {
      return Int64(clamping: max(0, page.spent + Int128(amount) - Int128(page[.granted])))
    }
    guard let limit else { return 0 }
    return limit &- page[.granted]
  }

  /// Why a purchase is refused that does not fit.
  var refusal: RefusalReason {
    if case .refillBucket = self { .insufficientTokens } else { .meter }
  }
}

/// A stretch of time in which a limit counts.
package struct MeterWindow: Hashable, Sendable {
  /// As it stands in events. The names of a meter's windows sort as the windows do.
  package var name: String
  /// Nil: it does not end.
  package var ends: Timestamp?

  package init(name: String, ends: Timestamp?) {
    self.name = name
    self.ends = ends
  }

  /// Of a meter that does not count in windows.
  package static let none = MeterWindow(name: "", ends: nil)

  /// A length in milliseconds from 1 to a century's, so that sums of instants and lengths do not overflow.
  static func possible(length: Int64) -> Int64 { min(max(1, length), 3_155_760_000_000) }
}

extension Meter {
  /// What of a limit is used up: spent, held, or held as spent.
  var spent: Int128 {
    let terms: [LedgerTerm] = [.settled, .reserved, .inDoubt, .unprovable, .unexplained]
    return terms.reduce(0) { $0 + Int128(self[$1]) }
  }
}

extension Timestamp {
  /// The nearest instant whose year has four digits, so that texts of instants sort as the instants do.
  var withinFourDigitYears: Timestamp {
    // From 0001-01-01 to the end of 9998.
    Timestamp(milliseconds: min(max(-62_135_596_800_000, milliseconds), 253_370_764_799_999))
  }

  /// The number of the step in which it lies, counted from another instant.
  func step(of length: Int64, since start: Int64 = 0) -> Int64 {
    let (quotient, rest) = (milliseconds - start).quotientAndRemainder(dividingBy: length)
    return rest < 0 ? quotient - 1 : quotient
  }
}
