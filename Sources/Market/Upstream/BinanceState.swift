import Synchronization
import TollbookEvents
import TollbookGateway

/// What is known of the exchange since the process began: its clock, and how much weight it allows.
package final class BinanceState: Sendable {
  private struct Known {
    var clock = BinanceClockState()
    /// When the clock was asked for last, by ours.
    var asked: Int64?
    var limit: Int64
    /// By how much the exchange's minutes begin earlier than ours, in milliseconds.
    var phase: Int64 = 0
  }

  private let known: Mutex<Known>

  /// - Parameter limit: of weight a minute, until the exchange says another one.
  package init(limit: Int64) { known = Mutex(Known(limit: limit)) }

  package var clock: BinanceClockState { known.withLock { $0.clock } }
  var limit: Int64 { known.withLock { $0.limit } }

  /// Weight by the minute of the exchange's clock.
  var rule: MeterRule {
    let minute: Int64 = 60_000
    let (limit, phase) = known.withLock { ($0.limit, $0.phase) }
    guard phase != 0 else { return .clockWindow(ClockWindow(length: minute, limit: limit)) }
    return .anchoredWindow(
      AnchoredWindow(length: minute, endingAt: Timestamp(milliseconds: -phase), limit: limit))
  }

  /// Clocks that differ by less are taken for one: what is sent so near the turn of a minute counts in both.
  private static let samePhase: Int64 = 1_500

  func note(_ sample: BinanceClockSample) {
    known.withLock { known in
      known.clock.note(sample)
      known.asked = sample.received
      guard let offset = known.clock.sample?.offset else { return }
      // Whole seconds, and no other ones for little: each phase has windows of its own.
      var phase = offset - CandlePiece.floor(offset, 60_000) * 60_000
      if phase > 30_000 { phase -= 60_000 }
      guard abs(phase - known.phase) > Self.samePhase else { return }
      known.phase = abs(phase) <= Self.samePhase ? 0 : (phase + 500).quotient(of: 1_000) * 1_000
    }
  }

  func note(limit: Int64) { known.withLock { $0.limit = limit } }

  /// Whether the clock has to be asked for: it never was, or so long ago.
  func needsClock(at now: Int64, after age: Int64) -> Bool {
    known.withLock { known in
      guard let asked = known.asked else { return true }
      return now < asked || now - asked >= age
    }
  }

  /// The exchange's time, as well as it is known: by ours, where it is not.
  func time(at now: Int64) -> Int64 {
    known.withLock { known in
      switch known.clock.health {
      case .unknown: now
      case .normal(let offset), .apart(let offset), .farApart(let offset, _): now + offset
      }
    }
  }

  /// How long the exchange takes until its answers hold the last trades of a candle, in milliseconds.
  static let lag: Int64 = 2_000

  /// By the exchange's clock, the instant before which candles have closed: what ended before it does not change any more.
  func settled(at now: Int64) -> Int64 {
    max(0, time(at: now) - Self.lag - (clock.sample?.uncertainty ?? 0))
  }

  /// Whether candles can be told to be closed.
  var isTrusted: Bool { known.withLock { $0.clock.sample != nil } }
}

extension Int64 {
  /// Rounded down.
  fileprivate func quotient(of divisor: Int64) -> Int64 { CandlePiece.floor(self, divisor) }
}
