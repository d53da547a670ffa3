import TollbookEvents
import TollbookUpstreams

// What an upstream says becomes part of the books for ever. A figure that cannot be true is not taken for its word, so
// that no answer, however broken, can make sums overflow or give tokens away.

extension MeterCharge {
  /// More than any call costs; of money in nano-units a thousand.
  static let most: Int64 = 1 << 40

  /// Itself, or `unknown` if it tells an impossible cost: then the reservation is in doubt and evidence decides.
  var believable: MeterCharge {
    switch self {
    case .told(let cost) where !(0...Self.most).contains(cost): .unknown()
    case .byPrice(let cost) where !(0...Self.most).contains(cost): .unknown()
    case .unknown(let least) where !(0...Self.most).contains(least): .unknown()
    default: self
    }
  }
}

extension UpstreamReading {
  /// More than any bucket holds.
  private static let mostTokens: Int64 = 1 << 40

  /// Itself with a possible flow reduction, nil if it cannot be true.
  var believable: UpstreamReading? {
    let instants: ClosedRange<Int64> = 0...1 << 53
    guard (-Self.mostTokens...Self.mostTokens).contains(balance),
      (1...1 << 30).contains(refillRate), instants.contains(upstreamMilliseconds),
      instants.contains(nextRefillMilliseconds), nextRefillMilliseconds >= upstreamMilliseconds
    else { return nil }
    return UpstreamReading(
      balance: balance, upstreamMilliseconds: upstreamMilliseconds,
      nextRefillMilliseconds: nextRefillMilliseconds, refillRate: refillRate,
      flowReductionThousandths: min(max(0, flowReductionThousandths), refillRate * 1_000))
  }
}

extension UpstreamFailure {
  /// The longest detail that is written down.
  private static let longestDetail = 1_000

  var believable: UpstreamFailure {
    UpstreamFailure(
      reason, status: status, detail: detail.inOneLine(atMost: Self.longestDetail),
      charge: charge, reading: reading)
  }
}

extension WindowUsage {
  /// Itself, nil if it cannot be true.
  package var believable: WindowUsage? {
    let instants: ClosedRange<Int64> = 0...1 << 53
    guard (0...1 << 60).contains(used), limit.map({ $0 >= 0 }) ?? true,
      ends.map({ instants.contains($0.milliseconds) }) ?? true
    else { return nil }
    return self
  }
}
