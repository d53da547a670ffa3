package import JSONText

/// As members of an object: money in the currency's minor unit, `roi` and `margin` in percent with one decimal, null
/// for what cannot be told.
extension ProductScore: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in writeMembers(to: &json) }
  }

  /// The members alone.
  func writeMembers(to json: inout JSONWriter) {
    json.field("asin", asin?.description)
    json.field("title", title)
    json.field("currency", domain?.currency)
    json.field("price", price)
    json.field("price_kind", priceKind?.rawValue)
    json.field("fees", fees)
    json.field("payout", payout)
    json.field("profit", profit)
    json.field("roi", roi.map(Self.percent))
    json.field("margin", margin.map(Self.percent))
    json.field("break_even_price", breakEven)
    json.field("max_cost", maxCost)
    json.field("velocity_band", velocityBand?.rawValue)
    json.field("monthly_units", monthlyUnits)
    json.field("monthly_units_at_least", velocity.isAtLeast)
    json.field("trend", velocity.trend?.rawValue)
    json.field("score", score)
    json.array("estimated", estimated)
  }

  private static func percent(_ tenths: Int64) -> Double { Double(tenths) / 10 }
}

extension FeeBreakdown: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("referral", referral)
      json.field("fulfilment", fulfilment)
      json.field("surcharge", surcharge)
      json.field("closing", closing)
      json.field("total", total)
    }
  }
}
