/// The price that a product is reckoned with.
package struct PriceChoice: Hashable, Sendable {
  /// Which price it is.
  package enum Kind: String, CaseIterable, Sendable {
    case buyBox = "buy_box"
    case fba
    case new
  }

  package let price: Int64
  package let kind: Kind
  /// Whether it is not the price of now but the lower average of 90 days.
  package let isAverage: Bool
  /// The average of the same price over 90 days, if Keepa tells it.
  package let average90Days: Int64?

  /// The buy box if there is one now, else the lowest offer that Amazon fulfils, else the lowest new one (fee fact
  /// sheet, section 4). Nil without any: then nothing is reckoned.
  ///
  /// - Parameter isCautious: whether the average of 90 days is taken where it is lower.
  package init?(_ figures: ProductFigures, isCautious: Bool = false) {
    let choices: [(Kind, ProductFigures.Price)] = [
      (.buyBox, figures.buyBox), (.fba, figures.fba), (.new, figures.new),
    ]
    for (kind, choice) in choices {
      guard let current = choice.current else { continue }
      let lower = choice.average90Days.flatMap { isCautious && $0 < current ? $0 : nil }
      price = lower ?? current
      self.kind = kind
      isAverage = lower != nil
      average90Days = choice.average90Days
      return
    }
    return nil
  }
}
