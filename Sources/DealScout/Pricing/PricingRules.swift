/// Every threshold of a price suggestion. All are our own conventions.
package struct PricingRules: Hashable, Sendable {
  /// How many sales and comparables must be kept for a suggestion.
  package var minimumSales: Int64 = 5
  /// From how many kept sales of the user's own the confidence is high.
  package var highConfidenceSales: Int64 = 10
  /// How many days ago a sale was at most.
  package var oldestSaleDays: Int64 = 365
  /// If the newest sale or comparable is older, in days, the confidence is one step lower.
  package var staleAfterDays: Int64 = 180
  /// Above this interquartile range, in thousandths of the typical price, the confidence is one step lower.
  package var widestSpread: Int64 = 350
  /// Which licensed offers are comparables and where outliers begin.
  package var deals = DealRules()

  /// The rules that hold where nobody says otherwise.
  package init() {}

  /// Checks every field, in the order of their declaration.
  ///
  /// - Throws: the first field that is out of its range.
  package func validate() throws(RuleError) {
    let bounds: [(field: String, value: Int64, range: ClosedRange<Int64>)] = [
      ("minimum_sales", minimumSales, 3...1_000),
      ("high_confidence_sales", highConfidenceSales, 3...100_000),
      ("oldest_sale_days", oldestSaleDays, 1...3_660),
      ("stale_after_days", staleAfterDays, 1...3_660),
      ("widest_spread", widestSpread, 0...10_000),
    ]
    for (field, value, range) in bounds where !range.contains(value) {
      throw RuleError(field: field, value: value, range: range)
    }
    guard highConfidenceSales >= minimumSales else {
      throw RuleError(
        field: "high_confidence_sales", value: highConfidenceSales, range: minimumSales...100_000)
    }
    do { try deals.validate() } catch {
      throw RuleError(field: "deals.\(error.field)", value: error.value, range: error.range)
    }
  }
}
