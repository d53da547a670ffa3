/// The request weight of one address: by fixed minutes of the exchange's clock, with bans for those who go on.
///
/// A call is let in if its weight still fits; one that is refused does not count. What the exchange's documents leave
/// open was chosen so: whether minutes are fixed, whether refused calls count, and what ends the record of bans
/// (nothing does).
struct BinanceMeter: Sendable, Hashable {
  /// What the meter says to a call.
  enum Verdict: Sendable, Hashable {
    case admitted
    /// 429; seconds until the minute is over.
    case refused(retryAfter: Int)
    /// 418; when the ban ends, in milliseconds since 1970, and seconds until then.
    case banned(until: Int64, retryAfter: Int)
  }

  /// The minute that is counted, from 1970 on.
  private(set) var minute: Int64 = .min
  /// The weight of the calls that were let in.
  private(set) var used = 0
  /// How many calls of the minute were refused.
  private(set) var refusals = 0
  /// How many times the address was banned.
  private(set) var bans = 0
  private(set) var bannedUntil: Int64?

  /// The shortest ban, two minutes.
  static let shortestBan: Int64 = 120_000
  /// The longest ban, three days.
  static let longestBan: Int64 = 259_200_000

  /// Decides about a call and counts it.
  ///
  /// - Parameters:
  ///   - now: milliseconds since 1970 by the exchange's clock
  ///   - foreign: what others at the address have used of the minute
  ///   - refusalsBeforeBan: how many calls of a minute are refused before the next one brings a ban
  mutating func admit(
    _ weight: Int, at now: Int64, foreign: Int, limit: Int, refusalsBeforeBan: Int
  ) -> Verdict {
    advance(to: now)
    if let until = bannedUntil, until > now {
      return .banned(until: until, retryAfter: Self.seconds(until - now))
    }
    guard used + foreign + weight > limit else {
      used += weight
      return .admitted
    }
    refusals += 1
    guard refusals > refusalsBeforeBan else {
      return .refused(retryAfter: Self.seconds((minute + 1) * 60_000 - now))
    }
    let until = now + Self.ban(after: bans)
    bannedUntil = until
    bans += 1
    return .banned(until: until, retryAfter: Self.seconds(until - now))
  }

  /// How long a ban lasts after so many earlier ones, in milliseconds: it doubles each time.
  static func ban(after bans: Int) -> Int64 {
    min(longestBan, shortestBan << Int64(min(20, max(0, bans))))
  }

  /// Begins to count a new minute if it is one. A clock that is set back begins one, too.
  mutating func advance(to now: Int64) {
    let minute = now.floorDivided(by: 60_000)
    guard minute != self.minute else { return }
    self.minute = minute
    used = 0
    refusals = 0
  }

  /// Whether the address can be forgotten without anybody noticing before its next ban.
  func isIdle(at now: Int64) -> Bool {
    minute != now.floorDivided(by: 60_000) && bannedUntil ?? now <= now
  }

  private static func seconds(_ milliseconds: Int64) -> Int {
    Int(max(1, (milliseconds + 999) / 1_000))
  }
}
