/// How long before a refill is spent what would not fit, in milliseconds: as late as the upstream's answers allow.
///
/// Who asks between the purchase and the refill could have used what is spent, and nobody can know that he will come: so
/// that time is to be short. But a call is charged when the upstream has done its work: what is charged after the refill
/// has made no room for it, and is missing until the next.
struct AheadPace: Hashable, Sendable {
  /// The longest time before a refill.
  static let longest: Int64 = 6_000
  /// In this time before the latest instant it is looked, and the balance asked for.
  static let room: Int64 = 1_500
  /// The least that is left to a call: the upstream's refill comes a little before it does by our clock, which counts from
  /// when we heard of it.
  static let least: Int64 = 500

  /// So long a call probably takes, and a quarter more; before the first has ended, so long as most never do.
  private var expected: Int64 = 4_000

  /// What is bought later than this before a refill is probably charged after it.
  var landing: Int64 { min(max(Self.least, expected), Self.longest - Self.room) }

  /// So long before a refill it is spent at the earliest.
  var lead: Int64 { landing + Self.room }

  /// A call was booked so long after it was decided to make it. One that took long counts for some calls more.
  mutating func note(_ took: Int64) {
    let took = min(max(0, took), Self.longest)
    expected = max(took + took / 4, expected - expected / 4)
  }
}
