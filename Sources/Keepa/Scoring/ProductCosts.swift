/// What a product costs until it lies in Amazon's warehouse, each item, in the currency's minor unit.
package struct ProductCosts: Hashable, Sendable {
  /// What it is bought for; nil if it is not known.
  package let buy: Int64?
  /// Shipping to the warehouse; nil counts as nothing.
  package let inbound: Int64?
  /// Packing and labels; nil counts as nothing.
  package let prep: Int64?

  package static let unknown = ProductCosts()

  private init() { (buy, inbound, prep) = (nil, nil, nil) }

  /// - Throws: the first cost that is below 0 or above ``MoneyBounds/maximum``.
  package init(buy: Int64?, inbound: Int64? = nil, prep: Int64? = nil) throws(ProductCostError) {
    for (name, cost) in [("buy", buy), ("inbound", inbound), ("prep", prep)] {
      guard let cost, !(0...MoneyBounds.maximum ~= cost) else { continue }
      throw ProductCostError(name: name, value: cost)
    }
    self.buy = buy
    self.inbound = inbound
    self.prep = prep
  }

  /// The landed cost; nil if nobody knows what it is bought for.
  ///
  /// - Parameter guess: what stands for an unknown buying price.
  package func landed(guess: Int64? = nil) -> Int64? {
    guard let buy = buy ?? guess else { return nil }
    return buy + (inbound ?? 0) + (prep ?? 0)
  }
}

/// A cost that cannot be.
package struct ProductCostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// `buy`, `inbound` or `prep`.
  package let name: String
  package let value: Int64

  package var description: String {
    "\(name) must be from 0 to \(MoneyBounds.maximum), not \(value)"
  }
}
