/// The figures of one aggregate trade: what one order took at one price. All numbers are finite.
package struct TradeFigures: Hashable, Sendable {
  /// The exchange's number of it: one more with each aggregate trade of the symbol.
  package let id: Int64
  /// In the quote asset.
  package let price: Double
  /// In the base asset.
  package let quantity: Double
  /// Whether the buyer's order was resting in the book. Then the seller was the taker.
  package let isBuyerMaker: Bool

  package init(id: Int64, price: Double, quantity: Double, isBuyerMaker: Bool) {
    self.id = id
    self.price = price
    self.quantity = quantity
    self.isBuyerMaker = isBuyerMaker
  }
}
