/// The exchange's clock, as far as an answer of `time` tells it.
package struct BinanceClockSample: Hashable, Sendable {
  /// What is added to our clock to have the exchange's, in milliseconds.
  package let offset: Int64
  /// How far the offset may be wrong either way: half of the round trip, rounded up.
  package let uncertainty: Int64
  /// When the answer came, by our clock.
  package let received: Int64

  /// The longest round trip that tells anything: the exchange gives up on a request after ten seconds.
  package static let longestTrip: Int64 = 20_000

  /// The exchange read its clock somewhere between sending and receiving; the middle is the best guess (as in RFC 5905,
  /// section 8). Nil if the trip took too long or less than nothing, or an instant is outside of ``BinanceTime/range``.
  package init?(sent: Int64, received: Int64, serverTime: Int64) {
    for instant in [sent, received, serverTime] where !BinanceTime.range.contains(instant) {
      return nil
    }
    let trip = received - sent
    guard 0...Self.longestTrip ~= trip else { return nil }
    offset = serverTime - (sent + trip / 2)
    uncertainty = (trip + 1) / 2
    self.received = received
  }

  /// Whether two samples tell the same clock.
  package func agrees(with other: BinanceClockSample) -> Bool {
    abs(offset - other.offset) <= BinanceClockState.agreement
  }
}

/// What is known of the exchange's clock after some answers of `time`. A value: whoever holds it notes each answer.
///
/// An offset of up to a minute is taken at its word. Above that either clock may be badly wrong: nothing is closed by
/// it until two answers agree.
package struct BinanceClockState: Hashable, Sendable {
  /// How the two clocks stand to one another.
  package enum Health: Hashable, Sendable {
    /// No answer yet.
    case unknown
    case normal(offset: Int64)
    /// More than five seconds apart, and no more than a minute.
    case apart(offset: Int64)
    /// More than a minute apart. Until a second answer agrees, it is not confirmed.
    case farApart(offset: Int64, isConfirmed: Bool)
  }

  package static let normal: Int64 = 5_000
  package static let far: Int64 = 60_000
  /// How far two answers may differ that agree.
  package static let agreement: Int64 = 5_000

  private var last: BinanceClockSample?
  private var isConfirmed = false

  package init() {}

  /// Notes an answer.
  package mutating func note(_ sample: BinanceClockSample) {
    let agrees = last.map { $0.agrees(with: sample) } ?? false
    isConfirmed = Self.isNear(sample) || agrees
    last = sample
  }

  /// The sample by which candles are closed; nil: there is none yet, or it is too far off and not confirmed.
  package var sample: BinanceClockSample? { isConfirmed ? last : nil }

  package var health: Health {
    guard let last else { return .unknown }
    let distance = last.offset.magnitude
    if distance <= Self.normal.magnitude { return .normal(offset: last.offset) }
    if distance <= Self.far.magnitude { return .apart(offset: last.offset) }
    return .farApart(offset: last.offset, isConfirmed: isConfirmed)
  }

  private static func isNear(_ sample: BinanceClockSample) -> Bool {
    sample.offset.magnitude <= far.magnitude
  }
}
