/// A fee that depends on the price in steps.
package struct PricedFees: Hashable, Sendable {
  package struct Band: Hashable, Sendable {
    /// The highest price of the band; nil for the last.
    package let upTo: Int64?
    package let fee: Int64
  }

  /// In rising order; at least one, and only the last is open.
  package let bands: [Band]

  /// The same fee at every price.
  package init(always fee: Int64) { bands = [Band(upTo: nil, fee: fee)] }

  init(bands: [Band]) { self.bands = bands }

  package func fee(at price: Int64) -> Int64 {
    bands.first { band in band.upTo.map { price <= $0 } ?? true }?.fee ?? 0
  }

  /// The same steps, each fee changed.
  func map(_ change: (Int64) -> Int64) -> PricedFees {
    PricedFees(bands: bands.map { Band(upTo: $0.upTo, fee: change($0.fee)) })
  }
}
