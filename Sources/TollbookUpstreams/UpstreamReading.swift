/// What an upstream said about one of its refill buckets, by its own clock.
package struct UpstreamReading: Hashable, Sendable {
  /// Tokens left after the call. May be zero or negative.
  package let balance: Int64
  /// When the upstream wrote it, in milliseconds since 1970 UTC.
  package let upstreamMilliseconds: Int64
  /// When the bucket is filled up next, in milliseconds since 1970 UTC.
  package let nextRefillMilliseconds: Int64
  /// Tokens that one refill brings, before the flow reduction. Always above zero.
  package let refillRate: Int64
  /// By how much standing orders lower each refill, in thousandths of a token.
  package let flowReductionThousandths: Int64

  package init(
    balance: Int64, upstreamMilliseconds: Int64, nextRefillMilliseconds: Int64, refillRate: Int64,
    flowReductionThousandths: Int64
  ) {
    self.balance = balance
    self.upstreamMilliseconds = upstreamMilliseconds
    self.nextRefillMilliseconds = nextRefillMilliseconds
    self.refillRate = refillRate
    self.flowReductionThousandths = flowReductionThousandths
  }
}
