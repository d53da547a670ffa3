import TollbookEvents
import TollbookUpstreams

// What an upstream says becomes part of the books for ever. A figure that cannot be true is not taken for its word, so
// that no answer, however broken, can make sums overflow or give tokens away.

extension UpstreamCharge {
  /// More than any call costs.
  static let most: Int64 = 1 << 40

  /// Itself, or `unknown` if it tells an impossible cost: then the reservation is in doubt and evidence decides.
  var believable: UpstreamCharge {
    if case .known(let tokens) = self, !(0...Self.most).contains(tokens) { return .unknown }
    return self
  }

  /// What it leaves of a reservation, as far as is known; negative if it cost more.
  func left(of bound: Int64) -> Int64 {
    switch self {
    case .none: bound
    case .known(let tokens): bound - tokens
    case .unknown: 0
    }
  }
}

extension UpstreamReading {
  /// Itself with a possible flow reduction, nil if it cannot be true.
  var believable: UpstreamReading? {
    let instants: ClosedRange<Int64> = 0...1 << 53
    guard (-UpstreamCharge.most...UpstreamCharge.most).contains(balance),
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
      charge: charge.believable, reading: reading?.believable)
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
