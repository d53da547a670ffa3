/// How the score is made. Whatever it says is our own choice, but for the units of the bands: no official measure exists
/// (fee fact sheet, section 5).
package struct ScoringConfiguration: Hashable, Sendable {
  /// What each part counts in the score; together above 0.
  package struct Weights: Hashable, Sendable {
    package var roi: Int64
    package var velocity: Int64
    package var competition: Int64
    package var stability: Int64
  }

  /// Raised whenever the same figures and settings come to another score.
  package static let rules: Int64 = 1

  /// What stands for an unknown buying price, as a share of the price; nil: nothing does. Half of the price is a stopgap
  /// until the cost is known: whatever rests on it is named as estimated.
  package var buyRatio: FeeRate? = FeeRate(hundredths: 5_000)
  /// Whether the average of 90 days is taken for the price where it is lower.
  package var isCautious = false
  /// The return that the most a product may cost is reckoned for, in tenths of a percent.
  package var targetROI: Int64 = 300
  /// Units sold for each improvement of the sales rank, in thousandths. The fee fact sheet says to start at 1 and to
  /// calibrate it on products that have both figures.
  package var dropsFactor: Int64 = 1_000
  /// Three times the drops of 30 days, in percent of those of 90 days: from here on sales are rising.
  package var risingPercent: Int64 = 120
  /// Up to here they are falling.
  package var fallingPercent: Int64 = 80
  package var bands = VelocityBands.standard

  package var weights = Weights(roi: 45, velocity: 30, competition: 15, stability: 10)
  /// Points for the return on the cost, in tenths of a percent: 0 at none, 60 at 30 %, all at 100 %.
  package var roi = ScoreCurve(knots: [.init(0, 0), .init(300, 60), .init(1_000, 100)])
  /// Points for the number of sellers whom Amazon fulfils.
  package var competition = ScoreCurve(knots: [.init(2, 100), .init(10, 50), .init(25, 0)])
  /// What is left of them, in percent, while Amazon sells the product too.
  package var besideAmazonPercent: Int64 = 50
  /// What is left of them, in percent, while Amazon holds the buy box. The fee fact sheet calls 0 a convention, unsure.
  package var amazonHoldsPercent: Int64 = 0
  /// Points for how far the price is from its average of 90 days, in percent of that.
  package var stability = ScoreCurve(knots: [.init(5, 100), .init(20, 50), .init(50, 0)])

  /// The settings that hold where a file says nothing else.
  package init() {}
}
