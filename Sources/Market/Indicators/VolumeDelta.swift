/// What takers bought minus what they sold.
package struct VolumeDelta: Hashable, Sendable {
  /// In the base asset and in the quote asset. Nil if the sum is too large for a number.
  package let base: Double?
  package let quote: Double?

  init(base: Double, quote: Double) {
    self.base = base.ifFinite
    self.quote = quote.ifFinite
  }
}
